/** What goes wrong in a run, and when: drawn from the seed, or given; each entry stands for itself, so that any of them can be left out. */

import type { Channel } from '../model/event.ts'
import type { Random } from '../platform/platform.ts'
import { partSeed, seededRandom } from '../platform/random.ts'
import { FAULT_KINDS } from './faults/index.ts'
import type { FaultKind } from './faults/kind.ts'
import type { Scenario } from './scenario.ts'

export type Args = Readonly<Record<string, number | string | boolean>>

export interface PlannedFault {
  readonly atMs: number
  /** A name in the catalogue. */
  readonly kind: string
  readonly venue?: string
  readonly channel?: Channel
  readonly symbol?: string
  readonly args?: Args
}

/** Time without faults, for the start and around each checkpoint. */
export interface Quiet {
  readonly startMs: number
  readonly endMs: number
}

/** Chance that a kind is active in a run. */
const ACTIVE = 0.25

/** Kinds first, then times: each kind draws for itself, so that a new one leaves the others as they are. */
export function drawPlan(seed: number, scenario: Scenario, span: Quiet, quiet: readonly Quiet[]): PlannedFault[] {
  const plan: PlannedFault[] = []
  for (const [name, kind] of Object.entries(FAULT_KINDS)) {
    const random = seededRandom(partSeed(seed, `plan ${name}`))
    if (random() >= (kind.active ?? ACTIVE)) continue
    const meanMs = 60_000 / kind.perMinute
    for (let atMs = span.startMs + pause(random, meanMs); atMs < span.endMs; atMs += pause(random, meanMs)) {
      const aim = drawAim(kind, random, scenario)
      const isQuiet = quiet.some(({ startMs, endMs }) => atMs >= startMs && atMs < endMs)
      if (!isQuiet) plan.push({ atMs: Math.round(atMs), kind: name, ...aim })
    }
  }
  return plan.sort((a, b) => a.atMs - b.atMs)
}

function drawAim(kind: FaultKind, random: Random, scenario: Scenario): Omit<PlannedFault, 'atMs' | 'kind'> {
  const { target, venues, channels, draw } = kind
  const possible = scenario.venues.filter(({ id }) => venues === undefined || venues.includes(id))
  const venue = pick(possible, random)
  const symbol = pick(venue.instruments, random).symbol
  const channel = pick(channels ?? (['trade', 'ticker', 'quote', 'book', 'book'] as const), random)
  return {
    ...(target !== 'machine' && { venue: venue.id }),
    ...((target === 'stream' || target === 'symbol') && { symbol }),
    ...(target === 'stream' && { channel }),
    ...(draw && { args: draw(random) }),
  }
}

const pause = (random: Random, meanMs: number): number => -Math.log(1 - random()) * meanMs

const pick = <Item>(items: readonly Item[], random: Random): Item => items[Math.floor(random() * items.length)] as Item
