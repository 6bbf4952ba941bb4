/** Builds the collector of a configuration: books, pipeline and one feed for each enabled venue; answers what the API asks. */

import { join } from 'node:path'
import type {
  BookView,
  CollectorView,
  EventSubscriber,
  ExchangeView,
  FeedView,
  LiveBook,
  StoreView,
} from '../api/view.ts'
import { Books } from '../book/books.ts'
import { Bans } from '../feed/bans.ts'
import { RestClient } from '../feed/rest-client.ts'
import { VenueFeed } from '../feed/venue-feed.ts'
import { CHANNELS, type Channel, type Instrument } from '../model/event.ts'
import type { Config, VenueConfig } from '../ops/config-schema.ts'
import { endpointUrls } from '../ops/config-schema.ts'
import { NO_VENUE } from '../ops/label-bounds.ts'
import type { Logger } from '../ops/log.ts'
import type { Metrics } from '../ops/metrics.ts'
import { createRepeatGuard } from '../ops/repeat-guard.ts'
import type { Platform } from '../platform/platform.ts'
import { MemoryStore } from '../sinks/memory.ts'
import type { Venue } from '../venues/venue.ts'
import { exposeCollector } from './expose.ts'
import { venueObserver } from './observer.ts'
import { Pipeline } from './pipeline.ts'
import { Stats } from './stats.ts'
import { exchangeView, type VenueFacts } from './status.ts'

export interface CollectorParts {
  readonly config: Config
  readonly venues: readonly Venue[]
  readonly platform: Platform
  readonly metrics: Metrics
  readonly logger: Logger
}

/** One enabled venue. */
export interface Collected {
  readonly venue: Venue
  readonly feed: VenueFeed
  readonly rest: RestClient
  readonly instruments: Map<string, Instrument>
}

/** Nothing is published yet, and nobody shall believe otherwise. */
const NATS_MISSING = {
  status: 'warn',
  result: 'a NATS server is configured, but this version does not publish yet',
} as const

const OFFLINE_HINT = 'Without a network, `npm run demo` shows the service on simulated exchanges.'

export class Collector implements CollectorView {
  readonly #parts: CollectorParts
  readonly #books: Books
  readonly #store: MemoryStore
  readonly #stats: Stats
  readonly #pipeline: Pipeline
  readonly #collected: readonly Collected[]
  readonly #bans: Bans
  readonly #repeats: ReturnType<typeof createRepeatGuard>
  isInitialized = false

  constructor(parts: CollectorParts) {
    const { config, venues, platform, metrics, logger } = parts
    this.#parts = parts
    this.#books = new Books(new Map(venues.map((venue) => [venue.id, bookRules(venue, config)])))
    this.#store = new MemoryStore(config.memory.records_max)
    this.#stats = new Stats(metrics, platform.clock)
    this.#pipeline = new Pipeline({ books: this.#books, stats: this.#stats, store: this.#store, clock: platform.clock })
    this.#bans = new Bans(join(config.data_dir, 'rest-bans.json'), platform.files)
    this.#repeats = createRepeatGuard({ logger, clock: platform.clock })
    this.#collected = venues.flatMap((venue) => {
      const venueConfig = config.exchanges[venue.id]
      return venueConfig?.enabled === true ? [this.#collect(venue, venueConfig)] : []
    })
    exposeCollector(metrics, this, this.#collected)
  }

