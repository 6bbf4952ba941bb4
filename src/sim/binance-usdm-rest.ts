import type { BinanceFeed, SymbolFeed } from './binance-feed.ts'
import { dayTicker, isBuyerMaker, quoteWorth } from './binance-payloads.ts'
import {
  aggregateKeys,
  BinanceError,
  fixed,
  integerOf,
  limitOf,
  page,
  type RestEndpoint,
  symbolOf,
  tickers,
  tradeKeys,
} from './binance-rest.ts'
import type { Weights } from './binance-weights.ts'
import { knownTrades, type SimContext, type SimInstrument, type SimTrade } from './exchange.ts'
import { unitsText } from './units.ts'

/** Limits that `/fapi/v1/depth` takes, and their weights; any other is refused. */
const DEPTH_WEIGHTS: Readonly<Record<number, number>> = { 5: 2, 10: 2, 20: 2, 50: 2, 100: 5, 500: 10, 1000: 20 }
/** What the venue shows as the delivery of a contract that never expires. */
const PERPETUAL_DELIVERY_MS = 4_133_404_800_000

/** The endpoints of `/fapi` and their weights. */
export function usdmEndpoints(context: SimContext, feed: BinanceFeed, weights: Weights): Record<string, RestEndpoint> {
  const { clock, market } = context
  const now = () => Math.floor(clock.nowUs() / 1000)
  const find = (symbol: string) => feed.symbol(symbol)
  const trades = (weight: number): RestEndpoint => ({
    weight: fixed(weight),
    answer: (query) => {
      const { instrument } = symbolOf(query, find)
      const known = knownTrades(market.trades(instrument.symbol), context)
      const rows = page(known, query, limitOf(query, 500, 1000), tradeKeys)
      return rows.map((trade) => tradeRow(trade, instrument))
    },
  })
  return {
    '/fapi/v1/ping': { weight: fixed(1), answer: () => ({}) },
    '/fapi/v1/time': { weight: fixed(1), answer: () => ({ serverTime: now() }) },
    '/fapi/v1/exchangeInfo': { weight: fixed(1), answer: () => exchangeInfo(now(), weights.limit, feed.symbols()) },
    '/fapi/v1/depth': {
      weight: (query) => DEPTH_WEIGHTS[depthLimit(query)] ?? 1,
      answer: (query) => {
        const { book } = symbolOf(query, find)
        const { id, timeMs, bids, asks } = book.at(now() - context.snapshotLagMs(), depthLimit(query))
        return { lastUpdateId: id, E: now(), T: timeMs, bids, asks }
      },
    },
    '/fapi/v1/trades': trades(5),
    '/fapi/v1/historicalTrades': trades(20),
    '/fapi/v1/aggTrades': {
      weight: fixed(20),
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
          nq: quantity,
          f: firstTradeId,
          l: lastTradeId,
          T: timeMs,
          m,
        })),
    },
    '/fapi/v1/ticker/24hr': tickers(feed, each(1, 40), ({ instrument }) => dayRow(context, instrument, now())),
    '/fapi/v1/ticker/bookTicker': tickers(feed, each(2, 5), ({ instrument: { symbol }, lastId }) => {
      const { bids, asks, timeMs } = market.book(symbol, 1)
      const [bid] = bids
      const [ask] = asks
      return {
        symbol,
        bidPrice: bid?.[0],
        bidQty: bid?.[1],
        askPrice: ask?.[0],
        askQty: ask?.[1],
        time: timeMs,
        lastUpdateId: lastId,
      }
    }),
    '/fapi/v1/ticker/price': tickers(feed, each(1, 2), priceRow(context)),
    '/fapi/v2/ticker/price': tickers(feed, each(1, 2), priceRow(context)),
  }
}

/** Weight for one symbol, and for all. */
const each =
  (one: number, all: number): RestEndpoint['weight'] =>
  (query) =>
    query.has('symbol') ? one : all

