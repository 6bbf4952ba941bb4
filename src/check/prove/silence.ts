/** Connections that stay open and say nothing: half-open ones, and ones that still answer pings. */

import { sleep, systemClock } from '../../platform/clock.ts'
import { partSeed, seededRandom } from '../../platform/random.ts'
import { spread } from '../oracle-figures.ts'
import { type Bed, live, openBed } from './bed.ts'
import { someInstruments } from './instruments.ts'
import type { Proof, ProofOptions } from './proof.ts'
import { comes } from './wait.ts'

const SYMBOLS = 2
const STEPS_PER_SECOND = 8
const BEDS_MAX = 6
/** `deaf`: not even pongs. */
const KINDS = ['deaf', 'silent'] as const
type Kind = (typeof KINDS)[number]
const FOUND_MS_MAX = 15_000
const DEADLINE_MS = 60_000
/** An outage is over after 30 s of data. */
const STEADY_MS = 31_000
const SPREAD_MS = 4_000

interface Silence {
  readonly venue: string
  readonly kind: Kind
  /** Until no stream of the connections was called live any more. */
  readonly foundMs: number | undefined
  /** Until every one of them was live again. */
  readonly backMs: number | undefined
}

export const silence: Proof = {
  name: 'silence',
  about: 'An open connection that says nothing is found within 15 s, whether it answers pings or not.',
  counts: 'silences of each kind at each venue',
  usualCount: 10,
  async run(options) {
    const { count = this.usualCount } = options
    const beds = Math.min(BEDS_MAX, count * KINDS.length)
    const rounds = Math.ceil((count * KINDS.length) / beds)
    const results = (await Promise.all(Array.from({ length: beds }, (_, i) => runBed(options, i, rounds)))).flat()
    const figures: Record<string, number> = { silences: results.length }
    const venues = [...new Set(results.map(({ venue }) => venue))]
    for (const kind of KINDS) {
      for (const venue of venues) {
        const found = spread(of(results, venue, kind).flatMap(({ foundMs }) => foundMs ?? []))
        figures[`${kind}_${venue}_max_ms`] = Math.round(found.max)
      }
    }
    const back = spread(results.flatMap(({ backMs }) => backMs ?? []))
    const found = spread(results.flatMap(({ foundMs }) => foundMs ?? []))
    const least = Math.min(...venues.flatMap((venue) => KINDS.map((kind) => of(results, venue, kind).length)))
    return {
      figures: { ...figures, found_p50_ms: Math.round(found.p50), all_live_again_max_ms: Math.round(back.max) },
      bounds: [
        { what: 'silences of each kind at each venue', found: least, least: count },
        { what: 'longest time to find one, ms', found: Math.round(found.max), most: FOUND_MS_MAX },
        { what: 'silences that were not found', found: failed(results, 'foundMs'), most: 0 },
        { what: 'silences after which not all came back in 60 s', found: failed(results, 'backMs'), most: 0 },
      ],
    }
  },
}

const of = (results: readonly Silence[], venue: string, kind: Kind): Silence[] =>
  results.filter((each) => each.venue === venue && each.kind === kind)

const failed = (results: readonly Silence[], field: 'foundMs' | 'backMs'): number =>
  results.filter((each) => each[field] === undefined).length

async function runBed({ folder, seed, say }: ProofOptions, index: number, rounds: number): Promise<Silence[]> {
  const simulated = someInstruments(SYMBOLS, STEPS_PER_SECOND)
  const bed = await openBed({ folder: `${folder}/silence-${index}`, simulated, seed: seed + index })
  await live(bed)
  const ofVenues = simulated.map(({ id }) => runVenue({ bed, venue: id, index, rounds, seed, say }))
  const results = (await Promise.all(ofVenues)).flat()
  await bed.stop()
  return results
}

interface VenueRun {
  readonly bed: Bed
  readonly venue: string
  readonly index: number
  readonly rounds: number
  readonly seed: number
  say(text: string): void
}

async function runVenue({ bed, venue, index, rounds, seed, say }: VenueRun): Promise<Silence[]> {
  const random = seededRandom(partSeed(seed, `silence ${venue} ${index}`))
  const results: Silence[] = []
  for (let round = 0; round < rounds; round++) {
    await sleep(systemClock(), (round === 0 ? 0 : STEADY_MS) + random() * SPREAD_MS)
    const kind = KINDS[(index + round) % KINDS.length] as Kind
    results.push(await freeze(bed, venue, kind))
    if (index === 0) say(`${venue} ${kind}: ${Math.round(results.at(-1)?.foundMs ?? Number.NaN)} ms`)
  }
  return results
}

/** Polls the feeds' states: that is what a consumer sees. */
async function freeze(bed: Bed, venue: string, kind: Kind): Promise<Silence> {
  const clock = systemClock()
  const states = () => bed.collector.feeds().flatMap((feed) => (feed.venue === venue ? feed.state : []))
  bed.simulator.control(`freeze?venue=${venue}&pongs=${kind === 'silent'}`)
  const atMs = bed.nowMs()
  const isFound = await comes(clock, () => states().every((state) => state !== 'live'), DEADLINE_MS)
  const foundMs = isFound ? bed.nowMs() - atMs : undefined
  const isBack = await comes(clock, () => states().every((state) => state === 'live'), DEADLINE_MS)
  return { venue, kind, foundMs, backMs: isBack ? bed.nowMs() - atMs : undefined }
}
