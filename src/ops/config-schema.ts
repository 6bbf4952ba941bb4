/** The shape, defaults and limits of all configuration. Keys are those of the files, so nothing is mapped. */

import { z } from 'zod'
import { CHANNELS, type Channel } from '../model/event.ts'
import { channelNames, type Endpoint, type Venue } from '../venues/venue.ts'
import {
  choice,
  group,
  name,
  optionalName,
  optionalSecret,
  toggle,
  type UrlRule,
  urls,
  type WordRule,
  whole,
  words,
} from './config-options.ts'
import { sinkOptions } from './config-sinks.ts'

/** `simulation` is for data of the simulators; the demo sets it. */
export const ENVIRONMENTS = ['production', 'staging', 'development', 'simulation'] as const
export const LOG_LEVELS = ['DEBUG', 'INFO', 'WARNING', 'ERROR'] as const
export const SPOOL_MODES = ['auto', 'on', 'off'] as const
export const SYNC_POLICIES = ['always', 'interval', 'off'] as const
export const FULL_POLICIES = ['evict', 'refuse'] as const
export const LOG_FORMATS = ['auto', 'json', 'pretty'] as const

/** Symbols of one venue. */
export const SYMBOLS_MAX = 5000

const HOSTS: WordRule = { noun: 'hosts (10.0.0.5, [fd00::5])', pattern: /^[^\s/]+$/ }
const SYMBOLS: WordRule = { noun: 'symbols', pattern: /^\S+$/ }
const ORIGINS: WordRule = { noun: 'origins (https://example.org)', pattern: /^https?:\/\/[^\s/]+$/ }

const service = z.strictObject({
  environment: choice(ENVIRONMENTS, 'production', 'Named in the API, the log and the metrics.'),
  data_dir: name('./data', 'Folder for what must survive a restart; made when missing.'),
  api: group({
    host: name('127.0.0.1', 'Address that the HTTP API listens on; 0.0.0.0 opens it to the network.'),
    port: whole(0, 65_535, 8084, 'Port of the HTTP API; 0 takes any free one.'),
    connections_max: whole(
      1,
      65_535,
      512,
      'Open connections; beyond them unused ones make room, or new ones are refused.',
    ),
    requests_per_second: whole(
      1,
      1_000_000,
      300,
      'Requests of one client a second; further ones are answered with 429.',
    ),
    token: optionalSecret('When set, clients must send it as `Authorization: Bearer …`.'),
    cors_origins: words(ORIGINS, 0, 64, [], 'Web origins whose pages may read the API; none by default.'),
  }),
  log: group({
    level: choice(LOG_LEVELS, 'INFO', 'The least important level that is written.'),
    format: choice(LOG_FORMATS, 'auto', 'auto: pretty on a terminal, JSON lines elsewhere.'),
    file: optionalName('File that receives the JSON lines too.'),
    file_bytes_max: whole(1024, 1_073_741_824, 10_485_760, 'Size at which the log file is rotated, in bytes.'),
    file_count_max: whole(1, 100, 5, 'Log files that are kept, the current one included.'),
  }),
  memory: group({
    records_max: whole(1, 1_000_000, 1000, 'Records of each category held in memory; the newest are kept.'),
  }),
  spool: group({
    mode: choice(SPOOL_MODES, 'auto', 'The durable log. auto: on when there is a sink that reads it.'),
    dir: optionalName('Folder of the log, for one process; `spool` in `data_dir` unless said.'),
    sync: choice(
      SYNC_POLICIES,
      'interval',
      'When records are brought to disk for certain: always before a sink gets them, at intervals, or off: by the system.',
    ),
    sync_interval_ms: whole(1, 60_000, 50, 'What a power failure can take with `sync: interval`, in milliseconds.'),
    group_ms: whole(0, 1000, 1, 'Records that come so soon after a write are written together.'),
    group_bytes: whole(4096, 16_777_216, 262_144, 'Records of so many bytes are written without waiting.'),
    segment_bytes: whole(
      1_048_576,
      1_073_741_824,
      67_108_864,
      'Size of one file of the log, in bytes; at most a quarter of the quota.',
    ),
    quota_bytes: whole(
      16_777_216,
      1_125_899_906_842_624,
      4_294_967_296,
      'Size of all files of the log together, in bytes.',
    ),
    reserve_bytes: whole(
      0,
      1_073_741_824,
      16_777_216,
      'Of the quota: kept free for gap records, in bytes; at most a quarter of it.',
    ),
    memory_bytes: whole(
      1_048_576,
      1_073_741_824,
      33_554_432,
      'The newest part of the log, held in memory; what is not on disk by then is refused.',
    ),
    keep_seconds: whole(0, 31_536_000, 300, 'How long records are kept after every sink has had them, in seconds.'),
    when_full: choice(
      FULL_POLICIES,
      'evict',
      'evict: the oldest records go, also those that a sink lacks; refuse: new data are not taken. Both leave gap records.',
    ),
  }),
  shutdown_timeout_ms: whole(100, 600_000, 10_000, 'Longest time that stopping may take, in milliseconds.'),
  ...sinkOptions,
})

