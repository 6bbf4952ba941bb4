/** What is lost behind the collector becomes gaps, durable with one sync however many streams it concerns. */

import { expect, test } from 'vitest'
import { lackLoss, lackRecord } from '../../src/collector/losses.ts'
import type { StreamIdentity } from '../../src/ledger/records.ts'

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
  return {
    calls,
    lack: ({ channel, symbol }: Pick<StreamIdentity, 'channel' | 'symbol'>) =>
      void calls.push(`lack ${channel} ${symbol}`),
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
