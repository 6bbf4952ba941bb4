import type { BinanceFeed, SymbolFeed } from './binance-feed.ts'
import { dayTicker, isBuyerMaker, quoteWorth } from './binance-payloads.ts'
import {
  aggregateKeys,
  fixed,
  integerOf,
  limitOf,
  page,
  type RestEndpoint,
  symbolOf,
  symbolsOf,
  tickers,
  tradeKeys,
} from './binance-rest.ts'
import type { Weights } from './binance-weights.ts'
import { knownTrades, type SimContext, type SimInstrument, type SimTrade } from './exchange.ts'
import { unitsText } from './units.ts'

const DECIMALS = 8

/** Levels asked for, and what they cost. */
function depthWeight(limit: number): number {
  if (limit <= 100) return 5
  if (limit <= 500) return 25
  return limit <= 1000 ? 50 : 250
}

/** The endpoints of `/api/v3` and their weights. `/api/v1` is gone since 2026-03-25. */
export function spotEndpoints(context: SimContext, feed: BinanceFeed, weights: Weights): Record<string, RestEndpoint> {
  const { clock, market } = context
  const now = () => Math.floor(clock.nowUs() / 1000)
  const find = (symbol: string) => feed.symbol(symbol)
  const trades: RestEndpoint = {
    weight: fixed(25),
    answer: (query) => {
      const { instrument } = symbolOf(query, find)
      const known = knownTrades(market.trades(instrument.symbol), context)
      const rows = page(known, query, limitOf(query, 500, 1000), tradeKeys)
      return rows.map((trade) => tradeRow(trade, instrument))
    },
  }
  return {
    '/api/v3/ping': { weight: fixed(1), answer: () => ({}) },
    '/api/v3/time': { weight: fixed(1), answer: () => ({ serverTime: now() }) },
    '/api/v3/exchangeInfo': {
      weight: fixed(20),
      answer: (query) => exchangeInfo(now(), weights.limit, symbolsOf(query, find) ?? feed.symbols()),
    },
    '/api/v3/depth': {
      weight: (query) => depthWeight(integerOf(query, 'limit') ?? 100),
      answer: (query) => {
        const { book } = symbolOf(query, find)
        const { id, bids, asks } = book.at(now() - context.snapshotLagMs(), limitOf(query, 100, 5000))
        return { lastUpdateId: id, bids, asks }
      },
    },
    '/api/v3/trades': trades,
    '/api/v3/historicalTrades': trades,
    '/api/v3/aggTrades': {
      weight: fixed(4),
      answer: (query) =>
        page(
          knownTrades(symbolOf(query, find).aggregates, context),
          query,
          limitOf(query, 500, 1000),
          aggregateKeys,
        ).map(({ id, price, quantity, firstTradeId, lastTradeId, timeMs, isBuyerMaker: m }) => ({
          a: id,
          p: price,
          q: quantity,
          f: firstTradeId,
          l: lastTradeId,
          T: timeMs,
          m,
          M: true,
        })),
    },
    '/api/v3/ticker/24hr': tickers(feed, tickerWeight, ({ instrument }) => dayRow(context, instrument, now())),
    '/api/v3/ticker/bookTicker': tickers(feed, pairWeight, ({ instrument: { symbol } }) => {
      const { bids, asks } = market.book(symbol, 1)
      return { symbol, bidPrice: bids[0]?.[0], bidQty: bids[0]?.[1], askPrice: asks[0]?.[0], askQty: asks[0]?.[1] }
    }),
    '/api/v3/ticker/price': tickers(feed, pairWeight, ({ instrument: { symbol } }) => ({
      symbol,
      price: market.stats(symbol).last,
    })),
  }
}

const pairWeight = (query: URLSearchParams): number => (query.has('symbol') ? 2 : 4)

/** 1 to 20 symbols 2, to 100 40, more or all 80. */
function tickerWeight(query: URLSearchParams): number {
  if (query.has('symbol')) return 2
  const list = query.get('symbols')
  const count = list === null ? Number.POSITIVE_INFINITY : list.split(',').length
  if (count <= 20) return 2
  return count <= 100 ? 40 : 80
}

function tradeRow(trade: SimTrade, instrument: SimInstrument): Record<string, unknown> {
  return {
    id: trade.id,
    price: trade.price,
    qty: trade.quantity,
    quoteQty: quoteWorth(trade, instrument),
    time: trade.timeMs,
    isBuyerMaker: isBuyerMaker(trade),
    isBestMatch: true,
  }
}

function dayRow({ market }: SimContext, instrument: SimInstrument, now: number): Record<string, unknown> {
  const { best, firstId, lastId, count, ...day } = dayTicker(market, instrument)
  return {
    symbol: instrument.symbol,
    ...day,
    prevClosePrice: day.openPrice,
    bidPrice: best.bid[0],
    bidQty: best.bid[1],
    askPrice: best.ask[0],
    askQty: best.ask[1],
    openTime: now - 86_400_000,
    closeTime: now,
    firstId,
    lastId,
    count,
  }
}

function exchangeInfo(now: number, weightLimit: number, symbols: readonly SymbolFeed[]): Record<string, unknown> {
  return {
    timezone: 'UTC',
    serverTime: now,
    rateLimits: [
      { rateLimitType: 'REQUEST_WEIGHT', interval: 'MINUTE', intervalNum: 1, limit: weightLimit },
      { rateLimitType: 'ORDERS', interval: 'SECOND', intervalNum: 10, limit: 100 },
      { rateLimitType: 'ORDERS', interval: 'DAY', intervalNum: 1, limit: 200_000 },
      { rateLimitType: 'RAW_REQUESTS', interval: 'MINUTE', intervalNum: 5, limit: 300_000 },
    ],
    exchangeFilters: [],
    symbols: symbols.map(({ instrument, status }) => symbolRow(instrument, status)),
  }
}

function symbolRow(instrument: SimInstrument, status: string): Record<string, unknown> {
  const step = (units: number) => unitsText(units, DECIMALS)
  const tickSize = step(instrument.tickUnits)
  const stepSize = step(instrument.lotUnits ?? 1)
  return {
    symbol: instrument.symbol,
    status,
    baseAsset: instrument.base,
    baseAssetPrecision: DECIMALS,
    quoteAsset: instrument.quote,
    quotePrecision: DECIMALS,
    quoteAssetPrecision: DECIMALS,
    orderTypes: ['LIMIT', 'LIMIT_MAKER', 'MARKET', 'STOP_LOSS', 'STOP_LOSS_LIMIT', 'TAKE_PROFIT', 'TAKE_PROFIT_LIMIT'],
    icebergAllowed: true,
    ocoAllowed: true,
    isSpotTradingAllowed: true,
    isMarginTradingAllowed: true,
    filters: [
      { filterType: 'PRICE_FILTER', minPrice: tickSize, maxPrice: '1000000.00000000', tickSize },
      { filterType: 'LOT_SIZE', minQty: stepSize, maxQty: '9000000.00000000', stepSize },
      { filterType: 'ICEBERG_PARTS', limit: 100 },
      {
        filterType: 'NOTIONAL',
        minNotional: '5.00000000',
        applyMinToMarket: true,
        maxNotional: '9000000.00000000',
        applyMaxToMarket: false,
        avgPriceMins: 5,
      },
    ],
    permissions: [],
    permissionSets: [['SPOT', 'MARGIN']],
  }
}
