import type { RestRequest } from '../venue.ts'
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
    readonly depth: number
    readonly trades: number
    readonly aggTrades: number
    readonly ticker: number
  }
}

export const SPOT: Api = {
  venue: 'binance',
  path: '/api/v3',
  hasTradesById: true,
  weights: { exchangeInfo: 20, depth: 50, trades: 25, aggTrades: 4, ticker: 2 },
}

export const USDM: Api = {
  venue: 'binance-usdm',
  path: '/fapi/v1',
  hasTradesById: false,
  weights: { exchangeInfo: 1, depth: 20, trades: 5, aggTrades: 20, ticker: 1 },
}

export const get = <Result>(
  api: Api,
  path: string,
  weight: number,
  parse: RestRequest<Result>['parse'],
): RestRequest<Result> => ({ path: `${api.path}/${path}`, budget: 'weight', weight, parse })
