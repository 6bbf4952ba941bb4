import { z } from 'zod'
import { GAP_CAUSES, GAP_STATES } from '../../model/event.ts'
import { isoTimeOrNull } from '../../model/time.ts'
import type { RouteDeps } from '../deps.ts'
import { feedFilter, requireKnown } from '../feed-filter.ts'
import { gapRecord, gapSchema, gapSummary, gapSummarySchema, touches } from '../gaps.ts'
import { channelParam, choiceParam, integerParam, momentParam, symbolParam } from '../params.ts'
import { dataRoute } from '../route.ts'
import { count, timeOrNull } from '../schemas.ts'
import { windowOf } from '../window.ts'

const LIMIT = { min: 1, max: 1000, preset: 100 } as const

export const gapsResponse = z.strictObject({
  query_parameters: z
    .strictObject({
      venue: z.string(),
      symbol: z.string().nullable(),
      type: z.string(),
      state: z.string(),
      cause: z.string(),
      since: timeOrNull,
      until: timeOrNull,
      limit: z.int(),
    })
    .describe('The parameters as they were understood.'),
  summary: gapSummarySchema.describe('Of all gaps that match, beyond `limit` too.'),
  count: count.describe('Gaps in this answer.'),
  has_more: z
    .boolean()
    .describe('More gaps match than `limit` allows; `until` the last `start_time` shows older ones.'),
  gaps: z.array(gapSchema).describe('The newest start first.'),
})

/** `GET /api/v1/gaps` */
export const gaps = ({ view, clock, names }: RouteDeps) =>
  dataRoute({
    path: '/api/v1/gaps',
    summary: 'The gap ledger: every window in which data may be missing',
    description:
      'A gap is one window of one feed. No gap on a stream without a proof does not mean that nothing was lost there: `/api/v1/completeness` counts such feeds apart.',
    tag: 'data',
    message: 'Gaps retrieved successfully',
    query: z.object({
      venue: choiceParam('venue', names.venues, 'One venue.'),
      symbol: symbolParam('One symbol, as its venue writes it, in any case.'),
      type: channelParam('type'),
      state: choiceParam('state', GAP_STATES, 'One state.'),
      cause: choiceParam('cause', GAP_CAUSES, 'One cause.'),
      since: momentParam('since', 'Gaps that lasted until then or longer.'),
      until: momentParam('until', 'Gaps that began by then.'),
      limit: integerParam('Limit', LIMIT.min, LIMIT.max, LIMIT.preset, 'Gaps in the answer.'),
    }),
    response: gapsResponse,
    errors: ['NOT_FOUND'],
    needsCollector: true,
    failure: 'DATA_RETRIEVAL_ERROR',
    handle({ query }) {
      const nowUs = clock.nowUs()
      const { sinceUs, untilUs } = windowOf(query, nowUs)
      const isWanted = feedFilter(query)
      const ofFeeds = [...view.gaps()].filter(isWanted)
      requireKnown(view, query, ofFeeds.length > 0)
      const found = ofFeeds.filter(
        (gap) =>
          (query.state === 'all' || gap.state === query.state) &&
          (query.cause === 'all' || gap.cause === query.cause) &&
          touches(gap, sinceUs ?? 0, untilUs ?? Number.POSITIVE_INFINITY),
      )
      const shown = found.slice(0, query.limit)
      return {
        query_parameters: {
          venue: query.venue,
          symbol: query.symbol ?? null,
          type: query.type,
          state: query.state,
          cause: query.cause,
          since: isoTimeOrNull(sinceUs),
          until: isoTimeOrNull(untilUs),
          limit: query.limit,
        },
        summary: gapSummary(found, nowUs),
        count: shown.length,
        has_more: found.length > shown.length,
        gaps: shown.map((gap) => gapRecord(gap, view.proofOf(gap), nowUs)),
      }
    },
  })
