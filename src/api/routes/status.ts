import { z } from 'zod'
import { isoTimeOrNull } from '../../model/time.ts'
import type { RouteDeps } from '../deps.ts'
import { features, uptimeSeconds } from '../facts.ts'
import { dataRoute } from '../route.ts'
import { count, seconds, timeOrNull } from '../schemas.ts'
import { featuresSchema } from './shared.ts'

export const statusResponse = z.strictObject({
  service: z.string(),
  status: z.enum(['initializing', 'running', 'stopping']),
  uptime_seconds: seconds,
  version: z.string(),
  environment: z.string().describe('`simulation`: the exchanges are simulated, no number here is a real market.'),
  features: featuresSchema,
  supported_exchanges: z.array(z.string()),
  collection_stats: z.strictObject({
    total_collections: count.describe('Normalized records collected since the start.'),
    error_count: count.describe('Errors of every stage since the start.'),
    last_collection_time: timeOrNull.describe('Receive time of the newest record.'),
    data_counts: z
      .strictObject({ tickers: count, orderbooks: count, trades: count })
      .describe('Records held in memory; order books that are live.'),
  }),
})

/** `GET /api/v1/status` */
export const status = ({ view, clock, service, names, lifecycle }: RouteDeps) =>
  dataRoute({
    path: '/api/v1/status',
    summary: 'Is the service running, what is on, what has it collected',
    tag: 'service',
    message: 'Service status retrieved successfully',
    response: statusResponse,
    handle() {
      const stats = view.stats()
      return {
        service: service.name,
        status: lifecycle(),
        uptime_seconds: uptimeSeconds({ clock, service }),
        version: service.version,
        environment: service.environment,
        features: features(view),
        supported_exchanges: [...names.exchanges],
        collection_stats: {
          total_collections: stats.totalCollections,
          error_count: stats.errors,
          last_collection_time: isoTimeOrNull(stats.lastCollectionUs),
          data_counts: { ...view.store.counts },
        },
      }
    },
  })
