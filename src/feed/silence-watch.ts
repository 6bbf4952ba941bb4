/** Watches one connection for silence. Of all feeds: subscribe anew, then reopen. Of one: subscribe that one anew. */

import type { GapCause } from '../model/event.ts'
import type { Clock } from '../platform/platform.ts'
import type { Feed } from './feed.ts'
import type { Link } from './link.ts'
import { Silence } from './silence.ts'
import { Stall } from './stall.ts'

export const WATCH_MS = 1_000
/**
 * A connection without any data is subscribed anew after this, at the earliest; and reopened so much later. The longest
 * gap does not count here: one pause must not make the next silence take longer to be found.
 */
const CONNECTION_SILENCE_MS = { min: 8_000, max: 60_000, gaps: 12, longestGaps: 0 }
/** The longest silence that a connection of very quiet streams can learn to bear. */
const QUIET_MS_MAX = 1_800_000
/** The first message of a connection that carries a stream which speaks at once. */
const FIRST_SILENCE_MS = 10_000
const RESUBSCRIBED_SILENCE_MS = 4_000
const ANSWER_MS = 2_500
/** A single silent feed is subscribed anew at most this often, ever more rarely; its neighbours must not suffer. */
const FEED_RESUBSCRIBE_MS = 60_000
const FEED_RESUBSCRIBE_DOUBLINGS_MAX = 6
/** A confirmed stream that has brought nothing at all by then may be none. */
const FIRST_DATA_MS = 60_000

export interface SilenceWatchHandlers {
  wanted(): readonly Feed[]
  /** Nothing is owed by the feed now. */
  isExcused(feed: Feed): boolean
  /** Has the venue nothing new for these feeds of a silent link? Never rejects. */
  isQuiet(feeds: readonly Feed[]): Promise<boolean>
  /** The whole link is silent: these are being subscribed anew. `cause`: whose silence it is. */
  restartAll(feeds: readonly Feed[], cause: GapCause): void
  /** Others show that the feed should have spoken by now. */
  isOutrun(feed: Feed): boolean
  /** The feed has been silent for too long, now for the first time (`isNew`) or still. True: it is being looked into. */
  suspended(feed: Feed, isNew: boolean): boolean
  /** The silent feed is to be subscribed anew. */
  restart(feed: Feed): void
}

export class SilenceWatch {
  readonly #clock: Clock
  readonly #handlers: SilenceWatchHandlers
  readonly #silence: Silence
  readonly #stall: Stall
  /** When each feed was subscribed anew, and how often in vain: it still has `events` events. */
  readonly #resubscribed = new Map<Feed, { readonly atMs: number; readonly count: number; readonly events: number }>()
  /** Feeds that others have outrun, until they are well again. */
  readonly #outrun = new Set<Feed>()
  /** When the whole link was subscribed anew because of silence. */
  #restartedMs: number | undefined
  /** When the venue was asked whether the silent link's market is quiet, and has not answered yet. */
  #askedMs: number | undefined

  constructor(clock: Clock, feeds: readonly Feed[], handlers: SilenceWatchHandlers) {
    this.#clock = clock
    this.#handlers = handlers
    const first = feeds.some(speaksAtOnce) ? FIRST_SILENCE_MS : CONNECTION_SILENCE_MS.max
    this.#silence = new Silence({ ...CONNECTION_SILENCE_MS, first })
    this.#stall = new Stall(WATCH_MS, clock.monotonicMs())
  }

  /** A link has opened: waiting starts now. */
  opened(): void {
    this.#await(this.#clock.monotonicMs())
  }

  /** Data came. */
  heard(nowMs: number): void {
    this.#silence.heard(nowMs)
    this.#restartedMs = undefined
    this.#askedMs = undefined
  }

  /** The feed is being subscribed anew, for whatever reason. */
  restarted(feed: Feed): void {
    const count = this.#inVain(feed) + 1
    this.#resubscribed.set(feed, { atMs: this.#clock.monotonicMs(), count, events: feed.events })
  }

  drop(feed: Feed): void {
    this.#resubscribed.delete(feed)
    this.#outrun.delete(feed)
  }

