/** Rows of OKX's answers and pushes, from the true market. Source: https://www.okx.com/docs-v5/en/ */

import { crc32 } from 'node:zlib'
import type { Level } from '../model/event.ts'
import type { SimInstrument, SimMarket, SimTrade } from './exchange.ts'
import { instType, isInverse, plain } from './okx-instruments.ts'
import type { LevelChange } from './published-book.ts'
import { textUnits, unitsText } from './units.ts'

export type BookRow = readonly [price: string, quantity: string, deprecated: '0', orders: string]

/** The number of orders follows from the quantity, so that it only changes with it. */
const orderCount = (quantity: string): string => String(1 + ((Number(quantity.replace('.', '').slice(-6)) * 7) % 23))

export const levelRow = ([price, quantity]: Level): BookRow => [
  plain(price),
  plain(quantity),
  '0',
  orderCount(quantity),
]

export const changeRow = (change: LevelChange): BookRow =>
  change.kind === 'delete' ? [plain(change.price), '0', '0', '0'] : levelRow([change.price, change.quantity])

/** Fills of one taker order at one price, which `trades` pushes as one. */
export interface AggregateTrade {
  readonly lastId: number
  readonly count: number
  readonly price: string
  readonly quantity: string
  readonly side: string
  readonly timeMs: number
}

/** Joins neighbours of equal price and side. `trades` are those of one market step, oldest first. */
export function aggregateTrades(trades: readonly SimTrade[], quantityDecimals: number): AggregateTrade[] {
  const joined: AggregateTrade[] = []
  for (const { id, price, quantity, side, timeMs } of trades) {
    const last = joined.at(-1)
    if (last && last.price === price && last.side === side) {
      const sum = textUnits(last.quantity, quantityDecimals) + textUnits(quantity, quantityDecimals)
      joined[joined.length - 1] = {
        ...last,
        lastId: id,
        count: last.count + 1,
        quantity: unitsText(sum, quantityDecimals),
      }
    } else joined.push({ lastId: id, count: 1, price, quantity, side, timeMs })
  }
  return joined
}

/** A row of channel `trades`, in the form seen live in October 2026. */
export const aggregateRow = (symbol: string, trade: AggregateTrade, seqId: number) => ({
  instId: symbol,
  tradeId: String(trade.lastId),
  px: plain(trade.price),
  sz: plain(trade.quantity),
  side: trade.side,
  ts: String(trade.timeMs),
  count: String(trade.count),
  source: '0',
  seqId,
})

/** A row of `trades-all`: one fill. */
export const fillRow = (symbol: string, trade: SimTrade) => ({
  instId: symbol,
  tradeId: String(trade.id),
  px: plain(trade.price),
  sz: plain(trade.quantity),
  side: trade.side,
  ts: String(trade.timeMs),
  source: '0',
})

/** The same fill in the REST answers' order of keys. */
export const restTradeRow = (symbol: string, trade: SimTrade) => ({
  instId: symbol,
  side: trade.side,
  sz: plain(trade.quantity),
  source: '0',
  px: plain(trade.price),
  tradeId: String(trade.id),
  ts: String(trade.timeMs),
})

/**
 * A row of `tickers`.
 * Units: `vol24h` is in contracts (base for spot), `volCcy24h` in base (quote for spot).
 */
export function tickerRow(instrument: SimInstrument, market: SimMarket, timeMs: number) {
  const stats = market.stats(instrument.symbol)
  const { bids, asks } = market.book(instrument.symbol, 1)
  const [bidPx = '', bidSz = ''] = bids[0] ?? []
  const [askPx = '', askSz = ''] = asks[0] ?? []
  return {
    instType: instType(instrument),
    instId: instrument.symbol,
    last: plain(stats.last),
    lastSz: plain(stats.lastQuantity),
    askPx: plain(askPx),
    askSz: plain(askSz),
    bidPx: plain(bidPx),
    bidSz: plain(bidSz),
    open24h: plain(stats.open),
    high24h: plain(stats.high),
    low24h: plain(stats.low),
    volCcy24h: currencyVolume(instrument, stats),
    vol24h: plain(stats.volume),
    sodUtc0: plain(stats.open),
    sodUtc8: plain(stats.open),
    ts: String(timeMs),
  }
}

function currencyVolume(instrument: SimInstrument, stats: ReturnType<SimMarket['stats']>): string {
  if (instrument.market === 'spot') return plain(stats.quoteVolume)
  const contracts = Number(stats.volume) * Number(instrument.contractSize)
  return plain((isInverse(instrument) ? contracts / Number(stats.last) : contracts).toFixed(8))
}

/** Levels a side that the checksum covers. */
const CHECKSUM_LEVELS = 25

/** CRC-32 as a signed number over `bid:size:ask:size:…` of the best 25 levels, as sent until June 2026. */
export function bookChecksum(bids: readonly Level[], asks: readonly Level[]): number {
  const parts: string[] = []
  for (let i = 0; i < CHECKSUM_LEVELS; i++) {
    for (const level of [bids[i], asks[i]]) if (level) parts.push(plain(level[0]), plain(level[1]))
  }
  return crc32(parts.join(':')) | 0
}
