/** What is lost behind the collector becomes gaps, durable with one sync however many streams it concerns. */

import { expect, test } from 'vitest'
import { lackLoss, lackRecord } from '../../src/collector/losses.ts'
import type { Lack } from '../../src/ledger/lacks.ts'
import type { StreamIdentity, StreamName } from '../../src/ledger/records.ts'

const STREAM: StreamIdentity = {
  exchange: 'okx',
  venue: 'okx',
  channel: 'trade',
  symbol: 'BTC-USDT',
  market: 'spot',
  proof: 'counter',
}

function ledger() {
  const calls: string[] = []
  const losses: Lack[] = []
  return {
    calls,
    losses,
    lack: ({ channel, symbol }: StreamName, ...loss: Lack) => {
      calls.push(`lack ${channel} ${symbol}`)
      losses.push(loss)
    },
    flush: () => void calls.push('flush'),
    *[Symbol.iterator]() {
      yield { stream: STREAM, isCollected: true, stretches: [] }
      yield { stream: { ...STREAM, symbol: 'ETH-USDT' }, isCollected: false, stretches: [] }
    },
  }
}

test('each feed that lost something has a gap; gaps and instruments are of no feed', () => {
  const found = ledger()
  const of = (stream: string) => ({ stream, records: 2, firstTimeUs: 1, lastTimeUs: 2 })
  const streams = ['trade', 'book_delta', 'gap', 'instrument'].map((type) => of(`${type} okx okx spot BTC-USDT`))
  lackLoss(found, { cause: 'evicted', streams, sinks: ['nats'] }, 3)
  expect(found.calls).toEqual(['lack trade BTC-USDT', 'lack book BTC-USDT', 'flush'])
})

test('what a feed has lost of several streams is one loss, and goes on when the log says so', () => {
  const found = ledger()
  const streams = [
    { stream: 'book_snapshot okx okx spot BTC-USDT', records: 1, firstTimeUs: 5, lastTimeUs: 5 },
    { stream: 'book_delta okx okx spot BTC-USDT', records: 7, firstTimeUs: 2, lastTimeUs: 9 },
  ]
  lackLoss(found, { cause: 'evicted', streams, sinks: ['nats'], outage: 4 }, 10)
  expect(found.losses).toEqual([
    [{ cause: 'log_full', reason: 'given up for lack of room; for nats', startUs: 2 }, { endUs: 9, lost: 8 }, 4],
  ])
})

test('a loss that goes on has no end, and no count', () => {
  const found = ledger()
  const streams = [{ stream: 'trade okx okx spot BTC-USDT', records: 1, firstTimeUs: 5, lastTimeUs: 5 }]
  lackLoss(found, { cause: 'refused', streams, sinks: [], isOngoing: true }, 10)
  const start = { cause: 'log_full', reason: 'not taken for lack of room', startUs: 5 }
  expect(found.losses).toEqual([[start, undefined, undefined]])
})

test('where nobody can tell whose it was, every feed that is collected has one', () => {
  const found = ledger()
  lackLoss(found, { cause: 'corrupt', firstLsn: 1, lastLsn: 2, streams: [], sinks: [] }, 3)
  expect(found.calls).toEqual(['lack trade BTC-USDT', 'flush'])
})

test.each([
  ['the last record before it', 150, 150],
  ['the beginning of the stream, if that is later', 50, 100],
  ['the beginning of the stream, if nobody knows', undefined, 100],
  ['now, if the store’s clock is ahead', 900, 500],
])('then its gap begins with %s', (_, sinceUs, startUs) => {
  const gaps: unknown[] = []
  const found = {
    lack: (_stream: unknown, start: { readonly startUs: number }, end: { readonly endUs: number }) =>
      void gaps.push([start.startUs, end.endUs]),
    flush() {},
    *[Symbol.iterator]() {
      yield { stream: STREAM, isCollected: true, stretches: [{ fromUs: 100, untilUs: 200 }, { fromUs: 300 }] }
    },
  }
  lackLoss(found, { cause: 'missing', firstLsn: 1, lastLsn: 2, sinceUs, streams: [], sinks: [] }, 500)
  expect(gaps).toEqual([[startUs, 500]])
})

test('a refused record is one', () => {
  const found = ledger()
  const record = {
    lsn: 1,
    kind: 'event',
    stream: 'quote okx okx spot BTC-USDT',
    timeUs: 1,
    bodyBytes: 0,
    body: Buffer.of(),
  } as const
  lackRecord(found, 'clickhouse', record, 'too large')
  expect(found.calls).toEqual(['lack quote BTC-USDT', 'flush'])
})
