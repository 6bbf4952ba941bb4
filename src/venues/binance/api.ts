import type { RestRequest, SnapshotSizes } from '../venue.ts'
import type { BinanceId } from './decode.ts'

/** One REST API of the company. */
export interface Api {
  readonly venue: BinanceId
  /** `/api/v3` or `/fapi/v1`. */
  readonly path: string
  /** Whether single trades can be looked up by id without an API key; otherwise only the newest can be had. */
  readonly hasTradesById: boolean
  readonly weights: {
    readonly exchangeInfo: number
    readonly trades: number
    readonly aggTrades: number
    readonly ticker: number
  }
  /** Of `depth`, as far as they are used: 5000 levels would cost five times the weight of 1000. */
  readonly snapshotSizes: SnapshotSizes
  /** Levels of `depth` when no `limit` is asked for. */
  readonly snapshotLevelsUsual: number
}

export const SPOT: Api = {
  venue: 'binance',
  path: '/api/v3',
  hasTradesById: true,
  weights: { exchangeInfo: 20, trades: 25, aggTrades: 4, ticker: 2 },
  snapshotSizes: [
    { levels: 100, weight: 5 },
    { levels: 500, weight: 25 },
    { levels: 1000, weight: 50 },
  ],
  snapshotLevelsUsual: 100,
}

export const USDM: Api = {
  venue: 'binance-usdm',
  path: '/fapi/v1',
  hasTradesById: false,
  weights: { exchangeInfo: 1, trades: 5, aggTrades: 20, ticker: 1 },
  snapshotSizes: [
    { levels: 100, weight: 5 },
    { levels: 500, weight: 10 },
    { levels: 1000, weight: 20 },
  ],
  snapshotLevelsUsual: 500,
}

export const get = <Result>(
  api: Api,
  path: string,
  weight: number,
  parse: RestRequest<Result>['parse'],
): RestRequest<Result> => ({ path: `${api.path}/${path}`, budget: 'weight', weight, parse })
