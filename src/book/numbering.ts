/** Tells a venue whose numbering has started anew from messages that are merely old. */

import type { BookDelta, BookSnapshot } from '../model/event.ts'

/** A delta that a fetched snapshot contains already may come so much later than the snapshot. */
const CONTAINED_US_MAX = 30_000_000

/**
 * Newer than `earlier` by its time, older by its ids: the numbering has started anew between them. A repeated delta, or
 * one that comes late, is older by its time too.
 */
export const isRenumbered = (earlier: BookSnapshot | BookDelta, delta: BookDelta): boolean =>
  (delta.last_sequence ?? 0) < (sequenceOf(earlier) ?? 0) &&
  (delta.exchange_time_us ?? 0) > (earlier.exchange_time_us ?? Number.POSITIVE_INFINITY)

/** Where the book stands with it. */
export const sequenceOf = (event: BookSnapshot | BookDelta): number | undefined =>
  event.type === 'book_snapshot' ? event.sequence : event.last_sequence

/**
 * A snapshot from before what the stream has brought since, by its id and by its time: sent again. One that stands where
 * `newest` does is whole too, though a heartbeat may be newer than it: it is of no use only if the book has that (`isHeld`).
 */
export function isRepeated(
  snapshot: BookSnapshot,
  newest: BookSnapshot | BookDelta | undefined,
  isHeld: boolean,
): boolean {
  const { sequence = Number.POSITIVE_INFINITY, exchange_time_us: timeUs = Number.POSITIVE_INFINITY } = snapshot
  const last = (newest && sequenceOf(newest)) ?? -1
  return (isHeld ? sequence <= last : sequence < last) && timeUs < (newest?.exchange_time_us ?? 0)
}

export const isEmptySnapshot = ({ bids, asks }: BookSnapshot): boolean => bids.length + asks.length === 0

export class Numbering {
  /** The newest delta by its time, whatever became of it. */
  #newest: BookDelta | undefined

  heard(delta: BookDelta): void {
    if ((delta.exchange_time_us ?? 0) >= (this.#newest?.exchange_time_us ?? 0)) this.#newest = delta
  }

  /** The newest delta is newer than `applied` by its time, and older by its ids. */
  isBehind(applied: BookSnapshot | BookDelta | undefined): boolean {
    return this.#newest !== undefined && applied !== undefined && isRenumbered(applied, this.#newest)
  }

  /**
   * `delta` is older than the book by its ids. Is it newer all the same? Then the message in which the numbering
   * started anew is missing, or one that was taken had an absurd id. `applied`: the newest message that the book
   * contains; what a fetched snapshot contains may come after it, for a while.
   */
  isAnew(delta: BookDelta, applied: BookSnapshot | BookDelta | undefined, snapshotFrom: 'stream' | 'rest'): boolean {
    if (this.#newest !== undefined && isRenumbered(this.#newest, delta)) return true
    if (snapshotFrom === 'rest' && applied?.type === 'book_snapshot')
      return (delta.receive_time_us ?? 0) - (applied.receive_time_us ?? Number.POSITIVE_INFINITY) > CONTAINED_US_MAX
    return (delta.exchange_time_us ?? 0) > (applied?.exchange_time_us ?? Number.POSITIVE_INFINITY)
  }
}
