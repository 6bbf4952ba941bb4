import { z } from 'zod'
import type { RouteDeps } from '../deps.ts'
import { choiceParam } from '../params.ts'
import { instrumentRecord, instrumentSchema } from '../records.ts'
import { dataRoute } from '../route.ts'
import { count, market as marketSchema } from '../schemas.ts'

const response = z.strictObject({
  count: count.describe('Instruments in this answer.'),
  instruments: z.array(instrumentSchema),
})

/** `GET /api/v1/instruments` */
export const instruments = ({ view, names }: RouteDeps) =>
  dataRoute({
    path: '/api/v1/instruments',
    summary: 'Metadata of the collected instruments',
    tag: 'data',
    message: 'Instruments retrieved successfully',
    query: z.object({
      venue: choiceParam('venue', names.venues, 'One venue.'),
      market: choiceParam('market', marketSchema.options, 'One kind of market.'),
    }),
    response,
    needsCollector: true,
    failure: 'DATA_RETRIEVAL_ERROR',
    handle({ query: { venue, market } }) {
      const found = [...view.instruments()].filter(
        (instrument) =>
          (venue === 'all' || instrument.venue === venue) && (market === 'all' || instrument.market === market),
      )
      return { count: found.length, instruments: found.map(instrumentRecord) }
    },
  })
