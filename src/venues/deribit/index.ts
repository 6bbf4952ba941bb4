/** Deribit API v2, public market data: perpetuals, futures, options, spot. */

import { chained } from '../../book/sequence.ts'
import { requestFrames } from '../batches.ts'
import { type OutgoingFrame, type Topic, topicOf, type Venue } from '../venue.ts'
import { decodeDeribit, deribitMarketOf, HEARTBEAT_REQUEST_ID, PLATFORM_REQUEST_ID } from './decode.ts'
import { deribitRest } from './rest.ts'
import { DERIBIT_SHAPES } from './shapes.ts'
import { deribitTradeSpan } from './trades.ts'

/** The venue asks for 10 s or more. */
const HEARTBEAT_SECONDS = 10

const INTERVAL = /^(book|trades|ticker|quote)(?:\.(raw|100ms|agg2))?$/

/**
 * `raw` needs an authenticated connection, so `100ms` is the default. Limits: 32 connections an address, frames of at
 * most 32 kB, a subscribe costs 3,000 of 30,000 credits refilled at 10,000 a second: many topics in one request.
 *
 * Source: https://docs.deribit.com/articles/rate-limits
 */
export const deribit: Venue = {
  id: 'deribit',
  exchange: 'deribit',
  title: 'Deribit',
  restUrls: ['https://www.deribit.com'],
  endpoints: {
    main: {
      option: 'websocket_url',
      urls: ['wss://www.deribit.com/ws/api/v2', 'wss://streams.deribit.com/ws/api/v2'],
    },
  },
  channels: {
    trade: {
      endpoints: { 'trades.100ms': 'main', 'trades.agg2': 'main', 'trades.raw': 'main' },
      proofs: { 'trades.100ms': 'counter', 'trades.agg2': 'counter', 'trades.raw': 'counter' },
      silenceMs: { min: 60_000, max: 3_600_000 },
    },
    // Only when something changed.
    ticker: {
      endpoints: { 'ticker.100ms': 'main', 'ticker.agg2': 'main', 'ticker.raw': 'main' },
      proofs: { 'ticker.100ms': 'none', 'ticker.agg2': 'none', 'ticker.raw': 'none' },
      silenceMs: { min: 15_000, max: 600_000 },
    },
    quote: {
      endpoints: { quote: 'main' },
      proofs: { quote: 'none' },
      silenceMs: { min: 15_000, max: 1_800_000 },
    },
    book: {
      endpoints: { 'book.100ms': 'main', 'book.agg2': 'main', 'book.raw': 'main' },
      proofs: { 'book.100ms': 'chained', 'book.agg2': 'chained', 'book.raw': 'chained' },
      silenceMs: { min: 15_000, max: 1_800_000 },
    },
  },
  shapes: DERIBIT_SHAPES,
  defaultSymbols: ['BTC-PERPETUAL', 'ETH-PERPETUAL'],
  socketLimits: {
    topicsPerConnectionMax: 400,
    // Of 32 an address, HTTP included: 8 are for REST, and all of these may be replaced at a time.
    connectionsMax: 12,
    sendsPerSecondMax: 3,
    topicsPerRequestMax: 200,
    sendBytesMax: 30_000,
    connects: { count: 10, windowMs: 60_000 },
  },
  restLimits: {
    budgets: {
      credits: { limit: 10_000, windowMs: 1_000 },
      // One request of 10,000 in 10 s, five in a row: the older, stricter text.
      instruments: { limit: 50_000, windowMs: 50_000 },
    },
  },
  keepalive: 'ping',
  book: { rule: chained, snapshotFrom: 'stream' },
  marketOf: deribitMarketOf,
  tradeSpan: deribitTradeSpan,
  topic: (channel, channelName, symbol) => {
    const [, stem = channelName, interval] = INTERVAL.exec(channelName) ?? []
    const name = interval === undefined ? `${stem}.${symbol}` : `${stem}.${symbol}.${interval}`
    return topicOf(deribit, channel, channelName, symbol, name)
  },
  greet: () => [
    {
      requestId: String(HEARTBEAT_REQUEST_ID),
      topics: [],
      text: JSON.stringify(rpc(HEARTBEAT_REQUEST_ID, 'public/set_heartbeat', { interval: HEARTBEAT_SECONDS })),
    },
    // Where the venue announces maintenance.
    {
      requestId: String(PLATFORM_REQUEST_ID),
      topics: [],
      text: JSON.stringify(rpc(PLATFORM_REQUEST_ID, 'public/subscribe', { channels: ['platform_state'] })),
    },
  ],
  subscribe: (topics, nextId) => request('public/subscribe', topics, nextId),
  unsubscribe: (topics, nextId) => request('public/unsubscribe', topics, nextId),
  decode: decodeDeribit,
  rest: deribitRest,
}

const rpc = (id: number, method: string, params: object) => ({ jsonrpc: '2.0', id, method, params })

const request = (method: string, topics: readonly Topic[], nextId: () => string): OutgoingFrame[] =>
  requestFrames(topics, deribit.socketLimits, nextId, (id, channels) => rpc(Number(id), method, { channels }))
