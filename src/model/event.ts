/**
 * The normalised events: one shape in memory, on the stream, in stores, from `marketprism normalize`.
 *
 * Field names are those of the wire (snake_case), so that encoding is `JSON.stringify` and nothing is mapped twice.
 * Decimals are strings with the venue's own digits. Times are integer microseconds since the epoch, UTC.
 * `undefined` means that the venue did not send the field; it is left out of the JSON.
 */

/** Integer microseconds since the epoch, UTC. */
export type EpochUs = number
/** A decimal number as text, never in exponent form: `"95234.56"`. */
export type Decimal = string
export type Market = 'spot' | 'perpetual' | 'future' | 'option'
/** The taker's side. */
export type Side = 'buy' | 'sell'
/** `[price, quantity]`, the venue's own digits. */
export type Level = readonly [price: Decimal, quantity: Decimal]

/** What every event says of itself. (`venue`, `symbol`) names one instrument of one venue. */
export interface EventBase {
  /** `binance`, `okx`, `deribit`: the company. */
  readonly exchange: string
  /** Exchange and its API: `binance`, `binance-usdm`, `okx`, `deribit`. */
  readonly venue: string
  readonly market: Market
  /** The venue's own symbol. */
  readonly symbol: string
  /** Canonical name `BASE-QUOTE[-PERP|-YYMMDD][-STRIKE-C|P][:SETTLE]`; absent without metadata. */
  readonly instrument?: string | undefined
  /** When the venue says that it happened. */
  readonly exchange_time_us?: EpochUs | undefined
  /** When the frame reached this process; absent in captures without receive times. */
  readonly receive_time_us?: EpochUs | undefined
  /**
   * `venue:type:symbol:epoch:sequence`: the same fact has the same id on every socket and in every collector. A snapshot
   * with fewer or more levels than usual names how many after its sequence: `…:1027024/100`.
   */
  readonly id: string
}

export interface Trade extends EventBase {
  readonly type: 'trade'
  /** Absent only in old recordings of aggregates. */
  readonly trade_id?: string | undefined
  readonly price: Decimal
  readonly quantity: Decimal
  readonly side: Side
  /** First and last single trade of an aggregate. */
  readonly first_trade_id?: string | undefined
  readonly last_trade_id?: string | undefined
  /** The venue's running number of the instrument's trades, where it is not `trade_id` itself (Deribit `trade_seq`). */
  readonly sequence?: number | undefined
  /** Present and true when the venue marks the trade as (part of) a liquidation. */
  readonly liquidation?: boolean | undefined
  readonly block?: boolean | undefined
  /** Implied volatility in percent (options). */
  readonly iv?: Decimal | undefined
  /** Binance USD-M order type of trades that are no market orders (`X` other than `MARKET`). */
  readonly order_type?: string | undefined
  /** `stream`: pushed; `backfill`: fetched to heal a gap; absent: polled. */
  readonly source?: 'stream' | 'backfill' | undefined
}

export interface Ticker extends EventBase {
  readonly type: 'ticker'
  readonly last_price?: Decimal | undefined
  readonly last_quantity?: Decimal | undefined
  readonly bid_price?: Decimal | undefined
  readonly bid_quantity?: Decimal | undefined
  readonly ask_price?: Decimal | undefined
  readonly ask_quantity?: Decimal | undefined
  readonly open_24h?: Decimal | undefined
  readonly high_24h?: Decimal | undefined
  readonly low_24h?: Decimal | undefined
  /** In base units on every venue. */
  readonly volume_24h?: Decimal | undefined
  /** In quote units on every venue. */
  readonly quote_volume_24h?: Decimal | undefined
  readonly price_change_24h?: Decimal | undefined
  readonly price_change_percent_24h?: Decimal | undefined
}

/** Best bid and offer. */
export interface Quote extends EventBase {
  readonly type: 'quote'
  readonly bid_price?: Decimal | undefined
  readonly bid_quantity?: Decimal | undefined
  readonly ask_price?: Decimal | undefined
  readonly ask_quantity?: Decimal | undefined
  readonly sequence?: number | undefined
}

export interface BookSnapshot extends EventBase {
  readonly type: 'book_snapshot'
  /** Best first. */
  readonly bids: readonly Level[]
  readonly asks: readonly Level[]
  readonly sequence?: number | undefined
  /** Levels a side that the venue was asked for. */
  readonly depth?: number | undefined
}

/**
 * A change of a book. OKX keeps 400 levels a side and does not say which of them a nearer level has pushed out: cut such a
 * book to 400 levels after each delta.
 */
export interface BookDelta extends EventBase {
  readonly type: 'book_delta'
  /** Absolute quantities; `"0"` removes the level. */
  readonly bids: readonly Level[]
  readonly asks: readonly Level[]
  readonly first_sequence?: number | undefined
  readonly last_sequence?: number | undefined
  readonly previous_sequence?: number | undefined
}

