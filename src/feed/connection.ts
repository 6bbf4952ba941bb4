/** Keeps one connection's worth of topics subscribed for ever: opens links one after another, watches for silence. */

import type { EpochUs, GapCause } from '../model/event.ts'
import type { Platform } from '../platform/platform.ts'
import type { Decoded, Instruments, Topic, Venue } from '../venues/venue.ts'
import { Backoff } from './backoff.ts'
import type { Feed } from './feed.ts'
import { Link, type LinkEvents } from './link.ts'
import { Silence } from './silence.ts'
import type { Window } from './window.ts'

const BACKOFF = { firstMs: 500, maxMs: 30_000 }
/** Live data for so long ends an outage: only then the waiting times start small again. */
const STEADY_MS = 30_000
const WATCH_MS = 1_000
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
/** A single silent feed is subscribed anew at most this often, ever more rarely; its neighbours must not suffer. */
const FEED_RESUBSCRIBE_MS = 60_000
const FEED_RESUBSCRIBE_DOUBLINGS_MAX = 6
/** Wait before a refused subscription is tried again. */
const RETRY_SUBSCRIBE = { firstMs: 4_000, maxMs: 300_000 }

/** Why data of a feed may be missing, and since when. */
export interface Loss {
  readonly cause: GapCause
  /** Receive time of the last message that came for certain; `undefined`: none ever came. */
  readonly sinceUs: EpochUs | undefined
  readonly reason: string
}

export interface ConnectionHandlers {
  frame(bytes: number, receiveTimeUs: EpochUs, decodeMs: number): void
  late(): void
  events(decoded: LinkEvents, receiveTimeUs: EpochUs): void
  odd(decoded: Extract<Decoded, { kind: 'unknown' | 'malformed' }>): void
  opened(url: string): void
  /** The link ended, or never opened; the connection goes on by itself. */
  lost(reason: string, wasOpen: boolean, retryMs: number): void
  subscribed(feed: Feed): void
  rejected(feed: Feed | undefined, reason: string, isPermanent: boolean): void
  /** The feed's stream is being started afresh: what came since `loss.sinceUs` may be missing, its book cannot be trusted. */
  restarted(feed: Feed, loss: Loss): void
  /** The feed has been silent for too long, but its stream goes on. */
  suspended(feed: Feed): void
  closing(reason: string): void
}

export interface ConnectionOptions {
  readonly venue: Venue
  readonly urls: readonly string[]
  readonly feeds: readonly Feed[]
  readonly platform: Platform
  readonly instruments: Instruments
  /** Shared by all connections of the venue: new sockets in its window of time. */
  readonly connects: Window
  readonly handlers: ConnectionHandlers
}

export class Connection {
  readonly #options: ConnectionOptions
  readonly #feeds = new Map<string, Feed>()
  readonly #backoff: Backoff
  readonly #silence: Silence
  readonly #retries = new Map<Feed, { readonly backoff: Backoff; cancel?: () => void }>()
  /** When each feed was subscribed anew, and how often in vain: it still has `events` events. */
  readonly #resubscribed = new Map<Feed, { readonly atMs: number; readonly count: number; readonly events: number }>()
  #link: Link | undefined
  #urlIndex = 0
  #cancelOpen: (() => void) | undefined
  #stopWatch: (() => void) | undefined
  /** When data first came on this link. */
  #liveSinceMs: number | undefined
  /** Receive time of the newest data on any link of this connection. */
  #lastDataUs: EpochUs | undefined
  /** When the whole link was subscribed anew because of silence. */
  #restartedMs: number | undefined
  #isStopped = false

  constructor(options: ConnectionOptions) {
    this.#options = options
    this.#backoff = new Backoff({ ...BACKOFF, random: options.platform.random })
    for (const feed of options.feeds) this.#feeds.set(`${feed.channel} ${feed.symbol}`, feed)
    const first = options.feeds.some(speaksAtOnce) ? FIRST_SILENCE_MS : CONNECTION_SILENCE_MS.max
    this.#silence = new Silence({ ...CONNECTION_SILENCE_MS, first })
  }

  get isOpen(): boolean {
    return this.#link?.isOpen ?? false
  }

  get feeds(): Iterable<Feed> {
    return this.#feeds.values()
  }

  start(): void {
    this.#stopWatch = this.#options.platform.clock.every(WATCH_MS, () => this.#watch())
    this.#openSoon(0)
  }

