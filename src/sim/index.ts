/** The registry of simulated exchanges. */

import { binanceSim } from './binance.ts'
import { binanceUsdmSim } from './binance-usdm.ts'
import { deribitSim } from './deribit.ts'
import type { SimVenue } from './exchange.ts'
import { okxSim } from './okx.ts'

export const simVenues: readonly SimVenue[] = [binanceSim, binanceUsdmSim, okxSim, deribitSim]