  /** Resolves when every enabled venue is being collected or tried; the venues start side by side. */
  async start(): Promise<void> {
    const problem = await this.#bans.load()
    if (problem !== undefined) this.#parts.logger.warning('bans_unreadable', problem)
    this.isInitialized = true
    await Promise.all(this.#collected.map(({ feed }) => feed.start()))
  }

  /** Closes all sockets; what was received is in the store by then. */
  stop(): void {
    for (const { feed, rest } of this.#collected) {
      feed.stop()
      rest.stop()
    }
    this.#stats.stop()
    this.#repeats.stop()
  }

  #collect(venue: Venue, venueConfig: VenueConfig): Collected {
    const { config, platform, logger, metrics } = this.#parts
    const instruments = new Map<string, Instrument>()
    const rest = new RestClient({
      venue,
      urls: venueConfig.rest_url,
      platform,
      bans: this.#bans,
      instruments,
      onOutcome: (outcome, durationMs, reason) => {
        this.#stats.rest(venue.id, outcome, durationMs)
        if (outcome === 'ok') return
        this.#repeats.warning('rest_failed', `${venue.id} ${outcome}`, 'a REST request failed', {
          venue: venue.id,
          outcome,
          reason,
        })
      },
    })
    const feed = new VenueFeed({
      venue,
      symbols: venueConfig.symbols,
      channels: wantedChannels(config, venueConfig),
      endpoints: Object.fromEntries(
        Object.entries(venue.endpoints).map(([name, endpoint]) => [name, endpointUrls(venueConfig, endpoint)]),
      ),
      pollIntervalMs: config.enable_websocket ? undefined : config.collection_interval_seconds * 1000,
      rest,
      instruments,
      platform,
      downstream: this.#pipeline.downstream(venue.id),
      observer: venueObserver(venue.id, {
        stats: this.#stats,
        metrics,
        logger,
        repeats: this.#repeats,
        offlineHint: OFFLINE_HINT,
      }),
    })
    return { venue, feed, rest, instruments }
  }

  countApiError(): void {
    this.#stats.error('api', NO_VENUE)
  }

  get features() {
    const { enable_websocket, enable_orderbook, collect } = this.#parts.config
    return {
      collector_initialized: this.isInitialized,
      orderbook_enabled: enable_orderbook && collect.book,
      websocket_enabled: enable_websocket,
      // Events are normalised by the same code that receives them; there is no way to run without.
      normalizer_enabled: true,
    }
  }

  stats() {
    const stats = this.#stats
    const times = this.#collected.flatMap(({ feed }) => feed.lastMessageUs ?? [])
    return {
      restRequests: stats.restRequests,
      websocketMessages: stats.websocketMessages,
      errors: stats.errors,
      totalCollections: stats.totalCollections,
      collectionsPerMinute: stats.collectionsPerMinute,
      activeSources: this.feeds().filter(({ state }) => state === 'live').length,
      websocketConnections: this.#collected.reduce((sum, { feed }) => sum + feed.socketsOpen, 0),
      lastCollectionUs: stats.lastCollectionUs,
      lastMessageUs: times.length === 0 ? undefined : Math.max(...times),
    }
  }

  exchanges(): readonly ExchangeView[] {
    const names = [...new Set(this.#parts.venues.map(({ exchange }) => exchange))]
    return names.map((name) =>
      exchangeView(name, this.#collected.filter(({ venue }) => venue.exchange === name).map(factsOf)),
    )
  }

  feeds(): readonly FeedView[] {
    return this.#collected.flatMap(({ venue, feed }) =>
      [...feed.feeds].map(({ channel, symbol, state, reason, sinceUs, lastMessageUs, events, resyncs }) => ({
        exchange: venue.exchange,
        venue: venue.id,
        channel,
        symbol,
        state,
        reason,
        sinceUs,
        lastMessageUs,
        events,
        resyncs,
      })),
    )
  }

  get store(): StoreView {
    return {
      counts: {
        tickers: this.#store.tickerCount,
        orderbooks: [...this.#liveBooks()].length,
        trades: this.#store.tradeCount,
      },
      tickers: () => this.#store.tickers(),
      liveBooks: () => this.#liveBooks(),
      trades: () => this.#store.trades(),
    }
  }

  *#liveBooks(): Generator<LiveBook> {
    for (const [venue, symbol, sync] of this.#books) {
      // A crossed book is not served, also in the moment before it is found to be wrong.
      if (!sync.isLive || sync.applied === undefined || sync.book.isCrossed()) continue
      const { exchange, receive_time_us } = sync.applied
      yield { exchange, venue, symbol, receiveTimeUs: receive_time_us }
    }
  }

  book(venueId: string, symbol: string, depth: number): BookView | undefined {
    if (!this.knows(venueId, symbol) || !this.features.orderbook_enabled) return undefined
    const sync = this.#books.find(venueId, symbol)
    const isServed = sync?.isLive === true && !sync.book.isCrossed()
    const applied = sync?.applied
    const collected = this.#collected.find(({ venue }) => venue.id === venueId)
    const instrument = collected?.instruments.get(symbol)
    const feed = [...(collected?.feed.feeds ?? [])].find((f) => f.channel === 'book' && f.symbol === symbol)
    return {
      venue: venueId,
      symbol,
      market: applied?.market ?? instrument?.market ?? '',
      instrument: instrument?.instrument,
      state: isServed ? 'live' : sync?.state === 'live' ? 'stale' : (sync?.state ?? 'syncing'),
      // Why it is not live is known best by its feed: not connected, refused, banned, being rebuilt.
      reason: isServed || feed === undefined ? (sync?.reason ?? '') : `${feed.state}: ${feed.reason}`,
      sequence: sync?.sequence,
      bids: isServed ? sync.book.bids.top(depth) : [],
      asks: isServed ? sync.book.asks.top(depth) : [],
      exchangeTimeUs: applied?.exchange_time_us,
      receiveTimeUs: applied?.receive_time_us,
    }
  }

  knows(venueId: string, symbol: string): boolean {
    const collected = this.#collected.find(({ venue }) => venue.id === venueId)
    return [...(collected?.feed.feeds ?? [])].some((feed) => feed.symbol === symbol && !feed.isGivenUp)
  }

  *instruments(): Generator<Instrument> {
    for (const { instruments } of this.#collected) yield* instruments.values()
  }

  health(): ReturnType<CollectorView['health']> {
    const isReached = ({ feed, rest }: Collected) => feed.socketsOpen > 0 || rest.isAvailable === true
    const isDown = this.exchanges().every(({ status }) => status === 'down' || status === 'disabled')
    const isOffline = this.#collected.length > 0 && isDown && !this.#collected.some(isReached)
    return {
      ...(isOffline && { network: { status: 'fail', result: `no exchange can be reached. ${OFFLINE_HINT}` } }),
      ...(this.#parts.config.nats.url !== undefined && { 'sink:nats': NATS_MISSING }),
    }
  }

  subscribe(subscriber: EventSubscriber): () => void {
    return this.#pipeline.subscribe(subscriber)
  }
}

const factsOf = ({ feed, rest }: Collected): VenueFacts => ({
  feeds: [...feed.feeds],
  socketsOpen: feed.socketsOpen,
  socketsWanted: feed.socketsWanted,
  isRestAvailable: rest.isAvailable,
  bannedUntilUs: rest.bannedUntilUs,
  lastMessageUs: feed.lastMessageUs,
})

/** A polled book is whole each time, like one whose venue sends the snapshot on the stream. */
const bookRules = (venue: Venue, config: Config): Venue['book'] =>
  config.enable_websocket ? venue.book : { ...venue.book, snapshotFrom: 'stream', checksum: undefined }

/** The venue's channel of each of ours that is switched on. */
function wantedChannels(config: Config, venueConfig: VenueConfig): Partial<Record<Channel, string>> {
  const isOn = (channel: Channel) => config.collect[channel] && (channel !== 'book' || config.enable_orderbook)
  return Object.fromEntries(CHANNELS.filter(isOn).map((channel) => [channel, venueConfig.channels[channel]]))
}
