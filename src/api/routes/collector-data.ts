import { z } from 'zod'
import { isoTime, isoTimeOrNull } from '../../model/time.ts'
import type { RouteDeps } from '../deps.ts'
import { totalPoints } from '../facts.ts'
import { choiceParam, DEPTH, integerParam, LIMIT } from '../params.ts'
import { CATEGORIES, type Category, recentRecords } from '../recent.ts'
import { bookSchema, tickerSchema, tradeSchema } from '../records.ts'
import { dataRoute } from '../route.ts'
import { count, seconds, time, timeOrNull } from '../schemas.ts'

const US_PER_SECOND = 1e6

const response = z.strictObject({
  query_parameters: z
    .strictObject({ exchange: z.string(), type: z.string(), limit: z.int(), depth: z.int() })
    .describe('The parameters as they were understood.'),
  summary: z
    .strictObject({
      total_tickers: count,
      total_orderbooks: count,
      total_trades: count,
      total_data_points: count,
      last_update: timeOrNull.describe('Receive time of the newest record.'),
      collection_stats: z.strictObject({ total_collections: count, error_count: count }),
    })
    .describe('Totals of the whole store, not of the filter.'),
  recent_data: z
    .strictObject({
      tickers: z.record(z.string(), tickerSchema).optional(),
      orderbooks: z.record(z.string(), bookSchema).optional(),
      trades: z.record(z.string(), tradeSchema).optional(),
    })
    .describe(
      'By `venue:symbol`, newest first, at most `limit` of each category. A category with no match is left out.',
    ),
  metadata: z.strictObject({
    generated_at: time,
    data_freshness_seconds: seconds.nullable().describe('Age of the newest record; `null` before the first.'),
  }),
})

/** `GET /api/v1/collector/data` */
export const collectorData = ({ view, clock, names }: RouteDeps) =>
  dataRoute({
    path: '/api/v1/collector/data',
    summary: 'The newest records held in memory',
    tag: 'data',
    message: 'Collected data retrieved successfully',
    // The order of the fields is the order of validation.
    query: z.object({
      limit: integerParam('Limit', LIMIT.min, LIMIT.max, 10, 'Records of each category.'),
      exchange: choiceParam('exchange', names.exchanges, 'One exchange, with all its venues.'),
      type: choiceParam('type', CATEGORIES, 'One category of records.'),
      depth: integerParam('Depth', DEPTH.min, DEPTH.max, 20, 'Levels a side of each order book.'),
    }),
    response,
    needsCollector: true,
    failure: 'DATA_RETRIEVAL_ERROR',
    handle({ query }) {
      const stats = view.stats()
      const { counts } = view.store
      const nowUs = clock.nowUs()
      return {
        query_parameters: { exchange: query.exchange, type: query.type, limit: query.limit, depth: query.depth },
        summary: {
          total_tickers: counts.tickers,
          total_orderbooks: counts.orderbooks,
          total_trades: counts.trades,
          total_data_points: totalPoints(counts),
          last_update: isoTimeOrNull(stats.lastCollectionUs),
          collection_stats: { total_collections: stats.totalCollections, error_count: stats.errors },
        },
        recent_data: recentRecords(view, {
          exchange: query.exchange === 'all' ? undefined : query.exchange,
          categories: query.type === 'all' ? CATEGORIES : [query.type satisfies Category],
          limit: query.limit,
          depth: query.depth,
        }),
        metadata: {
          generated_at: isoTime(nowUs),
          data_freshness_seconds:
            stats.lastCollectionUs === undefined ? null : Math.max(0, nowUs - stats.lastCollectionUs) / US_PER_SECOND,
        },
      }
    },
  })
