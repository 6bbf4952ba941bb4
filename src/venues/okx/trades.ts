/**
 * Trades of OKX over REST: the newest, and past ones by id (of three months). Single fills, whatever the stream joins.
 *
 * Source: https://www.okx.com/docs-v5/en/#order-book-trading-market-data-get-trades-history
 */

import type { Trade } from '../../model/event.ts'
import { backfill, firstPart, runningNumber, sizeOf, spanOf } from '../trades.ts'
import type { RestRequest, Span, Topic, TradePage } from '../venue.ts'
import { rowsOf } from './api.ts'
import { trade } from './decode.ts'

/** Trades in one answer of the newest, and of the history. */
const NEWEST_TRADES = 500
const PAGE_TRADES = 100

export const okxTradeSpan = (event: Trade): Span | undefined =>
  spanOf(runningNumber(event.first_trade_id ?? event.trade_id), runningNumber(event.last_trade_id ?? event.trade_id))

export const newestTrades = (symbol: string): RestRequest<readonly Trade[]> =>
  fills('trades', symbol, `limit=${NEWEST_TRADES}`)

/** `after`: the newest ids below it. */
export function pastTrades({ symbol }: Topic, wanted: Span): TradePage {
  const span = firstPart(wanted, PAGE_TRADES)
  const request = fills('history-trades', symbol, `type=1&after=${span.last + 1}&limit=${sizeOf(span)}`)
  return { span, request: { ...request, parse: (...answer) => backfill(request.parse(...answer), span, okxTradeSpan) } }
}

export function newestTrade({ symbol }: Topic): RestRequest<number | undefined> {
  const request = fills('trades', symbol, 'limit=1')
  return {
    ...request,
    parse(...answer) {
      const [newest] = request.parse(...answer)
      return newest && okxTradeSpan(newest)?.last
    },
  }
}

const fills = (endpoint: string, symbol: string, query: string): RestRequest<readonly Trade[]> =>
  rowsOf(endpoint, `instId=${encodeURIComponent(symbol)}&${query}`, (row, arg, source) => ({
    ...trade(row, arg, source),
    source: undefined,
  }))
