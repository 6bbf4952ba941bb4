/** Finding entries of a trace, and making one untrue. */

import type { TraceEntry } from '../../src/check/trace.ts'
import type { Gap, MarketEvent } from '../../src/model/event.ts'

export type Trace = readonly TraceEntry[]
export type Pick = (entry: TraceEntry) => boolean
export type Tamper = (trace: Trace) => Trace

type Wanted = Partial<Record<string, unknown>>

const matches = (value: object, wanted: Wanted): boolean =>
  Object.entries(wanted).every(([key, each]) => (value as Wanted)[key] === each)

/** Events with these fields. */
export const event =
  (type: MarketEvent['type'], wanted: Wanted = {}): Pick =>
  (entry) =>
    entry.kind === 'event' && entry.event.type === type && matches(entry.event, wanted)

export const gap = (wanted: Partial<Gap>): Pick => event('gap', wanted)

export const entry =
  (kind: TraceEntry['kind'], wanted: Wanted = {}): Pick =>
  (each) =>
    each.kind === kind && matches(each, wanted)

/** Only the `index`th of those; from the end if negative. */
function at(trace: Trace, pick: Pick, index: number): number {
  const found = trace.flatMap((each, i) => (pick(each) ? [i] : []))
  const position = found.at(index)
  if (position === undefined) throw new Error('nothing to tamper with')
  return position
}

export const drop =
  (pick: Pick): Tamper =>
  (trace) => {
    at(trace, pick, 0)
    return trace.filter((each) => !pick(each))
  }

export const dropAt =
  (pick: Pick, index: number): Tamper =>
  (trace) =>
    trace.toSpliced(at(trace, pick, index), 1)

export const changeEntry =
  (pick: Pick, change: Wanted): Tamper =>
  (trace) => {
    at(trace, pick, 0)
    return trace.map((each) => (pick(each) ? ({ ...each, ...change } as TraceEntry) : each))
  }

/** Changes fields of events; a function is given the old value. */
export const change =
  (pick: Pick, fields: Wanted): Tamper =>
  (trace) => {
    at(trace, pick, 0)
    return trace.map((each) => {
      if (!pick(each) || each.kind !== 'event') return each
      const changed = Object.entries(fields).map(([key, value]) => [
        key,
        typeof value === 'function' ? value((each.event as unknown as Wanted)[key]) : value,
      ])
      return { ...each, event: { ...each.event, ...Object.fromEntries(changed) } as MarketEvent }
    })
  }

/** A copy of the entry, changed, right behind the `behind`. */
export const copy =
  (pick: Pick, index: number, fields: Wanted = {}, behind: Pick = pick, behindIndex = index): Tamper =>
  (trace) => {
    const original = trace[at(trace, pick, index)] as TraceEntry
    const place = at(trace, behind, behindIndex)
    const atUs = (trace[place] as TraceEntry).atUs
    const made =
      original.kind === 'event'
        ? { ...original, atUs, event: { ...original.event, ...fields } }
        : { ...original, atUs, ...fields }
    return trace.toSpliced(place + 1, 0, made as TraceEntry)
  }

/** Moves the entry right behind another one. */
export const move =
  (pick: Pick, index: number, behind: Pick, behindIndex: number): Tamper =>
  (trace) =>
    dropAt(pick, index)(copy(pick, index, {}, behind, behindIndex)(trace))

/** The durable entries of gap events. */
export const durableOf =
  (trace: Trace, pick: Pick): Pick =>
  (each) => {
    const ids = trace.flatMap((entry) => (pick(entry) && entry.kind === 'event' ? [entry.event.id] : []))
    return each.kind === 'durable' && ids.includes(each.id)
  }

export const all =
  (...tampers: Tamper[]): Tamper =>
  (trace) =>
    tampers.reduce((changed, tamper) => tamper(changed), trace)
