/**
 * Trades of Binance spot and USD-M futures over REST: the newest, and past ones by id.
 *
 * Source: https://developers.binance.com/docs/binance-spot-api-docs/rest-api/market-data-endpoints
 * and https://developers.binance.com/docs/derivatives/usds-margined-futures/market-data/rest-api
 */

import type { Trade } from '../../model/event.ts'
import { boolean, decimal, integer, list, type Raw, raw, time } from '../fields.ts'
import { backfill, firstPart, runningNumber, sizeOf, spanOf } from '../trades.ts'
import type { RestRequest, Span, Topic, TradePage } from '../venue.ts'
import { type Api, get } from './api.ts'
import { aggregateTrade, type BinanceSource, binanceOrigin } from './decode.ts'

/** Trades in one answer, of either kind. */
const PAGE_TRADES = 1000

/** Aggregates have ids of their own; their `first_trade_id` and `last_trade_id` count single trades. */
export const binanceTradeSpan = ({ trade_id: tradeId }: Trade): Span | undefined => spanOf(runningNumber(tradeId))

export const newestTrades = (api: Api, symbol: string): RestRequest<readonly Trade[]> =>
  get(api, path('trades', symbol, PAGE_TRADES), api.weights.trades, trades(api, symbol, singleTrade))

/** Aggregates of USD-M futures can be had for 48 hours; single ones by id only with an API key, so the newest must do. */
export function pastTrades(api: Api, { symbol, name }: Topic, span: Span): TradePage {
  if (!isAggregate(name) && !api.hasTradesById) return pageOf(newestTrades(api, symbol), span)
  const page = firstPart(span, PAGE_TRADES)
  const query = (list: string) => `${path(list, symbol, sizeOf(page))}&fromId=${page.first}`
  const request = isAggregate(name)
    ? get(api, query('aggTrades'), api.weights.aggTrades, trades(api, symbol, aggregateTrade))
    : get(api, query('historicalTrades'), api.weights.trades, trades(api, symbol, singleTrade))
  return pageOf(request, page)
}

/** The day's ticker names the last single trade (-1: none), for less weight than a list of trades. */
export function newestTrade(api: Api, { symbol, name }: Topic): RestRequest<number | undefined> {
  if (isAggregate(name)) {
    return get(api, path('aggTrades', symbol, 1), api.weights.aggTrades, (body) => {
      const row = list(body, 'aggTrades').at(-1)
      return row === undefined ? undefined : integer(raw(row, 'aggTrade').a, 'a')
    })
  }
  return get(api, `ticker/24hr?symbol=${encodeURIComponent(symbol)}`, api.weights.ticker, (body) => {
    const number = integer(raw(body, 'ticker').lastId, 'lastId')
    return number < 0 ? undefined : number
  })
}

const isAggregate = (topicName: string): boolean => topicName.endsWith('@aggTrade')

const path = (list: string, symbol: string, limit: number): string =>
  `${list}?symbol=${encodeURIComponent(symbol)}&limit=${limit}`

const pageOf = (request: RestRequest<readonly Trade[]>, span: Span): TradePage => ({
  span,
  request: { ...request, parse: (...answer) => backfill(request.parse(...answer), span, binanceTradeSpan) },
})

const trades =
  (
    { venue }: Api,
    symbol: string,
    convert: (row: Raw, symbol: string, source: BinanceSource) => Trade,
  ): RestRequest<readonly Trade[]>['parse'] =>
  (body, receiveTimeUs, instruments) =>
    list(body, 'trades').map((row) => ({
      ...convert(raw(row, 'trade'), symbol, { venue, receiveTimeUs, instruments }),
      source: undefined,
    }))

function singleTrade(row: Raw, symbol: string, source: BinanceSource): Trade {
  const tradeId = String(integer(row.id, 'id'))
  return {
    type: 'trade',
    ...binanceOrigin(source.venue, symbol, source, time(row.time, 'time')),
    id: `${source.venue}:trade:${symbol}:0:${tradeId}`,
    trade_id: tradeId,
    price: decimal(row.price, 'price'),
    quantity: decimal(row.qty, 'qty'),
    side: boolean(row.isBuyerMaker, 'isBuyerMaker') ? 'sell' : 'buy',
  }
}
