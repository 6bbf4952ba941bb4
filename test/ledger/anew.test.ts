/** A stream begins anew: with other numbers, another proof, or after a time in which nobody wanted it; and its process ends. */

import { describe, expect, test } from 'vitest'
import { completenessView } from '../../src/collector/feed-view.ts'
import { Ledger } from '../../src/ledger/ledger.ts'
import type { StreamIdentity } from '../../src/ledger/records.ts'
import type { Proof } from '../../src/model/event.ts'
import { createWorld, type World } from '../helpers/world.ts'

const HOUR_MS = 3_600_000
const trade = (numbers?: string): StreamIdentity => ({
  exchange: 'x',
  venue: 'x',
  channel: 'trade',
  symbol: 'A',
  market: 'spot',
  proof: 'counter',
  numbers,
})
const book = (proof: Proof): StreamIdentity => ({ ...trade(), channel: 'book', proof })

/** As the collector does it: its feeds are made before the file is read. */
async function boot(world: World, identity: StreamIdentity) {
  const { files, clock } = world
  const ledger = new Ledger({ folder: 'ledger', files, clock, emit: () => {}, onProblem: () => {} })
  const feed = ledger.stream(identity)
  await ledger.load()
  ledger.open(feed)
  await ledger.start()
  return { ledger, feed }
}

/** The same disk a minute later, for the next process. */
async function nextOf(world: World): Promise<World> {
  const next = createWorld()
  for (const [path, text] of world.disk) next.disk.set(path, text)
  await next.clock.advance(world.clock.monotonicMs() + 60_000)
  return next
}

describe('the next process does not know the numbers of before', () => {
  test('if it comes by another channel then', async () => {
    const world = createWorld()
    const { ledger, feed } = await boot(world, trade('aggregates'))
    feed.tally.offer({ first: 600, last: 600 })
    feed.heard(600, world.clock.nowUs())
    await world.clock.advance(10_000)
    ledger.stop()
    const { feed: second } = await boot(await nextOf(world), trade())
    expect(second.tally.last).toBeUndefined()
    expect(second.outage).toMatchObject({ cause: 'shutdown', last_sequence: undefined })
    const { feed: third } = await boot(await nextOf(world), trade('aggregates'))
    expect(third.tally.last).toBe(600)
  })

  test('if it came by another channel, and had brought nothing yet', async () => {
    const world = createWorld()
    const { ledger, feed } = await boot(world, trade('aggregates'))
    feed.tally.offer({ first: 600, last: 600 })
    feed.heard(600, world.clock.nowUs())
    await world.clock.advance(10_000)
    ledger.retire(feed, 'another channel of the venue brings it now')
    const again = ledger.stream(trade())
    ledger.open(again)
    again.begin({ cause: 'not_subscribed', reason: 'another channel of the venue brings it now' })
    await world.clock.advance(10_000)
    const { feed: third } = await boot(await nextOf(world), trade())
    expect(third.tally.last).toBeUndefined()
  })

  test('if it was wanted again after an hour, and had brought nothing yet', async () => {
    const world = createWorld()
    const { ledger, feed } = await boot(world, trade())
    feed.tally.offer({ first: 600, last: 600 })
    feed.heard(600, world.clock.nowUs())
    feed.renumber(7)
    feed.heard(3, world.clock.nowUs())
    await world.clock.advance(10_000)
    ledger.retire(feed, 'removed by a client')
    await world.clock.advance(HOUR_MS)
    const again = ledger.stream(trade())
    ledger.open(again)
    again.live(world.clock.nowUs())
    await world.clock.advance(10_000)
    const { feed: third } = await boot(await nextOf(world), trade())
    expect(third.tally.last).toBeUndefined()
    // Its ids go on with the numbering that was told last.
    expect(third.epoch).toBe(7)
  })
})

describe('what can be verified', () => {
  test('of a time in which the stream was polled is less than since it is streamed', async () => {
    const world = createWorld()
    const { ledger, feed } = await boot(world, book('cadence'))
    const startUs = world.clock.nowUs()
    feed.heard(1, startUs)
    await world.clock.advance(HOUR_MS)
    const endUs = world.clock.nowUs()
    ledger.stop()
    const next = await nextOf(world)
    const { ledger: second, feed: again } = await boot(next, book('range'))
    const resumedUs = next.clock.nowUs()
    again.end({ endUs: resumedUs })
    again.heard(100, resumedUs)
    await next.clock.advance(60_000)
    const proofOf = (fromUs: number, untilUs: number) =>
      second.coverage(fromUs, untilUs).map(completenessView)[0]?.proof
    expect(proofOf(startUs, endUs)).toBe('cadence')
    expect(proofOf(startUs, next.clock.nowUs())).toBe('cadence')
    expect(proofOf(resumedUs, next.clock.nowUs())).toBe('range')
  })

  test('of a stream that is wanted again is told by what brings it now', async () => {
    const world = createWorld()
    const { ledger, feed } = await boot(world, book('range'))
    feed.heard(1, world.clock.nowUs())
    await world.clock.advance(60_000)
    ledger.retire(feed, 'removed by a client')
    const added = ledger.stream(book('cadence'))
    ledger.open(added)
    const startUs = world.clock.nowUs()
    added.heard(5, startUs)
    await world.clock.advance(60_000)
    expect(ledger.coverage(startUs, world.clock.nowUs()).map(completenessView)[0]?.proof).toBe('cadence')
    expect(added.stream.proof).toBe('cadence')
  })
})
