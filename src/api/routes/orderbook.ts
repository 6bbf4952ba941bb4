import { z } from 'zod'
import type { RouteDeps } from '../deps.ts'
import { instrumentParams, requireInstrument, unknownInstrument } from '../instrument.ts'
import { DEPTH, integerParam } from '../params.ts'
import { bookRecord, bookSchema } from '../records.ts'
import { dataRoute } from '../route.ts'

/** `GET /api/v1/orderbook/{venue}/{symbol}` */
export const orderbook = ({ view, names }: RouteDeps) =>
  dataRoute({
    path: '/api/v1/orderbook/{venue}/{symbol}',
    summary: 'One order book',
    tag: 'data',
    message: 'Order book retrieved successfully',
    params: instrumentParams,
    query: z.object({ depth: integerParam('Depth', DEPTH.min, DEPTH.max, 20, 'Levels a side.') }),
    response: bookSchema,
    errors: ['NOT_FOUND'],
    needsCollector: true,
    failure: 'DATA_RETRIEVAL_ERROR',
    handle({ params: { venue, symbol }, query }) {
      requireInstrument(view, names, venue, symbol)
      const book = view.book(venue, symbol, query.depth)
      if (book === undefined) throw unknownInstrument('No order book of this instrument is collected.')
      return bookRecord(book)
    },
  })
