import { z } from 'zod'
import { CHANNELS, type EpochUs } from '../../model/event.ts'
import { FEED_STATES } from '../../model/feed.ts'
import { isoTime, isoTimeOrNull } from '../../model/time.ts'
import type { RouteDeps } from '../deps.ts'
import { gapRecord, gapSchema, proofSchema } from '../gaps.ts'
import { channelParam, choiceParam } from '../params.ts'
import { dataRoute } from '../route.ts'
import { count, time, timeOrNull } from '../schemas.ts'
import type { FeedView } from '../view.ts'

const feedSchema = z.strictObject({
  exchange: z.string(),
  venue: z.string(),
  channel: z.enum(CHANNELS),
  symbol: z.string(),
  proof: proofSchema,
  state: z.enum(FEED_STATES),
  reason: z.string().describe('Why it is in this state, in words; empty when live.'),
  since: time.describe('When it entered this state.'),
  last_message: timeOrNull,
  events: count.describe('Events since the start.'),
  resyncs: count.describe('Times that its order book was built anew.'),
  behind_ms: z
    .number()
    .min(0)
    .describe('How much later than usual its data come, in milliseconds; 0 where the venue sends no time.'),
  open_gap: gapSchema.nullable().describe('The newest gap of this feed that is open; `null` when there is none.'),
})

export const feedsResponse = z.strictObject({
  summary: z
    .strictObject({ total: count, states: z.partialRecord(z.enum(FEED_STATES), count) })
    .describe('All feeds by state, whatever the filter.'),
  count: count.describe('Feeds in this answer.'),
  feeds: z.array(feedSchema),
})

/** `GET /api/v1/feeds` */
export const feeds = ({ view, clock, names }: RouteDeps) =>
  dataRoute({
    path: '/api/v1/feeds',
    summary: 'State of every feed, and why',
    description: 'A feed is one channel of one symbol of one venue.',
    tag: 'collector',
    message: 'Feeds retrieved successfully',
    query: z.object({
      venue: choiceParam('venue', names.venues, 'One venue.'),
      channel: channelParam('channel'),
      state: choiceParam('state', FEED_STATES, 'One state.'),
    }),
    response: feedsResponse,
    failure: 'EXCHANGE_STATUS_ERROR',
    handle({ query: { venue, channel, state } }) {
      const all = view.feeds()
      const found = all.filter(
        (feed) =>
          (venue === 'all' || feed.venue === venue) &&
          (channel === 'all' || feed.channel === channel) &&
          (state === 'all' || feed.state === state),
      )
      const nowUs = clock.nowUs()
      return {
        summary: { total: all.length, states: byState(all) },
        count: found.length,
        feeds: found.map((feed) => feedRecord(feed, nowUs)),
      }
    },
  })

function byState(feeds: readonly FeedView[]): Partial<Record<FeedView['state'], number>> {
  const counts: Partial<Record<FeedView['state'], number>> = {}
  for (const { state } of feeds) counts[state] = (counts[state] ?? 0) + 1
  return counts
}

const feedRecord = (feed: FeedView, nowUs: EpochUs): z.input<typeof feedSchema> => ({
  exchange: feed.exchange,
  venue: feed.venue,
  channel: feed.channel,
  symbol: feed.symbol,
  proof: feed.proof,
  state: feed.state,
  reason: feed.reason,
  since: isoTime(feed.sinceUs),
  last_message: isoTimeOrNull(feed.lastMessageUs),
  events: feed.events,
  resyncs: feed.resyncs,
  behind_ms: Math.round(feed.behindMs),
  open_gap: feed.openGap === undefined ? null : gapRecord(feed.openGap, feed.proof, nowUs),
})
