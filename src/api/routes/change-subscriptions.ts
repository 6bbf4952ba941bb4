import { z } from 'zod'
import { CHANNELS } from '../../model/event.ts'
import type { RouteDeps } from '../deps.ts'
import { dataRoute } from '../route.ts'
import { subscriptionRequestSchema } from '../subscription-request.ts'
import { type FeedName, type RefusedSubscription, SUBSCRIPTION_REFUSALS, type SubscriptionEntry } from '../view.ts'

const feedSchema = z.strictObject({ venue: z.string(), channel: z.enum(CHANNELS), symbol: z.string() })

const response = z.strictObject({
  added: z.array(feedSchema),
  removed: z.array(feedSchema),
  unchanged: z.array(feedSchema).describe('To be added, but collected already.'),
  refused: z.array(
    z.strictObject({
      operation: z.enum(['add', 'remove']),
      venue: z.string(),
      symbol: z.string(),
      channel: z.enum(CHANNELS).nullable().describe('`null`: every channel of the entry.'),
      refusal: z.enum(SUBSCRIPTION_REFUSALS),
      reason: z.string().describe('In words.'),
    }),
  ),
  is_saved: z.literal(false).describe('Nothing is written to the configuration: a restart collects what it says.'),
})

/** `POST /api/v1/subscriptions` */
export const changeSubscriptions = ({ view, names }: RouteDeps) =>
  dataRoute({
    path: '/api/v1/subscriptions',
    summary: 'Collect more, or less, until the process ends',
    description:
      'Served only where `api.token` is set. Each feed stands on its own: one that is refused stops no other, so read `refused` of a 200 too. The answer does not wait for the venue; `/api/v1/feeds` tells how it goes. Nothing is written to disk: what shall last belongs into `exchanges.yaml`.',
    tag: 'collector',
    message: 'Subscriptions changed until the process ends; the configuration is as it was',
    body: subscriptionRequestSchema(names),
    response,
    needsCollector: true,
    async handle({ body }) {
      const { added, removed, unchanged, refused } = await view.changeSubscriptions({
        add: body.add.map(entryOf),
        remove: body.remove.map(entryOf),
      })
      return {
        added: added.map(feedRecord),
        removed: removed.map(feedRecord),
        unchanged: unchanged.map(feedRecord),
        refused: refused.map(refusedRecord),
        is_saved: false as const,
      }
    },
  })

const entryOf = ({
  venue,
  symbol,
  channels,
}: Pick<SubscriptionEntry, 'venue' | 'symbol'> & {
  readonly channels?: SubscriptionEntry['channels']
}): SubscriptionEntry => ({ venue, symbol, channels })

const feedRecord = ({ venue, channel, symbol }: FeedName) => ({ venue, channel, symbol })

const refusedRecord = ({ operation, venue, symbol, channel, refusal, reason }: RefusedSubscription) => ({
  operation,
  venue,
  symbol,
  channel: channel ?? null,
  refusal,
  reason,
})
