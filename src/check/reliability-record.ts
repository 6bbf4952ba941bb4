/** One recorded run: what docs/reliability/*.json hold. */

import { z } from 'zod'
import { UNSEEN_LOSSES } from './oracle-promises.ts'
import { type Bound, holds } from './prove/proof.ts'

const bound = z.strictObject({
  what: z.string(),
  found: z.number(),
  most: z.number().optional(),
  least: z.number().optional(),
})

const record = z.strictObject({
  name: z.string(),
  /** Day of the run, UTC. */
  date: z.iso.date(),
  /** The code that ran; with `+changes` if it was not committed as it was. */
  commit: z.string(),
  command: z.string(),
  /** How long it took. */
  seconds: z.number(),
  /** In words. */
  machine: z.string(),
  figures: z.record(z.string(), z.union([z.number(), z.string()])),
  bounds: z.array(bound),
  pass: z.boolean(),
})

export interface RunRecord extends Readonly<z.infer<typeof record>> {
  readonly bounds: Bound[]
}

/** Errors: throws if the text is no record, or one whose `pass` does not follow from its bounds. */
export function readRecord(text: string): RunRecord {
  const read = record.parse(JSON.parse(text)) as RunRecord
  if (read.pass !== read.bounds.every(holds)) throw new Error(`${read.name}: pass does not follow from the bounds`)
  return read
}

/** What a run of the simulation wrote, as figures and bounds. */
export interface Digest {
  readonly figures: RunRecord['figures']
  readonly bounds: readonly Bound[]
}

/** `npm run sim:soak -- --out FILE` */
export interface SoakTally {
  readonly seeds: number
  readonly failed: readonly number[]
  readonly promises: Readonly<Record<string, number>>
  readonly faults: Readonly<Record<string, number>>
  readonly events: number
  readonly gaps: Readonly<Record<string, Readonly<Record<string, number>>>>
  readonly virtualHours: number
  readonly seconds: number
}

const pick = (counts: Readonly<Record<string, number>>, names: readonly string[]): Record<string, number> =>
  Object.fromEntries(Object.entries(counts).filter(([name]) => names.includes(name)))

export function soakDigest({ seeds, failed, promises, faults, events, gaps, virtualHours }: SoakTally): Digest {
  const broken = Object.entries(promises).map(([promise, count]) => [`broken_${promise}`, count])
  return {
    figures: {
      seeds,
      virtual_hours: Math.round(virtualHours),
      faults: sum(faults),
      kinds_of_fault: Object.keys(faults).length,
      events,
      gaps: Object.values(gaps).reduce((total, states) => total + sum(states), 0),
      ...(failed.length > 0 && { failed_seeds: failed.slice(0, 20).join(' ') }),
      ...Object.fromEntries(broken),
    },
    bounds: [
      { what: 'seeds', found: seeds, least: 1 },
      { what: 'losses that nobody was told of', found: sum(pick(promises, UNSEEN_LOSSES)), most: 0 },
      { what: 'seeds with a broken promise', found: failed.length, most: 0 },
    ],
  }
}

/** `npm run sim:soak -- --day --out FILE` */
export interface DayTally {
  readonly brokenCount: number
  readonly gaps: number
  readonly events: number
  readonly seconds: number
}

export const dayDigest = ({ brokenCount, gaps, events }: DayTally): Digest => ({
  figures: { events },
  bounds: [
    { what: 'gaps', found: gaps, most: 0 },
    { what: 'broken promises', found: brokenCount, most: 0 },
  ],
})

/** `npm run sim:delivery -- --out FILE` */
export interface DeliveryTally {
  readonly seeds: number
  readonly failed: number
  readonly kills: number
  readonly outages: number
  readonly outageMsMax: number
  readonly events: number
  readonly lost: number
  readonly lostMsMax: number
  readonly seconds: number
}

export const deliveryDigest = (tally: DeliveryTally): Digest => ({
  figures: {
    seeds: tally.seeds,
    kills: tally.kills,
    outages: tally.outages,
    longest_outage_s: Math.round(tally.outageMsMax / 1000),
    events: tally.events,
    events_taken_by_kills: tally.lost,
    taken_ms_most: Math.round(tally.lostMsMax * 10) / 10,
  },
  bounds: [
    { what: 'kills and losses of power', found: tally.kills, least: 1 },
    { what: 'runs with an event missing unseen, or stored twice', found: tally.failed, most: 0 },
  ],
})

/** `npm run sim:mutants -- --json FILE` */
export interface MutantTally {
  readonly mutants: number
  readonly killed: number
  readonly seedsMax: number
  readonly seconds: number
  readonly cleanBreaks: Readonly<Record<string, number>>
  readonly table: readonly { readonly name: string; readonly seed?: number }[]
}

export const mutantDigest = ({ mutants, killed, seedsMax, cleanBreaks, table }: MutantTally): Digest => ({
  figures: {
    mutants,
    seeds_at_most: seedsMax,
    seeds_needed_most: Math.max(0, ...table.map(({ seed = 0 }) => seed)),
    ...(killed < mutants && {
      survivors: table.flatMap(({ name, seed }) => (seed === undefined ? name : [])).join(' '),
    }),
  },
  bounds: [
    { what: 'mutants', found: mutants, least: 25 },
    { what: 'mutants not noticed', found: mutants - killed, most: 0 },
    { what: 'promises broken without a mutant', found: Object.keys(cleanBreaks).length, most: 0 },
  ],
})

const sum = (counts: Readonly<Record<string, number>>): number =>
  Object.values(counts).reduce((total, count) => total + count, 0)
