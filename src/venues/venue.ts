/** The contract of one exchange API, as data and pure functions. It describes I/O and never performs it. */

import type { BookRules } from '../book/rules.ts'
import type { BookSnapshot, Channel, EpochUs, Instrument, Market, MarketEvent, Proof, Trade } from '../model/event.ts'
import type { Shape } from './shape.ts'

/** What the venue's metadata says of a symbol; empty until the metadata is there. */
export type Instruments = ReadonlyMap<string, Instrument>

/** One stream of one symbol, in the venue's own words. */
export interface Topic {
  readonly channel: Channel
  readonly symbol: string
  /** Name of the WebSocket endpoint that carries it. */
  readonly endpoint: string
  /** The venue's stream name: `btcusdt@trade`, `trades:BTC-USDT`, `trades.BTC-PERPETUAL.100ms`. */
  readonly name: string
  /** What can be verified on this stream. */
  readonly proof: Proof
  /** As {@link ChannelSpec.numbers}. */
  readonly numbers?: string | undefined
}

/** Running numbers of trades, both ends included; an aggregate covers several. */
export interface Span {
  readonly first: number
  readonly last: number
}

/** One page of past trades. `span`: the numbers that it was asked for; what the answer lacks of them, the venue does not have. */
export interface TradePage {
  readonly span: Span
  /** Oldest first, each within `span`, `source: 'backfill'`. */
  readonly request: RestRequest<readonly Trade[]>
}

/** A frame to send, and what it asks for. */
export interface OutgoingFrame {
  readonly text: string
  /** Echoed by the venue in its ack or error. */
  readonly requestId: string
  readonly topics: readonly Topic[]
}

/** What one frame from the venue means. The connection acts on it. */
export type Decoded =
  /** Market data. `checksum`: the venue's CRC32 of the book after the (only) book event in `events`. */
  | { readonly kind: 'events'; readonly events: readonly MarketEvent[]; readonly checksum?: number | undefined }
  /** The venue confirms request `requestId`; `topics`: the topic names it lists, where it lists them. */
  | { readonly kind: 'ack'; readonly requestId: string | undefined; readonly topics?: readonly string[] | undefined }
  /** The venue refuses a request. `isPermanent`: asking again will not help. */
  | {
      readonly kind: 'rejected'
      readonly requestId: string | undefined
      readonly reason: string
      readonly isPermanent: boolean
    }
  /** Heartbeat, pong. */
  | { readonly kind: 'alive' }
  /** Send `text` now, or the venue hangs up. */
  | { readonly kind: 'reply'; readonly text: string }
  /** The venue will close this connection soon, or is in maintenance. */
  | { readonly kind: 'closing'; readonly reason: string }
  /** Well formed, but not something this program collects. `what` is a short word for the counter. */
  | { readonly kind: 'unknown'; readonly what: string }
  /** Not what the venue's documentation promises. Nothing of the frame is used. `symbol`: whose data it was, if that can be told. */
  | {
      readonly kind: 'malformed'
      readonly reason: string
      readonly channel?: Channel | undefined
      readonly symbol?: string | undefined
    }

/** One GET. `parse` is pure and throws {@link MalformedError} on anything the documentation does not promise. */
export interface RestRequest<Result> {
  /** Path and query below the REST base URL: `/api/v3/depth?symbol=BTCUSDT&limit=1000`. */
  readonly path: string
  /** The limit that it draws on: a key of {@link RestLimits.budgets}. */
  readonly budget: string
  readonly weight: number
  parse(body: unknown, receiveTimeUs: EpochUs | undefined, instruments: Instruments): Result
}

export type RecordedRequest =
  | { readonly kind: 'instruments'; readonly request: RestRequest<readonly Instrument[]> }
  | { readonly kind: 'snapshot'; readonly request: RestRequest<BookSnapshot> }

/** `limit` weight in any `windowMs`. */
export interface RestBudget {
  readonly limit: number
  readonly windowMs: number
}

/** Levels a side that a snapshot can be asked for with, and what that weighs. */
export interface SnapshotSize {
  readonly levels: number
  readonly weight: number
}

/** Smallest first; the last is the one that a book is meant to have. */
export type SnapshotSizes = readonly [SnapshotSize, ...SnapshotSize[]]

/** What a REST answer that is no data means. */
export type RestFault =
  | { readonly kind: 'rate_limited'; readonly retryAfterMs: number; readonly reason: string }
  /** No request at all until it ends. */
  | { readonly kind: 'banned'; readonly retryAfterMs: number; readonly reason: string }
  | { readonly kind: 'unknown_symbol'; readonly reason: string }
  | { readonly kind: 'failed'; readonly reason: string }

export interface RestLimits {
  readonly budgets: Readonly<Record<string, RestBudget>>
  /** Weight of `budget` that the venue says is used in the current window, from the answer's headers. */
  used?(headers: Readonly<Record<string, string>>): { readonly budget: string; readonly weight: number } | undefined
}

export interface SocketLimits {
  readonly topicsPerConnectionMax: number
  /** Connections that may be planned from one address, where the venue limits them; each can be replaced while it is open. */
  readonly connectionsMax?: number
  /** Frames we send, pings and pongs included. */
  readonly sendsPerSecondMax: number
  /** Subscribe and unsubscribe requests on one connection. */
  readonly subscribesPerHourMax?: number
  /** Topics in one subscribe request. */
  readonly topicsPerRequestMax: number
  /** Bytes of one frame that we send. */
  readonly sendBytesMax: number
  /** The venue ends a connection after so long; it is replaced before. Absent: no such limit is documented. */
  readonly lifetimeMs?: number
  /** New connections to the venue. */
  readonly connects: { readonly count: number; readonly windowMs: number }
}

