/** Binance spot and USD-M futures, public market data. */

import { contiguous, previousChained } from '../../book/sequence.ts'
import type { Channel } from '../../model/event.ts'
import { requestFrames } from '../batches.ts'
import { DEFAULT_BASES } from '../names.ts'
import { type OutgoingFrame, type Topic, topicOf, type Venue } from '../venue.ts'
import { APIS, decodeBinance } from './decode.ts'
import { spotRest, usdmRest } from './rest.ts'
import { SPOT_SHAPES, USDM_SHAPES } from './shapes.ts'
import { binanceTradeSpan } from './trades.ts'

const minutes = (count: number): number => count * 60_000

/**
 * The venue asks for symbols in lower case in stream names.
 * Limits: 24 h and 1024 streams a connection, 5 (spot) or 10 (futures) messages a second, 300 connects in 5 minutes of which
 * we use a fifth.
 */
export const binance: Venue = {
  id: 'binance',
  exchange: 'binance',
  title: 'Binance spot',
  restUrls: ['https://api.binance.com', 'https://data-api.binance.vision'],
  endpoints: {
    main: {
      option: 'websocket_url',
      urls: [
        'wss://stream.binance.com:443/stream',
        'wss://stream.binance.com:9443/stream',
        'wss://data-stream.binance.vision/stream',
      ],
    },
  },
  channels: {
    trade: {
      endpoints: { trade: 'main', aggTrade: 'main' },
      proofs: { trade: 'counter', aggTrade: 'counter' },
      numbers: { aggTrade: 'aggregates' },
      silenceMs: { min: 30_000, max: minutes(30) },
    },
    ticker: {
      endpoints: { ticker: 'main' },
      proofs: { ticker: 'cadence' },
      silenceMs: { min: 10_000, max: minutes(5) },
      intervalMs: 1_000,
    },
    quote: {
      endpoints: { bookTicker: 'main' },
      proofs: { bookTicker: 'none' },
      silenceMs: { min: 10_000, max: minutes(10) },
    },
    book: {
      endpoints: { 'depth@100ms': 'main', depth: 'main' },
      proofs: { 'depth@100ms': 'range', depth: 'range' },
      silenceMs: { min: 10_000, max: minutes(5) },
    },
  },
  shapes: SPOT_SHAPES,
  defaultSymbols: DEFAULT_BASES.map((base) => `${base}USDT`),
  socketLimits: {
    topicsPerConnectionMax: 200,
    sendsPerSecondMax: 4,
    topicsPerRequestMax: 100,
    sendBytesMax: 32_000,
    lifetimeMs: minutes(24 * 60),
    connects: { count: 60, windowMs: minutes(5) },
  },
  restLimits: { budgets: { weight: { limit: 6000, windowMs: minutes(1) } }, used: usedWeight },
  keepalive: 'ping',
  book: { rule: contiguous, snapshotFrom: 'rest' },
  marketOf: APIS.binance.marketOf,
  tradeSpan: binanceTradeSpan,
  topic: (channel, name, symbol) => topic(binance, channel, name, symbol),
  greet: () => [],
  subscribe: (topics, nextId) => request('SUBSCRIBE', binance, topics, nextId),
  unsubscribe: (topics, nextId) => request('UNSUBSCRIBE', binance, topics, nextId),
  decode: (frame, receiveTimeUs, instruments) => decodeBinance('binance', frame, receiveTimeUs, instruments),
  rest: spotRest,
}

/**
 * Since April 2026 the streams are split: `/public` carries depth and bookTicker, `/market` the rest. A stream asked
 * for on the wrong path is acked and stays silent. `trade` is undocumented here, hence `aggTrade` by default.
 *
 * Source: https://developers.binance.com/docs/derivatives/usds-margined-futures/websocket-market-streams/Important-WebSocket-Change-Notice
 */
export const binanceUsdm: Venue = {
  ...binance,
  id: 'binance-usdm',
  title: 'Binance USD-M futures',
  restUrls: ['https://fapi.binance.com'],
  endpoints: {
    public: { option: 'websocket_public_url', urls: ['wss://fstream.binance.com/public/stream'] },
    market: { option: 'websocket_market_url', urls: ['wss://fstream.binance.com/market/stream'] },
  },
  channels: {
    trade: {
      endpoints: { aggTrade: 'market', trade: 'public' },
      proofs: { aggTrade: 'counter', trade: 'counter' },
      numbers: { aggTrade: 'aggregates' },
      silenceMs: { min: 30_000, max: minutes(30) },
    },
    ticker: {
      endpoints: { ticker: 'market' },
      proofs: { ticker: 'cadence' },
      silenceMs: { min: 10_000, max: minutes(5) },
      intervalMs: 2_000,
    },
    quote: {
      endpoints: { bookTicker: 'public' },
      proofs: { bookTicker: 'none' },
      silenceMs: { min: 10_000, max: minutes(10) },
    },
    book: {
      endpoints: { 'depth@100ms': 'public', depth: 'public', 'depth@500ms': 'public' },
      proofs: { 'depth@100ms': 'chained', depth: 'chained', 'depth@500ms': 'chained' },
      silenceMs: { min: 10_000, max: minutes(5) },
    },
  },
  shapes: USDM_SHAPES,
  defaultSymbols: ['BTCUSDT', 'ETHUSDT'],
  socketLimits: { ...binance.socketLimits, sendsPerSecondMax: 8 },
  restLimits: { budgets: { weight: { limit: 2400, windowMs: minutes(1) } }, used: usedWeight },
  book: { rule: previousChained, snapshotFrom: 'rest' },
  marketOf: APIS['binance-usdm'].marketOf,
  topic: (channel, name, symbol) => topic(binanceUsdm, channel, name, symbol),
  subscribe: (topics, nextId) => request('SUBSCRIBE', binanceUsdm, topics, nextId),
  unsubscribe: (topics, nextId) => request('UNSUBSCRIBE', binanceUsdm, topics, nextId),
  decode: (frame, receiveTimeUs, instruments) => decodeBinance('binance-usdm', frame, receiveTimeUs, instruments),
  rest: usdmRest,
}

const topic = (venue: Venue, channel: Channel, channelName: string, symbol: string): Topic =>
  topicOf(venue, channel, channelName, symbol, `${symbol.toLowerCase()}@${channelName}`)

function request(
  method: 'SUBSCRIBE' | 'UNSUBSCRIBE',
  venue: Venue,
  topics: readonly Topic[],
  nextId: () => string,
): OutgoingFrame[] {
  return requestFrames(topics, venue.socketLimits, nextId, (id, params) => ({ method, params, id: Number(id) }))
}

/** Weight used in the current minute: `X-MBX-USED-WEIGHT-1M`. */
function usedWeight(headers: Readonly<Record<string, string>>) {
  const weight = Number(headers['x-mbx-used-weight-1m'])
  return Number.isFinite(weight) ? { budget: 'weight', weight } : undefined
}
