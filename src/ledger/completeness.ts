/** How much of a window the gaps leave covered. Pure. */

import type { EpochUs, Gap, Proof } from '../model/event.ts'

/** A stretch of time in which a stream was collected. `untilUs` absent: it still is. */
export interface Stretch {
  readonly fromUs: EpochUs
  readonly untilUs?: EpochUs | undefined
  /** It ended because the venue took the symbol off its list: whatever the stream has until it is back is missed. */
  readonly isOffList?: boolean | undefined
  /** What could be verified on the stream then. */
  readonly proof?: Proof | undefined
}

/** The weakest first. */
const PROOFS_RANKED: readonly Proof[] = ['none', 'cadence', 'range', 'chained', 'counter']

export interface Coverage {
  /** The part of the window in which the stream was collected begins and ends here. */
  readonly startUs: EpochUs
  readonly endUs: EpochUs
  /** The weakest of that part. */
  readonly proof: Proof
  /** Between these: how long it was collected. */
  readonly secondsCollected: number
  /** Share of these seconds. */
  readonly coveredShare: number
  readonly secondsLost: number
  /** A gap lies in the window of which the clock shows no length: no seconds tell what it lacks. */
  readonly hasMomentaryLoss: boolean
  readonly idsLost: number
  readonly idsHealed: number
  readonly gaps: number
  readonly openGaps: number
}

/** Nothing is missing in it, or it was fetched. */
export const isWhole = ({ state, lost }: Gap): boolean => state === 'healed' || (state !== 'open' && lost === 0)

/** Ids that were lost and not fetched; 0 where nobody knows how many were lost, though some may have been fetched. */
export const idsLacking = ({ lost, healed = 0 }: Gap): number => (lost === undefined ? 0 : lost - healed)

/** `undefined`: the stream was not collected in the window. An open gap lasts until `untilUs`. */
export function coverageOf(
  stretches: readonly Stretch[],
  gaps: readonly Gap[],
  sinceUs: EpochUs,
  untilUs: EpochUs,
): Coverage | undefined {
  const collected = stretches.flatMap(({ fromUs, untilUs: endUs = untilUs, proof = 'none' }) => {
    const part = clip(fromUs, endUs, sinceUs, untilUs)
    return part === undefined ? [] : [{ part, proof }]
  })
  // Stretches overlap where the clock was set back.
  const parts = union(collected.map(({ part }) => part))
  const [first] = parts
  const last = parts.at(-1)
  if (first === undefined || last === undefined) return undefined
  const touching = gaps.filter(
    (gap) => gap.start_time_us <= untilUs && (gap.end_time_us ?? untilUs) >= sinceUs && gap.start_time_us <= last[1],
  )
  const holes = touching
    .filter((gap) => !isWhole(gap))
    .map((gap) => [gap.start_time_us, gap.end_time_us ?? untilUs] as const)
  const lostUs = lengthOf(
    union(holes).flatMap(([from, to]) => parts.map((part) => clip(from, to, ...part)).filter(isSome)),
  )
  const collectedUs = lengthOf(parts)
  return {
    startUs: first[0],
    endUs: last[1],
    proof: PROOFS_RANKED.find((each) => collected.some(({ proof }) => proof === each)) ?? 'none',
    secondsCollected: collectedUs / 1e6,
    coveredShare: 1 - lostUs / collectedUs,
    secondsLost: lostUs / 1e6,
    hasMomentaryLoss: holes.some(([fromUs, toUs]) => fromUs === toUs),
    idsLost: sum(touching, idsLacking),
    idsHealed: sum(touching, (gap) => gap.healed ?? 0),
    gaps: touching.length,
    openGaps: touching.filter(({ state }) => state === 'open').length,
  }
}

type Interval = readonly [fromUs: EpochUs, toUs: EpochUs]

const isSome = (interval: Interval | undefined): interval is Interval => interval !== undefined

function clip(fromUs: EpochUs, toUs: EpochUs, sinceUs: EpochUs, untilUs: EpochUs): Interval | undefined {
  const start = Math.max(fromUs, sinceUs)
  const end = Math.min(toUs, untilUs)
  return start < end ? [start, end] : undefined
}

/** Overlapping intervals joined, ascending. */
function union(intervals: readonly Interval[]): Interval[] {
  const joined: [EpochUs, EpochUs][] = []
  for (const [from, to] of [...intervals].sort(([a], [b]) => a - b)) {
    const last = joined.at(-1)
    if (last !== undefined && from <= last[1]) last[1] = Math.max(last[1], to)
    else joined.push([from, to])
  }
  return joined
}

const lengthOf = (intervals: readonly Interval[]): number => sum(intervals, ([from, to]) => to - from)

const sum = <Item>(items: readonly Item[], value: (item: Item) => number): number =>
  items.reduce((total, item) => total + value(item), 0)
