/** The recent past of one live book: how it stood at a moment, and every delta since. */

import type { BookDelta, BookSnapshot } from '../model/event.ts'
import { OrderBook } from './order-book.ts'

/** Beyond this the past is given up. */
const DELTAS_MAX = 5_000
const LEVELS_MAX = 200_000

/** The book at the greatest of its states that is not behind a sequence. */
export interface Moment {
  readonly kind: 'moment'
  readonly book: OrderBook
  /** The delta in whose middle the sequence lies: what it touches may have changed already, or not. */
  readonly within: BookDelta | undefined
}

export type Found =
  | Moment
  /** The sequence is older than what is kept. */
  | { readonly kind: 'before' }
  /** The stream has not come so far yet; `book` is the newest state. */
  | { readonly kind: 'ahead'; readonly book: OrderBook }

export class Past {
  readonly #book: OrderBook
  readonly #sequence: number
  readonly #depthMax: number | undefined
  #deltas: BookDelta[] = []
  #levels = 0
  #problem: string | undefined

  /** `book`: a copy that nobody else changes. `depthMax`: the window of levels that the venue keeps, if it does. */
  constructor(book: OrderBook, sequence: number, depthMax: number | undefined) {
    this.#book = book
    this.#sequence = sequence
    this.#depthMax = depthMax
  }

  /** Why nothing can be found in it any more, in words. */
  get problem(): string | undefined {
    return this.#problem
  }

  /** The book has gone on by `delta`. */
  push(delta: BookDelta): void {
    if (this.#problem !== undefined) return
    const sequence = delta.last_sequence
    if (sequence === undefined || sequence < this.#newest) {
      this.end('the numbering started anew')
      return
    }
    this.#deltas.push(delta)
    this.#levels += delta.bids.length + delta.asks.length
    if (this.#deltas.length > DELTAS_MAX || this.#levels > LEVELS_MAX) this.end('too many messages')
  }

  end(problem: string): void {
    this.#problem ??= problem
    this.#deltas = []
  }

  /** The stream has not come as far as `sequence` yet. */
  isBehind(sequence: number): boolean {
    return this.#newest < sequence
  }

  find(sequence: number): Found {
    if (sequence < this.#sequence) return { kind: 'before' }
    const next = this.#deltas.findIndex((delta) => (delta.last_sequence as number) > sequence)
    const passed = next < 0 ? this.#deltas : this.#deltas.slice(0, next)
    const book = this.#forward(this.#book.copy(), passed)
    if (next < 0) return sequence > this.#newest ? { kind: 'ahead', book } : { kind: 'moment', book, within: undefined }
    const isExact = (passed.at(-1)?.last_sequence ?? this.#sequence) === sequence
    return { kind: 'moment', book, within: isExact ? undefined : this.#deltas[next] }
  }

  /** The book of `snapshot`, brought up to now. `undefined`: it is not of the time that is kept. */
  resume(snapshot: BookSnapshot): OrderBook | undefined {
    const { sequence } = snapshot
    if (sequence === undefined || this.#problem !== undefined) return undefined
    if (sequence < this.#sequence || sequence > this.#newest) return undefined
    const book = new OrderBook()
    book.replace(snapshot.bids, snapshot.asks, snapshot.depth)
    const later = this.#deltas.filter((delta) => (delta.last_sequence as number) > sequence)
    return this.#forward(book, later)
  }

  get #newest(): number {
    return this.#deltas.at(-1)?.last_sequence ?? this.#sequence
  }

  #forward(book: OrderBook, deltas: readonly BookDelta[]): OrderBook {
    for (const { bids, asks } of deltas) {
      book.apply(bids, asks)
      if (this.#depthMax !== undefined) book.keepWindow(this.#depthMax)
    }
    return book
  }
}
