/** Proves live books against REST, one after another, all day: what the stream never tells can be found in no other way. */

import { CROSSED_US_MAX } from '../book/crossing.ts'
import type { BookSync } from '../book/sync.ts'
import type { BookReason, BookSnapshot, EpochUs } from '../model/event.ts'
import type { Platform } from '../platform/platform.ts'
import { deepestOf, type RestRequest, type Venue } from '../venues/venue.ts'
import { type AuditOutcome, type AuditResult, auditBook } from './audit-run.ts'
import type { Feed } from './feed.ts'
import { type RestClient, RestError } from './rest-client.ts'
import { Window } from './window.ts'

/** Share of the venue's limit that audits may use. */
export const AUDIT_SHARE = 0.1
const TICK_MS = 1_000
/** Between two audits of one book. */
export const AUDIT_INTERVAL_MS = 600_000
/** After an audit that told nothing; and of a book that is known to so few levels a side that it must be widened soon. */
const SOON_MS = 60_000
/** As many as the API shows at most. */
const THIN_LEVELS = 400
/** A snapshot that matched widens a book that is known to less than this share of what a snapshot can tell. */
const WIDE_SHARE = 0.75
/** A book that has just been built is fresh from REST anyway. */
const SETTLED_US = 30_000_000
/** Audits at once: each mostly waits. */
const RUNNING_MAX = 4
/** An answer that takes longer, behind a ban for example, is waited for no more. */
const ANSWER_MS = 30_000
/** Audits that a score tells of. */
const SCORE_AUDITS = 20

/** What an audit looks at in a feed. */
type Auditable = Pick<Feed, 'channel' | 'symbol' | 'state' | 'sinceUs'>

export interface AuditOptions<F extends Auditable = Feed> {
  readonly venue: Venue
  readonly rest: RestClient
  readonly platform: Platform
  /** All feeds of the venue; those that are no live books are passed over. */
  readonly feeds: () => Iterable<F>
  readonly book: (symbol: string) => BookSync | undefined
  /** A snapshot that proved a live book and may widen it; to go where all books' snapshots go. */
  readonly accept: (snapshot: BookSnapshot, receiveTimeUs: EpochUs) => void
  /** The book is wrong, and must be made stale and rebuilt. */
  readonly broken: (feed: F, reason: BookReason) => void
  readonly audited: (feed: F, outcome: AuditOutcome, detail: string) => void
}

export class Audit<F extends Auditable = Feed> {
  readonly #options: AuditOptions<F>
  readonly #pace = new Window(1, TICK_MS)
  readonly #budgets = new Map<string, Window>()
  readonly #running = new Set<F>()
  /** When each book's last audit began, monotonic. */
  readonly #begunMs = new Map<F, number>()
  /** Whose last audit told nothing: the book broke meanwhile, or the venue could not be asked. */
  readonly #untold = new Set<F>()
  /** Whether each of a symbol's newest audits matched, oldest first. */
  readonly #results = new Map<string, boolean[]>()
  readonly #timers = new Set<() => void>()
  #isStopped = false

  constructor(options: AuditOptions<F>) {
    this.#options = options
  }

  start(): void {
    this.#timers.add(this.#options.platform.clock.every(TICK_MS, () => this.#tick()))
  }

  /** What is under way is given up; nothing is told of it. */
  stop(): void {
    this.#isStopped = true
    for (const cancel of this.#timers) cancel()
    this.#timers.clear()
  }

  /** The book is collected no more; of an audit that is under way nothing is told. */
  forget(feed: F): void {
    this.#begunMs.delete(feed)
    this.#untold.delete(feed)
    this.#results.delete(feed.symbol)
  }

  /** Share of each symbol's last 20 audits that matched; those that could not compare do not count. */
  *scores(): Generator<readonly [symbol: string, share: number]> {
    for (const [symbol, results] of this.#results) yield [symbol, results.filter(Boolean).length / results.length]
  }

  #tick(): void {
    this.#uncross()
    const { rest, venue } = this.#options
    if (rest.bannedUntilUs !== undefined || rest.waiting > 0 || this.#running.size >= RUNNING_MAX) return
    const feed = this.#nextDue()
    if (feed !== undefined && this.#waitMs(venue.rest.snapshot(feed.symbol)) === 0) void this.#run(feed)
  }

  /** A book that stays crossed while its stream is silent is wrong as well. */
  #uncross(): void {
    const { feeds, book, platform, broken } = this.#options
    const nowUs = platform.clock.nowUs()
    for (const feed of feeds()) {
      const sinceUs = feed.channel === 'book' ? book(feed.symbol)?.crossedSinceUs : undefined
      if (sinceUs !== undefined && nowUs - sinceUs > CROSSED_US_MAX) broken(feed, 'crossed_book')
    }
  }

  /** The book whose audit has been due longest; of those that had none yet a thin one. */
  #nextDue(): F | undefined {
    let next: { readonly feed: F; readonly dueMs: number; readonly isThin: boolean } | undefined
    const nowMs = this.#options.platform.clock.monotonicMs()
    for (const feed of this.#options.feeds()) {
      const sync = this.#auditable(feed)
      if (sync === undefined) continue
      const isThin = this.#isKnownToLess(sync, THIN_LEVELS)
      const dueMs = this.#begun(feed) + (isThin || this.#untold.has(feed) ? SOON_MS : AUDIT_INTERVAL_MS)
      if (dueMs > nowMs) continue
      if (next === undefined || dueMs < next.dueMs || (dueMs === next.dueMs && isThin && !next.isThin))
        next = { feed, dueMs, isThin }
    }
    return next?.feed
  }

  #begun(feed: F): number {
    return this.#begunMs.get(feed) ?? Number.NEGATIVE_INFINITY
  }

