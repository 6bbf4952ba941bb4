/** Binance spot. Source: https://developers.binance.com/docs/binance-spot-api-docs, copy of 2026-07-21. */

import { commonOrders, createBinanceExchange } from './binance-exchange.ts'
import { BinanceFeed, type FeedSpeeds } from './binance-feed.ts'
import { type BinancePayloads, isBuyerMaker, render } from './binance-payloads.ts'
import { answerRest } from './binance-rest.ts'
import type { BinanceSession, SessionRules } from './binance-session.ts'
import { spotEndpoints } from './binance-spot-rest.ts'
import { createStreams } from './binance-streams.ts'
import { createWeights } from './binance-weights.ts'
import type { SimContext, SimExchange, SimInstrument, SimVenue } from './exchange.ts'
import { textUnits } from './units.ts'

const DECIMALS = 8
const WEIGHT_LIMIT = 6000
const SHUTDOWN_MS = 10_000
/** Rules of a connection. */
export const SPOT_RULES: SessionRules = { idRule: 'spot', pingMs: 20_000, pongMs: 60_000, incomingPerSecondMax: 5 }
const SPEEDS: FeedSpeeds = { depthMs: { '': 1000, '100ms': 100 }, tickerMs: 1000 }

/** The wire shows eight decimals; tick and lot are the coarser steps of the filters. */
function spot(base: string, price: number, tick: string, lot: string, stepsPerSecond: number): SimInstrument {
  return {
    symbol: `${base}USDT`,
    market: 'spot',
    base,
    quote: 'USDT',
    priceDecimals: DECIMALS,
    quantityDecimals: DECIMALS,
    tickUnits: Number(textUnits(tick, DECIMALS)),
    lotUnits: Number(textUnits(lot, DECIMALS)),
    startPriceUnits: Math.round(price * 10 ** DECIMALS),
    stepsPerSecond,
  }
}

const INSTRUMENTS: readonly SimInstrument[] = [
  spot('BTC', 95_000, '0.01', '0.00001', 15),
  spot('ETH', 3_400, '0.01', '0.0001', 12),
  spot('BNB', 890, '0.01', '0.001', 6),
  spot('ADA', 0.72, '0.0001', '0.1', 4),
  spot('XRP', 2.3, '0.0001', '0.1', 6),
  spot('SOL', 180, '0.01', '0.001', 8),
  spot('DOT', 4.1, '0.001', '0.01', 0.5),
  spot('DOGE', 0.21, '0.00001', '1', 5),
  spot('AVAX', 21, '0.01', '0.01', 2),
  spot('POL', 0.22, '0.0001', '0.1', 0.1),
]

export const binanceSim: SimVenue = {
  id: 'binance',
  title: 'Binance',
  instruments: INSTRUMENTS,
  options: { rest_url: '', websocket_url: '/stream' },
  create: createSpot,
}

function createSpot(context: SimContext): SimExchange {
  const { clock, timeScale, violation } = context
  const streams = createStreams()
  const feed = new BinanceFeed(context, streams, PAYLOADS, SPEEDS, {
    first: (lastUpdateId) => lastUpdateId,
    next: ({ firstUpdateId, lastUpdateId }) => ({ firstId: firstUpdateId, lastId: lastUpdateId }),
  })
  const texts = {
    limited: (limit: number) =>
      `Too much request weight used; current limit is ${limit} request weight per 1 MINUTE. Please use WebSocket Streams for live updates to avoid polling the API.`,
    banned: (untilMs: number) =>
      `Way too much request weight used; IP banned until ${untilMs}. Please use WebSocket Streams for live updates to avoid bans.`,
  }
  const weights = createWeights(WEIGHT_LIMIT, { clock, windowMs: 60_000, timeScale, violation, texts })
  const endpoints = spotEndpoints(context, feed, weights)
  return createBinanceExchange({
    context,
    streams,
    rules: SPOT_RULES,
    rest: (request) => answerRest(endpoints, weights, request),
    opened: (name) => feed.open(name),
    stop: () => feed.stop(),
    carries: (prefix) => (prefix === '' ? true : undefined),
    orders: {
      ...commonOrders(feed, weights),
      'shutdown-notice': (query, sessions) => shutdown(context, query, sessions),
    },
  })
}

/** The venue announces that it will close all connections, and does so. */
function shutdown(context: SimContext, query: URLSearchParams, sessions: ReadonlySet<BinanceSession>): string {
  const { clock, timeScale } = context
  const notice = JSON.stringify({ e: 'serverShutdown', E: Math.floor(clock.nowUs() / 1000) })
  const leaving = [...sessions]
  for (const session of leaving) session.notify('!serverShutdown', notice)
  clock.after(Number(query.get('delay_ms') ?? SHUTDOWN_MS / timeScale), () => {
    for (const session of leaving) session.end(1001, 'server shutdown')
  })
  return `${leaving.length} connections are told`
}

const PAYLOADS: BinancePayloads = {
  trade: (s, trade, now) =>
    render((time) => ({
      e: 'trade',
      E: time(now),
      s,
      t: trade.id,
      p: trade.price,
      q: trade.quantity,
      T: time(trade.timeMs),
      m: isBuyerMaker(trade),
      M: true,
    })),
  aggTrade: (s, { id, price, quantity, firstTradeId, lastTradeId, timeMs, isBuyerMaker: m }, now) =>
    render((time) => ({
      e: 'aggTrade',
      E: time(now),
      s,
      a: id,
      p: price,
      q: quantity,
      f: firstTradeId,
      l: lastTradeId,
      T: time(timeMs),
      m,
      M: true,
    })),
  bookTicker: (s, { bid: [b, B], ask: [a, A], id }) => render(() => ({ u: id, s, b, B, a, A })),
  depth: (s, { firstId, lastId, bids, asks }, now) =>
    render((time) => ({ e: 'depthUpdate', E: time(now), s, U: firstId, u: lastId, b: bids, a: asks })),
  partialDepth: (_symbol, { lastId, bids, asks }) => render(() => ({ lastUpdateId: lastId, bids, asks })),
  ticker: (s, day, now) =>
    render((time) => ({
      e: '24hrTicker',
      E: time(now),
      s,
      p: day.priceChange,
      P: day.priceChangePercent,
      w: day.weightedAvgPrice,
      x: day.openPrice,
      c: day.lastPrice,
      Q: day.lastQty,
      b: day.best.bid[0],
      B: day.best.bid[1],
      a: day.best.ask[0],
      A: day.best.ask[1],
      o: day.openPrice,
      h: day.highPrice,
      l: day.lowPrice,
      v: day.volume,
      q: day.quoteVolume,
      O: time(now - 86_400_000),
      C: time(now),
      F: day.firstId,
      L: day.lastId,
      n: day.count,
    })),
  miniTicker: (s, { lastPrice: c, openPrice: o, highPrice: h, lowPrice: l, volume: v, quoteVolume: q }, now) =>
    render((time) => ({ e: '24hrMiniTicker', E: time(now), s, c, o, h, l, v, q })),
}