export type BookStateName = 'syncing' | 'live' | 'stale'

/** Tells consumers whether the book they build from snapshots and deltas can be trusted. */
export interface BookState extends EventBase {
  readonly type: 'book_state'
  readonly state: BookStateName
  readonly reason: BookReason
  /** The sequence at which the state changed. */
  readonly sequence?: number | undefined
}

/** Why a book changed its state. */
export type BookReason =
  | 'subscribed'
  | 'snapshot'
  | 'resumed'
  | 'sequence_gap'
  | 'sequence_reset'
  | 'checksum'
  | 'crossed_book'
  | 'buffer_overflow'
  | 'snapshot_too_old'
  | 'decode_error'
  | 'disconnect'
  | 'silence'
  | 'audit_mismatch'
  | 'delisted'
  | 'shutdown'

export interface Instrument extends EventBase {
  readonly type: 'instrument'
  /** The venue's own word: `TRADING`, `live`, `open`. */
  readonly status: string
  readonly base: string
  readonly quote: string
  readonly settle?: string | undefined
  readonly tick_size?: Decimal | undefined
  readonly lot_size?: Decimal | undefined
  readonly min_quantity?: Decimal | undefined
  /** Size of one contract in `contract_currency`, as the venue states it. */
  readonly contract_size?: Decimal | undefined
  readonly contract_currency?: string | undefined
  readonly inverse?: boolean | undefined
  readonly expiry_time_us?: EpochUs | undefined
  readonly strike?: Decimal | undefined
  readonly option_type?: 'call' | 'put' | undefined
  readonly listed_time_us?: EpochUs | undefined
}

/** Why data may be missing. */
export const GAP_CAUSES = [
  'sequence_gap',
  'sequence_reset',
  'disconnect',
  'silence',
  'not_subscribed',
  'decode_error',
  'checksum',
  'crossed_book',
  'audit_mismatch',
  'resync_overflow',
  'banned',
  'maintenance',
  'process_down',
  'process_stalled',
  'shutdown',
  'delisted',
  'shed',
  'log_full',
  'log_spoilt',
  'rejected',
] as const
export type GapCause = (typeof GAP_CAUSES)[number]

/**
 * `open`: the end is not known yet, or what is missing is still being fetched. `closed`: ended; what was missed is not
 * fetched, because it cannot be (books, tickers, quotes), or nothing was (`lost` 0). `healed`: all of it was fetched and
 * delivered. `final`: some of it cannot be fetched; `reason` says why.
 */
export const GAP_STATES = ['open', 'closed', 'healed', 'final'] as const
export type GapState = (typeof GAP_STATES)[number]

/** One window in which data of one feed may be missing. Each change of it is an event of its own, with the same `gap_id`. */
export interface Gap extends EventBase {
  readonly type: 'gap'
  readonly channel: Channel
  readonly gap_id: string
  readonly cause: GapCause
  readonly state: GapState
  /** When the last message before it was received. */
  readonly start_time_us: EpochUs
  /** When the first message after it was received; absent until then. */
  readonly end_time_us?: EpochUs | undefined
  /** The last sequence before it, and the first after it: what lies between is missing. */
  readonly last_sequence?: number | undefined
  readonly first_sequence?: number | undefined
  /** How many ids were missed; absent where the ids are no counter. */
  readonly lost?: number | undefined
  /** How many of them were fetched and delivered. */
  readonly healed?: number | undefined
  /** When it was noticed. */
  readonly detected_time_us: EpochUs
  /** In words: why it happened, or why it cannot be healed. */
  readonly reason?: string | undefined
}

/** Every event that leaves this program. */
export type MarketEvent = Trade | Ticker | Quote | BookSnapshot | BookDelta | BookState | Instrument | Gap
export type EventType = MarketEvent['type']

/** What can be subscribed to. One feed is one (venue, channel, symbol). */
export const CHANNELS = ['trade', 'ticker', 'quote', 'book'] as const
export type Channel = (typeof CHANNELS)[number]

/**
 * What can be verified on a stream. `counter`: ids count up by one, so every lost message is found and counted. `range`:
 * ranges of ids touch. `chained`: each message names the one before. `cadence`: it speaks at known intervals, so silence
 * tells. `none`: only lost connections and long silences can be seen; a single lost message cannot.
 */
export const PROOFS = ['counter', 'range', 'chained', 'cadence', 'none'] as const
export type Proof = (typeof PROOFS)[number]

/** The channel that an event of each type comes from; `undefined` for events of no feed. */
export const CHANNEL_OF = {
  trade: 'trade',
  ticker: 'ticker',
  quote: 'quote',
  book_snapshot: 'book',
  book_delta: 'book',
  book_state: 'book',
  instrument: undefined,
  gap: undefined,
} as const satisfies Record<EventType, Channel | undefined>

/** The name of an instrument in maps, API keys and logs. */
export const instrumentKey = (venue: string, symbol: string): string => `${venue}:${symbol}`
