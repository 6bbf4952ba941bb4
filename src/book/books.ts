/** All books of all venues, each on its own: what breaks one never touches another. */

import type { BookDelta, BookSnapshot } from '../model/event.ts'
import { HoldingRoom } from './held-deltas.ts'
import type { BookRules } from './rules.ts'
import type { BookStep } from './step.ts'
import { BookSync } from './sync.ts'

export class Books {
  readonly #rules: ReadonlyMap<string, BookRules>
  readonly #room = new HoldingRoom()
  readonly #books = new Map<string, Map<string, BookSync>>()

  /** `rules`: the rules of each venue, by its id. */
  constructor(rules: ReadonlyMap<string, BookRules>) {
    this.#rules = rules
  }

  accept(event: BookSnapshot | BookDelta, checksum?: number): BookStep {
    const sync = this.#open(event.venue, event.symbol)
    return event.type === 'book_snapshot' ? sync.onSnapshot(event, checksum) : sync.onDelta(event, checksum)
  }

  find(venue: string, symbol: string): BookSync | undefined {
    return this.#books.get(venue)?.get(symbol)
  }

  /** The book is not wanted any more: nothing of it is kept. */
  forget(venue: string, symbol: string): void {
    this.find(venue, symbol)?.invalidate('shutdown')
    this.#books.get(venue)?.delete(symbol)
  }

  /** Every book that has received anything. */
  *[Symbol.iterator](): Generator<readonly [venue: string, symbol: string, sync: BookSync]> {
    for (const [venue, bySymbol] of this.#books) for (const [symbol, sync] of bySymbol) yield [venue, symbol, sync]
  }

  #open(venue: string, symbol: string): BookSync {
    const bySymbol = this.#books.get(venue) ?? new Map<string, BookSync>()
    this.#books.set(venue, bySymbol)
    const existing = bySymbol.get(symbol)
    if (existing !== undefined) return existing
    const rules = this.#rules.get(venue)
    if (rules === undefined) throw new Error(`no book rules for venue ${venue}`)
    const sync = new BookSync(rules, this.#room)
    bySymbol.set(symbol, sync)
    return sync
  }
}
