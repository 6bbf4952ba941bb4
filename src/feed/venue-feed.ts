/** Everything that talks to one venue: metadata, connections, feeds, snapshots, or polling where WebSocket is off. */

import type { Books } from '../book/books.ts'
import type { FeedLedger } from '../ledger/feed-ledger.ts'
import type { StreamIdentity } from '../ledger/records.ts'
import type { Channel, EpochUs, Instrument } from '../model/event.ts'
import type { Platform } from '../platform/platform.ts'
import type { Venue } from '../venues/venue.ts'
import { Connection, type ConnectionHandlers } from './connection.ts'
import { Feed } from './feed.ts'
import { Intake } from './intake.ts'
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
  readonly books: Books
  readonly ledger: StreamLedgers
  readonly downstream: Downstream
  readonly observer: Observer
}

/** Where the gaps of each stream are kept. */
export interface StreamLedgers {
  stream(identity: StreamIdentity): FeedLedger
  /** Wanted from now on: what an earlier process missed is an open gap. */
  open(ledger: FeedLedger): void
  /** Not wanted any more. */
  retire(ledger: FeedLedger, reason: string): void
}

/** A stream that has not come to life by then is a gap from its beginning. */
const FIRST_LIVE_MS = 60_000

export class VenueFeed {
  readonly #options: VenueFeedOptions
  readonly #feeds = new Map<string, Feed>()
  readonly #connectionOf = new Map<Feed, Connection>()
  readonly #intake: Intake
  readonly #metadata: Metadata
  readonly #connects: Window
  #connections: Connection[] = []
  #poller: Poller | undefined
  #cancelGrace: (() => void) | undefined
  #isStopped = false
  /** Receive time of the newest frame or polled answer. */
  lastMessageUs: EpochUs | undefined

  constructor(options: VenueFeedOptions) {
    this.#options = options
    const { venue, symbols, channels, platform, rest, books, downstream, observer } = options
    this.#connects = new Window(venue.socketLimits.connects.count, venue.socketLimits.connects.windowMs)
    for (const symbol of symbols) {
      for (const [channel, name] of Object.entries(channels) as [Channel, string][]) {
        this.#feeds.set(`${channel} ${symbol}`, this.#createFeed(channel, name, symbol))
      }
    }
    this.#intake = new Intake({
      venue,
      rest,
      platform,
      books,
      downstream,
      observer,
      find: (channel, symbol) => this.#find(channel, symbol),
      open: (channel) => this.#open(channel),
      restart: (feed, loss) => this.#connectionOf.get(feed)?.restart(feed, loss),
      unknown: (feed, reason) => this.#giveUp(feed, () => feed.reject(reason)),
    })
    this.#metadata = new Metadata(venue, symbols, rest, platform, options.instruments, {
      instrument: (instrument, receiveTimeUs) => {
        for (const { symbol, ledger } of this.#feeds.values())
          if (symbol === instrument.symbol) ledger.describe(instrument)
        options.downstream.accept(instrument, receiveTimeUs)
      },
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

  /** Says which streams are wanted, and takes up what an earlier process knew of them. Before {@link start}. */
  open(): void {
    for (const feed of this.#feeds.values()) {
      this.#options.ledger.open(feed.ledger)
      this.#intake.restore(feed)
    }
  }

  /** Metadata first, so that events carry canonical names; without it collecting starts all the same. */
  async start(): Promise<void> {
    await this.#metadata.start()
    if (this.#isStopped) return
    this.#intake.start()
    this.#cancelGrace = this.#options.platform.clock.after(FIRST_LIVE_MS, () => this.#onGraceOver())
    const { pollIntervalMs } = this.#options
    if (pollIntervalMs !== undefined) this.#poller = this.#startPoller(pollIntervalMs)
    else this.#connect([...this.#feeds.values()].filter((feed) => !feed.isGivenUp))
  }

  #createFeed(channel: Channel, name: string, symbol: string): Feed {
    const { venue, platform, ledger, pollIntervalMs } = this.#options
    const isPolledTrade = pollIntervalMs !== undefined && channel === 'trade'
    const topic = venue.topic(channel, isPolledTrade ? venue.rest.polledTrades : name, symbol)
    const { exchange, id } = venue
    const market = venue.marketOf(symbol)
    const stream = ledger.stream({ exchange, venue: id, channel, symbol, market, proof: topic.proof })
    return new Feed(venue, topic, stream, platform.clock)
  }

  #onGraceOver(): void {
    for (const { ledger, isGivenUp, reason } of this.#feeds.values())
      if (!ledger.isCollected && !isGivenUp) ledger.begin({ cause: 'not_subscribed', reason })
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
    this.#intake.stop()
    this.#cancelGrace?.()
    for (const connection of this.#connections) connection.stop()
  }

  #find(channel: Channel | undefined, symbol: string): Feed | undefined {
    return this.#feeds.get(`${channel} ${symbol}`)
  }

  *#open(channel: Channel): Generator<Feed> {
    for (const feed of this.#feeds.values())
      if (feed.channel === channel && !feed.isGivenUp && this.#connectionOf.get(feed)?.isOpen === true) yield feed
  }

  #connectionHandlers(): ConnectionHandlers {
    const { observer } = this.#options
    return {
      frame: (bytes, receiveTimeUs, decodeMs) => {
        this.lastMessageUs = receiveTimeUs
        observer.frame(bytes, receiveTimeUs, decodeMs)
      },
      late: observer.late,
      events: (decoded, receiveTimeUs) => this.#intake.accept(decoded, receiveTimeUs),
      odd: (decoded) => this.#intake.odd(decoded),
      opened: observer.opened,
      lost: observer.lost,
      closing: observer.closing,
      subscribed: (feed) => this.#intake.subscribed(feed),
      rejected: (feed, reason, isPermanent) => this.#onRejected(feed, reason, isPermanent),
      restarted: (feed, loss) => this.#intake.restarted(feed, loss),
      suspended: (feed) => this.#intake.suspended(feed),
    }
  }

  #onRejected(feed: Feed | undefined, reason: string, isPermanent: boolean): void {
    this.#options.observer.rejected(feed, reason, isPermanent)
    if (feed === undefined) return
    if (isPermanent) this.#giveUp(feed, () => feed.reject(`refused: ${reason}`))
    else {
      feed.set('down', `${reason}; trying again`)
      feed.ledger.begin({ cause: 'not_subscribed', reason })
    }
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
    this.#intake.dropped(feed)
    this.#options.ledger.retire(feed.ledger, feed.reason)
    if (connection?.drop(feed) === false) this.#connections = this.#connections.filter((other) => other !== connection)
  }

  /** The poller looks at every feed in each round; streams need connections. */
  #onListed(symbols: readonly string[]): void {
    const back = [...this.#feeds.values()].filter(
      (feed) => symbols.includes(feed.symbol) && feed.isGivenUp && feed.state !== 'disabled',
    )
    for (const feed of back) {
      feed.revive()
      this.#options.ledger.open(feed.ledger)
    }
    if (this.#options.pollIntervalMs === undefined) this.#connect(back)
  }

  #startPoller(intervalMs: number): Poller {
    const { venue, rest, platform } = this.#options
    const poller = new Poller({
      venue,
      rest,
      platform,
      feeds: [...this.#feeds.values()],
      intervalMs,
      accept: (feed, event, receiveTimeUs) => {
        this.lastMessageUs = receiveTimeUs
        this.#intake.acceptPlain(feed, event, receiveTimeUs)
      },
      stale: (feed) => this.#intake.outdated(feed),
    })
    poller.start()
    return poller
  }
}
