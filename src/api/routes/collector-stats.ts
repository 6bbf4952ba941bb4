import { z } from 'zod'
import { isoTimeOrNull } from '../../model/time.ts'
import type { RouteDeps } from '../deps.ts'
import { collectionStats, round2, successRate, totalPoints, uptimeSeconds } from '../facts.ts'
import { dataRoute } from '../route.ts'
import { count, percent, seconds, timeOrNull } from '../schemas.ts'
import { collectionStatsSchema } from './shared.ts'

const BYTES_PER_MB = 1024 * 1024

const response = z.strictObject({
  collection_stats: collectionStatsSchema,
  service_stats: z.strictObject({
    uptime_seconds: seconds,
    total_collections: count,
    error_count: count,
    last_collection_time: timeOrNull,
    success_rate: percent.describe('(collections − errors) / collections × 100; 100 when there are none.'),
  }),
  data_summary: z.strictObject({
    tickers_count: count,
    orderbooks_count: count,
    trades_count: count,
    total_data_points: count,
  }),
  performance_metrics: z.strictObject({
    collections_per_minute: seconds.describe('Rate over the last 60 s; over the uptime while it is shorter.'),
    memory_usage_mb: seconds.describe('Resident memory of the process.'),
  }),
})

/** `GET /api/v1/collector/stats` */
export const collectorStats = ({ view, clock, service, residentBytes }: RouteDeps) =>
  dataRoute({
    path: '/api/v1/collector/stats',
    summary: 'Counters and rates of the collection',
    tag: 'collector',
    message: 'Collection statistics retrieved successfully',
    response,
    needsCollector: true,
    failure: 'STATS_UNAVAILABLE',
    handle() {
      const stats = view.stats()
      const { counts } = view.store
      return {
        collection_stats: collectionStats(stats),
        service_stats: {
          uptime_seconds: uptimeSeconds({ clock, service }),
          total_collections: stats.totalCollections,
          error_count: stats.errors,
          last_collection_time: isoTimeOrNull(stats.lastCollectionUs),
          success_rate: successRate(stats),
        },
        data_summary: {
          tickers_count: counts.tickers,
          orderbooks_count: counts.orderbooks,
          trades_count: counts.trades,
          total_data_points: totalPoints(counts),
        },
        performance_metrics: {
          collections_per_minute: round2(stats.collectionsPerMinute),
          memory_usage_mb: round2(residentBytes() / BYTES_PER_MB),
        },
      }
    },
  })
