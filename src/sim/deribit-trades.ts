import type { Json } from './deribit-json.ts'
import { indexPrice, type TickDirection, tickDirection, tradeRow } from './deribit-rows.ts'
import { keepNewest, type MarketStep, type SimInstrument, type SimMarket, type SimTrade } from './exchange.ts'

export interface LoggedTrade {
  readonly seq: number
  readonly timeMs: number
  readonly row: Json
}

/** The newest trades of one instrument as the venue writes them: the stream and REST show the same object. */
export interface TradeLog {
  /** Oldest first. */
  readonly trades: readonly LoggedTrade[]
  /** The trades that the step brought. */
  add(step: MarketStep): readonly LoggedTrade[]
}

export function createTradeLog(market: SimMarket, instrument: SimInstrument): TradeLog {
  const trades: LoggedTrade[] = []
  let before: { price: string; direction: TickDirection } | undefined

  function log(fills: readonly SimTrade[]): LoggedTrade[] {
    const indexNow = indexPrice(market, instrument)
    const logged = fills.map((fill) => {
      before = { price: fill.price, direction: tickDirection(fill.price, before) }
      return { seq: fill.id, timeMs: fill.timeMs, row: tradeRow(instrument, fill, before.direction, indexNow) }
    })
    trades.push(...logged)
    keepNewest(trades, market.tradesKept)
    return logged
  }

  log(market.trades(instrument.symbol))
  return { trades, add: (step) => (step.trades.length === 0 ? [] : log(step.trades)) }
}
