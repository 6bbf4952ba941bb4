import { z } from 'zod'
import { isoTimeOrNull } from '../../model/time.ts'
import type { RouteDeps } from '../deps.ts'
import { exchangeMap } from '../facts.ts'
import { dataRoute } from '../route.ts'
import { count, timeOrNull } from '../schemas.ts'
import { exchangeSchema } from './shared.ts'

const response = z.strictObject({
  exchanges: z.record(z.string(), exchangeSchema),
  summary: z
    .strictObject({
      total_exchanges: count,
      active_exchanges: count,
      websocket_connections: count.describe('Exchanges with `websocket_connected`.'),
      rest_api_available: count.describe('Exchanges with `rest_api_available`.'),
    })
    .describe('Counts of the map above.'),
  last_updated: timeOrNull.describe('When the last message of any exchange came.'),
})

/** `GET /api/v1/collector/exchanges` */
export const collectorExchanges = ({ view }: RouteDeps) =>
  dataRoute({
    path: '/api/v1/collector/exchanges',
    summary: 'Connection state of each exchange',
    tag: 'collector',
    message: 'Exchange status retrieved successfully',
    response,
    failure: 'EXCHANGE_STATUS_ERROR',
    handle() {
      const views = view.exchanges()
      const exchanges = exchangeMap(views)
      const list = Object.values(exchanges)
      const times = views.flatMap(({ lastMessageUs }) => lastMessageUs ?? [])
      return {
        exchanges,
        summary: {
          total_exchanges: list.length,
          active_exchanges: list.filter(({ status }) => status === 'active').length,
          websocket_connections: list.filter((exchange) => exchange.websocket_connected).length,
          rest_api_available: list.filter((exchange) => exchange.rest_api_available === true).length,
        },
        last_updated: isoTimeOrNull(times.length === 0 ? undefined : Math.max(...times)),
      }
    },
  })
