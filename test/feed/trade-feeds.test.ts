/** Trades by their numbers: what is missing is found, fetched, and never delivered twice. */

import { describe, expect, test } from 'vitest'
import type { Gap } from '../../src/model/event.ts'
import { createWorld, type World } from '../helpers/world.ts'
import { holdAnswer, outcome, rig, TIME_MS } from './trade-rig.ts'

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
    expect(exchange.asked).toEqual(['11', '1011'])
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
    expect(exchange.asked).toEqual(['11', '1011', '2011', '3011'])
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

describe('an outage', () => {
  test('behind which the venue names no trade (of the last day) may have lost some: they are fetched later', async () => {
    const { world, exchange, feed, trades, stream, gaps, ids } = await rig()
    stream(10)
    exchange.newest = -1
    feed.ledger.begin({ cause: 'disconnect' })
    trades.subscribed(feed)
    await world.clock.advance(3_000)
    expect(gaps.at(-1)).toMatchObject({ cause: 'disconnect', state: 'closed', lost: undefined })
    stream(13)
    await world.clock.advance(3_000)
    expect(ids()).toEqual([10, 13, 11, 12])
    expect(gaps.at(-1)).toMatchObject({ cause: 'disconnect', state: 'healed', lost: 2 })
  })

  test('ends when the venue has told what was missed, also without a new trade', async () => {
    const { world, exchange, feed, trades, stream, gaps, ids } = await rig()
    stream(10)
    feed.ledger.begin({ cause: 'disconnect' })
    exchange.newest = 13
    await world.clock.advance(5_000)
    trades.subscribed(feed)
    await world.clock.advance(3_000)
    expect(ids()).toEqual([10, 11, 12, 13])
    expect(gaps.map(outcome)).toEqual([
      { cause: 'disconnect', state: 'open', between: [10, undefined], lost: undefined, healed: undefined },
      { cause: 'disconnect', state: 'open', between: [10, 14], lost: 3, healed: undefined },
      { cause: 'disconnect', state: 'healed', between: [10, 14], lost: 3, healed: 3 },
    ])
  })

  test('in which nothing was traded is closed with nothing lost', async () => {
    const { world, exchange, feed, trades, stream, gaps } = await rig()
    stream(10)
    exchange.newest = 10
    feed.ledger.begin({ cause: 'disconnect' })
    trades.subscribed(feed)
    await world.clock.advance(6_000)
    expect(gaps.at(-1)).toMatchObject({ cause: 'disconnect', state: 'closed', lost: 0 })
  })

  test.each([
    ['and the stream then goes on behind them', 6_000, 'disconnect'],
    ['and says the same a minute later', 100_000, 'sequence_gap'],
  ] as const)('of which the venue does not know the trades yet, %s', async (_name, waitMs, cause) => {
    const { world, feed, trades, stream, gaps, ids } = await rig()
    stream(10)
    feed.ledger.begin({ cause: 'disconnect', reason: 'lost' })
    trades.subscribed(feed)
    await world.clock.advance(waitMs)
    expect(gaps.at(-1)).toMatchObject({ cause: 'disconnect', state: 'closed', lost: 0 })
    stream(13)
    stream(15)
    await world.clock.advance(3_000)
    expect(ids()).toEqual([10, 13, 15, 11, 12, 14])
    const healed = gaps.filter(({ state }) => state === 'healed')
    expect(healed.map(outcome)).toEqual([
      { cause, state: 'healed', between: [10, 13], lost: 2, healed: 2 },
      { cause: 'sequence_gap', state: 'healed', between: [13, 15], lost: 1, healed: 1 },
    ])
    expect(healed[0]?.reason).toBe(cause === 'disconnect' ? 'lost' : undefined)
  })

  test('ends with the first trade that goes on where it stood', async () => {
    const { world, feed, stream, gaps } = await rig()
    stream(10)
    feed.ledger.begin({ cause: 'disconnect' })
    stream(11)
    await world.clock.advance(0)
    expect(gaps.at(-1)).toMatchObject({ state: 'closed', lost: 0, first_sequence: 11 })
  })

  test('that begins while trades may be on their way lasts until the stream is back', async () => {
    const { world, exchange, feed, trades, stream, gaps, ids } = await rig()
    stream(10)
    exchange.newest = 12
    trades.silent(feed)
    await world.clock.advance(500)
    feed.ledger.begin({ cause: 'disconnect' })
    trades.restarted(feed)
    await world.clock.advance(60_000)
    expect(gaps.map(outcome)).toEqual([
      { cause: 'disconnect', state: 'open', between: [10, undefined], lost: undefined, healed: undefined },
    ])
    exchange.newest = 15
    trades.subscribed(feed)
    await world.clock.advance(3_000)
    expect(ids()).toEqual([10, 11, 12, 13, 14, 15])
    expect(gaps.at(-1)).toMatchObject({ cause: 'disconnect', state: 'healed', lost: 5, healed: 5 })
  })

  test('stays open while the venue cannot be asked, and is healed then', async () => {
    const { world, exchange, feed, trades, stream, gaps, ids } = await rig()
    stream(10)
    exchange.newest = 12
    exchange.isDown = true
    feed.ledger.begin({ cause: 'disconnect' })
    trades.subscribed(feed)
    await world.clock.advance(120_000)
    expect(gaps).toHaveLength(1)
    exchange.isDown = false
    await world.clock.advance(120_000)
    expect(ids()).toEqual([10, 11, 12])
    expect(gaps.at(-1)?.state).toBe('healed')
  })

  test('of a killed process: the next one fetches what was missed since, and what was still missing', async () => {
    const before = await rig()
    before.exchange.isDown = true
    before.stream(10)
    before.stream(12)
    before.ledger.flush()
    await before.world.clock.advance(2_000)
    const world = await diskOf(before.world)
    const { exchange, feed, trades, gaps, ids } = await rig(world)
    exchange.newest = 15
    trades.subscribed(feed)
    await world.clock.advance(5_000)
    expect(ids().sort((a, b) => a - b)).toEqual([11, 13, 14, 15])
    expect(gaps.filter(({ state }) => state === 'healed').map(({ cause }) => cause)).toEqual(
      expect.arrayContaining(['sequence_gap', 'process_down']),
    )
  })

  test('of a killed process that still missed a great many trades: the next one fetches them all', async () => {
    const before = await rig()
    before.exchange.isDown = true
    for (let id = 0; id <= 600; id += 2) before.stream(id)
    before.ledger.flush()
    await before.world.clock.advance(2_000)
    const world = await diskOf(before.world)
    const { exchange, feed, trades, gaps, ids } = await rig(world)
    exchange.newest = 600
    trades.subscribed(feed)
    await world.clock.advance(5_000)
    expect(ids()).toEqual(Array.from({ length: 300 }, (_, i) => 1 + 2 * i))
    expect(gaps.filter(({ state, healed }) => state === 'healed' && healed === 1)).toHaveLength(300)
  })

  test('of a process that was stopped while it fetched: the next one fetches the rest, and nothing twice', async () => {
    const before = await rig()
    before.exchange.oldest = 13
    before.stream(10)
    before.stream(15)
    await before.world.clock.advance(100)
    expect(before.ids()).toEqual([10, 15, 13, 14])
    before.ledger.stop()
    const world = await diskOf(before.world)
    const { exchange, feed, trades, gaps, ids } = await rig(world)
    exchange.newest = 15
    trades.subscribed(feed)
    await world.clock.advance(5_000)
    expect(ids()).toEqual([11, 12])
    expect(gaps.filter(({ cause }) => cause === 'sequence_gap').map(outcome)).toEqual([
      { cause: 'sequence_gap', state: 'healed', between: [10, 15], lost: 4, healed: 4 },
    ])
  })

  test('found after the last beat of a process that was killed: it knows better where the stream stood', async () => {
    const before = await rig()
    before.stream(10)
    await before.world.clock.advance(2_000)
    before.stream(11)
    before.stream(12)
    before.feed.ledger.begin({ cause: 'disconnect' })
    before.ledger.flush()
    const world = await diskOf(before.world)
    const { exchange, feed, trades, gaps, ids } = await rig(world)
    exchange.newest = 14
    trades.subscribed(feed)
    await world.clock.advance(5_000)
    expect(ids()).toEqual([13, 14])
    expect(outcome(gaps.at(-1) as Gap)).toEqual({
      cause: 'disconnect',
      state: 'healed',
      between: [12, 15],
      lost: 2,
      healed: 2,
    })
  })

  test('whose clock was set back between two gaps before it was killed: the next process fetches both', async () => {
    const disk = createWorld()
    let aheadUs = 5_000_000
    const { nowUs } = disk.clock
    Object.assign(disk.clock, { nowUs: () => nowUs() + aheadUs })
    const before = await rig(disk)
    before.exchange.isDown = true
    before.stream(10)
    await disk.clock.advance(2_000)
    before.stream(12)
    aheadUs = 0
    before.stream(15)
    before.ledger.flush()
    const world = await diskOf(disk)
    const { exchange, feed, trades, ids } = await rig(world)
    exchange.newest = 15
    trades.subscribed(feed)
    await world.clock.advance(10_000)
    expect(ids().sort((a, b) => a - b)).toEqual([11, 13, 14, 15])
  })

  test('whose clock was set back before it started: the next process fetches what both before it missed', async () => {
    const disk = createWorld()
    const { nowUs } = disk.clock
    Object.assign(disk.clock, { nowUs: () => nowUs() + 3_600_000_000 })
    const first = await rig(disk)
    first.stream(10)
    await disk.clock.advance(2_000)
    first.ledger.stop()
    const second = await rig(await diskOf(disk))
    second.exchange.isDown = true
    second.stream(12)
    second.stream(15)
    second.ledger.flush()
    const world = await diskOf(second.world)
    await world.clock.advance(60_000)
    const { exchange, feed, trades, ids } = await rig(world)
    exchange.newest = 15
    trades.subscribed(feed)
    await world.clock.advance(10_000)
    expect(ids().sort((a, b) => a - b)).toEqual([11, 13, 14, 15])
  })

  test('behind which the stream comes by a channel with other numbers: those before tell nothing', async () => {
    const before = await rig(createWorld(), 'aggTrade')
    before.exchange.isDown = true
    before.stream(600)
    before.stream(603)
    before.ledger.stop()
    const world = await diskOf(before.world)
    const { exchange, feed, trades, stream, gaps, ids } = await rig(world, 'trade')
    exchange.newest = 20_000
    trades.subscribed(feed)
    await world.clock.advance(5_000)
    stream(20_001)
    await world.clock.advance(5_000)
    expect(ids()).toEqual([20_001])
    expect(gaps.map(({ cause, state, lost }) => ({ cause, state, lost }))).toEqual([
      { cause: 'sequence_gap', state: 'final', lost: 2 },
      // Its last number is one of the others: it is taken back.
      { cause: 'shutdown', state: 'open', lost: undefined },
      { cause: 'shutdown', state: 'closed', lost: undefined },
    ])
    const again = await rig(await diskOf(world), 'trade')
    again.exchange.newest = 20_002
    again.trades.subscribed(again.feed)
    await again.world.clock.advance(5_000)
    expect(again.ids()).toEqual([20_002])
  })

  describe.each(['killed', 'stopped'])('of a process that was %s when its stream had been dead for a while', (how) => {
    test.each([
      ['with trades that are gone: it begins with the last one before', { oldest: 14 }, 'final', 0],
      ['with trades of which the first is gone: likewise', { oldest: 12 }, 'final', 0],
      ['with trades of that time: it begins when the first of them was made', {}, 'healed', 11],
      ['with trades of later: it begins with the end of the process', { lateMs: 40_000 }, 'healed', 25_000],
    ])('%s', async (_name, kept, state, startMs) => {
      const before = await rig()
      before.trades.subscribed(before.feed)
      before.stream(10)
      const lastUs = before.world.clock.nowUs()
      await before.world.clock.advance(25_000)
      if (how === 'stopped') before.ledger.stop()
      const world = await diskOf(before.world)
      const { exchange, feed, trades, gaps, ledger } = await rig(world)
      Object.assign(exchange, { newest: 13, ...kept })
      trades.subscribed(feed)
      await world.clock.advance(120_000)
      expect(gaps.at(-1)).toMatchObject({ state, lost: 3, start_time_us: lastUs + startMs * 1000 })
      const [part] = ledger.coverage(lastUs, lastUs + 24_000_000)
      expect(part?.coveredShare).toBe(state === 'final' ? 0 : 1)
    })
  })

  test('of a killed process that lacks trades which are gone begins no earlier than an older gap ended', async () => {
    const before = await rig()
    before.stream(10)
    const lastUs = before.world.clock.nowUs()
    before.exchange.newest = 11
    await before.world.clock.advance(75_000)
    expect(before.gaps.at(-1)).toMatchObject({ state: 'healed', start_time_us: lastUs })
    const world = await diskOf(before.world)
    await world.clock.advance(60_000)
    const { exchange, feed, trades, gaps } = await rig(world)
    Object.assign(exchange, { newest: 13, oldest: 14 })
    trades.subscribed(feed)
    await world.clock.advance(120_000)
    const { state, start_time_us: startUs = 0 } = gaps.at(-1) ?? {}
    expect([state, (startUs - lastUs) / 1e6]).toEqual(['final', expect.closeTo(60, -1)])
  })

  test('of a process that was killed right after its first trade: the next one knows where the stream stood', async () => {
    const before = await rig()
    before.stream(10)
    const world = await diskOf(before.world)
    const { exchange, feed, trades, gaps, ids } = await rig(world)
    exchange.newest = 12
    trades.subscribed(feed)
    await world.clock.advance(5_000)
    expect(ids()).toEqual([11, 12])
    expect(gaps.at(-1)).toMatchObject({ cause: 'process_down', state: 'healed', last_sequence: 10, healed: 2 })
  })
})

/** The same disk a minute later, for the next process. */
async function diskOf(before: World): Promise<World> {
  const world = createWorld()
  for (const [path, text] of before.disk) world.disk.set(path, text)
  await world.clock.advance(60_000)
  return world
}
