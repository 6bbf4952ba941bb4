/** Builds the collector of a configuration: books, ledger, pipeline and the venues; answers what the API asks. */

import { join } from 'node:path'
import type {
  BookView,
  CollectorView,
  EventSubscriber,
  ExchangeView,
  FeedName,
  FeedView,
  StoreView,
  SubscriptionChange,
  SubscriptionRequest,
} from '../api/view.ts'
import { Books } from '../book/books.ts'
import { Bans } from '../feed/bans.ts'
import { Ledger } from '../ledger/ledger.ts'
import type { EpochUs, Gap, Instrument, Proof } from '../model/event.ts'
import type { Config } from '../ops/config-schema.ts'
import { NO_VENUE } from '../ops/label-bounds.ts'
import type { Logger } from '../ops/log.ts'
import type { Metrics } from '../ops/metrics.ts'
import { createRepeatGuard } from '../ops/repeat-guard.ts'
import { sleep } from '../platform/clock.ts'
import type { Platform } from '../platform/platform.ts'
import type { SinkFactory } from '../sinks/index.ts'
import { MemoryStore } from '../sinks/memory.ts'
import type { Venue } from '../venues/venue.ts'
import { bookView, liveBooks } from './book-view.ts'
import type { Collected } from './collected.ts'
import { Delivery } from './delivery.ts'
import { exposeCollector } from './expose.ts'
import { completenessView, feedView } from './feed-view.ts'
import { gapObserver, ledgerCheck } from './gap-observer.ts'
import { Pipeline } from './pipeline.ts'
import { Roster } from './roster.ts'
import { Stats } from './stats.ts'
import { exchangeView, factsOf } from './status.ts'
import { bookRules } from './wanted.ts'

export interface CollectorParts {
  readonly config: Config
  readonly venues: readonly Venue[]
  readonly platform: Platform
  readonly metrics: Metrics
  readonly logger: Logger
  /** Where events go; none: there is no durable log unless it is asked for. */
  readonly sinks?: readonly SinkFactory[]
}

/** A log that found no room is opened again after it. */
const NO_ROOM_RETRY_MS = 5_000

const OFFLINE_HINT = 'Without a network, `npm run demo` shows the service on simulated exchanges.'

export class Collector implements CollectorView {
  readonly #parts: CollectorParts
  readonly #books: Books
  readonly #store: MemoryStore
  readonly #stats: Stats
  readonly #delivery: Delivery
  readonly #pipeline: Pipeline
  readonly #ledger: Ledger
  readonly #roster: Roster
  readonly #bans: Bans
  readonly #repeats: ReturnType<typeof createRepeatGuard>
  #loading: Promise<void> | undefined
  #starting: Promise<void> | undefined
  #isOpen = false
  #isStopped = false
  isInitialized = false

