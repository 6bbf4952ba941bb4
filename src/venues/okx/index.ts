/** OKX API v5, public market data: spot, swaps, futures and options by symbol. */

import { chained } from '../../book/sequence.ts'
import { requestFrames } from '../batches.ts'
import { DEFAULT_BASES } from '../names.ts'
import { type OutgoingFrame, type Topic, topicOf, type Venue } from '../venue.ts'
import { okxChecksum } from './checksum.ts'
import { decodeOkx, okxMarketOf } from './decode.ts'
import { okxRest } from './rest.ts'
import { OKX_SHAPES } from './shapes.ts'
import { okxTradeSpan } from './trades.ts'

/** Requests in 2 s of each REST path. */
const perTwoSeconds = (limit: number) => ({ limit, windowMs: 2_000 })

/**
 * Limits: 480 subscribe and unsubscribe requests an hour on one connection, 3 connects a second, 30 book channels a
 * connection recommended. Port 8443 was given up on 31 October 2026 and is only the last resort.
 *
 * Source: https://www.okx.com/docs-v5/en/#overview-websocket
 */
export const okx: Venue = {
  id: 'okx',
  exchange: 'okx',
  title: 'OKX',
  restUrls: ['https://openapi.okx.com', 'https://www.okx.com'],
  endpoints: {
    public: {
      option: 'websocket_url',
      urls: ['wss://ws.okx.com/ws/v5/public', 'wss://ws.okx.com:8443/ws/v5/public'],
    },
    business: {
      option: 'websocket_business_url',
      urls: ['wss://ws.okx.com/ws/v5/business', 'wss://ws.okx.com:8443/ws/v5/business'],
    },
  },
  channels: {
    trade: {
      endpoints: { trades: 'public', 'trades-all': 'business' },
      proofs: { trades: 'counter', 'trades-all': 'counter' },
      silenceMs: { min: 30_000, max: 1_800_000 },
    },
    // Only when something changed.
    ticker: {
      endpoints: { tickers: 'public' },
      proofs: { tickers: 'none' },
      silenceMs: { min: 15_000, max: 600_000 },
    },
    quote: {
      endpoints: { 'bbo-tbt': 'public' },
      proofs: { 'bbo-tbt': 'none' },
      silenceMs: { min: 15_000, max: 90_000 },
    },
    // An unchanged book is sent again, empty, about every 60 s.
    book: {
      endpoints: { books: 'public', 'books-l2-tbt': 'public', 'books50-l2-tbt': 'public' },
      proofs: { books: 'chained', 'books-l2-tbt': 'chained', 'books50-l2-tbt': 'chained' },
      silenceMs: { min: 15_000, max: 90_000 },
    },
  },
  shapes: OKX_SHAPES,
  defaultSymbols: [...DEFAULT_BASES.map((base) => `${base}-USDT`), 'BTC-USDT-SWAP', 'ETH-USDT-SWAP'],
  socketLimits: {
    topicsPerConnectionMax: 100,
    // No rate is documented; the topics of one connection go out together.
    sendsPerSecondMax: 100,
    subscribesPerHourMax: 480,
    // The error to a bad topic carries only the request's id, so each topic has a request of its own.
    topicsPerRequestMax: 1,
    sendBytesMax: 64_000,
    // A second, and how much closer together they may arrive than they were opened.
    connects: { count: 2, windowMs: 1_250 },
  },
  restLimits: {
    budgets: {
      instruments: perTwoSeconds(20),
      ticker: perTwoSeconds(20),
      books: perTwoSeconds(40),
      trades: perTwoSeconds(100),
      'history-trades': perTwoSeconds(20),
    },
  },
  keepalive: { text: 'ping' },
  book: { rule: chained, snapshotFrom: 'stream', depthMax: 400, checksum: okxChecksum },
  marketOf: okxMarketOf,
  tradeSpan: okxTradeSpan,
  topic: (channel, channelName, symbol) => topicOf(okx, channel, channelName, symbol, `${channelName}:${symbol}`),
  greet: () => [],
  subscribe: (topics, nextId) => request('subscribe', topics, nextId),
  unsubscribe: (topics, nextId) => request('unsubscribe', topics, nextId),
  decode: decodeOkx,
  rest: okxRest,
}

const request = (op: 'subscribe' | 'unsubscribe', topics: readonly Topic[], nextId: () => string): OutgoingFrame[] =>
  requestFrames(topics, okx.socketLimits, nextId, (id, names) => ({ id, op, args: names.map(argOf) }))

/** A topic by its name, as requests want it. */
function argOf(name: string) {
  const separator = name.indexOf(':')
  return { channel: name.slice(0, separator), instId: name.slice(separator + 1) }
}
