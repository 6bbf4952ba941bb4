import { PrismError } from '../model/errors.ts'
import type { VenueNames } from './names.ts'
import type { CollectorView } from './view.ts'

export const unknownInstrument = (what: string): PrismError =>
  new PrismError('NOT_FOUND', `${what} GET /api/v1/instruments lists what there is.`)

/** Errors: NOT_FOUND unless this instrument is collected. */
export function requireInstrument(view: CollectorView, names: VenueNames, venue: string, symbol: string): void {
  if (!names.venues.includes(venue) || !view.knows(venue, symbol)) throw unknownInstrument('Unknown instrument.')
}
