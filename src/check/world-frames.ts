/** What became of the frames of books: without the newest one nobody can say what the book should be. */

import type { FrameFate } from '../sim/exchange.ts'

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

  /** The frame that is being sent will be lost, and yet something comes in its place. */
  spoil(book: string): void {
    this.#spoilt.add(book)
  }

  /** A frame that comes behind a newer one has nothing to follow, and that one is of no use. */
  note(book: string, connection: number, { isDelivered, madeMs }: FrameFate): void {
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
