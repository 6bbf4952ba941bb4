/**
 * Trades of Deribit over REST: the newest, and past ones by `trade_seq`, which counts the trades of one instrument.
 *
 * Source: https://docs.deribit.com/#public-get_last_trades_by_instrument
 */

import type { Trade } from '../../model/event.ts'
import { list, raw } from '../fields.ts'
import { backfill, firstPart, sizeOf, spanOf } from '../trades.ts'
import type { RestRequest, Span, Topic, TradePage } from '../venue.ts'
import { get } from './api.ts'
import { trade } from './decode.ts'

/** Trades in one answer. */
const PAGE_TRADES = 1000

export const deribitTradeSpan = ({ sequence }: Trade): Span | undefined => spanOf(sequence)

export const newestTrades = (symbol: string): RestRequest<readonly Trade[]> => request(symbol, PAGE_TRADES)

export function pastTrades({ symbol }: Topic, wanted: Span): TradePage {
  const span = firstPart(wanted, PAGE_TRADES)
  const bounds = { start_seq: String(span.first), end_seq: String(span.last), sorting: 'asc' }
  const page = request(symbol, sizeOf(span), bounds)
  return { span, request: { ...page, parse: (...answer) => backfill(page.parse(...answer), span, deribitTradeSpan) } }
}

export function newestTrade({ symbol }: Topic): RestRequest<number | undefined> {
  const newest = request(symbol, 1)
  return { ...newest, parse: (...answer) => newest.parse(...answer)[0]?.sequence }
}

const request = (symbol: string, count: number, bounds: Record<string, string> = {}): RestRequest<readonly Trade[]> =>
  get(
    'get_last_trades_by_instrument',
    { instrument_name: symbol, count: String(count), ...bounds },
    (result, receiveTimeUs, instruments) =>
      list(raw(result, 'result').trades, 'trades').map((row) => ({
        ...trade(raw(row, 'trade'), { receiveTimeUs, instruments }),
        source: undefined,
      })),
  )
