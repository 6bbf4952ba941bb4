/** Everything that talks to one venue: metadata, connections, feeds, snapshots, or polling where WebSocket is off. */

import type { BookStep } from '../book/sync.ts'
import {
  type BookDelta,
  type BookReason,
  type BookSnapshot,
  CHANNEL_OF,
  type Channel,
  type EpochUs,
  type Instrument,
  type MarketEvent,
} from '../model/event.ts'
import type { Platform } from '../platform/platform.ts'
import type { Decoded, Topic, Venue } from '../venues/venue.ts'
import { Backoff } from './backoff.ts'
import { Connection } from './connection.ts'
import { Feed } from './feed.ts'
import type { LinkEvents } from './link.ts'
import { Metadata } from './metadata.ts'
import { planConnections } from './plan.ts'
import { Poller } from './poller.ts'
import type { RestClient, RestError } from './rest-client.ts'
import { type SnapshotFate, Snapshots } from './snapshots.ts'
import { Window } from './window.ts'

/** A book whose stream is quiet still gets its snapshot so long after the subscription was confirmed. */
const SNAPSHOT_WITHOUT_DELTA_MS = 2_000
const RESYNC_BACKOFF = { firstMs: 500, maxMs: 30_000 }

/** Where the events go, and what comes back. */
export interface Downstream {
  /** Any event but those of books. */
  accept(event: MarketEvent, receiveTimeUs: EpochUs): void
  /** The step that the book made of it; what it emits has been passed on already. */
  acceptBook(event: BookSnapshot | BookDelta, checksum: number | undefined, receiveTimeUs: EpochUs): BookStep
  isLive(symbol: string): boolean
  /** The book can no longer be trusted. */
  invalidate(symbol: string, reason: BookReason): void
}

/** What happened, for the log and the metrics. */
export interface Observer {
  frame(bytes: number, receiveTimeUs: EpochUs, decodeMs: number): void
  late(): void
  odd(decoded: Extract<Decoded, { kind: 'unknown' | 'malformed' }>): void
  duplicate(type: MarketEvent['type']): void
  opened(url: string): void
  lost(reason: string, wasOpen: boolean, retryMs: number): void
  closing(reason: string): void
  rejected(feed: Feed | undefined, reason: string, isPermanent: boolean): void
  resync(feed: Feed, reason: BookReason): void
  unknownSymbols(symbols: readonly string[]): void
  metadataFailed(reason: string): void
}

export interface VenueFeedOptions {
  readonly venue: Venue
  readonly symbols: readonly string[]
  /** The venue's channel for each of ours that is wanted. */
  readonly channels: Readonly<Partial<Record<Channel, string>>>
  /** URLs of each endpoint, tried in turn. */
  readonly endpoints: Readonly<Record<string, readonly string[]>>
  /** `undefined`: stream; otherwise everything is polled so often. */
  readonly pollIntervalMs: number | undefined
  readonly rest: RestClient
  /** Filled here from the venue's metadata. */
  readonly instruments: Map<string, Instrument>
  readonly platform: Platform
  readonly downstream: Downstream
  readonly observer: Observer
}

export class VenueFeed {
  readonly #options: VenueFeedOptions
  readonly #feeds = new Map<string, Feed>()
  readonly #connectionOf = new Map<Feed, Connection>()
  readonly #resyncBackoffs = new Map<Feed, Backoff>()
  readonly #timers = new Map<Feed, () => void>()
  readonly #snapshots: Snapshots
  readonly #metadata: Metadata
  #connections: Connection[] = []
  #poller: Poller | undefined
  /** Receive time of the newest frame or polled answer. */
  lastMessageUs: EpochUs | undefined

