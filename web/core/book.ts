/**
 * The order book of one instrument, built here from a snapshot and the stream's deltas. The service proves the sequence;
 * here it only joins both: deltas that the snapshot already contains are left out.
 */

import type { Book, Level } from './types.ts'

/** Levels a side that are asked for. */
export const DEPTH = 400
/** With fewer left of a side that is not known to its end, the book is fetched anew. */
const LEVELS_MIN = 60
const BUFFER_MAX = 2_000

export interface BookDelta {
  readonly bids: readonly Level[]
  readonly asks: readonly Level[]
  readonly last_sequence?: number
}

interface Entry {
  readonly at: number
  readonly level: Level
}

/** One side; the best first. */
class Side {
  #entries: Entry[] = []
  /** Beyond this price nothing is known; `undefined`: all is. */
  #edge: number | undefined
  readonly #sign: 1 | -1

  /** `sign` 1: the lowest price is the best (asks). */
  constructor(sign: 1 | -1) {
    this.#sign = sign
  }

  get levels(): readonly Level[] {
    return this.#entries.map(({ level }) => level)
  }

  get isThin(): boolean {
    return this.#edge !== undefined && this.#entries.length < LEVELS_MIN
  }

  reset(levels: readonly Level[], isWhole: boolean): void {
    this.#entries = levels.map((level) => ({ at: Number(level[0]) * this.#sign, level }))
    this.#entries.sort((a, b) => a.at - b.at)
    this.#edge = isWhole ? undefined : this.#entries.at(-1)?.at
  }

  set(level: Level): void {
    const at = Number(level[0]) * this.#sign
    if (this.#edge !== undefined && at > this.#edge) return
    const index = this.#find(at)
    const isThere = this.#entries[index]?.at === at
    if (Number(level[1]) !== 0) this.#entries.splice(index, isThere ? 1 : 0, { at, level })
    else if (isThere) this.#entries.splice(index, 1)
  }

  /** Where a price stands or would stand. */
  #find(at: number): number {
    let [low, high] = [0, this.#entries.length]
    while (low < high) {
      const middle = (low + high) >> 1
      if ((this.#entries[middle]?.at ?? 0) < at) low = middle + 1
      else high = middle
    }
    return low
  }
}

export type BookPhase = 'waiting' | 'live' | 'unproven'

export class LocalBook {
  readonly #bids = new Side(-1)
  readonly #asks = new Side(1)
  #buffer: BookDelta[] = []
  #isExpecting = false
  /** Deltas up to here are in the snapshot; `undefined` once one beyond it came. */
  #joinedAt: number | undefined
  phase: BookPhase = 'waiting'
  /** Why it is not live, in words. */
  reason = ''
  sequence: number | undefined

  get bids(): readonly Level[] {
    return this.phase === 'live' ? this.#bids.levels : []
  }

  get asks(): readonly Level[] {
    return this.phase === 'live' ? this.#asks.levels : []
  }

  /** So much of it was used up that it should be fetched anew. */
  get isThin(): boolean {
    return this.phase === 'live' && (this.#bids.isThin || this.#asks.isThin)
  }

  /** From now on deltas are kept for the snapshot that is on its way. A live book stays as it is until then. */
  expect(): void {
    this.#buffer = []
    this.#isExpecting = true
    if (this.phase !== 'live') this.wait('waiting for the book')
  }

  wait(reason: string): void {
    this.phase = 'waiting'
    this.reason = reason
  }

  /** The service says that the book is not proven. */
  distrust(reason: string): void {
    this.phase = 'unproven'
    this.reason = reason
    this.#stopExpecting()
  }

  /** A book that was fetched after the stream had begun. */
  fetched(book: Book): void {
    if (book.state !== 'live') {
      this.distrust(`${book.state}: ${book.reason}`)
      return
    }
    this.#bids.reset(book.bids, book.bids.length < DEPTH && book.bids_known_to === null)
    this.#asks.reset(book.asks, book.asks.length < DEPTH && book.asks_known_to === null)
    this.#live(book.sequence ?? undefined)
    const waiting = this.#buffer
    this.#stopExpecting()
    for (const delta of waiting) this.#apply(delta)
  }

  /** A snapshot of the stream: what follows joins it. */
  snapshot(snapshot: BookDelta & { readonly sequence?: number }): void {
    this.#bids.reset(snapshot.bids, snapshot.bids.length < LEVELS_MIN)
    this.#asks.reset(snapshot.asks, snapshot.asks.length < LEVELS_MIN)
    this.#live(snapshot.sequence)
    this.#joinedAt = undefined
    this.#stopExpecting()
  }

  delta(delta: BookDelta): void {
    if (this.phase === 'live') this.#apply(delta)
    if (!this.#isExpecting) return
    this.#buffer.push(delta)
    if (this.#buffer.length > BUFFER_MAX) this.distrust('too many updates came before the book')
  }

  /** A book that comes late, after a snapshot of the stream, is not wanted any more. */
  get isExpecting(): boolean {
    return this.#isExpecting
  }

  #stopExpecting(): void {
    this.#isExpecting = false
    this.#buffer = []
  }

  #live(sequence: number | undefined): void {
    this.phase = 'live'
    this.reason = ''
    this.sequence = sequence
    this.#joinedAt = sequence
  }

  #apply(delta: BookDelta): void {
    const last = delta.last_sequence
    if (this.#joinedAt !== undefined && last !== undefined && last <= this.#joinedAt) return
    this.#joinedAt = undefined
    for (const level of delta.bids) this.#bids.set(level)
    for (const level of delta.asks) this.#asks.set(level)
    this.sequence = last ?? this.sequence
  }
}
