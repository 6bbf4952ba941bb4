/** What the API says of the completeness of streams, from what their ledger knows. */

import { expect, test } from 'vitest'
import { completenessSum, isIncomplete } from '../../src/api/completeness.ts'
import { completenessView } from '../../src/collector/feed-view.ts'
import type { FeedLedger } from '../../src/ledger/feed-ledger.ts'
import { Ledger } from '../../src/ledger/ledger.ts'
import type { StreamIdentity } from '../../src/ledger/records.ts'
import { createWorld, type World } from '../helpers/world.ts'

const ticker = (symbol: string): StreamIdentity => ({
  exchange: 'x',
  venue: 'x',
  channel: 'ticker',
  symbol,
  market: 'spot',
  proof: 'cadence',
})

/** A ledger whose streams have brought their first message. */
async function boot({ files, clock }: Pick<World, 'files' | 'clock'>, ...symbols: string[]) {
  const ledger = new Ledger({ folder: 'ledger', files, clock, emit: () => {}, onProblem: () => {} })
  await ledger.load()
  const feeds = symbols.map((symbol) => ledger.stream(ticker(symbol)))
  for (const feed of feeds) ledger.open(feed)
  await ledger.start()
  for (const feed of feeds) feed.heard(undefined, clock.nowUs())
  const viewsSince = (sinceUs: number) => ledger.coverage(sinceUs, clock.nowUs()).map(completenessView)
  return { ledger, feeds, viewsSince }
}

test('one record that a sink has refused is missing, though that took no time', async () => {
  const world = createWorld()
  const { ledger, viewsSince } = await boot(world, 'A')
  const sinceUs = world.clock.nowUs()
  await world.clock.advance(60_000)
  const atUs = world.clock.nowUs()
  ledger.lack(ticker('A'), { cause: 'rejected', startUs: atUs }, { endUs: atUs, lost: 1 })
  await world.clock.advance(60_000)
  expect(viewsSince(sinceUs).map(isIncomplete)).toEqual([true])
  expect(completenessSum(viewsSince(sinceUs))).toMatchObject({ incomplete: 1, covered_share: 0.999_999 })
  expect(viewsSince(atUs + 1).map(isIncomplete)).toEqual([false])
})

test('an outage while the clock stands still, because it was set back, is missing', async () => {
  const world = createWorld()
  let standsAtUs: number | undefined
  const clock = { ...world.clock, nowUs: () => standsAtUs ?? world.clock.nowUs() }
  const { feeds, viewsSince } = await boot({ files: world.files, clock }, 'A')
  const sinceUs = clock.nowUs()
  await world.clock.advance(60_000)
  standsAtUs = clock.nowUs()
  feeds[0]?.begin({ cause: 'disconnect', startUs: clock.nowUs() })
  await world.clock.advance(600_000)
  feeds[0]?.end({ endUs: clock.nowUs() })
  expect(viewsSince(sinceUs)).toMatchObject([{ gaps: 1, openGaps: 0, secondsLost: 0 }])
  expect(viewsSince(sinceUs).map(isIncomplete)).toEqual([true])
})

test('the sum weighs each feed by the time in which it was collected, not by that between its start and its end', async () => {
  const world = createWorld()
  const { clock } = world
  const { ledger, feeds, viewsSince } = await boot(world, 'A', 'B')
  const [a, b] = feeds as [FeedLedger, FeedLedger]
  const sinceUs = clock.nowUs()
  await clock.advance(10_000)
  ledger.retire(a, 'removed by a client')
  b.begin({ cause: 'disconnect', startUs: clock.nowUs() })
  await clock.advance(50_000)
  b.end({ endUs: clock.nowUs() })
  await clock.advance(30_000)
  ledger.open(a)
  a.heard(undefined, clock.nowUs())
  await clock.advance(10_000)
  const views = viewsSince(sinceUs)
  expect(views.map(({ symbol, secondsCollected, secondsLost }) => [symbol, secondsCollected, secondsLost])).toEqual([
    ['A', 20, 0],
    ['B', 100, 50],
  ])
  expect(completenessSum(views)).toMatchObject({ seconds: 120, covered_share: 0.583_333 })
})
