/** What a run was like, in numbers: for reports, not for judging. */

import type { GapCause, GapState } from '../model/event.ts'
import type { GapRecord } from './oracle-gaps.ts'
import type { Entry, Judge } from './oracle-judge.ts'
import type { Outage, Stream, Streams } from './oracle-streams.ts'

/** In milliseconds. */
export interface Spread {
  readonly count: number
  readonly p50: number
  readonly p99: number
  readonly max: number
}

export interface Figures {
  /** From the beginning of an outage to when the collector says that it noticed it. */
  readonly detectionMs: Readonly<Partial<Record<GapCause, Spread>>>
  /** From the end or freeze of a connection to the next frame of each stream; ends of the process are left out. */
  readonly socketsMs: Spread
  /** From there to the book's being live again. */
  readonly booksMs: Spread
  readonly gaps: Readonly<Partial<Record<GapCause, Readonly<Partial<Record<GapState, number>>>>>>
  /** Numbers missed and fetched, of all gaps that count them. */
  readonly lost: number
  readonly healed: number
  /** By type. */
  readonly events: Readonly<Record<string, number>>
  readonly faults: Readonly<Record<string, number>>
  readonly violations: number
}

/** Samples kept of each kind; later ones are left out. */
const SAMPLES_MAX = 100_000

export class FigureKeeper implements Judge {
  readonly #streams: Streams
  readonly #events: Record<string, number> = {}
  readonly #faults: Record<string, number> = {}
  readonly #books: number[] = []
  readonly #bookOutages = new Map<Stream, Outage>()

  constructor(streams: Streams) {
    this.#streams = streams
  }

  fault({ fault, isAgain }: Entry<'fault'>): void {
    if (!isAgain) count(this.#faults, fault)
  }

  data(_stream: Stream, { type }: { readonly type: string }): void {
    count(this.#events, type)
  }

  gap(): void {
    count(this.#events, 'gap')
  }

  bookState(stream: Stream): void {
    count(this.#events, 'book_state')
    const { outage = stream.lastOutage, liveUs } = stream
    if (outage === undefined || liveUs === undefined || this.#bookOutages.get(stream) === outage) return
    this.#bookOutages.set(stream, outage)
    if (!outage.isProcess && this.#books.length < SAMPLES_MAX) this.#books.push((liveUs - outage.fromUs) / 1000)
  }

  read(violations: number): Figures {
    const streams = [...this.#streams.all()]
    const records = streams.flatMap(({ gaps }) => [...gaps.values()])
    const sum = (field: 'lost' | 'healed') => records.reduce((total, { latest }) => total + (latest[field] ?? 0), 0)
    return {
      detectionMs: detections(records),
      socketsMs: spread(streams.flatMap(socketsMs)),
      booksMs: spread(this.#books),
      gaps: gapCounts(records),
      lost: sum('lost'),
      healed: sum('healed'),
      events: { ...this.#events },
      faults: { ...this.#faults },
      violations,
    }
  }
}

const count = (counts: Record<string, number>, word: string): void => {
  counts[word] = (counts[word] ?? 0) + 1
}

const socketsMs = ({ channel, outages }: Stream): number[] =>
  channel === 'book'
    ? []
    : outages.flatMap(({ isProcess, fromUs, untilUs }) =>
        isProcess || untilUs === undefined ? [] : [(untilUs - fromUs) / 1000],
      )

function detections(records: readonly GapRecord[]): Figures['detectionMs'] {
  const samples = new Map<GapCause, number[]>()
  for (const { first, outage, causeUs } of records) {
    const fromUs = outage?.fromUs ?? causeUs
    if (fromUs === undefined) continue
    const known = samples.get(first.cause) ?? []
    known.push(Math.max(0, first.detected_time_us - fromUs) / 1000)
    samples.set(first.cause, known)
  }
  return Object.fromEntries([...samples].map(([cause, values]) => [cause, spread(values)]))
}

function gapCounts(records: readonly GapRecord[]): Figures['gaps'] {
  const counts: Partial<Record<GapCause, Partial<Record<GapState, number>>>> = {}
  for (const { latest } of records) {
    const states = counts[latest.cause] ?? {}
    counts[latest.cause] = { ...states, [latest.state]: (states[latest.state] ?? 0) + 1 }
  }
  return counts
}

export function spread(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b)
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0
  return { count: sorted.length, p50: at(0.5), p99: at(0.99), max: sorted.at(-1) ?? 0 }
}
