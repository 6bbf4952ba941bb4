/** The registry of venues: the only list of exchanges. Everything else is derived from it. */

import { binance, binanceUsdm } from './binance/index.ts'
import { deribit } from './deribit/index.ts'
import { okx } from './okx/index.ts'
import type { Venue } from './venue.ts'

export const venues: readonly Venue[] = [binance, binanceUsdm, okx, deribit]

/** The companies, in the registry's order. */
export const exchanges: readonly string[] = [...new Set(venues.map((venue) => venue.exchange))]

export const findVenue = (id: string): Venue | undefined => venues.find((venue) => venue.id === id)
