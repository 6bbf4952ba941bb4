/** Trades by their numbers: what is missing is found, fetched, and never delivered twice. */

import { describe, expect, test } from 'vitest'
import { createWorld } from '../helpers/world.ts'
import { holdAnswer, outcome, rig, streamed, TIME_MS } from './trade-rig.ts'

describe('a hole in the stream', () => {
  test('is a gap before the trade behind it leaves, and is fetched in order', async () => {
    const { world, stream, delivered, gaps, ids } = await rig()
    stream(10)
    await world.clock.advance(100)
    stream(14)
    expect(gaps.map(outcome)).toEqual([
      { cause: 'sequence_gap', state: 'open', between: [10, 14], lost: 3, healed: undefined },
    ])
    await world.clock.advance(1_000)
    expect(delivered.map(({ trade_id, source }) => [Number(trade_id), source])).toEqual([
      [10, 'stream'],
      [14, 'stream'],
      [11, 'backfill'],
      [12, 'backfill'],
      [13, 'backfill'],
    ])
    expect(gaps.map(outcome).at(-1)).toEqual({
      cause: 'sequence_gap',
      state: 'healed',
      between: [10, 14],
      lost: 3,
      healed: 3,
    })
    expect(new Set(ids()).size).toBe(5)
  })

  test('of which the venue has only a part ends final, with the reason', async () => {
    const { world, exchange, stream, gaps, ids } = await rig()
    exchange.oldest = 13
    stream(10)
    stream(15)
    await world.clock.advance(200_000)
    expect(ids()).toEqual([10, 15, 13, 14])
    expect(gaps.at(-1)).toMatchObject({
      state: 'final',
      lost: 4,
      healed: 2,
      reason: 'the venue does not have them (any more)',
    })
  })

  test('is asked for as long as REST may lag, however short the waits are drawn', async () => {
    const world = Object.assign(createWorld(), { random: () => 0 })
    const { exchange, stream, gaps, ids } = await rig(world)
    exchange.oldest = 100
    stream(10)
    stream(12)
    await world.clock.advance(20_000)
    expect(gaps.at(-1)).toMatchObject({ state: 'open' })
    exchange.oldest = 1
    await world.clock.advance(4_000)
    expect(ids()).toEqual([10, 12, 11])
    expect(gaps.at(-1)).toMatchObject({ state: 'healed', healed: 1 })
  })

  test('is no matter of one failure: what REST lacked before it failed is asked for again', async () => {
    const { world, exchange, stream, gaps, ids } = await rig()
    exchange.oldest = 100
    stream(10)
    stream(13)
    await world.clock.advance(29_000)
    exchange.isDown = true
    await world.clock.advance(600_000)
    expect(gaps.at(-1)?.state).toBe('open')
    exchange.isDown = false
    exchange.oldest = 1
    await world.clock.advance(120_000)
    expect(ids()).toEqual([10, 13, 11, 12])
    expect(gaps.at(-1)).toMatchObject({ state: 'healed', healed: 2 })
  })

  test('is asked for while REST names no number as new: it lags, whatever it lacks', async () => {
    const { world, exchange, stream, gaps, ids } = await rig()
    stream(10)
    stream(13)
    exchange.newest = 9
    await world.clock.advance(400_000)
    expect(gaps.at(-1)?.state).toBe('open')
    exchange.newest = 13
    await world.clock.advance(120_000)
    expect(ids()).toEqual([10, 13, 11, 12])
    expect(gaps.at(-1)).toMatchObject({ state: 'healed', healed: 2 })
  })

  test('is fetched when the venue can be reached again', async () => {
    const { world, exchange, stream, gaps, ids } = await rig()
    exchange.isDown = true
    stream(10)
    stream(13)
    await world.clock.advance(600_000)
    expect(gaps.at(-1)?.state).toBe('open')
    exchange.isDown = false
    await world.clock.advance(120_000)
    expect(ids()).toEqual([10, 13, 11, 12])
    expect(gaps.at(-1)?.state).toBe('healed')
  })

  test.each([
    ['the venue refuses the stream', false, { state: 'healed', healed: 2 }],
    ['the venue lists the symbol no more', true, { state: 'final', healed: 0, reason: 'refused: no' }],
  ])('is fetched or given up when %s', async (_name, isGone, outcome) => {
    const { world, exchange, trades, feed, stream, gaps } = await rig()
    exchange.isDown = true
    stream(10)
    stream(13)
    await world.clock.advance(1_000)
    feed.reject('refused: no')
    trades.dropped(feed, isGone)
    exchange.isDown = false
    await world.clock.advance(120_000)
    expect(gaps.at(-1)).toMatchObject(outcome)
  })

  test('and those beside it are fetched at once: a request has room for the trades of many', async () => {
    const { world, exchange, stream, gaps, ids, restarts } = await rig()
    exchange.isDown = true
    stream(10)
    for (let id = 20; id <= 2_000; id += 10) stream(id)
    exchange.asked.length = 0
    exchange.isDown = false
    await world.clock.advance(120_000)
    expect(exchange.asked).toEqual(['10', '1010'])
    expect(ids().sort((a, b) => a - b)).toEqual(Array.from({ length: 1_991 }, (_, i) => 10 + i))
    expect(gaps.filter(({ state }) => state === 'healed')).toHaveLength(199)
    expect(restarts).toEqual([])
  })

  test('that the venue cannot fill any more does not hold up the next', async () => {
    const { world, exchange, stream, gaps, ids } = await rig()
    exchange.oldest = 100
    stream(10)
    stream(12)
    await world.clock.advance(1_000)
    stream(101)
    stream(103)
    await world.clock.advance(1_000)
    expect(ids()).toEqual([10, 12, 101, 103, 100, 102])
    expect(gaps.at(-1)).toMatchObject({ state: 'healed', lost: 1 })
  })

  test('is the oldest of too many: it is given up, and says so', async () => {
    const { world, exchange, stream, gaps } = await rig()
    exchange.isDown = true
    for (let id = 0; id <= 2_004; id += 2) stream(id)
    await world.clock.advance(1_000)
    const reason = 'more than 1000 runs of trades are missing; the oldest are given up'
    expect(gaps.filter(({ state }) => state === 'final').map(outcome)).toEqual([
      { cause: 'sequence_gap', state: 'final', between: [0, 2], lost: 1, healed: 0 },
      { cause: 'sequence_gap', state: 'final', between: [2, 4], lost: 1, healed: 0 },
    ])
    expect(gaps.find(({ state }) => state === 'final')?.reason).toBe(reason)
    exchange.isDown = false
    await world.clock.advance(120_000)
    expect(gaps.filter(({ state }) => state === 'healed')).toHaveLength(1_000)
  })

  test('of many pages is fetched page by page', async () => {
    const { world, exchange, stream, gaps, ids } = await rig()
    exchange.newest = 5_000
    stream(10)
    stream(4_000)
    await world.clock.advance(60_000)
    expect(exchange.asked).toEqual(['10', '1010', '2010', '3010'])
    expect(ids().slice(2)).toEqual(Array.from({ length: 3_989 }, (_, i) => 11 + i))
    expect(gaps.at(-1)).toMatchObject({ state: 'healed', lost: 3_989, healed: 3_989 })
  })

  test('that the stream itself fills late is healed too, without a double', async () => {
    const { world, exchange, stream, gaps, ids } = await rig()
    exchange.isDown = true
    stream(10)
    stream(12)
    stream(11)
    await world.clock.advance(0)
    expect(ids()).toEqual([10, 12, 11])
    expect(gaps.at(-1)).toMatchObject({ state: 'healed', lost: 1, healed: 1 })
    exchange.isDown = false
    await world.clock.advance(10_000)
    expect(ids()).toEqual([10, 12, 11])
  })

  test('of a frame that could not be read says so', async () => {
    const { world, trades, feed, stream, gaps } = await rig()
    stream(10)
    trades.undecodable(feed, 'p: expected a decimal')
    stream(12)
    await world.clock.advance(0)
    expect(gaps[0]).toMatchObject({ cause: 'decode_error', lost: 1 })
  })
})

