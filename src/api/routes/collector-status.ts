import { z } from 'zod'
import { isoTime, isoTimeOrNull } from '../../model/time.ts'
import { overallHealth } from '../../service/health.ts'
import type { RouteDeps } from '../deps.ts'
import { collectionStats, errorRate, exchangeMap, features, totalPoints, uptimeSeconds } from '../facts.ts'
import { dataRoute } from '../route.ts'
import { count, percent, seconds, time, timeOrNull } from '../schemas.ts'
import type { CollectorView } from '../view.ts'
import { collectionStatsSchema, exchangeSchema, featuresSchema } from './shared.ts'

const response = z.strictObject({
  service_info: z.strictObject({
    name: z.string(),
    version: z.string(),
    uptime_seconds: seconds,
    initialized: z.boolean(),
    start_time: time,
    environment: z.string(),
    process_id: count,
  }),
  feature_status: featuresSchema.extend({
    orderbook_manager_active: z.boolean().describe('At least one order book is live.'),
  }),
  collector_stats: collectionStatsSchema,
  exchanges: z.record(z.string(), exchangeSchema),
  data_summary: z.strictObject({ tickers: count, orderbooks: count, trades: count, total_data_points: count }),
  health_indicators: z.strictObject({
    overall_health: z.enum(['healthy', 'degraded', 'unhealthy']).describe('What `/health` says.'),
    data_flow_active: z.boolean().describe('A record arrived within the freshness limit of its feed.'),
    error_rate: percent.describe('errors / (collections + errors) × 100.'),
    last_activity: timeOrNull.describe('When the last message came.'),
  }),
})

/** `GET /api/v1/collector/status` */
export const collectorStatus = ({ view, clock, service, checks }: RouteDeps) =>
  dataRoute({
    path: '/api/v1/collector/status',
    summary: 'Everything about the collector at a glance',
    tag: 'collector',
    message: 'Detailed status retrieved successfully',
    response,
    handle() {
      const stats = view.stats()
      const { counts } = view.store
      return {
        service_info: {
          name: service.name,
          version: service.version,
          uptime_seconds: uptimeSeconds({ clock, service }),
          initialized: view.features.collector_initialized,
          start_time: isoTime(service.startUs),
          environment: service.environment,
          process_id: service.processId,
        },
        feature_status: { ...features(view), orderbook_manager_active: counts.orderbooks > 0 },
        collector_stats: collectionStats(stats),
        exchanges: exchangeMap(view.exchanges()),
        data_summary: { ...counts, total_data_points: totalPoints(counts) },
        health_indicators: {
          overall_health: overallHealth(checks()),
          data_flow_active: isDataFlowing(view),
          error_rate: errorRate(stats),
          last_activity: isoTimeOrNull(stats.lastMessageUs),
        },
      }
    },
  })

/** A feed is live exactly as long as its last message is within its freshness limit. */
const isDataFlowing = (view: CollectorView): boolean =>
  view.feeds().some(({ state, lastMessageUs }) => state === 'live' && lastMessageUs !== undefined)
