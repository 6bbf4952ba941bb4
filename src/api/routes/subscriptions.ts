import { z } from 'zod'
import { CHANNELS, type Channel, instrumentKey } from '../../model/event.ts'
import type { FeedState } from '../../model/feed.ts'
import type { RouteDeps } from '../deps.ts'
import { choiceParam } from '../params.ts'
import { dataRoute } from '../route.ts'
import { count } from '../schemas.ts'
import type { FeedView } from '../view.ts'

const response = z.strictObject({
  can_change: z.boolean().describe('`POST` is served: a token is configured.'),
  count: count.describe('Instruments in this answer.'),
  subscriptions: z.array(
    z.strictObject({
      exchange: z.string(),
      venue: z.string(),
      symbol: z.string(),
      channels: z.array(z.enum(CHANNELS)),
    }),
  ),
})

/** Feeds in these states get no data, and nothing is tried. */
const NOT_COLLECTED: ReadonlySet<FeedState> = new Set(['disabled', 'delisted'])

/** `GET /api/v1/subscriptions` */
export const subscriptions = ({ view, names, hasToken }: RouteDeps) =>
  dataRoute({
    path: '/api/v1/subscriptions',
    summary: 'What is collected now',
    description: 'By instrument. `/api/v1/feeds` says how well.',
    tag: 'collector',
    message: 'Subscriptions retrieved successfully',
    query: z.object({ venue: choiceParam('venue', names.venues, 'One venue.') }),
    response,
    needsCollector: true,
    failure: 'DATA_RETRIEVAL_ERROR',
    handle({ query: { venue } }) {
      const collected = view
        .feeds()
        .filter((feed) => (venue === 'all' || feed.venue === venue) && !NOT_COLLECTED.has(feed.state))
      const found = byInstrument(collected)
      return { can_change: hasToken, count: found.length, subscriptions: found }
    },
  })

function byInstrument(feeds: readonly FeedView[]) {
  const instruments = new Map<string, { exchange: string; venue: string; symbol: string; channels: Channel[] }>()
  for (const { exchange, venue, symbol, channel } of feeds) {
    const key = instrumentKey(venue, symbol)
    const known = instruments.get(key)
    if (known) known.channels.push(channel)
    else instruments.set(key, { exchange, venue, symbol, channels: [channel] })
  }
  return [...instruments.values()]
}
