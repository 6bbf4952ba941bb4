import type { Random } from '../platform/platform.ts'
import type { SimInstrument, SimStats } from './exchange.ts'
import { unitsText } from './units.ts'

/** Digits of the quote volume, at most: what Binance prints. */
const QUOTE_DECIMALS_MAX = 8

/** The day's statistics. They begin with an invented day before the simulation and only grow: no trade leaves the window. */
export interface DayStats {
  add(price: number, quantity: number, tradeId: number): void
  read(): SimStats
}

export function createDayStats(instrument: SimInstrument, tradeId: number, random: Random): DayStats {
  const { tickUnits, lotUnits = 1, startPriceUnits, priceDecimals, quantityDecimals } = instrument
  const ticks = (factor: number): number => Math.max(1, Math.round((startPriceUnits * factor) / tickUnits)) * tickUnits
  const tradeCount = 20_000 + Math.floor(random() * 200_000)
  const firstTradeId = tradeId - tradeCount + 1
  const open = ticks(0.98 + random() * 0.04)
  let high = Math.max(open, ticks(1.01 + random() * 0.02))
  let low = Math.min(open, ticks(0.99 - random() * 0.02))
  let last = ticks(1)
  let lastQuantity = lotUnits
  let lastTradeId = tradeId
  let volume = BigInt(lotUnits) * BigInt(tradeCount) * BigInt(10 + Math.floor(random() * 90))
  let quoteVolume = volume * BigInt(startPriceUnits)
  const quoteDecimals = Math.min(QUOTE_DECIMALS_MAX, priceDecimals + quantityDecimals)
  const cutDigits = 10n ** BigInt(priceDecimals + quantityDecimals - quoteDecimals)

  return {
    add(price, quantity, id) {
      high = Math.max(high, price)
      low = Math.min(low, price)
      last = price
      lastQuantity = quantity
      lastTradeId = id
      volume += BigInt(quantity)
      quoteVolume += BigInt(price) * BigInt(quantity)
    },
    read: () => ({
      last: unitsText(last, priceDecimals),
      lastQuantity: unitsText(lastQuantity, quantityDecimals),
      open: unitsText(open, priceDecimals),
      high: unitsText(high, priceDecimals),
      low: unitsText(low, priceDecimals),
      volume: unitsText(volume, quantityDecimals),
      quoteVolume: unitsText(quoteVolume / cutDigits, quoteDecimals),
      tradeCount: lastTradeId - firstTradeId + 1,
      firstTradeId,
      lastTradeId,
    }),
  }
}
