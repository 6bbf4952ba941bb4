import type { Level } from '../model/event.ts'
import type { Render, TimeUnit } from './binance-streams.ts'
import type { SimInstrument, SimMarket, SimTrade } from './exchange.ts'
import { textUnits, unitsText } from './units.ts'

/** Trades of one taker order at one price. */
export interface AggregateTrade {
  readonly id: number
  readonly price: string
  readonly quantity: string
  readonly firstTradeId: number
  readonly lastTradeId: number
  readonly timeMs: number
  readonly isBuyerMaker: boolean
}

/** What changed in one interval of a diff stream: the last quantity of each price. */
export interface DepthBatch {
  readonly firstId: number
  readonly lastId: number
  /** The last id of the batch before it on the same stream. */
  readonly previousId: number
  /** Of the newest change. */
  readonly timeMs: number
  readonly bids: readonly Level[]
  readonly asks: readonly Level[]
}

export interface BestLevels {
  readonly bid: Level
  readonly ask: Level
  readonly id: number
  readonly timeMs: number
}

/** A venue's payloads. `now`: when the venue sends, ms; each returns the JSON for a connection's unit of time. */
export interface BinancePayloads {
  trade(symbol: string, trade: SimTrade, now: number): Render
  aggTrade(symbol: string, trade: AggregateTrade, now: number): Render
  bookTicker(symbol: string, best: BestLevels, now: number): Render
  depth(symbol: string, batch: DepthBatch, now: number): Render
  partialDepth(symbol: string, batch: DepthBatch, now: number): Render
  ticker(symbol: string, day: DayTicker, now: number): Render
  miniTicker(symbol: string, day: DayTicker, now: number): Render
}

/** The day's statistics under the names that the stream and REST forms share. */
export interface DayTicker {
  readonly priceChange: string
  readonly priceChangePercent: string
  readonly weightedAvgPrice: string
  readonly lastPrice: string
  readonly lastQty: string
  readonly openPrice: string
  readonly highPrice: string
  readonly lowPrice: string
  readonly volume: string
  readonly quoteVolume: string
  readonly firstId: number
  readonly lastId: number
  readonly count: number
  readonly best: { readonly bid: Level; readonly ask: Level }
}

const NO_LEVEL: Level = ['0', '0']

/** Reads the day from the true market; what Binance derives (change, percent, average) is computed exactly. */
export function dayTicker(market: SimMarket, { symbol, priceDecimals, quantityDecimals }: SimInstrument): DayTicker {
  const stats = market.stats(symbol)
  const { bids, asks } = market.book(symbol, 1)
  const open = textUnits(stats.open, priceDecimals)
  const change = textUnits(stats.last, priceDecimals) - open
  const volume = textUnits(stats.volume, quantityDecimals)
  // quote / base, in price units: both scaled to the same digits first.
  const quote = textUnits(stats.quoteVolume, quantityDecimals + priceDecimals)
  return {
    priceChange: signedText(change, priceDecimals),
    priceChangePercent: signedText((change * 100_000n) / open, 3),
    weightedAvgPrice: unitsText(volume === 0n ? 0n : quote / volume, priceDecimals),
    lastPrice: stats.last,
    lastQty: stats.lastQuantity,
    openPrice: stats.open,
    highPrice: stats.high,
    lowPrice: stats.low,
    volume: stats.volume,
    quoteVolume: stats.quoteVolume,
    firstId: stats.firstTradeId,
    lastId: stats.lastTradeId,
    count: stats.tradeCount,
    best: { bid: bids[0] ?? NO_LEVEL, ask: asks[0] ?? NO_LEVEL },
  }
}

const signedText = (units: bigint, decimals: number): string =>
  units < 0n ? `-${unitsText(-units, decimals)}` : unitsText(units, decimals)

/** True: the buyer was waiting in the book, the seller took. */
export const isBuyerMaker = (trade: SimTrade): boolean => trade.side === 'sell'

/** JSON with the fields in the order in which the venue's documentation shows them. */
export const render =
  (write: (time: TimeUnit) => Readonly<Record<string, unknown>>): Render =>
  (time) =>
    JSON.stringify(write(time))

/** Price times quantity, with at most the eight decimals that the venue prints. */
export function quoteWorth(trade: SimTrade, { priceDecimals, quantityDecimals }: SimInstrument): string {
  const decimals = Math.min(8, priceDecimals + quantityDecimals)
  const worth = textUnits(trade.price, priceDecimals) * textUnits(trade.quantity, quantityDecimals)
  return unitsText(worth / 10n ** BigInt(priceDecimals + quantityDecimals - decimals), decimals)
}
