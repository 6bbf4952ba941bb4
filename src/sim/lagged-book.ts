import type { Level } from '../model/event.ts'
import { createTextBook } from './text-book.ts'

interface Change {
  readonly timeMs: number
  /** The venue's number of the book after this change. */
  readonly id: number
  readonly bids: readonly Level[]
  readonly asks: readonly Level[]
}

export interface BookAt {
  readonly bids: readonly Level[]
  readonly asks: readonly Level[]
  readonly id: number
  readonly timeMs: number
}

/** A copy of one book that can be read as it was a moment ago: REST answers lag behind the stream. */
export interface LaggedBook {
  push(change: Change): void
  /** The book at `timeMs`, but never older than one read before: answers do not go back in time. */
  at(timeMs: number, depth: number): BookAt
}

export function createLaggedBook(first: BookAt, lagMsMax: number): LaggedBook {
  const book = createTextBook()
  book.replace(first.bids, first.asks)
  let { id, timeMs: appliedMs } = first
  let pending: Change[] = []

  function applyUntil(timeMs: number): void {
    let count = 0
    for (const change of pending) {
      if (change.timeMs > timeMs) break
      book.apply(change.bids, change.asks)
      id = change.id
      appliedMs = change.timeMs
      count++
    }
    if (count > 0) pending = pending.slice(count)
  }

  return {
    push(change) {
      pending.push(change)
      applyUntil(change.timeMs - lagMsMax)
    },
    at(timeMs, depth) {
      applyUntil(timeMs)
      return { ...book.top(depth), id, timeMs: appliedMs }
    },
  }
}