  stop(): void {
    this.#isStopped = true
    this.#stopWatch?.()
    this.#cancelOpen?.()
    for (const { cancel } of this.#retries.values()) cancel?.()
    this.#link?.end('stopped')
  }

  /** Starts the feed's stream afresh, so that the venue sends a new snapshot; reopens the link if the quota is used up. */
  restart(feed: Feed, loss: Loss): void {
    this.#options.handlers.restarted(feed, loss)
    this.#resubscribed.set(feed, { atMs: this.#now(), count: this.#inVain(feed) + 1, events: feed.events })
    if (this.isOpen && this.#link?.resubscribe([feed.topic]) === false) {
      this.#link.end('quota of subscriptions used up')
    }
  }

  /** Stops asking for the feed. False: nothing is left to ask for, so the connection has stopped. */
  drop(feed: Feed): boolean {
    const isSubscribed = this.#feeds.delete(`${feed.channel} ${feed.symbol}`)
    this.#retries.get(feed)?.cancel?.()
    if (this.#feeds.size === 0) this.stop()
    else if (isSubscribed && this.isOpen) this.#link?.unsubscribe([feed.topic])
    return this.#feeds.size > 0
  }

  find(channel: string, symbol: string): Feed | undefined {
    return this.#feeds.get(`${channel} ${symbol}`)
  }

  #now(): number {
    return this.#options.platform.clock.monotonicMs()
  }

  #openSoon(delayMs: number): void {
    const { platform, connects } = this.#options
    if (this.#isStopped) return
    this.#cancelOpen = platform.clock.after(delayMs, () => {
      const waitMs = connects.waitMs(1, this.#now())
      if (waitMs > 0) this.#openSoon(waitMs)
      else {
        connects.spend(1, this.#now())
        this.#open()
      }
    })
  }

  #open(): void {
    const { venue, urls, platform, instruments, handlers } = this.#options
    const url = urls[this.#urlIndex % urls.length] as string
    this.#liveSinceMs = undefined
    this.#restartedMs = undefined
    const link: Link = new Link({
      venue,
      url,
      platform,
      instruments,
      handlers: {
        opened: () => this.#onOpened(link, url),
        frame: handlers.frame,
        late: handlers.late,
        events: (decoded, receiveTimeUs) => this.#onEvents(decoded, receiveTimeUs),
        odd: handlers.odd,
        subscribed: (topics) => this.#onSubscribed(topics),
        rejected: (topics, reason, isPermanent) => this.#onRejected(topics, reason, isPermanent),
        closing: (reason) => this.#onClosing(link, reason),
        closed: (reason, wasOpen) => this.#onClosed(reason, wasOpen),
      },
    })
    this.#link = link
    // What could not be reached stays down, with the reason, until it can.
    for (const feed of this.#wanted())
      if (feed.state !== 'down') feed.set('connecting', `connecting to ${new URL(url).host}`)
  }

  #wanted(): Feed[] {
    return [...this.#feeds.values()].filter((feed) => !feed.isGivenUp)
  }

  #onOpened(link: Link, url: string): void {
    const feeds = this.#wanted()
    this.#silence.restart(this.#now())
    this.#options.handlers.opened(url)
    for (const feed of feeds) {
      feed.silence.restart(this.#now())
      feed.set('subscribing')
    }
    link.subscribe(feeds.map((feed) => feed.topic))
  }

  #onEvents(decoded: LinkEvents, receiveTimeUs: EpochUs): void {
    const nowMs = this.#now()
    this.#silence.heard(nowMs)
    this.#liveSinceMs ??= nowMs
    this.#lastDataUs = receiveTimeUs
    this.#restartedMs = undefined
    if (nowMs - this.#liveSinceMs > STEADY_MS) this.#backoff.reset()
    this.#options.handlers.events(decoded, receiveTimeUs)
  }

  #onSubscribed(topics: readonly Topic[]): void {
    for (const topic of topics) {
      const feed = this.find(topic.channel, topic.symbol)
      if (feed === undefined) continue
      this.#retries.get(feed)?.cancel?.()
      this.#retries.delete(feed)
      feed.silence.restart(this.#now())
      this.#options.handlers.subscribed(feed)
    }
  }

  #onRejected(topics: readonly Topic[], reason: string, isPermanent: boolean): void {
    if (topics.length === 0) this.#options.handlers.rejected(undefined, reason, isPermanent)
    for (const topic of topics) {
      const feed = this.find(topic.channel, topic.symbol)
      if (feed === undefined) continue
      // Data that flows is the better answer than one that never came.
      if (!isPermanent && feed.lastMessageUs !== undefined && feed.state === 'live') continue
      if (isPermanent) this.#feeds.delete(`${feed.channel} ${feed.symbol}`)
      this.#options.handlers.rejected(feed, reason, isPermanent)
      if (!isPermanent) this.#subscribeLater(feed)
    }
  }

  #subscribeLater(feed: Feed): void {
    const { platform } = this.#options
    const retry = this.#retries.get(feed) ?? { backoff: new Backoff({ ...RETRY_SUBSCRIBE, random: platform.random }) }
    this.#retries.set(feed, retry)
    retry.cancel?.()
    retry.cancel = platform.clock.after(1_000 + retry.backoff.nextMs(), () => {
      delete retry.cancel
      if (this.isOpen && !feed.isGivenUp && this.#link?.subscribe([feed.topic]) === false) this.#subscribeLater(feed)
    })
  }

  #onClosing(link: Link, reason: string): void {
    this.#options.handlers.closing(reason)
    link.end(`announced: ${reason}`)
  }

