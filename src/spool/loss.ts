/** What the log had to give up, exact enough to make a gap record of. */

import type { EpochUs } from '../model/event.ts'
import type { Cursors } from './cursors.ts'
import type { LogRecord } from './frame.ts'

export type LossCause =
  /** The oldest records made room for new ones before every sink had them. */
  | 'evicted'
  /** Records are spoilt on disk, or cannot be read. */
  | 'corrupt'
  /** Records are not on disk that should be: a file was removed or cut. */
  | 'missing'
  /** There was no room for new data: they have no number and were never in the log. */
  | 'refused'

export interface StreamLoss {
  readonly stream: string
  readonly records: number
  readonly firstTimeUs: EpochUs
  readonly lastTimeUs: EpochUs
}

export interface Loss {
  readonly cause: LossCause
  /** Absent for refused data. `lastLsn` is absent when nobody knows how far it goes. */
  readonly firstLsn?: number | undefined
  readonly lastLsn?: number | undefined
  /** When data that are still there were received last before it, µs, if that is known. */
  readonly sinceUs?: EpochUs | undefined
  /** Which streams lost how much; empty: nobody can tell, it may be any. */
  readonly streams: readonly StreamLoss[]
  /** The sinks that had not had it; empty: nobody has. */
  readonly sinks: readonly string[]
  /** More will follow of the same streams; then all of it is told once more. */
  readonly isOngoing?: boolean
  /** Losses with the same number are one: none of the sinks can have heard of the ones before yet. */
  readonly outage?: number
}

const PLACES_MAX = 1_000
const EVERYONE = ''

/** Places of the log that are lost, and for whom that was told: several sinks may come upon one, or one sink twice. */
class ToldPlaces {
  readonly #places = new Map<string, Set<string>>()

  /** Whom to tell it for of the sinks that lack it, as in {@link Loss}; `undefined`: it was told for all of them. */
  add(place: string, sinks: readonly string[]): readonly string[] | undefined {
    const told = this.#places.get(place) ?? new Set()
    if (told.has(EVERYONE)) return undefined
    const untold = sinks.filter((sink) => !told.has(sink))
    if (untold.length === 0 && sinks.length > 0) return undefined
    for (const sink of sinks.length === 0 ? [EVERYONE] : untold) told.add(sink)
    if (this.#places.size >= PLACES_MAX) this.#places.clear()
    this.#places.set(place, told)
    return untold
  }
}

/** Tells what records are lost, each place once. */
export class Losses {
  readonly #cursors: Pick<Cursors, 'behind'>
  readonly #onLoss: (loss: Loss) => void
  readonly #told = new ToldPlaces()
  /** Evictions up to here were told. */
  #evictedLsn = 0

  constructor(cursors: Pick<Cursors, 'behind'>, onLoss: (loss: Loss) => void) {
    this.#cursors = cursors
    this.#onLoss = onLoss
  }

  evicted(loss: Loss): void {
    this.#evictedLsn = Math.max(this.#evictedLsn, loss.lastLsn ?? 0)
    this.#onLoss(loss)
  }

  /** False: it was told. Several sinks may come upon the same place. */
  found(cause: LossCause, lostLsn: number, lastLsn: number, sinceUs: EpochUs): boolean {
    const firstLsn = Math.max(lostLsn, this.#evictedLsn + 1)
    if (firstLsn > lastLsn) return false
    const sinks = this.#told.add(`${firstLsn} ${lastLsn}`, this.#cursors.behind(lastLsn))
    if (sinks === undefined) return false
    this.#onLoss({ cause, firstLsn, lastLsn, ...(sinceUs > 0 && { sinceUs }), streams: [], sinks })
    return true
  }
}

/** Counts records by stream. */
export class LossTally {
  readonly #streams = new Map<string, { records: number; firstTimeUs: EpochUs; lastTimeUs: EpochUs }>()

  add({ stream, timeUs }: Pick<LogRecord, 'stream' | 'timeUs'>): void {
    const known = this.#streams.get(stream)
    if (known === undefined) this.#streams.set(stream, { records: 1, firstTimeUs: timeUs, lastTimeUs: timeUs })
    else {
      known.records++
      known.firstTimeUs = Math.min(known.firstTimeUs, timeUs)
      known.lastTimeUs = Math.max(known.lastTimeUs, timeUs)
    }
  }

  get streams(): StreamLoss[] {
    return [...this.#streams].map(([stream, loss]) => ({ stream, ...loss }))
  }
}