  constructor(parts: CollectorParts) {
    const { config, venues, platform, metrics, logger } = parts
    this.#parts = parts
    this.#books = new Books(new Map(venues.map((venue) => [venue.id, bookRules(venue, config)])))
    this.#store = new MemoryStore(config.memory.records_max)
    this.#stats = new Stats(metrics, platform.clock)
    const { clock, files } = platform
    this.#repeats = createRepeatGuard({ logger, clock })
    const ledger = () => this.#ledger
    this.#delivery = new Delivery({ ...parts, sinks: parts.sinks ?? [], repeats: this.#repeats, ledger })
    const log = this.#delivery.isOn ? this.#delivery : undefined
    this.#pipeline = new Pipeline({
      flushGaps: () => this.#ledger.flush(),
      log,
      stats: this.#stats,
      store: this.#store,
      clock,
    })
    const gaps = gapObserver(logger, this.#repeats)
    this.#ledger = new Ledger({
      folder: join(config.data_dir, 'ledger'),
      files,
      clock,
      log,
      emit: (gap, before) => {
        gaps.changed(gap)
        this.#pipeline.acceptGap(gap, before)
      },
      onProblem: gaps.disk,
    })
    this.#bans = new Bans(join(config.data_dir, 'rest-bans.json'), platform)
    this.#roster = new Roster(config, {
      ...parts,
      stats: this.#stats,
      repeats: this.#repeats,
      books: this.#books,
      ledger: this.#ledger,
      bans: this.#bans,
      downstream: this.#pipeline,
      offlineHint: OFFLINE_HINT,
      removed: (feeds) => this.#forget(feeds),
    })
    exposeCollector(metrics, { view: this, collected: () => this.#roster.all, ledger: this.#ledger, clock })
  }

  /**
   * Takes up what the last process left. False: the disk has no room for the log; to be tried again.
   * Errors: PrismError SPOOL_LOCKED, CONFIG_INVALID: the log cannot be used.
   */
  async open(): Promise<boolean> {
    this.#loading ??= this.#load()
    await this.#loading
    this.#isOpen ||= await this.#delivery.open()
    return this.#isOpen
  }

  async #load(): Promise<void> {
    const problem = await this.#bans.load()
    if (problem !== undefined) this.#parts.logger.warning('bans_unreadable', problem)
    const unread = await this.#ledger.load()
    if (unread !== undefined) this.#parts.logger.warning('ledger_unreadable', unread)
  }

  /**
   * Resolves when every enabled venue is being collected or tried; they start side by side. Errors: those of {@link open},
   * which it calls until there is room: a process that ends would only be started again.
   */
  async start(): Promise<void> {
    this.#starting = this.#begin()
    await this.#starting
    this.#starting = undefined
    if (!this.#isStopped) await this.#roster.start()
  }

  /** Everything is read and open; nothing is collected yet. */
  async #begin(): Promise<void> {
    while (!(await this.open())) {
      await sleep(this.#parts.platform.clock, NO_ROOM_RETRY_MS)
      if (this.#isStopped) return
    }
    this.#roster.open()
    await this.#ledger.start()
    this.#delivery.start()
    this.isInitialized = true
  }

  /** Collects what `config` says from now on; what clients changed is undone. Resolves when everything is asked for. */
  reload(config: Config): Promise<void> {
    return this.#roster.reload(config)
  }

  /** Closes all sockets; what was received is in the store and the log by then. Resolves when the log is closed. */
  stop(): Promise<void> {
    this.#isStopped = true
    // A log that is half open would go on without anyone to close it.
    if (this.#starting === undefined || !this.#delivery.isOn) return this.#stop()
    return this.#starting.catch(() => {}).then(() => this.#stop())
  }

  #stop(): Promise<void> {
    // First, or the sockets that close now look like lost connections.
    this.#ledger.stop()
    this.#roster.stop()
    this.#stats.stop()
    this.#bans.stop()
    if (this.#delivery.isOn) return this.#delivery.stop().finally(() => this.#end())
    this.#end()
    return Promise.resolve()
  }

  #end(): void {
    this.#ledger.close()
    this.#repeats.stop()
  }

  countApiError(): void {
    this.#stats.error('api', NO_VENUE)
  }

  get features() {
    const { enable_websocket, enable_orderbook, collect } = this.#roster.config
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
    const times = this.#roster.all.flatMap(({ feed }) => feed.lastMessageUs ?? [])
    return {
      restRequests: stats.restRequests,
      websocketMessages: stats.websocketMessages,
      errors: stats.errors,
      totalCollections: stats.totalCollections,
      collectionsPerMinute: stats.collectionsPerMinute,
      activeSources: this.feeds().filter(({ state }) => state === 'live').length,
      websocketConnections: this.#roster.all.reduce((sum, { feed }) => sum + feed.socketsOpen, 0),
      lastCollectionUs: stats.lastCollectionUs,
      lastMessageUs: times.length === 0 ? undefined : Math.max(...times),
    }
  }

  exchanges(): readonly ExchangeView[] {
    const names = [...new Set(this.#parts.venues.map(({ exchange }) => exchange))]
    return names.map((name) =>
      exchangeView(name, this.#roster.all.filter(({ venue }) => venue.exchange === name).map(factsOf)),
    )
  }

  feeds(): readonly FeedView[] {
    return this.#roster.all.flatMap(({ venue, feed }) => [...feed.feeds].map((each) => feedView(venue, each)))
  }

  get store(): StoreView {
    return {
      counts: {
        tickers: this.#store.tickerCount,
        orderbooks: [...liveBooks(this.#books)].length,
        trades: this.#store.tradeCount,
      },
      tickers: () => this.#store.tickers(),
      liveBooks: () => liveBooks(this.#books),
      trades: () => this.#store.trades(),
    }
  }

  book(venueId: string, symbol: string, depth: number): BookView | undefined {
    if (!this.knows(venueId, symbol) || !this.features.orderbook_enabled) return undefined
    const collected = this.#roster.find(venueId)
    const feed = collected?.feed.find('book', symbol)
    const sync = this.#books.find(venueId, symbol)
    return bookView(sync, feed, { venue: venueId, symbol, instrument: collected?.instruments.get(symbol), depth })
  }

  knows(venueId: string, symbol: string): boolean {
    return [...(this.#roster.find(venueId)?.feed.feeds ?? [])].some((feed) => feed.symbol === symbol && !feed.isGivenUp)
  }

  *instruments(): Generator<Instrument> {
    for (const { instruments } of this.#roster.all) yield* instruments.values()
  }

  gaps(): readonly Gap[] {
    return this.#ledger.gaps()
  }

  completeness(sinceUs: EpochUs, untilUs: EpochUs, isWanted?: (feed: FeedName) => boolean) {
    return this.#ledger.coverage(sinceUs, untilUs, isWanted).map(completenessView)
  }

  proofOf(feed: FeedName): Proof | undefined {
    return this.#ledger.find(feed)?.stream.proof
  }

  readonly activity = () => this.#stats.activity.view(this.#roster.all.map(({ venue }) => venue))
  readonly delivery = () => this.#delivery.view()

  changeSubscriptions(request: SubscriptionRequest): Promise<SubscriptionChange> {
    return this.#roster.change(request)
  }

  /** What is not collected any more shall not look as if it were the latest. */
  #forget(feeds: readonly FeedName[]): void {
    for (const { venue, channel, symbol } of feeds) if (channel === 'ticker') this.#store.forgetTicker(venue, symbol)
  }

  health(): ReturnType<CollectorView['health']> {
    const isReached = ({ feed, rest }: Collected) => feed.socketsOpen > 0 || rest.isAvailable === true
    const isDown = this.exchanges().every(({ status }) => status === 'down' || status === 'disabled')
    const isOffline = this.#roster.all.length > 0 && isDown && !this.#roster.all.some(isReached)
    return {
      ...(isOffline && { network: { status: 'fail', result: `no exchange can be reached. ${OFFLINE_HINT}` } }),
      ledger: ledgerCheck(this.#ledger),
      ...this.#delivery.health(),
    }
  }

  subscribe(subscriber: EventSubscriber): () => void {
    return this.#pipeline.subscribe(subscriber)
  }
}
