/**
 * Binance USD-M futures, with the path split of 2026-03: high-frequency streams below `/public`, the others below
 * `/market`; on the wrong path, or the retired root, everything is acknowledged and nothing comes.
 * Source: https://developers.binance.com/docs/derivatives/usds-margined-futures, copies of 2026.
 */

import type { Random } from '../platform/platform.ts'
import { commonOrders, createBinanceExchange } from './binance-exchange.ts'
import { BinanceFeed, type FeedSpeeds, type Numbering } from './binance-feed.ts'
import { type BinancePayloads, type DepthBatch, isBuyerMaker, render } from './binance-payloads.ts'
import { answerRest } from './binance-rest.ts'
import type { SessionRules } from './binance-session.ts'
import { createStreams, parseStream, type Render } from './binance-streams.ts'
import { usdmEndpoints } from './binance-usdm-rest.ts'
import { createWeights } from './binance-weights.ts'
import type { SimContext, SimExchange, SimInstrument, SimVenue } from './exchange.ts'

const WEIGHT_LIMIT = 2400
/** Rules of a connection. */
export const USDM_RULES: SessionRules = {
  idRule: 'futures',
  pingMs: 180_000,
  pongMs: 600_000,
  incomingPerSecondMax: 10,
}
const SPEEDS: FeedSpeeds = { depthMs: { '': 250, '500ms': 500, '100ms': 100 }, tickerMs: 2000 }
/** Ids are far above those of spot. */
const FIRST_ID = 5_000_000_000_000
/** Ids between two steps of a symbol that belong to other symbols, at most. */
const FOREIGN_IDS_MAX = 400
/** Every payload says whose it is since the merger with COIN-M: 1 is USD-M. */
const ST = 1

/** Prices with two decimals, quantities with three. */
function future(symbol: string, base: string, price: number, tickUnits: number, stepsPerSecond: number): SimInstrument {
  return {
    symbol,
    market: 'perpetual',
    base,
    quote: 'USDT',
    settle: 'USDT',
    priceDecimals: 2,
    quantityDecimals: 3,
    tickUnits,
    startPriceUnits: Math.round(price * 100),
    contractSize: '1',
    stepsPerSecond,
  }
}

const INSTRUMENTS: readonly SimInstrument[] = [
  future('BTCUSDT', 'BTC', 95_020, 10, 30),
  future('ETHUSDT', 'ETH', 3_401, 1, 25),
  {
    ...future('BTCUSDT_261225', 'BTC', 95_400, 10, 0.3),
    market: 'future',
    expiryMs: Date.UTC(2026, 11, 25, 8),
  },
]

export const binanceUsdmSim: SimVenue = {
  id: 'binance-usdm',
  title: 'Binance USD-M',
  instruments: INSTRUMENTS,
  options: { rest_url: '', websocket_public_url: '/public/stream', websocket_market_url: '/market/stream' },
  create: createUsdm,
}

function createUsdm(context: SimContext): SimExchange {
  const { clock, timeScale, violation, random } = context
  const streams = createStreams()
  const numbering = sharedIds(random)
  const feed = new BinanceFeed(context, streams, PAYLOADS, SPEEDS, numbering)
  const texts = {
    limited: (limit: number) =>
      `Too many requests; current limit is ${limit} requests per minute. Please use the websocket for live updates to avoid polling the API.`,
    banned: (untilMs: number) =>
      `Way too many requests; IP banned until ${untilMs}. Please use the websocket for live updates to avoid bans.`,
  }
  const weights = createWeights(WEIGHT_LIMIT, { clock, windowMs: 60_000, timeScale, violation, texts })
  // Undocumented stream; sources disagree where it lives.
  let tradePath = '/public'
  const endpoints = usdmEndpoints(context, feed, weights)
  return createBinanceExchange({
    context,
    streams,
    rules: USDM_RULES,
    rest: (request) => answerRest(endpoints, weights, request),
    opened: (name) => feed.open(name),
    stop: () => feed.stop(),
    carries(prefix, name) {
      if (!USDM_PATHS.includes(prefix)) return undefined
      const kind = parseStream(name)?.kind ?? ''
      return prefix === (kind === 'trade' ? tradePath : usdmPath(kind))
    },
    orders: {
      ...commonOrders(feed, weights),
      'ids-jump': () => `the next id is ${numbering.jump()}`,
      'trade-path': (query) => {
        tradePath = `/${query.get('path') ?? 'public'}`
        return `new subscriptions of trade streams work below ${tradePath}`
      },
    },
  })
}

