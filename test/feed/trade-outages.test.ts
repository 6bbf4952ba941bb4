/** Trades across an outage: of the connection, or of the whole process. What was missed is asked for, counted and fetched. */

import { describe, expect, test } from 'vitest'
import type { Gap } from '../../src/model/event.ts'
import { createWorld, type World } from '../helpers/world.ts'
import { outcome, rig, streamed } from './trade-rig.ts'

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

  test.each([
    [13, { state: 'healed', between: [10, 13], lost: 2, healed: 2 }, [10, 11, 12]],
    [11, { state: 'closed', between: [10, undefined], lost: 0, healed: undefined }, [10]],
    [8, { state: 'closed', between: [10, undefined], lost: 0, healed: undefined }, [10]],
  ])('lost nothing of what a second link holds, from %i on', async (heldFrom, end, delivered) => {
    const { world, exchange, feed, trades, stream, gaps, ids } = await rig()
    stream(10)
    feed.ledger.begin({ cause: 'disconnect' })
    exchange.newest = 15
    feed.second = { next: streamed(heldFrom, world.clock.nowUs()) }
    trades.subscribed(feed)
    await world.clock.advance(8_000)
    expect(gaps.map(outcome).at(-1)).toEqual({ cause: 'disconnect', ...end })
    expect(ids()).toEqual(delivered)
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
      for (const [id, us] of before.exchange.madeUs) exchange.madeUs.set(id, us - exchange.lateMs * 1000)
      trades.subscribed(feed)
      await world.clock.advance(120_000)
      expect(gaps.at(-1)).toMatchObject({ state, lost: 3, start_time_us: lastUs + startMs * 1000 })
      const [part] = ledger.coverage(lastUs, lastUs + 24_000_000)
      expect(part?.coveredShare).toBe(state === 'final' ? 0 : 1)
    })
  })

  test('of a process, in which the venue counts anew and comes past the last number, lost more than its numbers say', async () => {
    const before = await rig()
    before.trades.subscribed(before.feed)
    before.stream(10)
    await before.world.clock.advance(25_000)
    const world = await diskOf(before.world)
    const { exchange, feed, trades, gaps, ids } = await rig(world)
    Object.assign(exchange, { newest: 13, lateMs: 30_000 })
    trades.subscribed(feed)
    await world.clock.advance(20_000)
    expect(ids()).toEqual([11, 12, 13])
    expect(gaps.at(-1)).toMatchObject({ cause: 'process_down', state: 'final', healed: 3 })
    expect([gaps.at(-1)?.lost, gaps.at(-1)?.reason]).toEqual([undefined, expect.stringContaining('came past 10')])
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
