/** What became of the frames of books: without the newest one nobody can say what the book should be. */

import type { BookDelta, BookSnapshot, MarketEvent } from '../model/event.ts'
import type { FrameFate } from '../sim/exchange.ts'
import { FORGED_QUANTITY } from '../sim/tamper.ts'

interface Newest {
  /** When it was made, in true time. */
  readonly madeMs: number
  /** It came, as the last of all. */
  readonly isThere: boolean
}

export class BookFrames {
  /** Of each book, by connection. */
  readonly #newest = new Map<string, Map<number, Newest>>()
  /** Books of which a frame is being spoilt: it is lost, but it comes. */
  readonly #spoilt = new Set<string>()
  /** Books whose newest subscription the venue has confirmed, and nothing comes on any. */
  readonly #silent = new Set<string>()

  /** The frame that is being sent will be lost, and yet something comes in its place. */
  spoil(book: string): void {
    this.#spoilt.add(book)
  }

  /** A subscription was confirmed. `isSilent`: and brings nothing; in a quiet market nobody can know. */
  subscribed(book: string, isSilent: boolean): void {
    if (isSilent) this.#silent.add(book)
    else this.#silent.delete(book)
  }

  isSilent(book: string): boolean {
    return this.#silent.has(book)
  }

  get hasSilent(): boolean {
    return this.#silent.size > 0
  }

  /** A frame that comes behind a newer one has nothing to follow, and that one is of no use. */
  note(book: string, connection: number, { isDelivered, madeMs }: FrameFate): void {
    if (isDelivered) this.#silent.delete(book)
    const newest = this.#newest.get(book) ?? new Map<number, Newest>()
    this.#newest.set(book, newest)
    const { madeMs: newestMs = 0 } = newest.get(connection) ?? {}
    const isThere = (isDelivered || this.#spoilt.delete(book)) && madeMs >= newestMs
    newest.set(connection, { madeMs: Math.max(madeMs, newestMs), isThere })
  }

  /**
   * The newest frame of the book was lost, or that of a connection which still carries it: while another one takes over,
   * a loss at its end cannot be told from frames that are late.
   */
  isLost(book: string, isOpen: (connection: number) => boolean): boolean {
    const newest = [...(this.#newest.get(book) ?? [])]
    const newestMs = Math.max(...newest.map(([, { madeMs }]) => madeMs))
    const last = newest.filter(([, { madeMs }]) => madeMs === newestMs)
    if (last.length > 0 && last.every(([, { isThere }]) => !isThere)) return true
    return newest.some(([connection, { isThere }]) => !isThere && isOpen(connection))
  }
}

/** Books into which a level was forged since they were last built: they are wrong until someone finds out. */
export class ForgedBooks {
  readonly #books = new Set<string>()

  add(book: string): void {
    this.#books.add(book)
  }

  has(book: string): boolean {
    return this.#books.has(book)
  }

  get hasAny(): boolean {
    return this.#books.size > 0
  }

  /** What left. A forged change may wait for the snapshot that it follows. */
  note(event: MarketEvent): void {
    if (event.type !== 'book_snapshot' && event.type !== 'book_delta') return
    const book = `${event.venue} ${event.symbol}`
    if (hasForgedLevel(event)) this.#books.add(book)
    else if (event.type === 'book_snapshot') this.#books.delete(book)
  }
}

const hasForgedLevel = ({ bids }: BookSnapshot | BookDelta): boolean =>
  bids.some(([, quantity]) => Number(quantity) === FORGED_QUANTITY)
