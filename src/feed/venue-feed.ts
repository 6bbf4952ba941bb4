/** Everything that talks to one venue: metadata, connections, feeds, snapshots, or polling where WebSocket is off. */

import { CHANNEL_OF, type Channel, type EpochUs, type Instrument } from '../model/event.ts'
import type { Platform } from '../platform/platform.ts'
import type { Decoded, Venue } from '../venues/venue.ts'
import { BookFeeds } from './book-feeds.ts'
import { Connection, type ConnectionHandlers, type Loss } from './connection.ts'
import { Feed } from './feed.ts'
import type { LinkEvents } from './link.ts'
import { Metadata } from './metadata.ts'
import { planConnections } from './plan.ts'
import { Poller } from './poller.ts'
import type { Downstream, Observer } from './ports.ts'
import type { RestClient } from './rest-client.ts'
import { Window } from './window.ts'

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
  readonly #books: BookFeeds
  readonly #metadata: Metadata
  readonly #connects: Window
  #connections: Connection[] = []
  #poller: Poller | undefined
  #isStopped = false
  /** Receive time of the newest frame or polled answer. */
  lastMessageUs: EpochUs | undefined

  constructor(options: VenueFeedOptions) {
    this.#options = options
    const { venue, symbols, channels, platform, rest } = options
    this.#connects = new Window(venue.socketLimits.connects.count, venue.socketLimits.connects.windowMs)
    for (const symbol of symbols) {
      for (const [channel, name] of Object.entries(channels) as [Channel, string][]) {
        this.#feeds.set(`${channel} ${symbol}`, new Feed(venue, venue.topic(channel, name, symbol), platform.clock))
      }
    }
    this.#books = new BookFeeds({
      venue,
      rest,
      platform,
      downstream: options.downstream,
      observer: options.observer,
      find: (symbol) => this.#openBook(symbol),
      restart: (feed, loss) => this.#connectionOf.get(feed)?.restart(feed, loss),
      unknown: (feed, reason) => this.#giveUp(feed, () => feed.reject(reason)),
    })
    this.#metadata = new Metadata(venue, symbols, rest, platform, options.instruments, {
      instrument: (instrument, receiveTimeUs) => options.downstream.accept(instrument, receiveTimeUs),
      unknown: (missing) => this.#onUnknownSymbols(missing),
      delisted: (symbol) => this.#onDelisted(symbol),
      listed: (symbols) => this.#onListed(symbols),
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
    if (this.#isStopped) return
    const { pollIntervalMs } = this.#options
    if (pollIntervalMs !== undefined) this.#poller = this.#startPoller(pollIntervalMs)
    else this.#connect([...this.#feeds.values()].filter((feed) => !feed.isGivenUp))
  }

  /** Opens connections of their own for the feeds. */
  #connect(wanted: readonly Feed[]): void {
    const { venue, endpoints, platform, instruments } = this.#options
    const topics = wanted.map((feed) => feed.topic)
    const connections = planConnections(venue, topics).map((planned) => {
      const feeds = planned.topics.flatMap((topic) => this.#find(topic.channel, topic.symbol) ?? [])
      const urls = endpoints[planned.endpoint] ?? []
      const handlers = this.#connectionHandlers()
      const connects = this.#connects
      const connection = new Connection({ venue, urls, feeds, platform, instruments, connects, handlers })
      for (const feed of feeds) this.#connectionOf.set(feed, connection)
      return connection
    })
    this.#connections.push(...connections)
    for (const connection of connections) connection.start()
  }

  stop(): void {
    this.#isStopped = true
    this.#metadata.stop()
    this.#poller?.stop()
    this.#books.stop()
    for (const connection of this.#connections) connection.stop()
  }

  #find(channel: Channel | undefined, symbol: string): Feed | undefined {
    return this.#feeds.get(`${channel} ${symbol}`)
  }

  /** The book feed of a symbol, if it is wanted and its connection is open. */
  #openBook(symbol: string): Feed | undefined {
    const feed = this.#find('book', symbol)
    const isOpen = feed !== undefined && !feed.isGivenUp && this.#connectionOf.get(feed)?.isOpen === true
    return isOpen ? feed : undefined
  }

  #connectionHandlers(): ConnectionHandlers {
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
      restarted: (feed, loss) => this.#onRestarted(feed, loss),
      suspended: (feed) => this.#onSuspended(feed),
    }
  }

  #onEvents(decoded: LinkEvents, receiveTimeUs: EpochUs): void {
    for (const event of decoded.events) {
      const feed = this.#find(CHANNEL_OF[event.type], event.symbol)
      if (feed === undefined || feed.isGivenUp) {
        this.#options.observer.odd({ kind: 'unknown', what: 'not_subscribed' })
        continue
      }
      feed.events++
      feed.lastMessageUs = receiveTimeUs
      feed.silence.heard(this.#options.platform.clock.monotonicMs())
      if (event.type === 'book_snapshot' || event.type === 'book_delta') {
        this.#books.accept(feed, event, decoded.checksum, receiveTimeUs)
        continue
      }
      if (feed.state !== 'live') feed.set('live')
      if (event.type === 'trade' && !feed.recentTrades.add(event.id)) this.#options.observer.duplicate(event.type)
      else this.#options.downstream.accept(event, receiveTimeUs)
    }
  }

  #onSubscribed(feed: Feed): void {
    if (feed.channel === 'book') this.#books.subscribed(feed)
    // Trades come when someone trades: once the venue has confirmed the stream, silence is an answer too.
    else if (feed.channel === 'trade') feed.set('live')
    else if (feed.state !== 'live') feed.set('subscribing', 'confirmed; no data yet')
  }

  #onRejected(feed: Feed | undefined, reason: string, isPermanent: boolean): void {
    this.#options.observer.rejected(feed, reason, isPermanent)
    if (feed === undefined) return
    if (isPermanent) this.#giveUp(feed, () => feed.reject(`refused: ${reason}`))
    else feed.set('down', `${reason}; trying again`)
  }

  #onRestarted(feed: Feed, { cause }: Loss): void {
    if (feed.channel === 'book') this.#books.restarted(feed, cause === 'disconnect' ? 'disconnect' : 'silence')
  }

  #onSuspended(feed: Feed): void {
    this.#options.observer.stale(feed)
    if (feed.channel === 'book') this.#options.downstream.suspend(feed.symbol)
  }

  /** A delta that cannot be read breaks its book; a frame whose owner is unknown could be anyone's, so it only counts. */
  #onOdd(decoded: Extract<Decoded, { kind: 'unknown' | 'malformed' }>): void {
    this.#options.observer.odd(decoded)
    if (decoded.kind !== 'malformed' || decoded.channel !== 'book' || decoded.symbol === undefined) return
    const feed = this.#openBook(decoded.symbol)
    if (feed !== undefined) this.#books.undecodable(feed)
  }

  #onUnknownSymbols(symbols: readonly string[]): void {
    this.#options.observer.unknownSymbols(symbols)
    for (const feed of this.#feeds.values()) {
      const reason = `unknown symbol: ${this.#options.venue.title} does not list ${feed.symbol}`
      if (symbols.includes(feed.symbol)) this.#giveUp(feed, () => feed.reject(reason))
    }
  }

  #onDelisted(symbol: string): void {
    const reason = `${this.#options.venue.title} no longer lists ${symbol}`
    for (const feed of this.#feeds.values())
      if (feed.symbol === symbol) this.#giveUp(feed, () => feed.set('delisted', reason))
  }

  /** Nothing more is asked for, taken of, or served of the feed. `mark` says so in its state. */
  #giveUp(feed: Feed, mark: () => void): void {
    if (feed.state === 'disabled') return
    mark()
    const connection = this.#connectionOf.get(feed)
    this.#connectionOf.delete(feed)
    if (feed.channel === 'book') this.#books.dropped(feed)
    if (connection?.drop(feed) === false) this.#connections = this.#connections.filter((other) => other !== connection)
  }

  /** The poller looks at every feed in each round; streams need connections. */
  #onListed(symbols: readonly string[]): void {
    const back = [...this.#feeds.values()].filter(
      (feed) => symbols.includes(feed.symbol) && feed.isGivenUp && feed.state !== 'disabled',
    )
    for (const feed of back) feed.revive()
    if (this.#options.pollIntervalMs === undefined) this.#connect(back)
  }

  #startPoller(intervalMs: number): Poller {
    const { venue, rest, platform, downstream } = this.#options
    const poller = new Poller({
      venue,
      rest,
      platform,
      feeds: [...this.#feeds.values()],
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
