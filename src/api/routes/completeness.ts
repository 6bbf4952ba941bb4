import { z } from 'zod'
import { PrismError } from '../../model/errors.ts'
import { type EpochUs, instrumentKey } from '../../model/event.ts'
import { isoTime } from '../../model/time.ts'
import {
  type Bucket,
  bucketCount,
  bucketRecord,
  bucketsOf,
  completenessSum,
  completenessSumSchema,
  feedCompletenessRecord,
  feedCompletenessSchema,
  isVerifiable,
} from '../completeness.ts'
import type { RouteDeps } from '../deps.ts'
import { feedFilter, requireKnown } from '../feed-filter.ts'
import { durationUs } from '../moment.ts'
import { channelParam, choiceParam, durationParam, momentParam, symbolParam } from '../params.ts'
import { dataRoute } from '../route.ts'
import { count, seconds, time } from '../schemas.ts'
import { pauses, turns } from '../turns.ts'
import type { CollectorView, FeedName } from '../view.ts'
import { windowOf } from '../window.ts'

const US_PER_SECOND = 1e6
const WINDOW_US = 24 * 3_600 * US_PER_SECOND
const BUCKETS_MAX = 1_500
const ROWS_MAX = 20_000
/** Answers with buckets that are made or waited for at a time. */
const JOBS_MAX = 4
/** Work on one of them before other work has its turn. */
const SLICE_MS = 10

export const completenessResponse = z.strictObject({
  query_parameters: z
    .strictObject({
      venue: z.string(),
      symbol: z.string().nullable(),
      type: z.string(),
      since: time,
      until: time,
      step_seconds: seconds.nullable(),
    })
    .describe('The parameters as they were understood.'),
  summary: z.strictObject({
    verifiable: completenessSumSchema.describe('Feeds of which every lost message is known.'),
    unverifiable: completenessSumSchema.describe('Feeds of which more may be lost than is known.'),
  }),
  count: count.describe('Feeds in this answer.'),
  feeds: z.array(feedCompletenessSchema),
})

/** `GET /api/v1/completeness` */
export function completeness({ view, clock, names }: RouteDeps) {
  const inTurn = turns(JOBS_MAX)
  return dataRoute({
    path: '/api/v1/completeness',
    summary: 'How much of a window each feed covers, and what is missing',
    description: `One entry for each feed that was collected in the window. Beyond 100,000 gaps the oldest are forgotten; those of a feed then count as one, without ids, from the start of the first to the end of the last. With \`step\` the window is also cut into buckets: at most ${BUCKETS_MAX} of them, and ${ROWS_MAX} over all feeds. Few such answers are made at a time; further ones are told 503.`,
    tag: 'data',
    message: 'Completeness retrieved successfully',
    query: z.object({
      venue: choiceParam('venue', names.venues, 'One venue.'),
      symbol: symbolParam('One symbol, as its venue writes it, in any case.'),
      type: channelParam('type'),
      since: momentParam('since', 'Start of the window; 24 h before its end when left out.'),
      until: momentParam('until', 'End of the window; now when left out, and at the latest.'),
      step: durationParam(
        'step',
        'Length of the buckets: `60s`, `1m`, `5m`, `1h`. They begin at its multiples, in UTC.',
      ),
    }),
    response: completenessResponse,
    errors: ['NOT_FOUND'],
    needsCollector: true,
    failure: 'DATA_RETRIEVAL_ERROR',
    async handle({ query }) {
      const nowUs = clock.nowUs()
      const { sinceUs, untilUs } = fullWindow(query, nowUs)
      const isWanted = feedFilter(query)
      const views = collected(view, { startUs: sinceUs, endUs: untilUs }, isWanted)
      requireKnown(view, query, views.length > 0)
      const stepUs = query.step === undefined ? undefined : durationUs(query.step)
      const cut = stepUs === undefined ? undefined : cutWindow(sinceUs, untilUs, stepUs, views.length)
      const buckets = cut && (await inTurn(() => bucketRecords(view, cut, isWanted, pauses(clock, SLICE_MS))))
      return {
        query_parameters: {
          venue: query.venue,
          symbol: query.symbol ?? null,
          type: query.type,
          since: isoTime(sinceUs),
          until: isoTime(untilUs),
          step_seconds: stepUs === undefined ? null : stepUs / US_PER_SECOND,
        },
        summary: {
          verifiable: completenessSum(views.filter(isVerifiable)),
          unverifiable: completenessSum(views.filter((feed) => !isVerifiable(feed))),
        },
        count: views.length,
        feeds: views.map((feed) => feedCompletenessRecord(feed, buckets && (buckets.get(keyOf(feed)) ?? []))),
      }
    },
  })
}

/** The future is not covered yet. */
function fullWindow(query: Parameters<typeof windowOf>[0], nowUs: EpochUs) {
  const window = windowOf(query, nowUs)
  const untilUs = Math.min(window.untilUs ?? nowUs, nowUs)
  const sinceUs = window.sinceUs ?? Math.max(0, untilUs - WINDOW_US)
  if (sinceUs >= untilUs) throw new PrismError('INVALID_PARAMETERS', 'since parameter must be before now')
  return { sinceUs, untilUs }
}

const keyOf = ({ venue, channel, symbol }: FeedName): string => `${channel}:${instrumentKey(venue, symbol)}`

/** The wanted feeds of a window, without those that only touch it. */
const collected = (view: CollectorView, { startUs, endUs }: Bucket, isWanted: (feed: FeedName) => boolean) =>
  view.completeness(startUs, endUs, isWanted).filter((feed) => isWanted(feed) && feed.startUs < feed.endUs)

type BucketRecords = Map<string, ReturnType<typeof bucketRecord>[]>

/** The buckets of each feed, under its key. */
async function bucketRecords(
  view: CollectorView,
  cut: readonly Bucket[],
  isWanted: (feed: FeedName) => boolean,
  pause: () => Promise<void>,
): Promise<BucketRecords> {
  const records: BucketRecords = new Map()
  for (const bucket of cut) {
    await pause()
    for (const feed of collected(view, bucket, isWanted)) {
      const key = keyOf(feed)
      const ofFeed = records.get(key)
      if (ofFeed) ofFeed.push(bucketRecord(feed))
      else records.set(key, [bucketRecord(feed)])
    }
  }
  return records
}

/** Errors: INVALID_PARAMETERS when that would be too many buckets, or too many over all feeds. */
function cutWindow(sinceUs: EpochUs, untilUs: EpochUs, stepUs: number, feeds: number): readonly Bucket[] {
  const buckets = bucketCount(sinceUs, untilUs, stepUs)
  const rows = buckets * feeds
  if (buckets <= BUCKETS_MAX && rows <= ROWS_MAX) return bucketsOf(sinceUs, untilUs, stepUs)
  const message =
    buckets > BUCKETS_MAX
      ? `step cuts the window into ${buckets} buckets; at most ${BUCKETS_MAX} are answered. Ask for a shorter window or a longer step.`
      : `${buckets} buckets of ${feeds} feeds are ${rows} rows; at most ${ROWS_MAX} are answered. Name a venue, symbol or type, a shorter window or a longer step.`
  throw new PrismError('INVALID_PARAMETERS', message)
}
