/** What the stream holds of our log, judged from the messages at its end and what we remember of it. Pure. */

import type { Held } from '../sink.ts'
import type { Checkpoint } from './checkpoint.ts'
import { LSN_SPAN } from './options.ts'

/** Ids that are remembered of the end of the stream: what comes again after a restart is among the newest. */
export const RECENT_IDS_MAX = 32_768

export interface StreamEnd {
  readonly created: string
  /** The oldest sequence that is left. */
  readonly firstSeq: number
  /** The newest there ever was; 0: nothing was ever stored. */
  readonly lastSeq: number
}

/**
 * Can this be the stream that we remember, with all that was acknowledged to us, unless it went by age or limit? Then the
 * record that was acknowledged last must be found where it was: {@link Seen.hasAcked}.
 */
export const canBeContinued = ({ created, ackedSeq, floorSeq }: Checkpoint, end: StreamEnd): boolean =>
  created === end.created && Math.max(ackedSeq, floorSeq) <= end.lastSeq

/** How far back to look in a stream that can be continued. */
export const lookFrom = ({ ackedSeq, floorSeq }: Checkpoint, { firstSeq, lastSeq }: StreamEnd): number =>
  Math.max(firstSeq, Math.min(floorSeq + 1, ackedSeq === 0 ? floorSeq + 1 : ackedSeq, lastSeq - RECENT_IDS_MAX + 1))

/** The messages that were looked at. */
export class Seen {
  readonly #logId: string
  readonly #idsFromSeq: number
  readonly #lsns = new Set<number>()
  /** Of all publishers. */
  readonly ids = new Set<string>()
  highestLsn = 0
  lowestLsn = Number.POSITIVE_INFINITY
  /** When the record with the highest number was stored, µs; 0: there is none. */
  newestUs = 0
  /** The record that was acknowledged last stands where it was acknowledged. */
  hasAcked = false

  constructor(logId: string, end: StreamEnd) {
    this.#logId = logId
    this.#idsFromSeq = end.lastSeq - RECENT_IDS_MAX
  }

  add(seq: number, id: string, log: string, lsn: number, remembered: Checkpoint | undefined, storedUs = 0): void {
    const isOurs = log === this.#logId
    if (seq === remembered?.ackedSeq && isOurs && lsn === remembered.ackedLsn) this.hasAcked = true
    if (seq > this.#idsFromSeq && id !== '') this.ids.add(id)
    if (!isOurs || !Number.isSafeInteger(lsn) || lsn <= 0) return
    if (lsn > this.highestLsn) {
      this.highestLsn = lsn
      this.newestUs = storedUs
    }
    this.lowestLsn = Math.min(this.lowestLsn, lsn)
    this.#lsns.add(lsn)
    if (this.#lsns.size > 4 * LSN_SPAN) this.#forget()
  }

  /** Older records cannot be missing: they were acknowledged before the newest was sent. */
  get isDeepEnough(): boolean {
    return this.lowestLsn <= this.highestLsn - 2 * LSN_SPAN
  }

  has(lsn: number): boolean {
    return this.#lsns.has(lsn)
  }

  above(lsn: number): ReadonlySet<number> {
    return new Set([...this.#lsns].filter((each) => each > lsn))
  }

  #forget(): void {
    for (const lsn of this.#lsns) if (lsn <= this.highestLsn - LSN_SPAN) this.#lsns.delete(lsn)
  }
}

/**
 * `remembered`: only if the stream is its continuation; everything behind it was looked at then. `isKnown`: we have
 * stored into a stream of this name before.
 */
export function judgeHeld(
  seen: Seen,
  end: StreamEnd,
  remembered: Checkpoint | undefined,
  isKnown: boolean,
): Held | undefined {
  if (remembered === undefined && seen.highestLsn === 0) {
    // A stream with others' messages only may have held ours once; one that is empty, or has lost what we know of, has not.
    return isKnown || end.lastSeq === 0 ? { throughLsn: 0 } : undefined
  }
  const certainLsn = remembered?.lsn ?? 0
  if (remembered !== undefined && seen.highestLsn <= certainLsn) {
    const hasGone = end.firstSeq > remembered.floorSeq + 1 && end.lastSeq > remembered.floorSeq
    return hasGone ? undefined : { throughLsn: certainLsn }
  }
  let throughLsn = Math.max(certainLsn, seen.highestLsn - LSN_SPAN)
  while (seen.has(throughLsn + 1)) throughLsn++
  return { throughLsn, further: seen.above(throughLsn) }
}
