/** What the simulated venues trade in a proof: a few of their instruments at a given pace, or many that are alike. */

import type { SimInstrument, SimVenue } from '../../sim/exchange.ts'
import { simVenues } from '../../sim/index.ts'

/** Levels a side: enough to be a book, few enough that a hundred of them leave the machine time. */
const BOOK_LEVELS = 60

/** The first `count` instruments of every venue, or of those named. */
export const someInstruments = (count: number, stepsPerSecond: number, ids?: readonly string[]): SimVenue[] =>
  simVenues
    .filter(({ id }) => ids === undefined || ids.includes(id))
    .map((venue) => ({
      ...venue,
      instruments: venue.instruments
        .slice(0, count)
        .map((instrument) => ({ ...instrument, stepsPerSecond, bookLevels: BOOK_LEVELS })),
    }))

/** `count` instruments of one venue, named as it names its own. Errors: throws a RangeError for an unknown venue. */
export function manyInstruments(id: string, count: number, stepsPerSecond: number): SimVenue {
  const venue = simVenues.find((each) => each.id === id)
  const pattern = PATTERNS[id]
  if (venue === undefined || pattern === undefined) throw new RangeError(`no pattern for symbols of '${id}'`)
  const template = venue.instruments.find(({ symbol }) => symbol === pattern.like)
  if (template === undefined) throw new RangeError(`${id} simulates no ${pattern.like}`)
  const instruments = Array.from({ length: count }, (_, index): SimInstrument => {
    const base = `C${String(index).padStart(3, '0')}`
    return { ...template, base, symbol: pattern.symbol(base), stepsPerSecond, bookLevels: BOOK_LEVELS }
  })
  return { ...venue, instruments }
}

const PATTERNS: Readonly<Record<string, { readonly like: string; symbol(base: string): string }>> = {
  binance: { like: 'ETHUSDT', symbol: (base) => `${base}USDT` },
  'binance-usdm': { like: 'ETHUSDT', symbol: (base) => `${base}USDT` },
  okx: { like: 'ETH-USDT', symbol: (base) => `${base}-USDT` },
  deribit: { like: 'BTC_USDC-PERPETUAL', symbol: (base) => `${base}_USDC-PERPETUAL` },
}