  #onClosed(reason: string, wasOpen: boolean): void {
    // A host that opens and sends nothing is no better than one that cannot be reached.
    if (this.#liveSinceMs === undefined) this.#urlIndex++
    const retryMs = this.#backoff.nextMs()
    const next = this.#isStopped ? '' : `; next try in ${(retryMs / 1000).toFixed(1)} s`
    for (const { cancel } of this.#retries.values()) cancel?.()
    for (const feed of this.#wanted()) {
      feed.set(wasOpen ? 'connecting' : 'down', reason + next)
      this.#options.handlers.restarted(feed, { cause: 'disconnect', sinceUs: this.#lossSinceUs(feed), reason })
    }
    this.#options.handlers.lost(reason, wasOpen, retryMs)
    this.#openSoon(retryMs)
  }

  /**
   * A feed that was silent no longer than it often is was whole until the connection's last data; one that was silent
   * for unusually long may have been dead since its own last message.
   */
  #lossSinceUs(feed: Feed): EpochUs | undefined {
    const isUsual = feed.silence.isUsual(this.#now())
    return isUsual ? (this.#lastDataUs ?? feed.lastMessageUs) : feed.lastMessageUs
  }

  /** Silence of the whole connection: subscribe anew, then reopen. Of one feed: subscribe that one anew. */
  #watch(): void {
    const link = this.#link
    if (link === undefined || !link.isOpen) return
    const nowMs = this.#now()
    if (this.#restartedMs !== undefined) {
      if (nowMs - this.#restartedMs <= RESUBSCRIBED_SILENCE_MS) return
      this.#silence.relax(QUIET_MS_MAX)
      link.end(`silent for ${Math.round(this.#silence.silentMs(nowMs) / 1000)} s, also after subscribing anew`)
    } else if (this.#silence.isTooLong(nowMs)) this.#restartAll(link, nowMs)
    else for (const feed of this.#wanted()) this.#watchFeed(feed, nowMs)
  }

  #restartAll(link: Link, nowMs: number): void {
    this.#restartedMs = nowMs
    const feeds = this.#wanted()
    for (const feed of feeds) {
      feed.set('stale', `no data on the connection for ${Math.round(this.#silence.silentMs(nowMs) / 1000)} s`)
      this.#options.handlers.restarted(feed, { cause: 'silence', sinceUs: feed.lastMessageUs, reason: feed.reason })
    }
    const isAllowed = link.resubscribe(feeds.map((feed) => feed.topic))
    if (!isAllowed) link.end('silent, and the quota of subscriptions is used up')
  }

  /** How often the feed was subscribed anew since its last data. */
  #inVain(feed: Feed): number {
    const last = this.#resubscribed.get(feed)
    return last?.events === feed.events ? last.count : 0
  }

  #watchFeed(feed: Feed, nowMs: number): void {
    // A refused subscription owes nothing until it is tried again.
    const isRefused = this.#retries.get(feed)?.cancel !== undefined
    if (!this.isOpen || isRefused || !feed.silence.isTooLong(nowMs)) return
    const isNew = feed.state !== 'stale'
    feed.set('stale', `no data for ${Math.round(feed.silence.silentMs(nowMs) / 1000)} s`)
    if (isNew) this.#options.handlers.suspended(feed)
    const lastMs = this.#resubscribed.get(feed)?.atMs ?? Number.NEGATIVE_INFINITY
    const doublings = Math.min(this.#inVain(feed), FEED_RESUBSCRIBE_DOUBLINGS_MAX)
    const waitMs = Math.max(FEED_RESUBSCRIBE_MS, 4 * feed.silence.limitMs) * 2 ** doublings
    if (nowMs - lastMs > waitMs)
      this.restart(feed, { cause: 'silence', sinceUs: feed.lastMessageUs, reason: feed.reason })
  }
}

/** Tickers are sent every second or two, and books with a snapshot on the stream begin with it; the rest may be quiet. */
const speaksAtOnce = ({ channel, venue }: Feed): boolean =>
  channel === 'ticker' || (channel === 'book' && venue.book.snapshotFrom === 'stream')