describe('trades that come again', () => {
  test('are dropped, however old they are', async () => {
    const { stream, restarts, ids } = await rig()
    for (let id = 1; id <= 3_000; id++) stream(id)
    for (let id = 1; id <= 50; id++) stream(id)
    expect(ids()).toHaveLength(3_000)
    expect(restarts).toHaveLength(50)
  })

  test('with a later time are new ones: the venue counts anew, and ids differ', async () => {
    const { world, stream, delivered, gaps } = await rig()
    stream(10)
    stream(11)
    const later = (TIME_MS + 60_000) * 1000
    stream(3, { exchange_time_us: later })
    stream(4, { exchange_time_us: later + 1 })
    stream(4, { exchange_time_us: later + 1 })
    await world.clock.advance(0)
    expect(gaps.map(outcome)).toEqual([
      { cause: 'sequence_reset', state: 'final', between: [11, 3], lost: undefined, healed: undefined },
    ])
    expect(delivered.map(({ id }) => id).slice(2)).toEqual([
      `binance:trade:BTCUSDT:${later}:3`,
      `binance:trade:BTCUSDT:${later}:4`,
    ])
  })
})

test('a venue that counts anew fills no hole below what it counted before', async () => {
  const { world, exchange, stream, delivered, gaps } = await rig()
  exchange.isDown = true
  stream(10)
  stream(13)
  const later = (TIME_MS + 60_000) * 1000
  stream(12, { exchange_time_us: later })
  await world.clock.advance(0)
  expect(gaps.slice(1).map(outcome)).toEqual([
    { cause: 'sequence_gap', state: 'final', between: [10, 13], lost: 2, healed: 0 },
    { cause: 'sequence_reset', state: 'final', between: [13, 12], lost: undefined, healed: undefined },
  ])
  expect(delivered.at(-1)?.id).toBe(`binance:trade:BTCUSDT:${later}:12`)
})

