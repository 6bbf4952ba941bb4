/** A collector that moves: books, tickers, trades and counters change with the clock as a real one's do. */

import type { DeliveryView } from '../../../src/api/operations-view.ts'
import type {
  CollectorView,
  CompletenessView,
  EventSubscriber,
  ExchangeView,
  FeedName,
  FeedView,
  HealthCheck,
  SubscriptionChange,
  SubscriptionRequest,
} from '../../../src/api/view.ts'
import {
  CHANNELS,
  type Channel,
  type EpochUs,
  type Gap,
  type Instrument,
  instrumentKey,
  type Level,
  type MarketEvent,
  type Proof,
  type Ticker,
  type Trade,
} from '../../../src/model/event.ts'
import type { FeedState } from '../../../src/model/feed.ts'
import type { Clock } from '../../../src/platform/platform.ts'

export const VENUES = [
  { id: 'binance', exchange: 'binance' },
  { id: 'binance-usdm', exchange: 'binance' },
  { id: 'okx', exchange: 'okx' },
  { id: 'deribit', exchange: 'deribit' },
] as const

const SYMBOLS: Readonly<Record<string, readonly string[]>> = {
  binance: ['BTCUSDT', 'ETHUSDT', 'SOLUSDT'],
  'binance-usdm': ['BTCUSDT', 'ETHUSDT'],
  okx: ['BTC-USDT', 'ETH-USDT', 'BTC-USDT-SWAP'],
  deribit: ['BTC-PERPETUAL', 'ETH-PERPETUAL'],
}

const INSTRUMENTS = VENUES.flatMap(({ id, exchange }) =>
  (SYMBOLS[id] ?? []).map((symbol) => ({ venue: id, exchange, symbol, market: 'spot' as const })),
)

/** What can be verified on the fake's streams. */
export const FAKE_PROOFS: Readonly<Record<Channel, Proof>> = {
  trade: 'counter',
  ticker: 'cadence',
  quote: 'none',
  book: 'range',
}

const BOOK_LEVELS = 450
const TRADES_MAX = 1000

export interface FakeCollector extends CollectorView {
  isInitialized: boolean
  /** One step of the market: a trade, a ticker and a book update of one instrument. */
  step(): void
  /** Hands `event` to the stream's subscribers. */
  publish(event: MarketEvent): void
  /** How many subscribe to events now. */
  readonly subscribers: number
  feedState: (venue: string, symbol: string) => FeedState
  extraHealth: Record<string, HealthCheck>
  deliveryView: DeliveryView
  /** What {@link CollectorView.gaps} yields; the newest start first. */
  ledger: Gap[]
  /** When each feed was first collected; the start of the fake unless a test says otherwise. */
  firstUs: (feed: FeedName) => EpochUs
  /** Every change that was asked for, and what to answer. */
  readonly changes: SubscriptionRequest[]
  change: (request: SubscriptionRequest) => SubscriptionChange
  /** Calls of `completeness` so far. */
  completenessCalls: number
  /** Set to make that method throw. */
  broken: 'stats' | 'exchanges' | 'store' | 'feeds' | 'health' | 'gaps' | 'completeness' | 'change' | undefined
}

