/** Outages of trades of which the venue's REST does not know yet what they lack. */

import { describe, expect, test } from 'vitest'
import type { Gap } from '../../src/model/event.ts'
import { outcome, rig } from './trade-rig.ts'

type Rig = Awaited<ReturnType<typeof rig>>

/** Trade 10 comes, and two seconds later the stream is lost for three. */
async function outage({ world, feed, trades, stream }: Rig): Promise<void> {
  trades.subscribed(feed)
  stream(10)
  await world.clock.advance(2_000)
  trades.restarted(feed)
  feed.ledger.begin({ cause: 'disconnect', startUs: world.clock.nowUs(), reason: 'lost' })
  await world.clock.advance(3_000)
  trades.subscribed(feed)
}

describe('an outage', () => {
  test('is not said to have lost nothing before REST has had time to know', async () => {
    const started = await rig()
    const { world, exchange, gaps, ids } = started
    await outage(started)
    await world.clock.advance(3_000)
    expect(gaps).toHaveLength(1)
    exchange.newest = 13
    await world.clock.advance(3_000)
    expect(ids()).toEqual([10, 11, 12, 13])
    expect(gaps.map(outcome)).toEqual([
      { cause: 'disconnect', state: 'open', between: [10, undefined], lost: undefined, healed: undefined },
      { cause: 'disconnect', state: 'open', between: [10, 14], lost: 3, healed: undefined },
      { cause: 'disconnect', state: 'healed', between: [10, 14], lost: 3, healed: 3 },
    ])
  })

  test('of a quiet stream takes two questions', async () => {
    const started = await rig()
    const { world, gaps } = started
    await outage(started)
    await world.clock.advance(4_900)
    expect([world.requests.length, gaps.length]).toEqual([1, 1])
    await world.clock.advance(50_000)
    expect([world.requests.length, gaps.length]).toEqual([2, 2])
    expect(gaps.at(-1)).toMatchObject({ state: 'closed', lost: 0 })
  })

  test('whose end the stream itself shows ends at once', async () => {
    const started = await rig()
    const { world, stream, gaps } = started
    await outage(started)
    stream(11)
    await world.clock.advance(0)
    expect(gaps.at(-1)).toMatchObject({
      state: 'closed',
      lost: 0,
      first_sequence: 11,
      end_time_us: world.clock.nowUs(),
    })
  })

  test('that lost something although REST said otherwise lies within the gap that tells of it', async () => {
    const started = await rig()
    const { world, exchange, stream, gaps } = started
    await outage(started)
    await world.clock.advance(10_000)
    const wrong = gaps.at(-1) as Gap
    expect(wrong).toMatchObject({ cause: 'disconnect', state: 'closed', lost: 0 })
    stream(14)
    exchange.oldest = 14
    await world.clock.advance(200_000)
    const right = gaps.at(-1) as Gap
    expect(right).toMatchObject({ cause: 'disconnect', reason: expect.any(String), state: 'final', lost: 3 })
    expect(right.gap_id).not.toBe(wrong.gap_id)
    expect(right.start_time_us).toBe(wrong.start_time_us)
    expect(right.end_time_us).toBeGreaterThan(wrong.end_time_us ?? 0)
  })

  test('behind another in which nothing was traded begins where REST knew that, and not with the last trade', async () => {
    const started = await rig()
    const { world, feed, ledger, trades, gaps } = started
    await outage(started)
    await world.clock.advance(5_000)
    const beforeUs = world.clock.nowUs()
    await world.clock.advance(100_000)
    trades.restarted(feed)
    feed.ledger.begin({ cause: 'disconnect' })
    trades.subscribed(feed)
    await world.clock.advance(5_000)
    trades.restarted(feed)
    feed.ledger.begin({ cause: 'disconnect' })
    ledger.flush()
    const [first, second, third] = [...new Map(gaps.map((gap) => [gap.gap_id, gap])).values()]
    expect(first?.end_time_us).toBe(beforeUs)
    expect(second).toMatchObject({ state: 'closed', lost: 0, start_time_us: first?.start_time_us })
    expect(third?.start_time_us).toBe((second?.end_time_us ?? 0) - 30_000_000)
  })
})
