import { z } from 'zod'
import { PrismError } from '../../model/errors.ts'
import { GAP_CAUSES, GAP_STATES, type Gap } from '../../model/event.ts'
import { isoTimeOrNull } from '../../model/time.ts'
import type { RouteDeps } from '../deps.ts'
import { feedFilter, requireKnown } from '../feed-filter.ts'
import { gapRecord, gapSchema, gapSummary, gapSummarySchema, touches } from '../gaps.ts'
import { channelParam, choiceParam, gapIdParam, integerParam, momentParam, symbolParam } from '../params.ts'
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
      after: z.string().nullable(),
      limit: z.int(),
    })
    .describe('The parameters as they were understood.'),
  summary: gapSummarySchema.describe('Of all gaps that match, beyond `limit` too.'),
  count: count.describe('Gaps in this answer.'),
  has_more: z
    .boolean()
    .describe('More gaps match than `limit` allows; the same with `after` the last `gap_id` shows those behind it.'),
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
      after: gapIdParam('after', 'Only gaps behind this one: the `gap_id` that the answer before ended with.'),
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
      const all = [...view.gaps()]
      requireKnown(view, query, all.some(isWanted))
      const isMatch = (gap: Gap) =>
        isWanted(gap) &&
        (query.state === 'all' || gap.state === query.state) &&
        (query.cause === 'all' || gap.cause === query.cause) &&
        touches(gap, sinceUs ?? 0, untilUs ?? Number.POSITIVE_INFINITY)
      const found = all.filter(isMatch)
      const behind = query.after === undefined ? found : gapsBehind(all, query.after).filter(isMatch)
      const shown = behind.slice(0, query.limit)
      return {
        query_parameters: {
          venue: query.venue,
          symbol: query.symbol ?? null,
          type: query.type,
          state: query.state,
          cause: query.cause,
          since: isoTimeOrNull(sinceUs),
          until: isoTimeOrNull(untilUs),
          after: query.after ?? null,
          limit: query.limit,
        },
        summary: gapSummary(found, nowUs),
        count: shown.length,
        has_more: behind.length > shown.length,
        gaps: shown.map((gap) => gapRecord(gap, view.proofOf(gap), nowUs)),
      }
    },
  })

/** Not by time: after a restart thousands may have begun at one moment. Errors: INVALID_PARAMETERS when it is not there. */
function gapsBehind(all: readonly Gap[], id: string): readonly Gap[] {
  const index = all.findIndex(({ gap_id }) => gap_id === id)
  if (index >= 0) return all.slice(index + 1)
  const message = 'after parameter must be the gap_id of a gap that is kept; begin anew without it'
  throw new PrismError('INVALID_PARAMETERS', message)
}
