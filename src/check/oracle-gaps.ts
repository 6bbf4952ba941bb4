/** The gaps of all streams as their events tell them, and what of them would survive the end of the process. */

import type { EpochUs, Gap } from '../model/event.ts'
import type { Numbers } from './oracle-promises.ts'
import type { Outage, Stream } from './oracle-streams.ts'

/** One gap, as its events tell it. */
export interface GapRecord {
  readonly stream: Stream
  readonly gapId: string
  readonly first: Gap
  readonly firstAtUs: EpochUs
  latest: Gap
  /** When its newest event left; number of the trace entry, and of the process. */
  latestUs: EpochUs
  latestIndex: number
  latestRun: number
  /** Ids of its events, and how often the process had been killed when they left. */
  readonly revisions: Map<string, number>
  /** Some revision, and the newest one, would survive the end of the process. */
  isDurable: boolean
  isLatestDurable: boolean
  /** The process was killed before the newest revision was durable: it may be told again. */
  isReverted: boolean
  /** How often the process had been killed then: what left before may leave again. */
  revertedKills: number | undefined
  outage: Outage | undefined
  /** When the stream's last message before the gap was told had been delivered. */
  readonly beforeUs: EpochUs | undefined
  /** When the fault struck that explains it. */
  causeUs: EpochUs | undefined
  /** When the first frame behind it was delivered. */
  resumedUs: EpochUs | undefined
}

/** One event of a gap, as it left. `before`: the revision that it replaces. */
export interface Revision {
  readonly record: GapRecord
  readonly event: Gap
  readonly before: Gap | undefined
  /** An event that had left before. `isRetold`: a kill lies between, so it may. */
  readonly repeat: 'no' | 'retold' | 'wrong'
}

/** Sequences that a gap leaves out; nothing if it does not say after which. An open gap without an end has none. */
export function missingIn({ state, last_sequence, first_sequence }: Gap): Numbers {
  if (last_sequence === undefined || (first_sequence === undefined && state !== 'open')) return { first: 1, last: 0 }
  return { first: last_sequence + 1, last: (first_sequence ?? Number.POSITIVE_INFINITY) - 1 }
}

/**
 * Numbers that a gap answers for. One that goes back, or says that more is missing than it counts, speaks of two numberings:
 * of the new one, of all before it goes on.
 */
export function toldBy(gap: Gap): Numbers {
  const { last_sequence: last, first_sequence: first, state, lost, healed } = gap
  const isMore = lost === undefined && (state === 'open' || healed !== undefined)
  if (last === undefined || first === undefined || (first > last && !isMore)) return missingIn(gap)
  return { first: 1, last: first - 1 }
}

/** Where in the run an event leaves. */
interface Moment {
  readonly nowUs: EpochUs
  readonly index: number
  readonly kills: number
  readonly runs: number
}

export class Gaps {
  readonly #moment: Moment
  readonly #byRevision = new Map<string, GapRecord>()
  /** Revisions that became durable before they left. */
  readonly #early = new Set<string>()

  constructor(moment: Moment) {
    this.#moment = moment
  }

  take(stream: Stream, event: Gap): Revision {
    const known = stream.gaps.get(event.gap_id)
    const leftAt = known?.revisions.get(event.id)
    const isRetold = leftAt !== undefined && leftAt < this.#moment.kills
    const mayRepeat = isRetold && known?.revertedKills === this.#moment.kills
    if (known !== undefined && leftAt !== undefined && !mayRepeat) {
      return { record: known, event, before: known.latest, repeat: isRetold ? 'retold' : 'wrong' }
    }
    const record = known ?? this.#newRecord(stream, event)
    this.#revise(record, event)
    return { record, event, before: known && record.isReverted ? undefined : known?.latest, repeat: 'no' }
  }

  /** To be called when all have seen the revision. */
  settle({ record, event, repeat }: Revision): void {
    if (repeat !== 'no') return
    record.latest = event
    record.isReverted = false
  }

  durable(id: string): void {
    const record = this.#byRevision.get(id)
    if (record === undefined) {
      this.#early.add(id)
      return
    }
    this.#byRevision.delete(id)
    this.#makeDurable(record, id)
  }

  /** What was not durable yet may be gone. */
  killed(streams: Iterable<Stream>): void {
    this.#byRevision.clear()
    for (const stream of streams) {
      for (const record of stream.undurable) stream.open.delete(record)
      stream.undurable.clear()
      for (const record of stream.gaps.values()) if (!record.isLatestDurable) this.#revert(record)
    }
  }

  #revert(record: GapRecord): void {
    record.isReverted = true
    record.revertedKills = this.#moment.kills
  }

  #newRecord(stream: Stream, event: Gap): GapRecord {
    const { outage, lastOutage } = stream
    const ended = (lastOutage?.untilUs ?? 0) > event.start_time_us ? lastOutage : undefined
    const record: GapRecord = {
      stream,
      gapId: event.gap_id,
      first: event,
      firstAtUs: this.#moment.nowUs,
      latest: event,
      latestUs: this.#moment.nowUs,
      latestIndex: this.#moment.index,
      latestRun: this.#moment.runs,
      revisions: new Map(),
      isDurable: false,
      isLatestDurable: false,
      isReverted: false,
      revertedKills: undefined,
      outage: outage ?? ended,
      beforeUs: stream.deliveredUs === this.#moment.nowUs ? stream.previousUs : stream.deliveredUs,
      causeUs: undefined,
      resumedUs: outage === undefined ? ended?.untilUs : undefined,
    }
    stream.gaps.set(event.gap_id, record)
    stream.undurable.add(record)
    if (record.outage === undefined) stream.waiting.push(record)
    return record
  }

  #revise(record: GapRecord, event: Gap): void {
    record.revisions.set(event.id, this.#moment.kills)
    record.latestUs = this.#moment.nowUs
    record.latestIndex = this.#moment.index
    record.latestRun = this.#moment.runs
    record.isLatestDurable = false
    if (event.state === 'open') record.stream.open.add(record)
    else record.stream.open.delete(record)
    if (this.#early.delete(event.id)) this.#makeDurable(record, event.id)
    else this.#byRevision.set(event.id, record)
  }

  #makeDurable(record: GapRecord, id: string): void {
    record.isDurable = true
    record.stream.undurable.delete(record)
    if ([...record.revisions.keys()].at(-1) === id) record.isLatestDurable = true
  }
}