const priceRow =
  ({ market }: SimContext) =>
  ({ instrument: { symbol } }: SymbolFeed) => ({
    symbol,
    price: market.stats(symbol).last,
    time: market.book(symbol, 0).timeMs,
  })

/** The code is documented, its text is not. */
function depthLimit(query: URLSearchParams): number {
  const limit = integerOf(query, 'limit') ?? 500
  if (DEPTH_WEIGHTS[limit] !== undefined) return limit
  throw new BinanceError(-4021, `Invalid depth limit: ${limit}.`)
}

function tradeRow(trade: SimTrade, instrument: SimInstrument): Record<string, unknown> {
  return {
    id: trade.id,
    price: trade.price,
    qty: trade.quantity,
    quoteQty: quoteWorth(trade, instrument),
    time: trade.timeMs,
    isBuyerMaker: isBuyerMaker(trade),
    isRPITrade: false,
  }
}

function dayRow({ market }: SimContext, instrument: SimInstrument, now: number): Record<string, unknown> {
  const { best: _best, firstId, lastId, count, ...day } = dayTicker(market, instrument)
  return { symbol: instrument.symbol, ...day, openTime: now - 86_400_000, closeTime: now, firstId, lastId, count }
}

function exchangeInfo(now: number, weightLimit: number, symbols: readonly SymbolFeed[]): Record<string, unknown> {
  return {
    timezone: 'UTC',
    serverTime: now,
    futuresType: 'U_MARGINED',
    rateLimits: [
      { rateLimitType: 'REQUEST_WEIGHT', interval: 'MINUTE', intervalNum: 1, limit: weightLimit },
      { rateLimitType: 'ORDERS', interval: 'MINUTE', intervalNum: 1, limit: 1200 },
    ],
    exchangeFilters: [],
    assets: [{ asset: 'USDT', marginAvailable: true, autoAssetExchange: '-10000' }],
    symbols: symbols.map(({ instrument, status }) => symbolRow(instrument, status)),
  }
}

function symbolRow(instrument: SimInstrument, status: string): Record<string, unknown> {
  const tickSize = unitsText(instrument.tickUnits, instrument.priceDecimals)
  const stepSize = unitsText(instrument.lotUnits ?? 1, instrument.quantityDecimals)
  return {
    symbol: instrument.symbol,
    pair: `${instrument.base}${instrument.quote}`,
    contractType: instrument.expiryMs === undefined ? 'PERPETUAL' : 'CURRENT_QUARTER',
    deliveryDate: instrument.expiryMs ?? PERPETUAL_DELIVERY_MS,
    onboardDate: 1_569_398_400_000,
    status,
    baseAsset: instrument.base,
    quoteAsset: instrument.quote,
    marginAsset: instrument.settle,
    pricePrecision: instrument.priceDecimals,
    quantityPrecision: instrument.quantityDecimals,
    baseAssetPrecision: 8,
    quotePrecision: 8,
    underlyingType: 'COIN',
    underlyingSubType: ['PoW'],
    triggerProtect: '0.0500',
    liquidationFee: '0.012500',
    marketTakeBound: '0.05',
    filters: [
      { filterType: 'PRICE_FILTER', minPrice: tickSize, maxPrice: '4529764', tickSize },
      { filterType: 'LOT_SIZE', minQty: stepSize, maxQty: '1000', stepSize },
      { filterType: 'MARKET_LOT_SIZE', minQty: stepSize, maxQty: '120', stepSize },
      { filterType: 'MIN_NOTIONAL', notional: '100' },
      { filterType: 'PERCENT_PRICE', multiplierUp: '1.0500', multiplierDown: '0.9500', multiplierDecimal: '4' },
    ],
    orderTypes: ['LIMIT', 'MARKET', 'STOP', 'STOP_MARKET', 'TAKE_PROFIT', 'TAKE_PROFIT_MARKET', 'TRAILING_STOP_MARKET'],
    timeInForce: ['GTC', 'IOC', 'FOK', 'GTX', 'GTD'],
  }
}
