/** Deltas held while a snapshot is on its way: bounded for each book, and over all books together. */

import type { BookDelta } from '../model/event.ts'
import { isRenumbered } from './numbering.ts'

/** Deltas of one book, and levels in them. */
const DELTAS_MAX = 10_000
const LEVELS_MAX = 200_000
/** What a delta without levels takes of the memory that levels take: its fields and names. */
const DELTA_LEVELS = 5
/** Over all books, in levels of about 100 bytes each. */
const ALL_LEVELS_MAX = 1_000_000

/** What all books together may hold. */
export class HoldingRoom {
  #levels = 0

  /** Takes room, or gives it back where `levels` is negative. */
  take(levels: number): void {
    this.#levels += levels
  }

  get isOverfull(): boolean {
    return this.#levels > ALL_LEVELS_MAX
  }
}

export class HeldDeltas {
  readonly #room: HoldingRoom
  #deltas: BookDelta[] = []
  #levels = 0

  constructor(room: HoldingRoom) {
    this.#room = room
  }

  /** Oldest first. */
  get all(): readonly BookDelta[] {
    return this.#deltas
  }

  /** False: there is no room for it. What is held then is of no use, because it would lack this one. */
  push(delta: BookDelta): boolean {
    const newest = this.#deltas.at(-1)
    // A snapshot of the new numbering can join nothing of the old one.
    if (newest !== undefined && isRenumbered(newest, delta)) this.clear()
    const levels = levelCount(delta)
    this.#deltas.push(delta)
    this.#levels += levels
    this.#room.take(levels + DELTA_LEVELS)
    return this.#deltas.length <= DELTAS_MAX && this.#levels <= LEVELS_MAX && !this.#room.isOverfull
  }

  dropFirst(count: number): void {
    for (const delta of this.#deltas.splice(0, count)) {
      this.#levels -= levelCount(delta)
      this.#room.take(-levelCount(delta) - DELTA_LEVELS)
    }
  }

  clear(): void {
    this.dropFirst(this.#deltas.length)
  }
}

const levelCount = ({ bids, asks }: BookDelta): number => bids.length + asks.length