const sources = z.strictObject({
  collect: group({
    trade: toggle(true, 'Collect trades.'),
    ticker: toggle(true, 'Collect 24-hour statistics.'),
    quote: toggle(true, 'Collect best bids and offers.'),
    book: toggle(true, 'Collect order books; needs `enable_orderbook` too.'),
  }),
  enable_websocket: toggle(
    true,
    'Stream over WebSocket; when false, tickers, books and trades are polled over REST, and quotes are not collected.',
  ),
  enable_orderbook: toggle(true, 'Keep order books.'),
  collection_interval_seconds: whole(1, 3600, 30, 'Time between two polls when WebSocket is off, in seconds.'),
})

/** Keys of `exchanges.yaml` that hold URLs. */
export type UrlOption = `${string}_url`

/** One venue's part of `exchanges.yaml`. */
export interface VenueConfig {
  readonly enabled: boolean
  /** The venue's own names. */
  readonly symbols: readonly string[]
  /** The name of the venue's channel that feeds each of ours that it has. */
  readonly channels: Readonly<Partial<Record<Channel, string>>>
  readonly rest_url: readonly string[]
  /** One for each endpoint of the venue; see {@link endpointUrls}. */
  readonly [option: UrlOption]: readonly string[]
}

interface ExchangesConfig {
  readonly allow_insecure_endpoints: boolean
  readonly allow_private_hosts: readonly string[]
  /** By venue id; one entry for each venue of the registry. */
  readonly exchanges: Readonly<Record<string, VenueConfig>>
}

type DeepReadonly<T> = T extends object ? { readonly [K in keyof T]: DeepReadonly<T[K]> } : T
type ServiceConfig = DeepReadonly<z.infer<typeof service>>
type SourcesConfig = DeepReadonly<z.infer<typeof sources>>

/** Everything that can be configured: checked, complete, frozen. */
export type Config = ServiceConfig & SourcesConfig & ExchangesConfig

/** URLs of one endpoint of a venue, to be tried in turn. */
export const endpointUrls = (config: VenueConfig, endpoint: Endpoint): readonly string[] =>
  config[endpoint.option as UrlOption] ?? endpoint.urls

export const CONFIG_FILES = ['service.yaml', 'exchanges.yaml', 'public_data_sources.yaml'] as const
export type ConfigFile = (typeof CONFIG_FILES)[number]

export type ConfigSchemas = Readonly<Record<ConfigFile, z.ZodObject>>

/** What endpoints of venues may be beyond the usual. */
export interface EndpointRules {
  /** Plain `http` and `ws` may leave this machine. */
  readonly allowInsecure: boolean
  /** Private addresses that may be used. */
  readonly privateHosts: readonly string[]
}

const STRICT: EndpointRules = { allowInsecure: false, privateHosts: [] }

/** The schema of each file. */
export const configSchemas = (venues: readonly Venue[], rules: EndpointRules = STRICT): ConfigSchemas => ({
  'service.yaml': service,
  'exchanges.yaml': z.strictObject({
    allow_insecure_endpoints: toggle(false, 'Allow http:// and ws:// to other machines than this one.'),
    allow_private_hosts: words(
      HOSTS,
      0,
      64,
      [],
      'Addresses of private networks that exchanges may be reached at: a proxy.',
    ),
    exchanges: group(Object.fromEntries(venues.map((venue) => [venue.id, venueSchema(venue, rules)]))),
  }),
  'public_data_sources.yaml': sources,
})

function venueSchema(venue: Venue, { allowInsecure, privateHosts }: EndpointRules) {
  const rule = (secure: string, plain: string): UrlRule => ({
    schemes: [secure, plain],
    loopbackOnly: allowInsecure ? [] : [plain],
    privateHosts,
    allowCredentials: false,
  })
  const sockets = Object.entries(venue.endpoints).map(([endpoint, { option, urls: preset }]) => [
    option,
    urls(rule('wss', 'ws'), preset, `WebSocket of ${venue.title}, endpoint ${endpoint}; tried in turn.`),
  ])
  const channels = CHANNELS.flatMap((channel) => {
    const [first, ...rest] = channelNames(venue, channel)
    if (first === undefined) return []
    return [[channel, choice([first, ...rest], first, `Channel of ${venue.title} for ${channel}.`)]]
  })
  return group({
    enabled: toggle(true, `Collect from ${venue.title}.`),
    symbols: words(SYMBOLS, 1, SYMBOLS_MAX, venue.defaultSymbols, 'Symbols to collect, as the venue writes them.'),
    rest_url: urls(rule('https', 'http'), venue.restUrls, `REST API of ${venue.title}; tried in turn.`),
    ...Object.fromEntries(sockets),
    channels: group(Object.fromEntries(channels)),
  })
}
