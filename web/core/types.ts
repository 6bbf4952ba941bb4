/** The API's answers, as far as the page reads them. `docs/API.md` has all fields. */

export type Level = readonly [price: string, quantity: string]
export type Channel = 'trade' | 'ticker' | 'quote' | 'book'
export const CHANNELS: readonly Channel[] = ['trade', 'ticker', 'quote', 'book']

export interface Status {
  readonly status: 'initializing' | 'running' | 'stopping'
  readonly uptime_seconds: number
  readonly version: string
  readonly environment: string
  readonly collection_stats: { readonly last_collection_time: string | null; readonly total_collections: number }
}

export interface Stats {
  readonly collection_stats: {
    readonly websocket_messages: number
    readonly errors: number
    readonly active_sources: number
    readonly websocket_connections: number
  }
  readonly service_stats: { readonly total_collections: number }
  readonly data_summary: { readonly orderbooks_count: number }
  readonly performance_metrics: { readonly collections_per_minute: number; readonly memory_usage_mb: number }
}

export interface Exchange {
  readonly enabled: boolean
  readonly websocket_connected: boolean
  readonly rest_api_available: boolean | null
  readonly last_update: string | null
  readonly status: string
  readonly reason: string | null
}
export interface Exchanges {
  readonly exchanges: Readonly<Record<string, Exchange>>
  readonly summary: { readonly total_exchanges: number; readonly active_exchanges: number }
}

export interface FeedName {
  readonly venue: string
  readonly channel: Channel
  readonly symbol: string
}
export interface Feed extends FeedName {
  readonly exchange: string
  readonly proof: string
  readonly state: string
  readonly reason: string
  readonly since: string
  readonly last_message: string | null
  readonly events: number
  readonly resyncs: number
  readonly behind_ms: number
  readonly open_gap: Gap | null
}
export interface Feeds {
  readonly summary: { readonly total: number; readonly states: Readonly<Record<string, number>> }
  readonly feeds: readonly Feed[]
}

export interface Latency {
  readonly p50: readonly (number | null)[]
  readonly p99: readonly (number | null)[]
}
export interface VenueActivity {
  readonly venue: string
  readonly messages_per_second: readonly number[]
  readonly events_per_second: readonly number[]
  readonly exchange_latency_ms: Latency
  readonly store_latency_ms: Latency
}
export interface Activity {
  readonly step_seconds: number
  readonly times: readonly string[]
  readonly venues: readonly VenueActivity[]
}

export interface Gap extends FeedName {
  readonly gap_id: string
  readonly cause: string
  readonly state: 'open' | 'closed' | 'healed' | 'final'
  readonly reason: string | null
  readonly start_time: string
  readonly end_time: string | null
  readonly duration_seconds: number
  readonly lost: number | null
  readonly healed: number | null
}
export interface Gaps {
  readonly summary: {
    readonly total: number
    readonly states: Readonly<Record<string, number>>
    readonly incomplete: number
  }
  readonly has_more: boolean
  readonly gaps: readonly Gap[]
}

export interface FeedCompleteness extends FeedName {
  readonly verifiable: boolean
  readonly covered_share: number
  readonly seconds_lost: number
  readonly ids_lost: number | null
  readonly ids_healed: number | null
  readonly gaps: number
  readonly open_gaps: number
}
export interface CompletenessSum {
  readonly feeds: number
  readonly incomplete: number
  readonly covered_share: number | null
}
export interface Completeness {
  readonly query_parameters: { readonly since: string; readonly until: string }
  readonly summary: { readonly verifiable: CompletenessSum; readonly unverifiable: CompletenessSum }
  readonly feeds: readonly FeedCompleteness[]
}

export interface Spool {
  readonly state: string
  readonly reason: string
  readonly disk_bytes: number
  readonly quota_bytes: number
  readonly records: number
  readonly records_evicted: number
}
export interface Sink {
  readonly name: string
  readonly state: string
  readonly reason: string
  readonly lag_records: number
  /** `null`: it has stored nothing yet. */
  readonly lag_seconds: number | null
  readonly records: number
  readonly bytes: number
  readonly failures: number
  readonly records_rejected: number
}
export interface Sinks {
  readonly spool: Spool | null
  readonly sinks: readonly Sink[]
}

export interface Warning {
  readonly time: string
  readonly level: 'WARNING' | 'ERROR'
  readonly event: string
  readonly message: string
  readonly venue: string | null
  readonly channel: string | null
  readonly symbol: string | null
  readonly sink: string | null
  readonly cause: string | null
  readonly outcome: string | null
  readonly reason: string | null
  readonly repeats: number | null
}
export interface Warnings {
  readonly summary: { readonly warnings: number; readonly errors: number }
  readonly warnings: readonly Warning[]
}

export interface Health {
  readonly status: 'healthy' | 'degraded' | 'unhealthy'
  readonly checks: Readonly<Record<string, { readonly status: 'pass' | 'warn' | 'fail'; readonly result: string }>>
}

export interface Tickers {
  readonly recent_data: {
    readonly tickers?: Readonly<Record<string, { readonly price: string | null }>>
  }
}

export interface Book {
  readonly state: string
  readonly reason: string
  readonly sequence: number | null
  readonly bids: readonly Level[]
  readonly asks: readonly Level[]
  readonly bids_known_to: string | null
  readonly asks_known_to: string | null
}

export interface Trades {
  readonly trades: readonly {
    readonly price: string
    readonly quantity: string
    readonly side: 'buy' | 'sell'
    readonly trade_id: string | null
    readonly timestamp: string | null
    readonly exchange_time: string | null
  }[]
}

/** An event of the stream; only what the page reads. */
export interface StreamEvent {
  readonly type: string
  readonly venue: string
  readonly symbol: string
  readonly [field: string]: unknown
}

export interface InstrumentName {
  readonly venue: string
  readonly symbol: string
}
export const keyOf = ({ venue, symbol }: InstrumentName): string => `${venue}:${symbol}`
