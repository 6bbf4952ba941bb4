/** An endpoint in its smallest form: the best prices of a book that is proven. */

import { z } from 'zod'
import type { RouteDeps } from '../../../src/api/deps.ts'
import { instrumentParams, requireInstrument } from '../../../src/api/instrument.ts'
import { dataRoute } from '../../../src/api/route.ts'
import { PrismError } from '../../../src/model/errors.ts'

const response = z.strictObject({
  venue: z.string(),
  symbol: z.string(),
  bid: z.string().nullable().describe('Highest price that someone pays; `null`: nobody does.'),
  ask: z.string().nullable().describe('Lowest price that someone takes.'),
})

/** `GET /api/v1/best/{venue}/{symbol}` */
export const best = ({ view, names }: RouteDeps) =>
  dataRoute({
    path: '/api/v1/best/{venue}/{symbol}',
    summary: 'Best prices of one instrument',
    description: 'Of a book that is proven, and of no other.',
    tag: 'data',
    message: 'Best prices retrieved successfully',
    params: instrumentParams,
    response,
    errors: ['NOT_FOUND', 'SERVICE_UNAVAILABLE'],
    needsCollector: true,
    failure: 'DATA_RETRIEVAL_ERROR',
    handle({ params: { venue, symbol } }) {
      requireInstrument(view, names, venue, symbol)
      const book = view.book(venue, symbol, 1)
      if (book?.state !== 'live') throw new PrismError('SERVICE_UNAVAILABLE', 'The book is not proven now; ask again.')
      return { venue, symbol, bid: book.bids[0]?.[0] ?? null, ask: book.asks[0]?.[0] ?? null }
    },
  })