export interface ChannelSpec {
  /** The endpoint of each of the venue's channels that can feed this one; the first name is the default. */
  readonly endpoints: Readonly<Record<string, string>>
  /** What can be verified on each of these channels. */
  readonly proofs: Readonly<Record<string, Proof>>
  /** What running numbers count where the channels differ: those of one tell nothing about those of another. */
  readonly numbers?: Readonly<Record<string, string>>
  /** Longest normal silence of a busy and of a very quiet symbol; the supervisor learns where in between. */
  readonly silenceMs: { readonly min: number; readonly max: number }
  /** How often the venue sends while its market moves, where it documents that. */
  readonly intervalMs?: number
}

export interface Endpoint {
  /** Key in `exchanges.yaml`. */
  readonly option: string
  /** Tried in turn when connecting fails. */
  readonly urls: readonly string[]
}

export interface Venue {
  readonly id: string
  /** The company: `binance` for `binance-usdm`. */
  readonly exchange: string
  readonly title: string
  readonly restUrls: readonly string[]
  readonly endpoints: Readonly<Record<string, Endpoint>>
  /** What it has; what it has not is left out. */
  readonly channels: Readonly<Partial<Record<Channel, ChannelSpec>>>
  /** What is documented of the messages of each of the venue's channels, by its name; `marketprism doctor` compares. */
  readonly shapes?: Readonly<Record<string, Shape>>
  /** Collected unless the configuration says otherwise. */
  readonly defaultSymbols: readonly string[]
  readonly socketLimits: SocketLimits
  readonly restLimits: RestLimits
  /** Our own proof of life: a WebSocket ping, or a text frame. Sent every 5 s. */
  readonly keepalive: 'ping' | { readonly text: string }
  readonly book: BookRules
  /** The market of a symbol by its form, for when there is no metadata. */
  marketOf(symbol: string): Market
  /** The running numbers that a trade covers; `undefined` where the venue sent none (old recordings). */
  tradeSpan(trade: Trade): Span | undefined
  /** The topic of `symbol` on the venue's channel `channelName` (a key of `channels[channel].endpoints`). */
  topic(channel: Channel, channelName: string, symbol: string): Topic
  /** Frames to send right after connecting, before any subscription. */
  greet(): readonly OutgoingFrame[]
  /** At most `topicsPerRequestMax` topics in each frame. `nextId` yields ids unique on the connection. */
  subscribe(topics: readonly Topic[], nextId: () => string): readonly OutgoingFrame[]
  unsubscribe(topics: readonly Topic[], nextId: () => string): readonly OutgoingFrame[]
  /** Pure, and total: whatever the bytes, it returns. `receiveTimeUs` is absent in captures without times. */
  decode(frame: Uint8Array, receiveTimeUs: EpochUs | undefined, instruments: Instruments): Decoded
  readonly rest: {
    /** All instruments, or those needed for `symbols`. */
    instruments(symbols: readonly string[]): readonly RestRequest<readonly Instrument[]>[]
    readonly snapshotSizes: SnapshotSizes
    /** `size`: one of {@link snapshotSizes}; the last of them unless said otherwise. */
    snapshot(symbol: string, size?: SnapshotSize): RestRequest<BookSnapshot>
    /** The trades of the topic in `span`, or in the first part of it that fits one page. */
    trades(topic: Topic, span: Span): TradePage
    /** Running number of the newest trade of the topic; `undefined`: the venue has none. */
    newestTrade(topic: Topic): RestRequest<number | undefined>
    /** The channel whose trades polling brings: single fills, never joined ones. */
    readonly polledTrades: string
    /** Requests that poll `channel` for `symbols` when WebSocket is off. */
    poll(channel: Channel, symbols: readonly string[]): readonly RestRequest<readonly MarketEvent[]>[]
    /** The request that a recorded URL was, so that its answer can be read again; `undefined` for other URLs. Without it, recordings of answers cannot be used. */
    recorded?(url: URL): RecordedRequest | undefined
    /** What an answer that is no data means; `undefined` for a good answer. `body` is `undefined` when it is no JSON. */
    fault(
      status: number,
      headers: Readonly<Record<string, string>>,
      body: unknown,
      nowUs: EpochUs,
    ): RestFault | undefined
  }
}

/** The venue's channels that can feed one of ours, the default first; none: the venue has nothing of the kind. */
export const channelNames = ({ channels }: Pick<Venue, 'channels'>, channel: Channel): readonly string[] =>
  Object.keys(channels[channel]?.endpoints ?? {})

/** A stream with its endpoint and proof from the venue's table. `name`: as {@link Topic.name}. */
export function topicOf(
  { channels }: Pick<Venue, 'channels'>,
  channel: Channel,
  channelName: string,
  symbol: string,
  name: string,
): Topic {
  const { endpoints = {}, proofs = {}, numbers = {} } = channels[channel] ?? {}
  const [endpoint = '', proof = 'none'] = [endpoints[channelName], proofs[channelName]]
  return { channel, symbol, endpoint, name, proof, numbers: numbers[channelName] }
}

/** What a book is meant to have. */
export const deepestOf = (sizes: SnapshotSizes): SnapshotSize => sizes.at(-1) ?? sizes[0]

/** A request for one thing as a request for a list of it: what polling wants. */
export const asList = <Result>(request: RestRequest<Result>): RestRequest<readonly Result[]> => ({
  ...request,
  parse: (body, receiveTimeUs, instruments) => [request.parse(body, receiveTimeUs, instruments)],
})

/** A frame or an answer that is not what the documentation promises. Caught where the decoding starts. */
export class MalformedError extends Error {
  override readonly name = 'MalformedError'
}
