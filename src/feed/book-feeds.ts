/** The book feeds of one venue: who waits for a snapshot, what happens when a book breaks. One symbol never touches another. */

import type { Books } from '../book/books.ts'
import { sequenceOf } from '../book/numbering.ts'
import type { BookOutput } from '../book/step.ts'
import type { BookSync } from '../book/sync.ts'
import type { BookDelta, BookReason, BookSnapshot, EpochUs } from '../model/event.ts'
import type { Platform } from '../platform/platform.ts'
import type { Venue } from '../venues/venue.ts'
import { CAUSE_OF, endOf, noteJump, noteNumbers } from './book-loss.ts'
import type { Loss } from './connection.ts'
import { withEpoch } from './epoch.ts'
import type { Feed } from './feed.ts'
import type { Downstream, Observer } from './ports.ts'
import { Rebuilds } from './rebuilds.ts'
import type { RestClient, RestError } from './rest-client.ts'
import { SnapshotIds } from './snapshot-ids.ts'
import { type SnapshotFate, Snapshots } from './snapshots.ts'

/** A book whose stream is quiet still gets its snapshot so long after the subscription was confirmed. */
const SNAPSHOT_WITHOUT_DELTA_MS = 2_000
/** A stream that brings its own snapshot brings it right after the subscription was confirmed. */
const SNAPSHOT_DUE_MS = 5_000
/** What a snapshot shows the stream brings so much later at most. */
const IN_FLIGHT_MS = 3_000
/** A venue that sends nothing but snapshots of the past for so long is believed: what was delivered may be wrong. */
const REFUSED_MS_MAX = 60_000

export interface BookFeedsOptions {
  readonly venue: Venue
  readonly rest: RestClient
  readonly platform: Platform
  readonly books: Books
  readonly downstream: Downstream
  readonly observer: Observer
  /** The book feed of a symbol, if it is wanted and its stream confirmed. */
  readonly find: (symbol: string) => Feed | undefined
  /** Books that are wanted and not live. */
  readonly waiting: () => number
  /** Subscribes the feed anew, so that the venue sends a snapshot. */
  readonly restart: (feed: Feed, loss: Loss) => void
  /** The venue does not know the feed's symbol. */
  readonly unknown: (feed: Feed, reason: string) => void
}

export class BookFeeds {
  readonly #options: BookFeedsOptions
  readonly #snapshots: Snapshots
  readonly #rebuilds: Rebuilds
  readonly #ids = new SnapshotIds()
  /** Since when a book that is not live has got snapshots of the past, monotonic. */
  readonly #refusedMs = new Map<Feed, number>()
  /** Subscribed anew on a connection that goes on, and not confirmed yet. */
  readonly #asked = new Set<Feed>()
  readonly #timers = new Map<Feed, { readonly dueMs: number; readonly cancel: () => void }>()

