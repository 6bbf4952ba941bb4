/** Numbers that a venue uses a second time: what makes a new epoch, what is merely late, and what the ids come to. */

import { beforeEach, describe, expect, test } from 'vitest'
import { epochOf, withEpoch } from '../../src/feed/epoch.ts'
import type { MarketEvent } from '../../src/model/event.ts'
import { jsonAnswer } from '../helpers/world.ts'
import { binanceDelta, createRig, exchangeInfo, type Rig } from './rig.ts'

const AT_MS = 1_795_392_000_000

let rig: Rig
let sequence: number

beforeEach(() => {
  rig = createRig()
  sequence = 100
  rig.world.answer = ({ url }) =>
    url.includes('exchangeInfo') ? exchangeInfo('BTCUSDT') : snapshotOf(sequence, Number(url.split('limit=')[1]))
})

const snapshotOf = (lastUpdateId: number, limit: number) => {
  const side = (from: number, step: number) =>
    Array.from({ length: Math.min(limit, 800) }, (_, i) => [String(from + step * i), '1'])
  return jsonAnswer({ lastUpdateId, bids: side(10_000, -1), asks: side(10_001, 1) })
}

const peer = () => rig.world.peer
const idsOf = (type: MarketEvent['type']) => rig.events.filter((event) => event.type === type).map(({ id }) => id)

async function open(channels: Record<string, string>, venue = 'binance') {
  const started = await rig.start(venue, { symbols: ['BTCUSDT'], channels })
  await reopen()
  return started
}

async function reopen() {
  await rig.world.clock.advance(3_000)
  peer().open()
  for (const { id } of peer().frames) peer().message({ result: null, id })
}

async function pass(seconds: number) {
  for (let second = 0; second < seconds; second++) {
    peer().pong()
    await rig.world.clock.advance(1_000)
  }
}

const say = (u: number, atMs = 0) => {
  const { stream, data } = binanceDelta('BTCUSDT', u, u, '9999')
  peer().message({ stream, data: { ...data, E: AT_MS + atMs } })
}

/** Of spot without a time; of USD-M with that of matching. */
const quote = (u: number, bid = '1.0', T?: number) =>
  peer().message({
    stream: 'btcusdt@bookTicker',
    data: {
      ...(T && { e: 'bookTicker', E: AT_MS + T, T: AT_MS + T }),
      u,
      s: 'BTCUSDT',
      b: bid,
      B: '1',
      a: '2.0',
      A: '1',
    },
  })

