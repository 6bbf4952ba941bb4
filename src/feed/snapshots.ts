/** Fetches book snapshots aside from message handling, one at a time for each symbol, with growing waits. */

import type { BookSnapshot } from '../model/event.ts'
import type { Platform } from '../platform/platform.ts'
import type { RestRequest, Venue } from '../venues/venue.ts'
import { Backoff } from './backoff.ts'
import { type RestClient, RestError } from './rest-client.ts'
import { snapshotSize } from './snapshot-size.ts'

const BACKOFF = { firstMs: 500, maxMs: 30_000 }
/** A snapshot that no delta has joined after so long is fetched again. */
const UNJOINED_MS = 10_000

/** What became of a snapshot: `live`; `waiting` for a delta to join it; `refused`: a new one is needed. */
export type SnapshotFate = 'live' | 'waiting' | 'refused'

export interface SnapshotHandlers {
  /** Books that are not live, whether they have asked for their snapshot yet or not. */
  waiting(): number
  /** `undefined`: the book is not wanted any more. */
  deliver(snapshot: BookSnapshot): SnapshotFate | undefined
  /** What is to become of the wish; `undefined`: the book is not wanted any more. */
  failed(symbol: string, error: RestError): SnapshotFate | undefined
}

interface Wanted {
  readonly backoff: Backoff
  /** The first fetch can be brought forward; what waits after an attempt waits its time. */
  isFirst: boolean
  cancel: (() => void) | undefined
  isFetching: boolean
  /** The wait is one for a delta that joins the snapshot that is there. */
  isUnjoined: boolean
}

export class Snapshots {
  readonly #venue: Venue
  readonly #rest: RestClient
  readonly #platform: Platform
  readonly #handlers: SnapshotHandlers
  readonly #wanted = new Map<string, Wanted>()
  #isStopped = false

  constructor(venue: Venue, rest: RestClient, platform: Platform, handlers: SnapshotHandlers) {
    this.#venue = venue
    this.#rest = rest
    this.#platform = platform
    this.#handlers = handlers
  }

  /** A snapshot of `symbol` in at most `delayMs`; a fetch that is under way or due earlier serves as well. */
  request(symbol: string, delayMs = 0): void {
    const wanted = this.#wanted.get(symbol) ?? this.#open(symbol)
    if (wanted.isFetching || this.#isStopped) return
    if (wanted.cancel !== undefined && (delayMs > 0 || !wanted.isFirst)) return
    this.#schedule(symbol, wanted, delayMs)
  }

  /** Like {@link request}, when the snapshot that waited for a delta was of no use. */
  renew(symbol: string, delayMs: number): void {
    const wanted = this.#wanted.get(symbol)
    if (wanted?.isUnjoined === true) {
      wanted.cancel?.()
      wanted.cancel = undefined
    }
    this.request(symbol, delayMs)
  }

  /** What came, or waited for a delta, was of the past. Another: at once the first time, then ever more rarely. */
  retry(symbol: string): void {
    const wanted = this.#wanted.get(symbol) ?? this.#open(symbol)
    // What becomes of a fetch that is under way is decided at its end.
    if (wanted.isFetching) return
    const isFirst = wanted.backoff.attempts === 0
    const waitMs = wanted.backoff.nextMs()
    this.renew(symbol, isFirst ? 0 : waitMs)
  }

  /** The book is live, or its feed is gone. */
  settle(symbol: string): void {
    const wanted = this.#wanted.get(symbol)
    wanted?.cancel?.()
    if (wanted !== undefined && !wanted.isFetching) this.#wanted.delete(symbol)
  }

  stop(): void {
    this.#isStopped = true
    for (const { cancel } of this.#wanted.values()) cancel?.()
    this.#wanted.clear()
  }

  #open(symbol: string): Wanted {
    const backoff = new Backoff({ ...BACKOFF, random: this.#platform.random })
    const wanted: Wanted = { backoff, isFirst: true, cancel: undefined, isFetching: false, isUnjoined: false }
    this.#wanted.set(symbol, wanted)
    return wanted
  }

  #schedule(symbol: string, wanted: Wanted, delayMs: number, isUnjoined = false): void {
    wanted.cancel?.()
    wanted.isUnjoined = isUnjoined
    wanted.cancel = this.#platform.clock.after(delayMs, () => {
      wanted.cancel = undefined
      void this.#fetch(symbol, wanted)
    })
  }

  /** A mass start must not use up the budget with its first books; a single one gets all there is. */
  #ask(symbol: string): RestRequest<BookSnapshot> {
    const { rest } = this.#venue
    const left = this.#rest.left(rest.snapshot(symbol).budget)
    return rest.snapshot(symbol, snapshotSize(rest.snapshotSizes, this.#handlers.waiting(), left))
  }

  /** Never rejects: what goes wrong is handed to `failed` and tried again. */
  async #fetch(symbol: string, wanted: Wanted): Promise<void> {
    wanted.isFetching = true
    wanted.isFirst = false
    let fate: SnapshotFate | undefined
    try {
      fate = this.#handlers.deliver(await this.#rest.get(this.#ask(symbol)))
    } catch (error) {
      if (!(error instanceof RestError)) throw error
      if (!this.#isStopped) fate = this.#handlers.failed(symbol, error)
    } finally {
      wanted.isFetching = false
    }
    if (this.#isStopped || fate === undefined || fate === 'live') {
      this.#wanted.delete(symbol)
    } else if (fate === 'waiting') this.#schedule(symbol, wanted, UNJOINED_MS, true)
    else this.#schedule(symbol, wanted, wanted.backoff.nextMs())
  }
}