/** `''`: the roots `/ws` and `/stream`, retired on 2026-04-23, which still shake hands. */
export const USDM_PATHS: readonly string[] = ['', '/public', '/market', '/private']
const PUBLIC_KIND = /^(bookTicker|depth\d*|rpiDepth)$/

/** The path that carries a kind of stream. */
export const usdmPath = (kind: string): string => (PUBLIC_KIND.test(kind) ? '/public' : '/market')

/** All symbols share one sequence, so that only `pu` chains a symbol's events. */
function sharedIds(random: Random): Numbering & { jump(): number } {
  let lastId = FIRST_ID
  const skip = (): number => {
    lastId += 2 + Math.floor(random() * FOREIGN_IDS_MAX)
    return lastId
  }
  return {
    first: skip,
    jump: () => {
      lastId += 2 ** 33
      return lastId
    },
    next({ bids, asks }) {
      const firstId = skip()
      lastId += bids.length + asks.length - 1
      return { firstId, lastId }
    },
  }
}

/** Diff and partial depth have the same envelope; only the stream's name tells them apart. */
const depth = (s: string, { firstId, lastId, previousId, timeMs, bids, asks }: DepthBatch, now: number): Render =>
  render(() => ({
    e: 'depthUpdate',
    E: now,
    T: timeMs,
    s,
    ps: pair(s),
    U: firstId,
    u: lastId,
    pu: previousId,
    b: bids,
    a: asks,
    st: ST,
  }))

/** `BTCUSDT` of `BTCUSDT_261225`. */
const pair = (symbol: string): string => symbol.split('_')[0] ?? symbol

/** Futures know no microseconds: times are as they are. */
const PAYLOADS: BinancePayloads = {
  trade: (s, trade, now) =>
    render(() => ({
      e: 'trade',
      E: now,
      T: trade.timeMs,
      s,
      t: trade.id,
      p: trade.price,
      q: trade.quantity,
      X: 'MARKET',
      m: isBuyerMaker(trade),
    })),
  aggTrade: (s, { id, price, quantity, firstTradeId, lastTradeId, timeMs, isBuyerMaker: m }, now) =>
    render(() => ({
      e: 'aggTrade',
      E: now,
      s,
      a: id,
      p: price,
      q: quantity,
      nq: quantity,
      f: firstTradeId,
      l: lastTradeId,
      T: timeMs,
      m,
      st: ST,
    })),
  bookTicker: (s, { bid: [b, B], ask: [a, A], id, timeMs }, now) =>
    render(() => ({ e: 'bookTicker', u: id, E: now, T: timeMs, s, ps: pair(s), b, B, a, A, st: ST })),
  depth,
  partialDepth: depth,
  ticker: (s, day, now) =>
    render(() => ({
      e: '24hrTicker',
      E: now,
      s,
      ps: pair(s),
      p: day.priceChange,
      P: day.priceChangePercent,
      w: day.weightedAvgPrice,
      c: day.lastPrice,
      Q: day.lastQty,
      o: day.openPrice,
      h: day.highPrice,
      l: day.lowPrice,
      v: day.volume,
      q: day.quoteVolume,
      O: now - 86_400_000,
      C: now,
      F: day.firstId,
      L: day.lastId,
      n: day.count,
      st: ST,
    })),
  miniTicker: (s, { lastPrice: c, openPrice: o, highPrice: h, lowPrice: l, volume: v, quoteVolume: q }, now) =>
    render(() => ({ e: '24hrMiniTicker', E: now, s, ps: pair(s), c, o, h, l, v, q, st: ST })),
}