describe('an answer to what was asked before the venue counted anew', () => {
  const later = (TIME_MS + 60_000) * 1000

  test('fills no hole behind it', async () => {
    const { world, stream, gaps, delivered } = await rig()
    const answer = holdAnswer(world, '/historicalTrades')
    stream(10)
    stream(13)
    await world.clock.advance(0)
    stream(5, { exchange_time_us: later })
    await answer.release()
    expect(delivered.map(({ trade_id }) => trade_id)).toEqual(['10', '13', '5'])
    expect(gaps.at(-1)).toMatchObject({ cause: 'sequence_reset', last_sequence: 13, first_sequence: 5 })
  })

  test('tells of no loss behind it', async () => {
    const { world, exchange, stream, gaps } = await rig()
    const answer = holdAnswer(world, '/ticker/24hr')
    stream(10)
    exchange.newest = 20
    await world.clock.advance(61_000)
    stream(5, { exchange_time_us: later + 60_000_000 })
    exchange.newest = 5
    await answer.release()
    await world.clock.advance(60_000)
    expect(gaps.map(({ cause }) => cause)).toEqual(['sequence_reset'])
  })

  test('tells of no loss when the venue does so while what it names may be on its way', async () => {
    const { world, exchange, stream, gaps } = await rig()
    stream(10)
    exchange.newest = 20
    await world.clock.advance(62_000)
    stream(5, { exchange_time_us: later + 60_000_000 })
    exchange.newest = 5
    await world.clock.advance(60_000)
    expect(gaps.map(({ cause }) => cause)).toEqual(['sequence_reset'])
  })
})

test('a hole is filled whatever the times of its trades: the venue’s clock may have been set back', async () => {
  const { world, stream, gaps, ids } = await rig()
  stream(10)
  stream(13, { exchange_time_us: (TIME_MS - 60_000) * 1000 })
  await world.clock.advance(2_000)
  expect(ids()).toEqual([10, 13, 11, 12])
  expect(gaps.at(-1)).toMatchObject({ state: 'healed', lost: 2, healed: 2 })
})

