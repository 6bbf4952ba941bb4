/** A venue that counts anew while the subscription is dead: nothing comes that could tell of it but the venue's answers. */

import { describe, expect, test } from 'vitest'
import { jsonAnswer } from '../helpers/world.ts'
import { binanceTrade, createRig } from './rig.ts'
import { outcome, rig, TIME_MS } from './trade-rig.ts'

describe('a venue whose newest trade is below the stream’s', () => {
  test('for longer than REST lags: a gap since the last trade, and the stream is subscribed anew, once', async () => {
    const { world, exchange, feed, trades, stream, gaps, restarts } = await rig()
    trades.subscribed(feed)
    stream(1_000_000)
    const lastUs = world.clock.nowUs()
    exchange.newest = 50
    await world.clock.advance(90_000)
    expect([gaps, restarts, feed.state]).toEqual([[], [], 'live'])
    await world.clock.advance(5_000)
    expect(gaps).toMatchObject([{ cause: 'silence', state: 'open', start_time_us: lastUs, last_sequence: 1_000_000 }])
    expect([restarts, feed.state]).toEqual([['restart silence'], 'stale'])
    for (let minute = 0; minute < 60; minute++) {
      exchange.newest += 50
      await world.clock.advance(60_000)
    }
    expect([restarts, gaps.length]).toEqual([['restart silence'], 1])
    trades.subscribed(feed)
    stream(3_051, { exchange_time_us: (TIME_MS + 3_700_000) * 1000 })
    await world.clock.advance(1_000)
    expect(outcome(gaps.at(-1) as (typeof gaps)[number])).toEqual({
      cause: 'silence',
      state: 'final',
      between: [1_000_000, 3_051],
      lost: undefined,
      healed: undefined,
    })
    expect(gaps).toHaveLength(2)
  })

  test('for no longer than REST lags is behind it: nothing is missing', async () => {
    const { world, exchange, feed, trades, stream, gaps, restarts } = await rig()
    trades.subscribed(feed)
    stream(10)
    exchange.newest = 9
    for (const delayMs of [1_000, 20_000, 9_000]) {
      await world.clock.advance(delayMs)
      feed.set('stale', 'no data for 30 s')
      trades.silent(feed)
      await world.clock.advance(0)
      expect(feed.state).toBe('live')
    }
    exchange.newest = 10
    await world.clock.advance(300_000)
    expect([gaps, restarts]).toEqual([[], []])
  })

  test('now and then has nodes that lag: one that does not speaks for it', async () => {
    const { world, exchange, feed, trades, stream, gaps, restarts } = await rig()
    trades.subscribed(feed)
    stream(10)
    for (let i = 0; i < 30; i++) {
      exchange.newest = 10 - (i % 2)
      trades.silent(feed)
      await world.clock.advance(20_000)
    }
    expect([gaps, restarts]).toEqual([[], []])
  })

  test('as long as trades come has nodes that lag, by whatever they name', async () => {
    const { world, exchange, feed, trades, stream, gaps, restarts } = await rig()
    trades.subscribed(feed)
    for (let id = 1; id < 30; id++) {
      stream(id)
      exchange.newest = 0
      trades.silent(feed)
      await world.clock.advance(20_000)
    }
    expect([gaps, restarts]).toEqual([[], []])
  })
})

