/** The registry of simulated exchanges. */

import type { SimVenue } from './exchange.ts'

export const simVenues: readonly SimVenue[] = []
