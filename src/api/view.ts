/** What the API needs to know of the collector. The collector implements it; nothing here knows how. */

import type {
  BookStateName,
  Channel,
  Decimal,
  EpochUs,
  Gap,
  Instrument,
  Level,
  MarketEvent,
  Proof,
  Ticker,
  Trade,
} from '../model/event.ts'
import type { FeedState } from '../model/feed.ts'
import type { Checks } from '../service/health.ts'
import type { ActivityView, DeliveryView } from './operations-view.ts'

export type { HealthCheck } from '../service/health.ts'
export type { Lifecycle } from '../service/ports.ts'

/** Totals since start; every one is counted, none is computed from a timer. */
export interface CollectionStats {
  readonly restRequests: number
  /** Frames received. */
  readonly websocketMessages: number
  /** Errors of every stage. */
  readonly errors: number
  /** Normalised records since start. */
  readonly totalCollections: number
  /** Records of the last 60 s (of the uptime while it is shorter), a minute. */
  readonly collectionsPerMinute: number
  /** Feeds that are live now. */
  readonly activeSources: number
  /** Open sockets. */
  readonly websocketConnections: number
  /** Receive time of the newest record. */
  readonly lastCollectionUs: EpochUs | undefined
  /** Receive time of the newest frame or polled answer. */
  readonly lastMessageUs: EpochUs | undefined
}

export type ExchangeStatus = 'active' | 'connecting' | 'degraded' | 'stale' | 'down' | 'banned' | 'disabled'

export interface ExchangeView {
  readonly exchange: string
  readonly enabled: boolean
  /** All its sockets are open. */
  readonly websocketConnected: boolean
  /** Result of the last REST call; `null` before the first. */
  readonly restApiAvailable: boolean | null
  readonly lastMessageUs: EpochUs | undefined
  readonly status: ExchangeStatus
  /** Why it is not `active`, in words; shown added to the documented fields. */
  readonly reason: string | undefined
}

/** One channel of one symbol of one venue. */
export interface FeedName {
  readonly venue: string
  readonly channel: Channel
  readonly symbol: string
}

export interface FeedView extends FeedName {
  readonly exchange: string
  /** What can be verified on its stream. */
  readonly proof: Proof
  readonly state: FeedState
  /** Why it is in this state, in words; empty when live. */
  readonly reason: string
  readonly sinceUs: EpochUs
  readonly lastMessageUs: EpochUs | undefined
  readonly events: number
  readonly resyncs: number
  /** How much later than usual its data come, ms. */
  readonly behindMs: number
  /** The newest gap of this feed that is open. */
  readonly openGap: Gap | undefined
}

export interface BookView {
  readonly venue: string
  readonly symbol: string
  readonly market: string
  readonly instrument: string | undefined
  readonly state: BookStateName
  readonly reason: string
  readonly sequence: number | undefined
  /** Best first, at most `depth` levels; empty when the book is not proven and never was. */
  readonly bids: readonly Level[]
  readonly asks: readonly Level[]
  /**
   * The outermost price up to which every level of the side is known; levels beyond it are left out, because others
   * may lie between them. `undefined`: the whole side is known.
   */
  readonly bidsKnownTo?: Decimal | undefined
  readonly asksKnownTo?: Decimal | undefined
  readonly exchangeTimeUs: EpochUs | undefined
  readonly receiveTimeUs: EpochUs | undefined
}

/** Enough of a live book to choose it; {@link CollectorView.book} has the levels. */
export interface LiveBook {
  readonly exchange: string
  readonly venue: string
  readonly symbol: string
  readonly receiveTimeUs: EpochUs | undefined
}

/** The records held in memory: bounded, newest kept. */
export interface StoreView {
  /** `orderbooks` counts what {@link liveBooks} yields. */
  readonly counts: { readonly tickers: number; readonly orderbooks: number; readonly trades: number }
  /** The latest ticker of each instrument, in no order. */
  tickers(): Iterable<Ticker>
  /** Books that are live now, in no order. */
  liveBooks(): Iterable<LiveBook>
  /** The newest trades, newest first, over all instruments. */
  trades(): Iterable<Trade>
}

