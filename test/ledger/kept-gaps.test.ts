/** Gaps that had to be forgotten: what they lacked is still missing. */

import { expect, test } from 'vitest'
import { coverageOf } from '../../src/ledger/completeness.ts'
import { KeptGaps } from '../../src/ledger/kept-gaps.ts'
import { Ledger } from '../../src/ledger/ledger.ts'
import { openGap, type StreamIdentity } from '../../src/ledger/records.ts'
import type { Gap } from '../../src/model/event.ts'
import { createWorld } from '../helpers/world.ts'

const SECOND_US = 1_000_000

const ticker = (symbol: string): StreamIdentity => ({
  exchange: 'x',
  venue: 'x',
  channel: 'ticker',
  symbol,
  market: 'spot',
  proof: 'cadence',
})

function gapOf(symbol: string, startUs: number, endUs: number, more: Partial<Gap> = {}): Gap {
  const gap = openGap(ticker(symbol), `${symbol}${startUs}`, { cause: 'disconnect', startUs }, endUs)
  return { ...gap, state: 'closed', end_time_us: endUs, ...more }
}

/** Room is made for so many gaps of another stream. */
function crowd(kept: KeptGaps): void {
  const others = new Map()
  for (let startUs = 0; startUs < 100_000; startUs++) kept.keep(others, gapOf('B', startUs, startUs + 1))
}

test('gaps that are forgotten count as one, from the first to the last; those in which nothing was lost do not', () => {
  const kept = new KeptGaps()
  const gaps = new Map()
  kept.keep(gaps, gapOf('A', 1 * SECOND_US, 2 * SECOND_US, { lost: 0 }))
  kept.keep(gaps, gapOf('A', 30 * SECOND_US, 40 * SECOND_US))
  kept.keep(gaps, gapOf('A', 10 * SECOND_US, 20 * SECOND_US, { state: 'final', lost: 9, healed: 3 }))
  kept.keep(gaps, gapOf('A', 80 * SECOND_US, 81 * SECOND_US, { state: 'healed', lost: 1, healed: 1 }))
  crowd(kept)
  expect([gaps.size, kept.evicted]).toEqual([0, 4])
  const coverage = (sinceUs: number, untilUs: number, symbol = 'A') =>
    coverageOf([{ fromUs: 0 }], kept.ofStream(ticker(symbol), gaps), sinceUs, untilUs)
  expect(coverage(0, 100 * SECOND_US)).toMatchObject({ secondsLost: 30, gaps: 1, openGaps: 0 })
  expect(coverage(35 * SECOND_US, 45 * SECOND_US)).toMatchObject({ secondsLost: 5, coveredShare: 0.5 })
  expect(coverage(50 * SECOND_US, 100 * SECOND_US)).toMatchObject({ secondsLost: 0, gaps: 0 })
  expect(coverage(0, 100 * SECOND_US, 'B')).toMatchObject({ secondsLost: 0, gaps: 0 })
})

test('that they were there is known to every later process', async () => {
  const { files, clock } = createWorld()
  const sinceUs = clock.nowUs()
  const boot = async () => {
    const ledger = new Ledger({ folder: 'ledger', files, clock, emit: () => {}, onProblem: () => {} })
    expect(await ledger.load()).toBeUndefined()
    return ledger
  }
  const first = await boot()
  const feed = first.stream(ticker('A'))
  first.open(feed)
  feed.heard(undefined, sinceUs)
  first.kept.forget(gapOf('A', sinceUs + 10 * SECOND_US, sinceUs + 40 * SECOND_US))
  await first.start()
  await clock.advance(60_000)
  first.stop()
  first.close()
  // Two processes more have written both files anew.
  for (let process = 0; process < 2; process++) {
    const ledger = await boot()
    ledger.open(ledger.stream(ticker('A')))
    await ledger.start()
    ledger.stop()
    ledger.close()
  }
  const last = await boot()
  expect(last.gaps().map(({ cause }) => cause)).not.toContain('disconnect')
  expect(last.coverage(sinceUs, sinceUs + 60 * SECOND_US)[0]).toMatchObject({ secondsLost: 30, coveredShare: 0.5 })
})
