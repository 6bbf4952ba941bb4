/** Captured frames in, events out: the live pipeline's decoding and books, with recorded REST answers for snapshots. */

import { Books } from '../book/books.ts'
import type { BookSync } from '../book/sync.ts'
import {
  type BookDelta,
  type BookSnapshot,
  type EpochUs,
  type Instrument,
  instrumentKey,
  type MarketEvent,
} from '../model/event.ts'
import type { Venue } from '../venues/venue.ts'

export interface ChangedBook {
  readonly venue: string
  readonly symbol: string
  readonly sync: BookSync
}

export interface NormalizedFrame {
  readonly events: readonly MarketEvent[]
  /** Books that are live and were changed by the frame. */
  readonly changedBooks: readonly ChangedBook[]
  /** Why the frame gave no events; absent for market data and for acks, pongs, heartbeats. */
  readonly problem?: { readonly kind: 'malformed' | 'unknown'; readonly reason: string } | undefined
}

/** One answer of the captured session. `receiveTimeUs` is absent where the recorder kept none. */
export interface RecordedAnswer {
  readonly venue: Venue
  readonly url: URL
  readonly body: unknown
  readonly receiveTimeUs: EpochUs | undefined
}

type ChangedBooks = Map<BookSync, ChangedBook>

export class Normalizer {
  readonly #books: Books
  readonly #instruments = new Map<string, Map<string, Instrument>>()
  /** Instruments whose `instrument` event has been written. */
  readonly #announced = new Set<string>()
  /** Recorded snapshots not used yet, oldest first. */
  readonly #snapshots: BookSnapshot[] = []

  constructor(venues: readonly Venue[]) {
    this.#books = new Books(new Map(venues.map((venue) => [venue.id, venue.book])))
    for (const venue of venues) this.#instruments.set(venue.id, new Map())
  }

  /**
   * Takes a recorded REST answer: metadata at once, a snapshot when a frame of its time comes.
   * False: this URL is none that the collector asks for. Errors: MalformedError.
   */
  addAnswer({ venue, url, body, receiveTimeUs }: RecordedAnswer): boolean {
    const known = this.#instruments.get(venue.id) ?? new Map<string, Instrument>()
    const recorded = venue.rest.recorded?.(url)
    if (recorded === undefined) return false
    // A book whose stream brings its own snapshot is proven by that one only.
    if (recorded.kind === 'snapshot' && venue.book.snapshotFrom === 'stream') return false
    if (recorded.kind === 'instruments') {
      for (const instrument of recorded.request.parse(body, receiveTimeUs, known))
        known.set(instrument.symbol, instrument)
    } else {
      this.#snapshots.push(recorded.request.parse(body, receiveTimeUs, known))
      this.#snapshots.sort((a, b) => (a.receive_time_us ?? 0) - (b.receive_time_us ?? 0))
    }
    return true
  }

  frame(venue: Venue, frame: Uint8Array, receiveTimeUs: EpochUs | undefined): NormalizedFrame {
    const events: MarketEvent[] = []
    const changed: ChangedBooks = new Map()
    this.#offerSnapshots(receiveTimeUs, events, changed)
    const decoded = venue.decode(frame, receiveTimeUs, this.#instruments.get(venue.id) ?? new Map())
    switch (decoded.kind) {
      case 'events':
        for (const event of decoded.events) {
          if (event.type === 'book_snapshot' || event.type === 'book_delta') {
            this.#book(event, decoded.checksum, events, changed)
          } else this.#emit(event, events)
        }
        break
      case 'malformed':
        if (decoded.channel === 'book' && decoded.symbol !== undefined) {
          events.push(
            ...(this.#books.find(venue.id, decoded.symbol)?.invalidate('decode_error', receiveTimeUs).emit ?? []),
          )
        }
        return this.#result(events, changed, { kind: 'malformed', reason: decoded.reason })
      case 'unknown':
        return this.#result(events, changed, { kind: 'unknown', reason: decoded.what })
      default:
        break
    }
    return this.#result(events, changed)
  }

  #result(
    events: readonly MarketEvent[],
    changed: ChangedBooks,
    problem?: NormalizedFrame['problem'],
  ): NormalizedFrame {
    return { events, changedBooks: [...changed.values()].filter(({ sync }) => sync.isLive), problem }
  }

  /** Recorded snapshots whose time has come go to the books that wait for one. */
  #offerSnapshots(nowUs: EpochUs | undefined, events: MarketEvent[], changed: ChangedBooks): void {
    for (let i = 0; i < this.#snapshots.length; ) {
      const snapshot = this.#snapshots[i] as BookSnapshot
      if (nowUs !== undefined && (snapshot.receive_time_us ?? 0) > nowUs) return
      if (this.#books.find(snapshot.venue, snapshot.symbol)?.isLive === true) {
        i++
        continue
      }
      this.#snapshots.splice(i, 1)
      this.#book(this.#named(snapshot), undefined, events, changed)
    }
  }

  /** The metadata may have come after the snapshot. */
  #named(snapshot: BookSnapshot): BookSnapshot {
    const known = this.#instruments.get(snapshot.venue)?.get(snapshot.symbol)
    return known === undefined ? snapshot : { ...snapshot, market: known.market, instrument: known.instrument }
  }

  #book(
    event: BookSnapshot | BookDelta,
    checksum: number | undefined,
    events: MarketEvent[],
    changed: ChangedBooks,
  ): void {
    const step = this.#books.accept(event, checksum)
    for (const output of step.emit) this.#emit(output, events)
    const sync = this.#books.find(event.venue, event.symbol)
    if (sync === undefined || step.emit.every((output) => output.type === 'book_state')) return
    changed.set(sync, { venue: event.venue, symbol: event.symbol, sync })
  }

  /** The instrument's own event goes out before its first data. */
  #emit(event: MarketEvent, events: MarketEvent[]): void {
    const instrument = this.#instruments.get(event.venue)?.get(event.symbol)
    if (instrument !== undefined && !this.#announced.has(instrumentKey(event.venue, event.symbol))) {
      this.#announced.add(instrumentKey(event.venue, event.symbol))
      events.push(instrument)
    }
    events.push(event)
  }
}