/** How much of a window one feed covers. */
export interface CompletenessView extends FeedName {
  readonly exchange: string
  /** What can be verified on this stream; without a proof, `coveredShare` only knows of lost connections and silences. */
  readonly proof: Proof
  /** The window asked for, without the time before this feed was first collected. */
  readonly startUs: EpochUs
  readonly endUs: EpochUs
  /** How long it was collected between these. */
  readonly secondsCollected: number
  /** 0 to 1: the share of these seconds that lies in no gap; healed gaps count as covered. */
  readonly coveredShare: number
  readonly secondsLost: number
  /** Something is missing that has no length in time. */
  readonly hasMomentaryLoss: boolean
  /** Ids missed and not fetched, and ids missed and fetched; absent where the ids are no counter. */
  readonly idsLost: number | undefined
  readonly idsHealed: number | undefined
  /** Gaps that touch the window, and those of them that are open. */
  readonly gaps: number
  readonly openGaps: number
}

/** One instrument to collect, or to collect no longer. `channels` undefined: all that the configuration collects. */
export interface SubscriptionEntry {
  readonly venue: string
  readonly symbol: string
  readonly channels: readonly Channel[] | undefined
}

/** No feed is named twice in it, neither in one list nor in both. */
export interface SubscriptionRequest {
  readonly add: readonly SubscriptionEntry[]
  readonly remove: readonly SubscriptionEntry[]
}

/**
 * Why a subscription is not changed. `unknown_symbol`: the venue does not list it; `venue_disabled`, `channel_disabled`: the
 * configuration switches it off; `not_collected`: there is nothing to remove; `limit`: one of the venue's or of ours is
 * reached; `unavailable`: it cannot be told now (no metadata yet, stopping), and asking again may help.
 */
export const SUBSCRIPTION_REFUSALS = [
  'unknown_symbol',
  'venue_disabled',
  'channel_disabled',
  'not_collected',
  'limit',
  'unavailable',
] as const

export interface RefusedSubscription {
  readonly operation: 'add' | 'remove'
  readonly venue: string
  readonly symbol: string
  /** `undefined`: every channel of the entry. */
  readonly channel: Channel | undefined
  readonly refusal: (typeof SUBSCRIPTION_REFUSALS)[number]
  /** In words. */
  readonly reason: string
}

/** What became of a request: each feed of it is in one of the lists. */
export interface SubscriptionChange {
  readonly added: readonly FeedName[]
  readonly removed: readonly FeedName[]
  /** To be added, but collected already. */
  readonly unchanged: readonly FeedName[]
  readonly refused: readonly RefusedSubscription[]
}

/** Called for every event, synchronously; must not throw. `bytes`: its JSON, encoded once for all. */
export type EventSubscriber = (event: MarketEvent, bytes: () => Buffer) => void

export interface CollectorView {
  /** False until the collector has been built; the data routes answer 503 until then. */
  readonly isInitialized: boolean
  readonly features: {
    readonly collector_initialized: boolean
    readonly orderbook_enabled: boolean
    readonly websocket_enabled: boolean
    readonly normalizer_enabled: boolean
  }
  stats(): CollectionStats
  /** One entry an exchange of the registry, in its order. */
  exchanges(): readonly ExchangeView[]
  feeds(): readonly FeedView[]
  readonly store: StoreView
  /** `undefined`: this book is not collected. */
  book(venue: string, symbol: string, depth: number): BookView | undefined
  /** Is this instrument collected at all? */
  knows(venue: string, symbol: string): boolean
  instruments(): Iterable<Instrument>
  /** Every gap that is kept, as it stands now, the newest start first. */
  gaps(): Iterable<Gap>
  /**
   * One entry for each feed that was collected in the window, whether it is still or not. Called once for each bucket of an
   * answer; feeds that `isWanted` refuses may be left out, so that nothing is computed for them.
   */
  completeness(sinceUs: EpochUs, untilUs: EpochUs, isWanted?: (feed: FeedName) => boolean): readonly CompletenessView[]
  /** What can be verified on the stream of a feed that is or was collected; `undefined`: it is not known. */
  proofOf(feed: FeedName): Proof | undefined
  /**
   * Changes what is collected, until the process ends; nothing is written to disk. Each feed stands on its own: one that is
   * refused stops no other. Changes are made one after the other, in the order of the calls. Resolves when the change is
   * made here, without waiting for the venue's answer: {@link feeds} then tells how it goes.
   */
  changeSubscriptions(request: SubscriptionRequest): Promise<SubscriptionChange>
  activity(): ActivityView
  delivery(): DeliveryView
  /**
   * What only the collector knows: each sink as `sink:<name>`, the spool as `spool`.
   * The API itself derives the checks of exchanges and feeds from {@link exchanges} and {@link feeds}.
   */
  health(): Checks
  /** Receives every event from now on; the result ends it. */
  subscribe(subscriber: EventSubscriber): () => void
}
