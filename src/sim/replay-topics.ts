import { parseStream } from './binance-streams.ts'

/** What a recorded frame, or a subscription, is about. */
export interface ReplayTopic {
  /** `trade`, `ticker`, `quote`, `book`: variants of one kind replace each other. Else the venue's own word. */
  readonly kind: string
  readonly symbol: string
  /** The venue's exact name: `btcusdt@depth@100ms`, `books:BTC-USDT`, `book.BTC-PERPETUAL.raw`. */
  readonly name: string
}

type Message = Readonly<Record<string, unknown>>

const BINANCE_KINDS: Readonly<Record<string, string>> = {
  trade: 'trade',
  aggTrade: 'trade',
  ticker: 'ticker',
  bookTicker: 'quote',
  depth: 'book',
}

export function binanceTopic(name: string): ReplayTopic | undefined {
  const parsed = parseStream(name)
  return parsed && { kind: BINANCE_KINDS[parsed.kind] ?? parsed.kind, symbol: parsed.symbol, name }
}

/** Streams of payloads that were recorded without the combined wrapper. */
const BINANCE_EVENTS: Readonly<Record<string, string>> = {
  depthUpdate: 'depth',
  trade: 'trade',
  aggTrade: 'aggTrade',
  bookTicker: 'bookTicker',
  '24hrTicker': 'ticker',
  '24hrMiniTicker': 'miniTicker',
}

function binanceFrame({ stream, e, s, B }: Message): ReplayTopic | undefined {
  if (typeof stream === 'string') return binanceTopic(stream)
  // Spot quotes have no event type.
  const kind = typeof e === 'string' ? BINANCE_EVENTS[e] : B === undefined ? undefined : 'bookTicker'
  return kind === undefined || typeof s !== 'string' ? undefined : binanceTopic(`${s.toLowerCase()}@${kind}`)
}

const OKX_KINDS: Readonly<Record<string, string>> = {
  trades: 'trade',
  'trades-all': 'trade',
  tickers: 'ticker',
  'bbo-tbt': 'quote',
  books: 'book',
  'books-l2-tbt': 'book',
  'books50-l2-tbt': 'book',
}

export function okxTopic(arg: unknown): ReplayTopic | undefined {
  if (typeof arg !== 'object' || arg === null) return undefined
  const { channel, instId } = arg as Message
  if (typeof channel !== 'string' || typeof instId !== 'string') return undefined
  return { kind: OKX_KINDS[channel] ?? channel, symbol: instId, name: `${channel}:${instId}` }
}

const okxFrame = ({ event, arg }: Message): ReplayTopic | undefined => (event === undefined ? okxTopic(arg) : undefined)

const DERIBIT_KINDS: Readonly<Record<string, string>> = {
  'trades 3': 'trade',
  'ticker 3': 'ticker',
  'quote 2': 'quote',
  'book 3': 'book',
}

/** `book.X.raw` is the incremental book, `book.X.none.10.100ms` another thing: the number of parts tells. */
export function deribitTopic(name: string): ReplayTopic | undefined {
  const parts = name.split('.')
  const [channel = '', symbol] = parts
  return symbol === undefined
    ? undefined
    : { kind: DERIBIT_KINDS[`${channel} ${parts.length}`] ?? channel, symbol, name }
}

function deribitFrame({ method, params }: Message): ReplayTopic | undefined {
  if (method !== 'subscription' || typeof params !== 'object' || params === null) return undefined
  const { channel } = params as Message
  return typeof channel === 'string' ? deribitTopic(channel) : undefined
}

/** Each venue's way to say what a frame is about; `undefined` for acks, errors, heartbeats. */
export const FRAME_TOPICS: Readonly<Record<string, (message: Message) => ReplayTopic | undefined>> = {
  binance: binanceFrame,
  'binance-usdm': binanceFrame,
  okx: okxFrame,
  deribit: deribitFrame,
}