describe('books', () => {
  test('the book that is built on new numbers has ids of its own', async () => {
    await open({ book: 'depth@100ms' })
    await pass(1)
    say(101, 1_000)
    await pass(3)
    sequence = 50
    say(51, 9_000)
    await pass(3)
    say(52, 10_000)
    expect(idsOf('book_snapshot')).toEqual([
      'binance:book_snapshot:BTCUSDT:0:100',
      `binance:book_snapshot:BTCUSDT:${AT_MS + 9_000}000:50`,
    ])
    const epoch = `${AT_MS + 9_000}000`
    expect(idsOf('book_delta')).toEqual([
      'binance:book_delta:BTCUSDT:0:101',
      `binance:book_delta:BTCUSDT:${epoch}:51`,
      `binance:book_delta:BTCUSDT:${epoch}:52`,
    ])
  })

  test('the next process goes on with the epoch, and finds one that began while none ran', async () => {
    const first = await open({ book: 'depth@100ms' })
    await pass(1)
    say(101, 1_000)
    await pass(3)
    sequence = 50
    say(51, 9_000)
    await pass(3)
    const epoch = `${AT_MS + 9_000}000`
    first.feed.stop()
    first.ledger.stop()
    rig.events.length = 0
    sequence = 60
    const second = await open({ book: 'depth@100ms' })
    await pass(1)
    say(61, 20_000)
    await pass(1)
    expect(idsOf('book_delta')).toEqual([`binance:book_delta:BTCUSDT:${epoch}:61`])
    second.feed.stop()
    second.ledger.stop()
    rig.events.length = 0
    sequence = 10
    await open({ book: 'depth@100ms' })
    await pass(1)
    say(11, 30_000)
    await pass(1)
    expect(idsOf('book_delta')).toEqual([`binance:book_delta:BTCUSDT:${AT_MS + 30_000}000:11`])
  })

  test('an old snapshot of the same numbers begins no epoch', async () => {
    await open({ book: 'depth@100ms' })
    await pass(1)
    for (let u = 101; u < 120; u++) say(u, u)
    await pass(2)
    peer().close()
    // A REST node that lags behind, twice the same: what was delivered is newer.
    sequence = 110
    await reopen()
    await pass(30)
    sequence = 130
    say(131, 60_000)
    await pass(20)
    expect(idsOf('book_snapshot')).toEqual([100, 130].map((u) => `binance:book_snapshot:BTCUSDT:0:${u}`))
    expect(idsOf('book_delta').at(-1)).toBe('binance:book_delta:BTCUSDT:0:131')
  })

  test('OKX has its time in the place of an epoch already', async () => {
    await open({ book: 'books' }, 'okx')
    const book = (action: string, prevSeqId: number, seqId: number, ts: number) =>
      peer().message({
        arg: { channel: 'books', instId: 'BTCUSDT' },
        action,
        data: [{ asks: [['1.1', '3', '0', '1']], bids: [], ts: String(AT_MS + ts), prevSeqId, seqId, checksum: 0 }],
      })
    book('snapshot', -1, 100, 0)
    book('snapshot', -1, 7, 5_000)
    book('update', 7, 8, 6_000)
    expect([...idsOf('book_snapshot'), ...idsOf('book_delta')]).toEqual([
      `okx:book_snapshot:BTCUSDT:${AT_MS}000:100`,
      `okx:book_snapshot:BTCUSDT:${AT_MS + 5_000}000:7`,
      `okx:book_delta:BTCUSDT:${AT_MS + 6_000}000:8`,
    ])
  })
})

describe('quotes', () => {
  test('without a time: numbers that were passed long ago are new ones', async () => {
    await open({ quote: 'bookTicker' })
    quote(100)
    for (let i = 1; i < 8; i++) {
      await pass(10)
      quote(100 + 2 * i)
    }
    // Late, but not by half a minute.
    quote(113, '1.5')
    quote(20, '3.0')
    quote(21, '3.0')
    const ids = idsOf('quote')
    const epoch = ids.at(-2)?.split(':')[3]
    expect(ids.slice(8)).toEqual([113, 20, 21].map((u) => `binance:quote:BTCUSDT:${u === 113 ? 0 : epoch}:${u}`))
    expect(Number(epoch)).toBeGreaterThan(AT_MS * 1000)
    expect(new Set(ids).size).toBe(ids.length)
  })

  test('with a time: a smaller number at a later time is a new one, at once', async () => {
    await open({ quote: 'bookTicker' }, 'binance-usdm')
    quote(100, '1.0', 1_000)
    quote(99, '1.1', 900)
    quote(98, '1.2', 1_100)
    quote(101, '1.3', 1_200)
    const epoch = `${AT_MS + 1_100}000`
    expect(idsOf('quote')).toEqual([
      'binance-usdm:quote:BTCUSDT:0:100',
      'binance-usdm:quote:BTCUSDT:0:99',
      `binance-usdm:quote:BTCUSDT:${epoch}:98`,
      `binance-usdm:quote:BTCUSDT:${epoch}:101`,
    ])
  })

  test('the next process knows where they stood', async () => {
    const first = await open({ quote: 'bookTicker' })
    quote(100)
    await pass(2)
    first.feed.stop()
    first.ledger.stop()
    await open({ quote: 'bookTicker' })
    quote(40, '5.0')
    expect(idsOf('quote').at(-1)).toMatch(/^binance:quote:BTCUSDT:1795392\d{9}:40$/)
  })
})

test.each(['0:17', 'agg:17'])('%s: the epoch can be read from the id that has it', (tail) => {
  const trade = { type: 'trade', venue: 'okx', symbol: 'BTC-USDT', id: `okx:trade:BTC-USDT:${tail}` } as MarketEvent
  expect([0, AT_MS].map((epoch) => epochOf(withEpoch(trade, epoch)))).toEqual([0, AT_MS])
})
