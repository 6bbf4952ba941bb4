import { z } from 'zod'
import type { Trade } from '../../model/event.ts'
import type { RouteDeps } from '../deps.ts'
import { instrumentParams, requireInstrument } from '../instrument.ts'
import { integerParam, LIMIT } from '../params.ts'
import { tradeRecord, tradeSchema } from '../records.ts'
import { dataRoute } from '../route.ts'
import { count } from '../schemas.ts'
import type { CollectorView } from '../view.ts'

const response = z.strictObject({
  venue: z.string(),
  symbol: z.string(),
  count: count.describe('Trades in this answer.'),
  trades: z.array(tradeSchema).describe('Newest first.'),
})

/** `GET /api/v1/trades/{venue}/{symbol}` */
export const trades = ({ view, names }: RouteDeps) =>
  dataRoute({
    path: '/api/v1/trades/{venue}/{symbol}',
    summary: 'Newest trades of one instrument',
    description: 'From memory, which holds the newest trades of all instruments together.',
    tag: 'data',
    message: 'Trades retrieved successfully',
    params: instrumentParams,
    query: z.object({ limit: integerParam('Limit', LIMIT.min, LIMIT.max, 10, 'Trades in the answer.') }),
    response,
    errors: ['NOT_FOUND'],
    needsCollector: true,
    failure: 'DATA_RETRIEVAL_ERROR',
    handle({ params: { venue, symbol }, query }) {
      requireInstrument(view, names, venue, symbol)
      const found = newestOf(view, venue, symbol, query.limit)
      return { venue, symbol, count: found.length, trades: found.map(tradeRecord) }
    },
  })

function newestOf(view: CollectorView, venue: string, symbol: string, limit: number): Trade[] {
  const found: Trade[] = []
  for (const trade of view.store.trades()) {
    if (trade.venue !== venue || trade.symbol !== symbol) continue
    if (found.push(trade) === limit) break
  }
  return found
}