  constructor(options: BookFeedsOptions) {
    this.#options = options
    this.#rebuilds = new Rebuilds(options.platform)
    this.#snapshots = new Snapshots(options.venue, options.rest, options.platform, {
      waiting: options.waiting,
      deliver: (snapshot) => this.#deliver(snapshot),
      failed: (symbol, error) => this.#snapshotFailed(symbol, error),
    })
  }

  stop(): void {
    this.#snapshots.stop()
    for (const { cancel } of this.#timers.values()) cancel()
  }

  accept(
    feed: Feed,
    event: BookSnapshot | BookDelta,
    checksum: number | undefined,
    receiveTimeUs: EpochUs,
  ): SnapshotFate {
    const { books, observer, venue } = this.#options
    if (event.type === 'book_snapshot' && this.#isPast(feed, event)) return this.#refuse(feed)
    const step = books.accept(event, checksum)
    this.#publish(feed, step.emit, receiveTimeUs)
    // A heartbeat: nothing has changed, and nothing is missing.
    if (step.emit.length === 0 && step.isIgnored !== true && this.isLive(feed))
      feed.ledger.heard(undefined, receiveTimeUs)
    if (step.isIgnored && event.type === 'book_delta') observer.duplicate(event.type)
    if (step.need !== undefined) {
      this.#rebuild(feed, step.need)
      return 'refused'
    }
    if (this.isLive(feed)) {
      if (feed.state !== 'live') this.#settle(feed)
      return 'live'
    }
    if (step.isDeaf) this.#later(feed, IN_FLIGHT_MS, () => this.#onDeaf(feed))
    this.waits(feed, feed.reason || 'waiting for a snapshot')
    if (venue.book.snapshotFrom === 'rest' && event.type === 'book_delta') {
      this.#snapshots.request(feed.symbol, this.#rebuilds.waitMs(feed))
    }
    return 'waiting'
  }

  /** The venue confirmed the stream, or another connection carries it now. */
  subscribed(feed: Feed): void {
    const isAnew = this.#asked.delete(feed)
    if (this.isLive(feed)) {
      // Made of changes that were on their way before the venue read what we asked: those behind them went to nobody.
      if (isAnew && this.#options.venue.book.snapshotFrom === 'rest') this.breaks(feed, 'silence')
      return
    }
    this.waits(feed, 'waiting for a snapshot')
    if (this.#options.venue.book.snapshotFrom === 'rest')
      this.#snapshots.request(feed.symbol, SNAPSHOT_WITHOUT_DELTA_MS)
    else this.#later(feed, SNAPSHOT_DUE_MS, () => this.#startOver(feed, 'no snapshot came'))
  }

  isLive(feed: Feed): boolean {
    return this.#sync(feed)?.isLive ?? false
  }

  /** The feed's stream starts afresh: its book cannot be trusted until it is proven anew. */
  restarted(feed: Feed, reason: 'disconnect' | 'silence'): void {
    if (this.isLive(feed)) feed.isResyncing = true
    this.#invalidate(feed, reason)
    this.#cancelTimer(feed)
    if (reason === 'silence') this.#asked.add(feed)
    else {
      this.#asked.delete(feed)
      this.#snapshots.settle(feed.symbol)
    }
  }

  /** The feed is collected no more. */
  dropped(feed: Feed, reason: BookReason): void {
    this.#asked.delete(feed)
    this.#ids.forget(feed.symbol)
    this.#invalidate(feed, reason)
    this.#cancelTimer(feed)
    this.#rebuilds.forget(feed)
    this.#refusedMs.delete(feed)
    this.#snapshots.settle(feed.symbol)
  }

  /** The book is wrong for `reason`, or will be with the changes that wait for its snapshot: it is built anew. */
  breaks(feed: Feed, reason: BookReason): void {
    const isLive = this.isLive(feed)
    if (!isLive && (this.#options.venue.book.snapshotFrom === 'stream' || !/syncing|banned/.test(feed.state))) return
    this.#invalidate(feed, reason)
    if (isLive) this.#rebuild(feed, reason)
    else this.#snapshots.renew(feed.symbol, this.#rebuilds.waitMs(feed))
  }

  /** Nothing has been heard of the book for too long; it goes on where it stands with the next message. */
  suspend(feed: Feed): void {
    const nowUs = this.#options.platform.clock.nowUs()
    this.#publish(feed, this.#sync(feed)?.suspend(nowUs).emit ?? [], nowUs)
  }

  /**
   * A snapshot that is older than what was delivered already, by its number and, where it has one, by its time: what it
   * lacks would leave again, or be missing. Not so where the venue counts anew, or the book was found to be wrong.
   */
  #isPast(feed: Feed, { sequence = 0, exchange_time_us: timeUs = 0 }: BookSnapshot): boolean {
    const nowMs = this.#options.platform.clock.monotonicMs()
    if (nowMs - (this.#refusedMs.get(feed) ?? nowMs) > REFUSED_MS_MAX) return false
    const sync = this.#sync(feed)
    const { applied, sequence: last = 0 } = sync ?? {}
    if (sequence >= last || timeUs > (applied?.exchange_time_us ?? timeUs)) return false
    return sync?.reason !== 'audit_mismatch' && sync?.isRenumbered !== true
  }

  /** A live book goes on without it; one that waits for a snapshot asks for another. */
  #refuse(feed: Feed): SnapshotFate {
    this.#options.observer.duplicate('book_snapshot')
    if (this.isLive(feed)) return 'live'
    if (!this.#refusedMs.has(feed)) this.#refusedMs.set(feed, this.#options.platform.clock.monotonicMs())
    this.#rebuild(feed, 'snapshot_too_old')
    return 'refused'
  }

  #sync({ symbol }: Feed): BookSync | undefined {
    return this.#options.books.find(this.#options.venue.id, symbol)
  }

  #invalidate(feed: Feed, reason: BookReason): void {
    const nowUs = this.#options.platform.clock.nowUs()
    this.#publish(feed, this.#sync(feed)?.invalidate(reason, nowUs).emit ?? [], nowUs)
  }

  /** Passes on what the book made of a message; the ledger knows of it before. */
  #publish(feed: Feed, outputs: readonly BookOutput[], receiveTimeUs: EpochUs): void {
    const { ledger } = feed
    const [first] = outputs
    if (ledger.isOffList && outputs.some(({ type }) => type !== 'book_state')) ledger.resume()
    if (first?.type === 'book_snapshot' && ledger.outage === undefined) noteJump(feed, first, receiveTimeUs)
    if (outputs.length > 0 && this.isLive(feed)) ledger.end(endOf(feed, outputs, receiveTimeUs))
    noteNumbers(feed, outputs, receiveTimeUs)
    for (const output of outputs) {
      if (output.type !== 'book_state') ledger.heard(sequenceOf(output), output.receive_time_us ?? receiveTimeUs)
      else if (output.state === 'stale') ledger.begin({ cause: CAUSE_OF[output.reason] })
      const named = output.type === 'book_snapshot' ? this.#ids.distinct(output) : output
      this.#options.downstream.accept(withEpoch(named, ledger.epoch), receiveTimeUs)
    }
  }

  /** The book waits for a snapshot; so long its feed says so. */
  waits(feed: Feed, reason: string): void {
    const { venue, rest } = this.#options
    const isBanned = venue.book.snapshotFrom === 'rest' && rest.bannedUntilUs !== undefined
    if (isBanned) feed.ledger.begin({ cause: 'banned', reason })
    feed.set(isBanned ? 'banned' : feed.isResyncing ? 'resyncing' : 'syncing', reason)
  }

  #settle(feed: Feed): void {
    feed.set('live')
    if (feed.isResyncing) this.#options.observer.rebuilt(feed)
    feed.isResyncing = false
    this.#refusedMs.delete(feed)
    this.#cancelTimer(feed)
    this.#snapshots.settle(feed.symbol)
    this.#rebuilds.held(feed)
  }

  /** This symbol alone gets a new snapshot: fetched, or by subscribing anew. */
  #rebuild(feed: Feed, reason: BookReason): void {
    if (reason !== 'snapshot_too_old') {
      this.#options.observer.resync(feed, reason)
      feed.resyncs++
      feed.isResyncing = true
    }
    this.#startOver(feed, reason)
  }

  #startOver(feed: Feed, reason: string): void {
    this.waits(feed, reason)
    if (this.#options.venue.book.snapshotFrom === 'stream') this.#restartSoon(feed, reason)
    // REST lags behind: the book did not break again, so its next rebuild is not put off.
    else if (reason === 'snapshot_too_old') this.#snapshots.retry(feed.symbol)
    else {
      this.#rebuilds.postpone(feed)
      this.#snapshots.renew(feed.symbol, this.#rebuilds.waitMs(feed))
    }
  }

  /** Subscribes anew; ever more rarely if it is of no use. */
  #restartSoon(feed: Feed, reason: string): void {
    this.#rebuilds.postpone(feed)
    this.#later(feed, this.#rebuilds.waitMs(feed), () =>
      this.#options.restart(feed, { cause: 'silence', sinceUs: feed.lastMessageUs, reason }),
    )
  }

  #onDeaf(feed: Feed): void {
    const { candidateSequence, isProven = false } = this.#sync(feed) ?? {}
    if (candidateSequence !== undefined || (isProven && !this.isLive(feed)))
      this.#restartSoon(feed, 'snapshots move on, the stream does not')
  }

  /** One step of a book waits at a time: the one that is due first. */
  #later(feed: Feed, delayMs: number, action: () => void): void {
    const { clock } = this.#options.platform
    const dueMs = clock.monotonicMs() + delayMs
    if ((this.#timers.get(feed)?.dueMs ?? Number.POSITIVE_INFINITY) <= dueMs) return
    this.#cancelTimer(feed)
    const cancel = clock.after(delayMs, () => {
      this.#timers.delete(feed)
      action()
    })
    this.#timers.set(feed, { dueMs, cancel })
  }

  #cancelTimer(feed: Feed): void {
    this.#timers.get(feed)?.cancel()
    this.#timers.delete(feed)
  }

  #deliver(snapshot: BookSnapshot): SnapshotFate | undefined {
    const feed = this.#options.find(snapshot.symbol)
    return feed && this.accept(feed, snapshot, undefined, snapshot.receive_time_us as EpochUs)
  }

  #snapshotFailed(symbol: string, error: RestError): SnapshotFate | undefined {
    const feed = this.#options.find(symbol)
    if (feed === undefined || feed.state === 'live') return undefined
    if (error.kind === 'unknown_symbol') {
      this.#options.unknown(feed, `unknown symbol: ${error.message}`)
      return undefined
    }
    this.waits(feed, `snapshot: ${error.message}`)
    return 'refused'
  }
}