  /** The live book of a feed that may be audited. */
  #auditable(feed: F): BookSync | undefined {
    const { book, platform } = this.#options
    if (feed.channel !== 'book' || feed.state !== 'live' || this.#running.has(feed)) return undefined
    if (platform.clock.nowUs() - feed.sinceUs < SETTLED_US) return undefined
    // Looking at its levels is work.
    if (platform.clock.monotonicMs() - this.#begun(feed) < SOON_MS) return undefined
    const sync = book(feed.symbol)
    return sync?.isLive === true ? sync : undefined
  }

  /** It began small, or the market has moved towards what is not known; only fetched snapshots know more. */
  #isKnownToLess({ book }: BookSync, levels: number): boolean {
    if (this.#options.venue.book.snapshotFrom === 'stream') return false
    return [book.bids, book.asks].some((side) => side.knownTo !== undefined && side.known(levels).length < levels)
  }

  /** Never rejects but with what is no {@link RestError}. */
  async #run(feed: F): Promise<void> {
    const { platform, book } = this.#options
    const sync = book(feed.symbol)
    if (sync === undefined) return
    this.#running.add(feed)
    this.#begunMs.set(feed, platform.clock.monotonicMs())
    const ask = () => this.#ask(feed.symbol)
    const result = await auditBook({ sync, ask, wait: (delayMs) => this.#wait(delayMs) })
    this.#running.delete(feed)
    if (this.#isStopped || !this.#begunMs.has(feed)) return
    this.#conclude(feed, sync, result)
    sync.stopRecording()
  }

  #conclude(feed: F, sync: BookSync, { outcome, detail, snapshot }: AuditResult): void {
    const { audited, broken, accept, platform, venue } = this.#options
    if (outcome === 'match' || outcome === 'mismatch') {
      const results = this.#results.get(feed.symbol) ?? []
      this.#results.set(feed.symbol, [...results, outcome === 'match'].slice(-SCORE_AUDITS))
      this.#untold.delete(feed)
    } else this.#untold.add(feed)
    audited(feed, outcome, detail)
    if (outcome === 'mismatch') broken(feed, 'audit_mismatch')
    else if (snapshot !== undefined && this.#isKnownToLess(sync, wideLevels(venue)))
      accept(snapshot, platform.clock.nowUs())
  }

  /** Errors: rejects with {@link RestError}. */
  async #ask(symbol: string): Promise<BookSnapshot> {
    const { venue, rest, platform } = this.#options
    const request = venue.rest.snapshot(symbol)
    for (let waitMs = this.#waitMs(request); waitMs > 0; waitMs = this.#waitMs(request)) await this.#wait(waitMs)
    if (rest.bannedUntilUs !== undefined) throw new RestError('banned', 'no audits during a ban')
    const nowMs = platform.clock.monotonicMs()
    this.#budgetOf(request).spend(request.weight, nowMs)
    this.#pace.spend(1, nowMs)
    return this.#inTime(rest.get(request))
  }

  #waitMs(request: RestRequest<unknown>): number {
    const nowMs = this.#options.platform.clock.monotonicMs()
    return Math.max(this.#pace.waitMs(1, nowMs), this.#budgetOf(request).waitMs(request.weight, nowMs))
  }

  #budgetOf({ budget: name }: RestRequest<unknown>): Window {
    const { limit = 1, windowMs = TICK_MS } = this.#options.venue.restLimits.budgets[name] ?? {}
    const window = this.#budgets.get(name) ?? new Window(limit * AUDIT_SHARE, windowMs)
    this.#budgets.set(name, window)
    return window
  }

  /** Stopping leaves it waiting for ever: whoever waits has nothing more to do. */
  #wait(delayMs: number): Promise<void> {
    return new Promise((resolve) => void this.#after(delayMs, resolve))
  }

  #after(delayMs: number, action: () => void): () => void {
    const cancelTimer = this.#options.platform.clock.after(delayMs, () => {
      this.#timers.delete(cancel)
      action()
    })
    const cancel = () => {
      this.#timers.delete(cancel)
      cancelTimer()
    }
    this.#timers.add(cancel)
    return cancel
  }

  #inTime<Answer>(answer: Promise<Answer>): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const cancel = this.#after(ANSWER_MS, () => reject(new RestError('failed', 'no answer in time')))
      answer.then(resolve, reject).finally(cancel)
    })
  }
}

const wideLevels = ({ rest }: Venue): number => WIDE_SHARE * deepestOf(rest.snapshotSizes).levels