  constructor(options: VenueFeedOptions) {
    this.#options = options
    const { venue, symbols, channels, platform, rest } = options
    for (const symbol of symbols) {
      for (const [channel, name] of Object.entries(channels) as [Channel, string][]) {
        this.#feeds.set(`${channel} ${symbol}`, new Feed(venue, venue.topic(channel, name, symbol), platform.clock))
      }
    }
    this.#snapshots = new Snapshots(venue, rest, platform, {
      deliver: (snapshot) => this.#deliverSnapshot(snapshot),
      failed: (symbol, error) => this.#snapshotFailed(symbol, error),
    })
    this.#metadata = new Metadata(venue, symbols, rest, platform, options.instruments, {
      instrument: (instrument, receiveTimeUs) => options.downstream.accept(instrument, receiveTimeUs),
      unknown: (missing) => this.#onUnknownSymbols(missing),
      delisted: (symbol) => this.#onDelisted(symbol),
      failed: (reason) => options.observer.metadataFailed(reason),
    })
  }

  get feeds(): Iterable<Feed> {
    return this.#feeds.values()
  }

  get socketsOpen(): number {
    return this.#connections.filter((connection) => connection.isOpen).length
  }

  get socketsWanted(): number {
    return this.#connections.length
  }

  /** Metadata first, so that events carry canonical names; without it collecting starts all the same. */
  async start(): Promise<void> {
    await this.#metadata.start()
    const { venue, pollIntervalMs, endpoints, platform, instruments } = this.#options
    const wanted = [...this.#feeds.values()].filter((feed) => !feed.isGivenUp)
    if (pollIntervalMs !== undefined) {
      this.#poller = this.#startPoller(wanted, pollIntervalMs)
      return
    }
    const { count, windowMs } = venue.socketLimits.connects
    const connects = new Window(count, windowMs)
    const feedOf = (topic: Topic) => this.#find(topic.channel, topic.symbol)
    this.#connections = planConnections(
      venue,
      wanted.map((feed) => feed.topic),
    ).map(({ endpoint, topics }) => {
      const feeds = topics.flatMap((topic) => feedOf(topic) ?? [])
      const urls = endpoints[endpoint] ?? []
      const connection: Connection = new Connection({
        venue,
        urls,
        feeds,
        platform,
        instruments,
        connects,
        handlers: this.#connectionHandlers(),
      })
      for (const feed of feeds) this.#connectionOf.set(feed, connection)
      return connection
    })
    for (const connection of this.#connections) connection.start()
  }

  stop(): void {
    this.#metadata.stop()
    this.#poller?.stop()
    this.#snapshots.stop()
    for (const cancel of this.#timers.values()) cancel()
    for (const connection of this.#connections) connection.stop()
  }

  #find(channel: Channel | undefined, symbol: string): Feed | undefined {
    return this.#feeds.get(`${channel} ${symbol}`)
  }

  #connectionHandlers(): ConstructorParameters<typeof Connection>[0]['handlers'] {
    const { observer } = this.#options
    return {
      frame: (bytes, receiveTimeUs, decodeMs) => {
        this.lastMessageUs = receiveTimeUs
        observer.frame(bytes, receiveTimeUs, decodeMs)
      },
      late: observer.late,
      events: (decoded, receiveTimeUs) => this.#onEvents(decoded, receiveTimeUs),
      odd: (decoded) => this.#onOdd(decoded),
      opened: observer.opened,
      lost: observer.lost,
      closing: observer.closing,
      subscribed: (feed) => this.#onSubscribed(feed),
      rejected: (feed, reason, isPermanent) => this.#onRejected(feed, reason, isPermanent),
      restarted: (feed, reason) => this.#onRestarted(feed, reason),
    }
  }

  #onEvents(decoded: LinkEvents, receiveTimeUs: EpochUs): void {
    for (const event of decoded.events) {
      const feed = this.#find(CHANNEL_OF[event.type], event.symbol)
      if (feed === undefined) {
        this.#options.observer.odd({ kind: 'unknown', what: 'not_subscribed' })
        continue
      }
      feed.events++
      feed.lastMessageUs = receiveTimeUs
      feed.silence.heard(this.#options.platform.clock.monotonicMs())
      if (event.type === 'book_snapshot' || event.type === 'book_delta') {
        this.#onBook(feed, event, decoded.checksum, receiveTimeUs)
      } else {
        if (feed.state !== 'live') feed.set('live')
        this.#options.downstream.accept(event, receiveTimeUs)
      }
    }
  }

  #onBook(
    feed: Feed,
    event: BookSnapshot | BookDelta,
    checksum: number | undefined,
    receiveTimeUs: EpochUs,
  ): SnapshotFate {
    const { downstream, observer, venue } = this.#options
    const step = downstream.acceptBook(event, checksum, receiveTimeUs)
    if (step.isIgnored && event.type === 'book_delta') observer.duplicate(event.type)
    if (step.need !== undefined) {
      this.#rebuild(feed, step.need)
      return 'refused'
    }
    if (downstream.isLive(feed.symbol)) {
      if (feed.state !== 'live') this.#onBookLive(feed)
      return 'live'
    }
    if (feed.state !== 'banned')
      feed.set(feed.isResyncing ? 'resyncing' : 'syncing', feed.reason || 'waiting for a snapshot')
    if (venue.book.snapshotFrom === 'rest' && event.type === 'book_delta') this.#snapshots.request(feed.symbol)
    return 'waiting'
  }

  #onBookLive(feed: Feed): void {
    feed.set('live')
    feed.isResyncing = false
    this.#snapshots.settle(feed.symbol)
    this.#resyncBackoffs.delete(feed)
  }

  /** The book broke: this symbol alone gets a new snapshot, fetched or by subscribing anew. */
  #rebuild(feed: Feed, reason: BookReason): void {
    const { observer, venue } = this.#options
    if (reason !== 'snapshot_too_old') {
      observer.resync(feed, reason)
      feed.resyncs++
      feed.isResyncing = true
    }
    feed.set(feed.isResyncing ? 'resyncing' : 'syncing', reason)
    if (venue.book.snapshotFrom === 'rest') this.#snapshots.retry(feed.symbol)
    else this.#restartSoon(feed)
  }

  #restartSoon(feed: Feed): void {
    const { platform } = this.#options
    if (this.#timers.has(feed)) return
    const backoff = this.#resyncBackoffs.get(feed) ?? new Backoff({ ...RESYNC_BACKOFF, random: platform.random })
    this.#resyncBackoffs.set(feed, backoff)
    const isFirst = backoff.attempts === 0
    const waitMs = backoff.nextMs()
    const cancel = platform.clock.after(isFirst ? 0 : waitMs, () => {
      this.#timers.delete(feed)
      this.#connectionOf.get(feed)?.restart(feed, 'silence')
    })
    this.#timers.set(feed, cancel)
  }

  #onSubscribed(feed: Feed): void {
    if (feed.channel !== 'book') {
      if (feed.state !== 'live') feed.set('subscribing', 'confirmed; no data yet')
      return
    }
    if (feed.state !== 'live') feed.set(feed.isResyncing ? 'resyncing' : 'syncing', 'waiting for a snapshot')
    if (this.#options.venue.book.snapshotFrom === 'rest')
      this.#snapshots.request(feed.symbol, SNAPSHOT_WITHOUT_DELTA_MS)
  }

  #onRejected(feed: Feed | undefined, reason: string, isPermanent: boolean): void {
    this.#options.observer.rejected(feed, reason, isPermanent)
    if (feed === undefined) return
    feed.isRejected = isPermanent
    feed.set('down', isPermanent ? `refused: ${reason}` : `${reason}; trying again`)
  }

  #onRestarted(feed: Feed, reason: 'disconnect' | 'silence'): void {
    if (feed.channel !== 'book') return
    if (this.#options.downstream.isLive(feed.symbol)) feed.isResyncing = true
    this.#options.downstream.invalidate(feed.symbol, reason)
    if (reason === 'disconnect') this.#snapshots.settle(feed.symbol)
  }

  /** A delta that cannot be read breaks its book; a frame whose owner is unknown could be anyone's, so it only counts. */
  #onOdd(decoded: Extract<Decoded, { kind: 'unknown' | 'malformed' }>): void {
    const { observer, downstream } = this.#options
    observer.odd(decoded)
    if (decoded.kind !== 'malformed' || decoded.channel !== 'book' || decoded.symbol === undefined) return
    const feed = this.#find('book', decoded.symbol)
    if (feed === undefined || !downstream.isLive(feed.symbol)) return
    downstream.invalidate(feed.symbol, 'decode_error')
    this.#rebuild(feed, 'decode_error')
  }

  #deliverSnapshot(snapshot: BookSnapshot): SnapshotFate | undefined {
    const feed = this.#find('book', snapshot.symbol)
    const isConnected = feed !== undefined && this.#connectionOf.get(feed)?.isOpen === true
    if (feed === undefined || feed.isGivenUp || !isConnected) return undefined
    return this.#onBook(feed, snapshot, undefined, snapshot.receive_time_us as EpochUs)
  }

  #snapshotFailed(symbol: string, error: RestError): void {
    const feed = this.#find('book', symbol)
    if (feed === undefined || feed.state === 'live') return
    if (error.kind === 'unknown_symbol') {
      feed.isRejected = true
      feed.set('down', `unknown symbol: ${error.message}`)
    } else
      feed.set(
        error.kind === 'banned' ? 'banned' : feed.isResyncing ? 'resyncing' : 'syncing',
        `snapshot: ${error.message}`,
      )
  }

  #onUnknownSymbols(symbols: readonly string[]): void {
    this.#options.observer.unknownSymbols(symbols)
    for (const feed of this.#feeds.values()) {
      if (!symbols.includes(feed.symbol)) continue
      feed.isRejected = true
      feed.set('down', `unknown symbol: ${this.#options.venue.title} does not list ${feed.symbol}`)
      this.#connectionOf.get(feed)?.drop(feed)
    }
  }

  #onDelisted(symbol: string): void {
    for (const feed of this.#feeds.values()) {
      if (feed.symbol !== symbol) continue
      feed.set('delisted', `${this.#options.venue.title} no longer lists ${symbol}`)
      this.#connectionOf.get(feed)?.drop(feed)
      if (feed.channel === 'book') this.#options.downstream.invalidate(symbol, 'delisted')
    }
  }

  #startPoller(feeds: readonly Feed[], intervalMs: number): Poller {
    const { venue, rest, platform, downstream } = this.#options
    const poller = new Poller({
      venue,
      rest,
      platform,
      feeds,
      intervalMs,
      accept: (event, receiveTimeUs) => {
        this.lastMessageUs = receiveTimeUs
        if (event.type === 'book_snapshot' || event.type === 'book_delta')
          downstream.acceptBook(event, undefined, receiveTimeUs)
        else downstream.accept(event, receiveTimeUs)
      },
      stale: (symbol) => downstream.invalidate(symbol, 'silence'),
    })
    poller.start()
    return poller
  }
}
