/**
 * The data's path, on one screen:
 *
 *   venue feed (socket -> frame -> decode -> books, numbers: proof) ─► ledger (gaps) ─► log ─► pumps ─► sinks
 *        ▲                                      │ need                                   └─► memory store ─► API, stream
 *        └── snapshot, backfill or new subscription ◄┘
 */

import type { Downstream } from '../feed/ports.ts'
import type { EpochUs, Gap, MarketEvent } from '../model/event.ts'
import type { Clock } from '../platform/platform.ts'
import type { Stats } from './stats.ts'

/** `bytes`: the event's JSON, encoded once for all. */
export type Subscriber = (event: MarketEvent, bytes: () => Buffer) => void

export interface PipelineParts {
  /** Every gap that was recorded has left when it returns; without a log it is durable too. */
  readonly flushGaps: () => void
  readonly stats: Stats
  /** The durable log; `undefined`: off. */
  readonly log: { append(event: MarketEvent, bytes: Buffer, timeUs: EpochUs): void } | undefined
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
    const bytes = this.#log(event, receiveTimeUs)
    store.accept(event)
    stats.event(event, receiveTimeUs, clock.nowUs())
    this.#tell(event, bytes)
  }

  /** `before`: the revision that it replaces. */
  acceptGap(gap: Gap, before: Gap | undefined): void {
    const bytes = this.#log(gap, gap.detected_time_us)
    this.#parts.stats.gap(gap, before)
    this.#tell(gap, bytes)
  }

  /** Receives every event from now on; the result ends it. */
  subscribe(subscriber: Subscriber): () => void {
    this.#subscribers.add(subscriber)
    return () => this.#subscribers.delete(subscriber)
  }

  /** Yields what encodes it when it is needed, once. */
  #log(event: MarketEvent, timeUs: EpochUs): () => Buffer {
    let known: Buffer | undefined
    const bytes = (): Buffer => {
      known ??= Buffer.from(JSON.stringify(event))
      return known
    }
    this.#parts.log?.append(event, bytes(), timeUs)
    return bytes
  }

  #tell(event: MarketEvent, bytes: () => Buffer): void {
    for (const subscriber of this.#subscribers) subscriber(event, bytes)
  }
}
