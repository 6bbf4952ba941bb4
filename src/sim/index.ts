/** The registry of simulated exchanges. */

import type { SimVenue } from './exchange.ts'
import { okxSim } from './okx.ts'

export const simVenues: readonly SimVenue[] = [okxSim]
