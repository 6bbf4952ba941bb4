/**
 * The data's path, on one screen:
 *
 *   venue feed (socket -> frame -> decode -> books, numbers: proof) ─► ledger (gaps, durable) ─► emit ─► memory store ─► API
 *        ▲                                      │ need                                          └────► stream, sinks
 *        └── snapshot, backfill or new subscription ◄┘
 */

import type { Downstream } from '../feed/ports.ts'
import type { EpochUs, Gap, MarketEvent } from '../model/event.ts'
import type { Clock } from '../platform/platform.ts'
import type { Stats } from './stats.ts'

export type Subscriber = (event: MarketEvent) => void

export interface PipelineParts {
  /** Every gap that was recorded is durable and has left when it returns. */
  readonly flushGaps: () => void
  readonly stats: Stats
  readonly store: { accept(event: MarketEvent): void }
  readonly clock: Clock
}

export class Pipeline implements Downstream {
  readonly #parts: PipelineParts
  readonly #subscribers = new Set<Subscriber>()

  constructor(parts: PipelineParts) {
    this.#parts = parts
  }

  /** Data leave behind the gaps that are before them; that a book is stale is said without waiting for the disk. */
  accept(event: MarketEvent, receiveTimeUs: EpochUs): void {
    const { store, stats, clock, flushGaps } = this.#parts
    if (event.type !== 'book_state') flushGaps()
    store.accept(event)
    stats.event(event, receiveTimeUs, clock.nowUs())
    this.#tell(event)
  }

  /** A gap that is durable. */
  acceptGap(gap: Gap): void {
    this.#parts.stats.gap(gap)
    this.#tell(gap)
  }

  /** Receives every event from now on; the result ends it. */
  subscribe(subscriber: Subscriber): () => void {
    this.#subscribers.add(subscriber)
    return () => this.#subscribers.delete(subscriber)
  }

  #tell(event: MarketEvent): void {
    for (const subscriber of this.#subscribers) subscriber(event)
  }
}