export function fakeCollector(clock: Clock): FakeCollector {
  const startUs = clock.nowUs()
  const tickers = new Map<string, Ticker>()
  const trades: Trade[] = []
  const bookTimes = new Map<string, number>()
  const lastMessage = new Map<string, number>()
  const subscribers = new Set<EventSubscriber>()
  let steps = 0
  let records = 0
  let lastUs: number | undefined

  const failIf = (part: FakeCollector['broken']) => {
    if (fake.broken === part) throw new TypeError(`secret detail of ${part} in /root/app/main.ts:12`)
  }
  const isLive = (venue: string, symbol: string) =>
    bookTimes.has(instrumentKey(venue, symbol)) && fake.feedState(venue, symbol) === 'live'
  const liveBooks = () => INSTRUMENTS.filter(({ venue, symbol }) => isLive(venue, symbol))

  const fake: FakeCollector = {
    isInitialized: true,
    broken: undefined,
    feedState: () => 'live',
    ledger: [],
    firstUs: () => startUs,
    changes: [],
    change: () => ({ added: [], removed: [], unchanged: [], refused: [] }),
    completenessCalls: 0,
    extraHealth: { 'sink:memory': { status: 'pass', result: 'writing' } },
    deliveryView: { spool: undefined, sinks: [] },
    features: {
      collector_initialized: true,
      orderbook_enabled: true,
      websocket_enabled: true,
      normalizer_enabled: true,
    },
    get subscribers() {
      return subscribers.size
    },
    step() {
      const about = INSTRUMENTS[steps++ % INSTRUMENTS.length]
      if (!about) return
      const nowUs = clock.nowUs()
      const { trade, ticker } = facts(about, steps, nowUs)
      tickers.set(instrumentKey(about.venue, about.symbol), ticker)
      trades.unshift(trade)
      trades.length = Math.min(trades.length, TRADES_MAX)
      bookTimes.set(instrumentKey(about.venue, about.symbol), nowUs)
      lastMessage.set(about.exchange, nowUs)
      records += 3
      lastUs = nowUs
      fake.publish(ticker)
      fake.publish(trade)
    },
    publish(event) {
      let known: Buffer | undefined
      const bytes = () => {
        known ??= Buffer.from(JSON.stringify(event))
        return known
      }
      for (const subscriber of subscribers) subscriber(event, bytes)
    },
    stats() {
      failIf('stats')
      const seconds = Math.max(0.001, (clock.nowUs() - startUs) / 1e6)
      return {
        restRequests: 3,
        websocketMessages: steps * 3,
        errors: 1,
        totalCollections: records,
        collectionsPerMinute: (records / seconds) * 60,
        activeSources: fake.feeds().filter(({ state }) => state === 'live').length,
        websocketConnections: 4,
        lastCollectionUs: lastUs,
        lastMessageUs: lastUs,
      }
    },
    exchanges() {
      failIf('exchanges')
      return [...new Set(VENUES.map(({ exchange }) => exchange))].map((exchange): ExchangeView => {
        const isActive = INSTRUMENTS.some(
          (i) => i.exchange === exchange && fake.feedState(i.venue, i.symbol) === 'live',
        )
        return {
          exchange,
          enabled: true,
          websocketConnected: isActive,
          restApiAvailable: true,
          lastMessageUs: lastMessage.get(exchange),
          status: isActive && lastMessage.has(exchange) ? 'active' : 'down',
          reason: isActive ? undefined : 'connection refused',
        }
      })
    },
    feeds() {
      failIf('feeds')
      return INSTRUMENTS.flatMap(({ venue, exchange, symbol }) =>
        CHANNELS.map((channel): FeedView => {
          const state = fake.feedState(venue, symbol)
          const reason = state === 'live' ? '' : 'connection refused'
          const lastMessageUs = lastMessage.get(exchange)
          return {
            exchange,
            venue,
            channel,
            symbol,
            proof: FAKE_PROOFS[channel],
            state,
            reason,
            sinceUs: startUs,
            lastMessageUs,
            events: steps,
            resyncs: 0,
            behindMs: 0,
            openGap: fake.ledger.find((gap) => gap.state === 'open' && isSame(gap, { venue, channel, symbol })),
          }
        }),
      )
    },
    store: {
      get counts() {
        failIf('store')
        return { tickers: tickers.size, orderbooks: liveBooks().length, trades: trades.length }
      },
      tickers: () => tickers.values(),
      liveBooks: () =>
        liveBooks().map(({ exchange, venue, symbol }) => ({
          exchange,
          venue,
          symbol,
          receiveTimeUs: bookTimes.get(instrumentKey(venue, symbol)),
        })),
      trades: () => trades,
    },
    book(venue, symbol, depth) {
      const about = INSTRUMENTS.find((i) => i.venue === venue && i.symbol === symbol)
      const receiveTimeUs = bookTimes.get(instrumentKey(venue, symbol))
      if (!about) return undefined
      const live = isLive(venue, symbol)
      const levels = live ? Math.min(depth, BOOK_LEVELS) : 0
      return {
        venue,
        symbol,
        market: about.market,
        instrument: undefined,
        state: live ? 'live' : 'stale',
        reason: live ? 'snapshot' : 'disconnect',
        sequence: steps,
        bids: side(levels, -1),
        asks: side(levels, 1),
        exchangeTimeUs: undefined,
        receiveTimeUs,
      }
    },
    knows: (venue, symbol) => INSTRUMENTS.some((i) => i.venue === venue && i.symbol === symbol),
    instruments: () => INSTRUMENTS.map((about) => instrumentEvent(about, startUs)),
    gaps() {
      failIf('gaps')
      return fake.ledger
    },
    completeness(sinceUs, untilUs, isWanted = () => true) {
      failIf('completeness')
      fake.completenessCalls++
      const feeds = INSTRUMENTS.flatMap((about) => CHANNELS.map((channel) => ({ ...about, channel }))).filter(isWanted)
      return feeds.flatMap((feed) => {
        const startUs = Math.max(sinceUs, fake.firstUs(feed))
        return startUs > untilUs ? [] : [covered(feed, fake.ledger, startUs, untilUs, clock.nowUs())]
      })
    },
    proofOf: ({ channel }) => FAKE_PROOFS[channel],
    activity: () => ({
      stepSeconds: 5,
      timesUs: [startUs, startUs + 5_000_000],
      venues: VENUES.map(({ id, exchange }) => ({
        exchange,
        venue: id,
        messagesPerSecond: [0, 12.345],
        eventsPerSecond: [0, 6.1],
        exchangeLatencySeconds: { p50: [undefined, 0.0123456], p99: [undefined, 0.1] },
        storeLatencySeconds: { p50: [undefined, 0.0000123], p99: [undefined, 0.001] },
      })),
    }),
    delivery: () => fake.deliveryView,
    async changeSubscriptions(request) {
      failIf('change')
      fake.changes.push(request)
      return fake.change(request)
    },
    health() {
      failIf('health')
      return fake.extraHealth
    },
    subscribe(subscriber) {
      subscribers.add(subscriber)
      return () => subscribers.delete(subscriber)
    },
  }
  return fake
}

