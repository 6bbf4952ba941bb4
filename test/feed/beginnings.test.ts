/** A confirmed trade stream that has brought no number yet: what tells of it all the same. */

import { describe, expect, test } from 'vitest'
import { createRig } from './rig.ts'
import { outcome, rig, TIME_MS } from './trade-rig.ts'

describe('a frame that cannot be read before the first trade', () => {
  test('may have been a trade: a gap from the confirmation to the first one', async () => {
    const { world, feed, trades, stream, gaps } = await rig()
    await world.clock.advance(2_000)
    const confirmedUs = world.clock.nowUs()
    trades.subscribed(feed)
    await world.clock.advance(5_000)
    trades.undecodable(feed, 'p: 12a is no decimal')
    await world.clock.advance(5_000)
    const firstUs = world.clock.nowUs()
    stream(501)
    await world.clock.advance(0)
    expect(gaps.map(outcome)).toEqual([
      { cause: 'decode_error', state: 'open', between: [undefined, undefined], lost: undefined, healed: undefined },
      { cause: 'decode_error', state: 'closed', between: [undefined, 501], lost: undefined, healed: undefined },
    ])
    expect(gaps.at(-1)).toMatchObject({ start_time_us: confirmedUs, end_time_us: firstUs })
  })

  test('was one when the venue had told the number before it: it is fetched', async () => {
    const { world, exchange, feed, trades, stream, gaps, ids } = await rig()
    exchange.newest = 500
    trades.subscribed(feed)
    await world.clock.advance(62_000)
    trades.undecodable(feed, 'p: 12a is no decimal')
    stream(502)
    await world.clock.advance(10_000)
    expect(ids()).toEqual([502, 501])
    expect(gaps.map(outcome)).toEqual([
      { cause: 'silence', state: 'closed', between: [undefined, 501], lost: undefined, healed: undefined },
      { cause: 'decode_error', state: 'open', between: [500, 502], lost: 1, healed: undefined },
      { cause: 'decode_error', state: 'healed', between: [500, 502], lost: 1, healed: 1 },
    ])
  })

  test('was a quote, where quotes come: a gap from then to the first one', async () => {
    const rig = createRig()
    await rig.start('binance', { symbols: ['BTCUSDT'], channels: { quote: 'bookTicker' } })
    rig.world.peer.open()
    for (const { id } of rig.world.peer.frames) rig.world.peer.message({ result: null, id })
    await rig.world.clock.advance(3_000)
    const quote = (b: unknown) => ({
      stream: 'btcusdt@bookTicker',
      data: { u: 7, s: 'BTCUSDT', b, B: '1', a: '3', A: '1' },
    })
    const brokenUs = rig.world.clock.nowUs()
    rig.world.peer.message(quote({}))
    await rig.world.clock.advance(2_000)
    const firstUs = rig.world.clock.nowUs()
    rig.world.peer.message(quote('2'))
    await rig.world.clock.advance(500)
    expect(rig.gaps.map(({ cause, state }) => `${cause} ${state}`)).toEqual([
      'decode_error open',
      'decode_error closed',
    ])
    expect(rig.gaps.at(-1)).toMatchObject({ channel: 'quote', start_time_us: brokenUs, end_time_us: firstUs })
  })

  test('of a stream that is not confirmed yet is none of its own', async () => {
    const { world, feed, trades, stream, gaps } = await rig()
    trades.undecodable(feed, 'p: 12a is no decimal')
    trades.subscribed(feed)
    stream(501)
    await world.clock.advance(0)
    expect(gaps).toEqual([])
  })
})

describe('a first trade behind what the venue has told', () => {
  test('that is not the next one: those between are fetched, and what was before is not known', async () => {
    const { world, exchange, feed, trades, stream, gaps, ids } = await rig()
    exchange.newest = 500
    const confirmedUs = world.clock.nowUs()
    trades.subscribed(feed)
    await world.clock.advance(62_000)
    stream(503)
    await world.clock.advance(10_000)
    expect(ids()).toEqual([503, 501, 502])
    expect(gaps.map(outcome)).toEqual([
      { cause: 'silence', state: 'closed', between: [undefined, 501], lost: undefined, healed: undefined },
      { cause: 'sequence_gap', state: 'open', between: [500, 503], lost: 2, healed: undefined },
      { cause: 'sequence_gap', state: 'healed', between: [500, 503], lost: 2, healed: 2 },
    ])
    expect(gaps[0]?.start_time_us).toBe(confirmedUs)
    expect(gaps[1]?.start_time_us).toBeLessThanOrEqual(gaps[0]?.end_time_us ?? 0)
  })

  test('that is the next one lacks nothing, and the venue may count anew behind it', async () => {
    const { world, exchange, feed, trades, stream, gaps, ids } = await rig()
    exchange.newest = 500
    trades.subscribed(feed)
    await world.clock.advance(62_000)
    stream(501)
    for (let id = 502; id < 700; id++) stream(id)
    expect(gaps).toEqual([])
    stream(600, { exchange_time_us: (TIME_MS + 3_600_000) * 1000 })
    await world.clock.advance(0)
    expect(gaps.map(outcome)).toEqual([
      { cause: 'sequence_reset', state: 'final', between: [699, 600], lost: undefined, healed: undefined },
    ])
    expect(ids().at(-1)).toBe(600)
  })

  test('before a stream that was started afresh is confirmed: the outage lacks those between', async () => {
    const { world, exchange, feed, trades, stream, gaps, ids } = await rig()
    exchange.newest = 500
    trades.subscribed(feed)
    await world.clock.advance(62_000)
    feed.ledger.begin({ cause: 'disconnect' })
    trades.restarted(feed)
    stream(503)
    await world.clock.advance(10_000)
    expect(ids()).toEqual([503, 501, 502])
    expect(gaps.map(outcome)).toEqual([
      { cause: 'disconnect', state: 'open', between: [undefined, undefined], lost: undefined, healed: undefined },
      { cause: 'silence', state: 'closed', between: [undefined, 501], lost: undefined, healed: undefined },
      { cause: 'disconnect', state: 'open', between: [undefined, 503], lost: 2, healed: undefined },
      { cause: 'disconnect', state: 'healed', between: [undefined, 503], lost: 2, healed: 2 },
    ])
  })
})

test('a silent stream without a number is started afresh: nothing will tell what it missed, so that is a gap', async () => {
  const { world, start, gaps } = createRig()
  await start('binance', { symbols: ['BTCUSDT'] })
  await world.clock.advance(100)
  world.peer.open()
  world.peer.message({ result: null, id: world.peer.frames.at(-1)?.id })
  for (let seconds = 0; seconds < 62; seconds++) {
    world.peer.pong()
    await world.clock.advance(1_000)
  }
  expect(gaps.map(outcome)).toMatchObject([{ cause: 'silence', state: 'open' }])
  world.peer.message({ result: null, id: world.peer.frames.at(-1)?.id })
  await world.clock.advance(1_000)
  expect(gaps.map(outcome)).toMatchObject([{ state: 'open' }, { cause: 'silence', state: 'closed', lost: undefined }])
})