describe('a hole before older trades than those that are fetched for it', () => {
  const old = (TIME_MS - 60_000) * 1000

  test('is not filled with them when we were late to read: the venue counts anew', async () => {
    const { world, exchange, stream, gaps, delivered } = await rig()
    stream(10, { exchange_time_us: old })
    world.clock.stall(70_000)
    stream(13, { exchange_time_us: old + 1_000_000 })
    exchange.newest = 14
    await world.clock.advance(62_000 + 2_000)
    expect(gaps.map(outcome).slice(1, 3)).toEqual([
      { cause: 'sequence_gap', state: 'final', between: [10, 13], lost: 2, healed: 0 },
      { cause: 'sequence_reset', state: 'final', between: [13, 11], lost: undefined, healed: undefined },
    ])
    expect(delivered.map(({ trade_id }) => trade_id)).toEqual(['10', '13', '11', '12', '13', '14'])
    expect(new Set(delivered.map(({ id }) => id)).size).toBe(6)
  })

  test('is when we were in time: the venue’s clock was set back', async () => {
    const { world, stream, gaps, ids } = await rig()
    stream(10, { exchange_time_us: old })
    await world.clock.advance(70_000)
    stream(13, { exchange_time_us: old + 1_000_000 })
    await world.clock.advance(2_000)
    expect(ids()).toEqual([10, 13, 11, 12])
    expect(gaps.at(-1)).toMatchObject({ state: 'healed', lost: 2, healed: 2 })
  })
})

describe('a loss at the end of the stream', () => {
  test('is found within a minute of silence, and fetched', async () => {
    const { world, exchange, feed, stream, gaps, ids } = await rig()
    exchange.newest = 10
    stream(10)
    await world.clock.advance(30_000)
    exchange.newest = 12
    await world.clock.advance(70_000)
    expect(ids()).toEqual([10, 11, 12])
    expect(feed.behind).toMatchObject({ sequence: 12, madeUs: expect.any(Number) })
    expect(gaps.map(outcome)).toEqual([
      { cause: 'sequence_gap', state: 'open', between: [10, 13], lost: 2, healed: undefined },
      { cause: 'sequence_gap', state: 'healed', between: [10, 13], lost: 2, healed: 2 },
    ])
  })

  test('that the stream was about to bring is none', async () => {
    const { world, exchange, feed, trades, stream, gaps, ids } = await rig()
    exchange.newest = 10
    stream(10)
    exchange.newest = 11
    trades.silent(feed)
    await world.clock.advance(1_500)
    stream(11)
    await world.clock.advance(10_000)
    expect(ids()).toEqual([10, 11])
    expect(gaps).toEqual([])
  })

  test('but on a second link, also from after the answer on: nothing is missing', async () => {
    const { world, exchange, feed, trades, stream, gaps, ids } = await rig()
    stream(10)
    exchange.newest = 12
    trades.silent(feed)
    await world.clock.advance(1_500)
    feed.second = { next: streamed(11, world.clock.nowUs()) }
    await world.clock.advance(3_000)
    expect([gaps, ids()]).toEqual([[], [10]])
  })

  test('twice in a row without a word of the stream: it is dead, and subscribed anew', async () => {
    const { world, exchange, stream, restarts } = await rig()
    exchange.newest = 10
    stream(10)
    exchange.newest = 12
    await world.clock.advance(70_000)
    expect(restarts).toEqual([])
    exchange.newest = 14
    await world.clock.advance(70_000)
    expect(restarts).toEqual(['restart silence'])
  })

  test('a quiet market is asked about every minute, and is no gap', async () => {
    const { world, exchange, stream, gaps } = await rig()
    exchange.newest = 10
    stream(10)
    const before = world.requests.length
    await world.clock.advance(600_000)
    expect(world.requests.length - before).toBeGreaterThanOrEqual(9)
    expect(world.requests.length - before).toBeLessThanOrEqual(11)
    expect(gaps).toEqual([])
  })
})