const isSame = (a: FeedName, b: FeedName): boolean =>
  a.venue === b.venue && a.channel === b.channel && a.symbol === b.symbol

/** Gaps of the fake do not overlap, so their lengths add up. */
function covered(
  feed: FeedName & { readonly exchange: string },
  ledger: readonly Gap[],
  startUs: EpochUs,
  endUs: EpochUs,
  nowUs: EpochUs,
): CompletenessView {
  const touching = ledger.filter(
    (gap) => isSame(gap, feed) && gap.start_time_us < endUs && (gap.end_time_us ?? nowUs) > startUs,
  )
  const missing = touching.filter(({ state }) => state !== 'healed')
  const lostUs = missing.reduce(
    (sum, gap) => sum + Math.min(endUs, gap.end_time_us ?? nowUs) - Math.max(startUs, gap.start_time_us),
    0,
  )
  const isCounted = FAKE_PROOFS[feed.channel] === 'counter'
  const ids = (of: (gap: Gap) => number) => (isCounted ? touching.reduce((sum, gap) => sum + of(gap), 0) : undefined)
  return {
    exchange: feed.exchange,
    venue: feed.venue,
    channel: feed.channel,
    symbol: feed.symbol,
    proof: FAKE_PROOFS[feed.channel],
    startUs,
    endUs,
    secondsCollected: (endUs - startUs) / 1e6,
    coveredShare: startUs === endUs ? 1 : 1 - lostUs / (endUs - startUs),
    secondsLost: lostUs / 1e6,
    hasMomentaryLoss: false,
    idsLost: ids(({ lost = 0, healed = 0 }) => lost - healed),
    idsHealed: ids(({ healed = 0 }) => healed),
    gaps: touching.length,
    openGaps: touching.filter(({ state }) => state === 'open').length,
  }
}

/** A gap of a BTCUSDT feed, unless `facts` say otherwise. */
export function fakeGap(facts: Partial<Gap> & Pick<Gap, 'gap_id' | 'start_time_us'>): Gap {
  return {
    type: 'gap',
    exchange: 'binance',
    venue: 'binance',
    market: 'spot',
    symbol: 'BTCUSDT',
    channel: 'trade',
    id: `binance:gap:BTCUSDT:0:${facts.gap_id}`,
    cause: 'disconnect',
    state: 'closed',
    detected_time_us: facts.start_time_us + 1_000_000,
    ...facts,
  }
}

type About = (typeof INSTRUMENTS)[number]

const side = (count: number, direction: 1 | -1): Level[] =>
  Array.from({ length: count }, (_, i) => [(95_234.5 + direction * (i + 1) * 0.1).toFixed(2), '0.123'])

function facts(about: About, n: number, nowUs: number): { trade: Trade; ticker: Ticker } {
  const price = (95_000 + (n % 100) / 10).toFixed(2)
  const base = { ...about, exchange_time_us: nowUs - 1500, receive_time_us: nowUs }
  const id = (type: string) => `${about.venue}:${type}:${about.symbol}:0:${n}`
  return {
    trade: {
      ...base,
      type: 'trade',
      id: id('trade'),
      trade_id: String(n),
      price,
      quantity: '0.010',
      side: n % 2 ? 'buy' : 'sell',
      source: 'stream',
    },
    ticker: { ...base, type: 'ticker', id: id('ticker'), last_price: price, volume_24h: '123.4' },
  }
}

const instrumentEvent = (about: About, receiveUs: number): Instrument => ({
  ...about,
  type: 'instrument',
  id: `${about.venue}:instrument:${about.symbol}:0:0`,
  receive_time_us: receiveUs,
  status: 'TRADING',
  base: 'BTC',
  quote: 'USDT',
  tick_size: '0.01',
})
