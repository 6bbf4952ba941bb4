/** What goes wrong in a run, and when: drawn from the seed, or given; each entry stands for itself, so that any of them can be left out. */

import type { Channel } from '../model/event.ts'
import type { Random } from '../platform/platform.ts'
import { partSeed, seededRandom } from '../platform/random.ts'
import { FAULT_KINDS, type FaultName } from './faults/index.ts'
import type { Scenario } from './scenario.ts'

export type Args = Readonly<Record<string, number | string | boolean>>

export interface PlannedFault {
  readonly atMs: number
  readonly kind: FaultName
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
  for (const name of Object.keys(FAULT_KINDS) as FaultName[]) {
    const random = seededRandom(partSeed(seed, `plan ${name}`))
    const kind = FAULT_KINDS[name]
    if (random() >= (kind.active ?? ACTIVE)) continue
    const meanMs = 60_000 / kind.perMinute
    for (let atMs = span.startMs + pause(random, meanMs); atMs < span.endMs; atMs += pause(random, meanMs)) {
      const fault = drawFault(name, Math.round(atMs), random, scenario)
      if (!quiet.some(({ startMs, endMs }) => atMs >= startMs && atMs < endMs)) plan.push(fault)
    }
  }
  return plan.sort((a, b) => a.atMs - b.atMs)
}

function drawFault(kind: FaultName, atMs: number, random: Random, scenario: Scenario): PlannedFault {
  const { target, venues, channels, draw } = FAULT_KINDS[kind]
  const possible = scenario.venues.filter(({ id }) => venues === undefined || venues.includes(id))
  const venue = pick(possible, random)
  const symbol = pick(venue.instruments, random).symbol
  const channel = pick(channels ?? (['trade', 'ticker', 'quote', 'book', 'book'] as const), random)
  return {
    atMs,
    kind,
    ...(target !== 'machine' && { venue: venue.id }),
    ...((target === 'stream' || target === 'symbol') && { symbol }),
    ...(target === 'stream' && { channel }),
    ...(draw && { args: draw(random) }),
  }
}

const pause = (random: Random, meanMs: number): number => -Math.log(1 - random()) * meanMs

const pick = <Item>(items: readonly Item[], random: Random): Item => items[Math.floor(random() * items.length)] as Item
