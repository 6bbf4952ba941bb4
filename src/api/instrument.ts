import { z } from 'zod'
import { PrismError } from '../model/errors.ts'
import type { VenueNames } from './names.ts'
import type { CollectorView } from './view.ts'

/** The two path parameters that name an instrument. Their letters count, as the venue's own do. */
export const instrumentParams = z.object({
  venue: z.string().describe('As `/api/v1/instruments` lists it: `binance-usdm`.'),
  symbol: z.string().describe("The venue's own symbol: `BTCUSDT`."),
})

export const unknownInstrument = (what: string): PrismError =>
  new PrismError('NOT_FOUND', `${what} GET /api/v1/instruments lists what there is.`)

/** Errors: NOT_FOUND unless this instrument is collected. */
export function requireInstrument(view: CollectorView, names: VenueNames, venue: string, symbol: string): void {
  if (!names.venues.includes(venue) || !view.knows(venue, symbol)) throw unknownInstrument('Unknown instrument.')
}