  /** To be called every {@link WATCH_MS}, with the open link that delivers, if there is one. */
  tick(link: Link | undefined): void {
    const nowMs = this.#clock.monotonicMs()
    if (this.#stall.tick(nowMs)) this.#excuse(nowMs)
    if (link === undefined || !link.isOpen) return
    const owing = this.#owing(link)
    // All were refused for now, and said so: nothing can come.
    if (owing.length === 0) this.#await(nowMs)
    else if (this.#restartedMs !== undefined) {
      if (nowMs - this.#restartedMs <= RESUBSCRIBED_SILENCE_MS) return
      this.#silence.relax(QUIET_MS_MAX)
      link.end(`silent for ${this.#silentSeconds(nowMs)} s, also after subscribing anew`)
    } else if (this.#silence.isTooLong(nowMs)) this.#lookInto(link, nowMs)
    else for (const feed of owing) if (link.isOpen) this.#watchFeed(feed, nowMs)
  }

  /** A link that leaves requests unanswered owes everything. */
  #owing(link: Link): Feed[] {
    const { wanted, isExcused } = this.#handlers
    return wanted().filter((feed) => !link.isAnswering || !isExcused(feed))
  }

  /** Waiting for data starts now. */
  #await(nowMs: number): void {
    this.#restartedMs = undefined
    this.#askedMs = undefined
    this.#silence.restart(nowMs)
  }

  /** The process stood still: nobody was silent, we did not listen. */
  #excuse(nowMs: number): void {
    this.#silence.restart(nowMs)
    if (this.#restartedMs !== undefined) this.#restartedMs = nowMs
    for (const feed of this.#handlers.wanted()) feed.silence.restart(nowMs)
  }

  /** A quiet market is silent too. Who does not answer in time is taken for dead. */
  #lookInto(link: Link, nowMs: number): void {
    if (this.#askedMs !== undefined) {
      if (nowMs - this.#askedMs > ANSWER_MS) this.#restartAll(link, nowMs)
      return
    }
    this.#askedMs = nowMs
    void this.#handlers.isQuiet(this.#owing(link)).then((isQuiet) => {
      if (this.#askedMs !== nowMs || !link.isOpen) return
      this.#askedMs = undefined
      if (isQuiet) this.#silence.restart(this.#clock.monotonicMs())
      else this.#restartAll(link, this.#clock.monotonicMs())
    })
  }

  #restartAll(link: Link, nowMs: number): void {
    this.#askedMs = undefined
    this.#restartedMs = nowMs
    const feeds = this.#owing(link)
    for (const feed of feeds) {
      feed.set('stale', `no data on the connection for ${this.#silentSeconds(nowMs)} s`)
      feed.silence.fault()
    }
    this.#handlers.restartAll(feeds, this.#stall.isRecent(nowMs) ? 'process_stalled' : 'silence')
    const isAllowed = link.resubscribe(feeds.map((feed) => feed.topic))
    if (!isAllowed) link.end('silent, and the quota of subscriptions is used up')
  }

  #silentSeconds(nowMs: number): number {
    return Math.round(this.#silence.silentMs(nowMs) / 1000)
  }

  /** How often the feed was subscribed anew since its last data. */
  #inVain(feed: Feed): number {
    const last = this.#resubscribed.get(feed)
    return last?.events === feed.events ? last.count : 0
  }

  #watchFeed(feed: Feed, nowMs: number): void {
    if (this.#handlers.isExcused(feed)) return
    if (feed.state === 'subscribing' && feed.silence.silentMs(nowMs) > FIRST_DATA_MS) {
      this.#restart(feed, nowMs)
      return
    }
    if (this.#handlers.isOutrun(feed)) this.#outrun.add(feed)
    else if (feed.state !== 'stale') this.#outrun.delete(feed)
    if (!this.#outrun.has(feed) && !feed.silence.isTooLong(nowMs)) return
    const isNew = feed.state !== 'stale'
    feed.set('stale', `no data for ${Math.round(feed.silence.silentMs(nowMs) / 1000)} s`)
    if (!this.#handlers.suspended(feed, isNew)) this.#restart(feed, nowMs)
  }

  #restart(feed: Feed, nowMs: number): void {
    const lastMs = this.#resubscribed.get(feed)?.atMs ?? Number.NEGATIVE_INFINITY
    const doublings = Math.min(this.#inVain(feed), FEED_RESUBSCRIBE_DOUBLINGS_MAX)
    // Who knows that something is missing need not wait for what would be a long silence.
    const { limitMs, minMs } = feed.silence
    const silenceMs = this.#outrun.has(feed) ? minMs : limitMs
    const waitMs = Math.max(FEED_RESUBSCRIBE_MS, 4 * silenceMs) * 2 ** doublings
    if (nowMs - lastMs <= waitMs) return
    feed.silence.fault()
    this.#handlers.restart(feed)
  }
}

/** Tickers are sent every second or two, and books with a snapshot on the stream begin with it; the rest may be quiet. */
const speaksAtOnce = ({ channel, venue }: Feed): boolean =>
  channel === 'ticker' || (channel === 'book' && venue.book.snapshotFrom === 'stream')