describe('a venue that counts anew during an outage, and comes past the stream’s newest number', () => {
  test.each([['nothing has come'], ['the stream goes on behind it']])(
    'is told by another trade with that number: what follows is fetched, and the gap stays one of unknown size (%s)',
    async (name) => {
      const isLive = name !== 'nothing has come'
      const { world, exchange, feed, trades, stream, gaps, ids } = await rig()
      stream(10)
      feed.ledger.begin({ cause: 'disconnect' })
      await world.clock.advance(40_000)
      Object.assign(exchange, { newest: 13, lateMs: 30_000 })
      trades.subscribed(feed)
      if (isLive) stream(14, { exchange_time_us: (TIME_MS + 30_014) * 1000 })
      await world.clock.advance(8_000)
      stream(isLive ? 15 : 14, { exchange_time_us: (TIME_MS + 30_020) * 1000 })
      await world.clock.advance(8_000)
      expect(ids()).toEqual(isLive ? [10, 14, 11, 12, 13, 15] : [10, 11, 12, 13, 14])
      expect(outcome(gaps.at(-1) as (typeof gaps)[number])).toEqual({
        cause: 'disconnect',
        state: 'final',
        between: [10, 14],
        lost: undefined,
        healed: 3,
      })
      expect(gaps.at(-1)?.reason).toContain('came past 10')
      expect(gaps.at(-2)).toMatchObject({ state: 'open', reason: gaps.at(-1)?.reason, first_sequence: 14 })
    },
  )

  test('is not, where joined trades and single ones are told with times of their own', async () => {
    const { world, exchange, feed, trades, stream, gaps, ids } = await rig()
    stream(10)
    feed.ledger.begin({ cause: 'disconnect' })
    Object.assign(exchange, { newest: 13, lateMs: 500 })
    trades.subscribed(feed)
    await world.clock.advance(8_000)
    expect(ids()).toEqual([10, 11, 12, 13])
    expect(gaps.at(-1)).toMatchObject({ state: 'healed', lost: 3 })
  })

  test('is told by a trade that was missing before the outage, and is made in it', async () => {
    const { world, exchange, feed, stream, gaps, ids } = await rig()
    exchange.isDown = true
    stream(8)
    stream(10)
    await world.clock.advance(1_000)
    feed.ledger.begin({ cause: 'disconnect' })
    Object.assign(exchange, { isDown: false, lateMs: 30_000 })
    await world.clock.advance(60_000)
    expect(ids()).toEqual([8, 10, 9])
    expect(gaps.filter(({ state }) => state === 'final').map(({ cause }) => cause)).toEqual([
      'sequence_gap',
      'disconnect',
    ])
  })
})

test('a silent connection whose venue counts anew is no quiet one: it is subscribed anew, then reopened', async () => {
  const { world, start, gaps, log } = createRig()
  let newest = 0
  world.answer = ({ url }) =>
    url.includes('/ticker/24hr') ? jsonAnswer({ symbol: 'BTCUSDT', lastId: newest }) : jsonAnswer('', 503)
  await start('binance', { symbols: ['BTCUSDT'] })
  await world.clock.advance(100)
  const { peer } = world
  peer.open()
  peer.message({ result: null, id: peer.frames.at(-1)?.id })
  const pass = async (seconds: number, each: (second: number) => void) => {
    for (let i = 0; i < seconds; i++) {
      each(i)
      peer.pong()
      await world.clock.advance(1_000)
    }
  }
  await pass(40, (second) => {
    newest = 1_000_000 + second
    peer.message(binanceTrade('BTCUSDT', newest))
  })
  const sent = peer.frames.length
  newest = 0
  await pass(60, () => void newest++)
  expect(peer.frames.slice(sent).map(({ method }) => method)).toEqual(['UNSUBSCRIBE', 'SUBSCRIBE'])
  expect(log.filter((line) => line.startsWith('lost'))).toHaveLength(1)
  expect(world.peers.length).toBeGreaterThan(1)
  expect(gaps).toMatchObject([{ state: 'open', last_sequence: 1_000_039 }])
})

describe('a trade with a time from the future', () => {
  const yearAhead = { exchange_time_us: (TIME_MS + 365 * 86_400_000) * 1000 }

  test('does not make those of a new numbering old ones', async () => {
    const { world, feed, trades, stream, gaps, ids } = await rig()
    trades.subscribed(feed)
    stream(1_000, yearAhead)
    await world.clock.advance(10_000)
    stream(1, { exchange_time_us: world.clock.nowUs() })
    await world.clock.advance(0)
    expect(gaps).toMatchObject([{ cause: 'sequence_reset', last_sequence: 1_000, first_sequence: 1 }])
    expect(ids()).toEqual([1_000, 1])
  })

  test('is none of a new numbering itself when it comes again', async () => {
    const { world, feed, trades, stream, gaps, ids } = await rig()
    trades.subscribed(feed)
    stream(999)
    stream(1_000, yearAhead)
    await world.clock.advance(10_000)
    stream(1_000, yearAhead)
    await world.clock.advance(0)
    expect([gaps, ids()]).toEqual([[], [999, 1_000]])
  })
})
