import type { Channel } from '../../model/event.ts'
import type { Random } from '../../platform/platform.ts'
import type { Args, PlannedFault } from '../plan.ts'
import type { FaultScope, World, WorldVenue } from '../world.ts'

/** One kind of fault. */
export interface FaultKind {
  readonly about: string
  /** What one strike aims at. */
  readonly target: Target
  /** Strikes a minute in a run where the kind is active. */
  readonly perMinute: number
  /** Chance that it is active in a run, where that is not the usual one. */
  readonly active?: number
  /** Only these; all if absent. */
  readonly venues?: readonly string[]
  readonly channels?: readonly Channel[]
  readonly draw?: Draw
  strike(strike: Strike): void
}

export type Target = 'stream' | 'symbol' | 'venue' | 'machine'
export type Draw = (random: Random) => Args

/** A fault that strikes. */
export interface Strike {
  readonly world: World
  readonly fault: PlannedFault
  /** Errors: throws a RangeError for a fault without a venue. */
  readonly venue: WorldVenue
  /** An argument of the fault. */
  number(name: string): number
  word(name: string): string
  /** The fault strikes now; what it touches is confined to what it aims at, or to `reach`. */
  struck(lastsMs?: number, reach?: Target): void
  scope(reach?: Target): FaultScope
}

/** A whole number from `min` to `max`. */
export const between = (random: Random, min: number, max: number): number =>
  min + Math.floor(random() * (max - min + 1))

export const oneOf = <Item>(random: Random, items: readonly Item[]): Item =>
  items[Math.floor(random() * items.length)] as Item
