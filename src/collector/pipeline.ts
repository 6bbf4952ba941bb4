/**
 * The data's path, on one screen:
 *
 *   venue feed (socket -> frame -> decode) ─► books (sync, proof) ─► emit ─► memory store ─► API
 *        ▲                                      │ need                └────► stream, sinks
 *        └── snapshot or new subscription ◄─────┘
 */

import type { Books } from '../book/books.ts'
import type { Downstream } from '../feed/ports.ts'
import type { EpochUs, MarketEvent } from '../model/event.ts'
import type { Clock } from '../platform/platform.ts'
import type { Stats } from './stats.ts'

export type Subscriber = (event: MarketEvent) => void

export interface PipelineParts {
  readonly books: Books
  readonly stats: Stats
  readonly store: { accept(event: MarketEvent): void }
  readonly clock: Clock
}

export class Pipeline {
  readonly #parts: PipelineParts
  readonly #subscribers = new Set<Subscriber>()

  constructor(parts: PipelineParts) {
    this.#parts = parts
  }

  /** Where the feed of `venue` delivers. */
  downstream(venue: string): Downstream {
    const { books, clock } = this.#parts
    return {
      accept: (event, receiveTimeUs) => this.#emit(event, receiveTimeUs),
      acceptBook: (event, checksum, receiveTimeUs) => {
        const step = books.accept(event, checksum)
        for (const output of step.emit) this.#emit(output, receiveTimeUs)
        return step
      },
      isLive: (symbol) => books.find(venue, symbol)?.isLive ?? false,
      suspend: (symbol) => {
        const nowUs = clock.nowUs()
        for (const state of books.find(venue, symbol)?.suspend(nowUs).emit ?? []) this.#emit(state, nowUs)
      },
      invalidate: (symbol, reason) => {
        const nowUs = clock.nowUs()
        for (const state of books.find(venue, symbol)?.invalidate(reason, nowUs).emit ?? []) this.#emit(state, nowUs)
      },
    }
  }

  /** Receives every event from now on; the result ends it. */
  subscribe(subscriber: Subscriber): () => void {
    this.#subscribers.add(subscriber)
    return () => this.#subscribers.delete(subscriber)
  }

  #emit(event: MarketEvent, receiveTimeUs: EpochUs): void {
    const { store, stats, clock } = this.#parts
    store.accept(event)
    stats.event(event, receiveTimeUs, clock.nowUs())
    for (const subscriber of this.#subscribers) subscriber(event)
  }
}