test('a silent stream of which the venue does not tell in time is missed from then on, and by its answer healed', async () => {
  const { world, exchange, feed, trades, stream, gaps, ids } = await rig()
  stream(10)
  const held = holdAnswer(world, '/ticker/24hr')
  exchange.newest = 12
  feed.set('stale', 'no data for 300 s')
  trades.silent(feed)
  await world.clock.advance(29_000)
  expect([trades.isAsking(feed), gaps]).toEqual([true, []])
  await world.clock.advance(2_000)
  expect(trades.isAsking(feed)).toBe(false)
  expect(gaps).toMatchObject([{ cause: 'silence', state: 'open', reason: expect.stringContaining('not answered yet') }])
  trades.subscribed(feed)
  await held.release()
  await world.clock.advance(10_000)
  expect(ids()).toEqual([10, 11, 12])
  expect(gaps.at(-1)).toMatchObject({ cause: 'silence', state: 'healed', lost: 2 })
})

describe('a stream that has brought nothing yet', () => {
  test('is dead when the venue counts on: what it owes is a gap, and it is subscribed anew', async () => {
    const { world, exchange, feed, trades, gaps, ids, restarts } = await rig()
    exchange.newest = 100
    const confirmedUs = world.clock.nowUs()
    trades.subscribed(feed)
    await world.clock.advance(62_000)
    expect(gaps).toEqual([])
    exchange.newest = 102
    await world.clock.advance(62_000)
    expect(gaps.map(outcome)).toEqual([
      { cause: 'silence', state: 'closed', between: [undefined, 101], lost: undefined, healed: undefined },
      { cause: 'sequence_gap', state: 'open', between: [100, 103], lost: 2, healed: undefined },
      { cause: 'sequence_gap', state: 'healed', between: [100, 103], lost: 2, healed: 2 },
    ])
    expect(gaps[0]?.start_time_us).toBe(confirmedUs)
    expect(gaps[1]?.start_time_us).toBeLessThanOrEqual(gaps[0]?.end_time_us ?? 0)
    expect(ids()).toEqual([101, 102])
    exchange.newest = 103
    await world.clock.advance(62_000)
    expect(restarts).toEqual(['restart silence'])
  })

  test('brings its first trade while it is asked about: nothing is missing', async () => {
    const { world, exchange, feed, trades, stream, gaps, ids } = await rig()
    exchange.newest = 100
    trades.subscribed(feed)
    await world.clock.advance(61_500)
    exchange.newest = 101
    trades.silent(feed)
    await world.clock.advance(1_000)
    stream(101)
    await world.clock.advance(30_000)
    expect([gaps, ids()]).toEqual([[], [101]])
  })

  test('is not taken for dead by what was traded before it was confirmed', async () => {
    const { world, exchange, feed, trades, gaps } = await rig()
    exchange.newest = 100
    trades.subscribed(feed)
    await world.clock.advance(62_000)
    trades.restarted(feed)
    exchange.newest = 150
    trades.subscribed(feed)
    await world.clock.advance(120_000)
    expect(gaps).toEqual([])
  })

  test('may have missed something in an outage, whatever the venue names as its newest', async () => {
    const { world, exchange, feed, trades, gaps } = await rig()
    trades.subscribed(feed)
    exchange.isDown = true
    await world.clock.advance(1_000)
    feed.set('stale', 'no data for 300 s')
    trades.silent(feed)
    await world.clock.advance(5_000)
    exchange.isDown = false
    exchange.newest = 10
    await world.clock.advance(60_000)
    expect(gaps.map(({ cause, state, lost }) => ({ cause, state, lost }))).toEqual([
      { cause: 'silence', state: 'open', lost: undefined },
      { cause: 'silence', state: 'closed', lost: undefined },
    ])
  })
})
