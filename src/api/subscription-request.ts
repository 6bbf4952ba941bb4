/** What a change of the subscriptions may look like. */

import { z } from 'zod'
import { CHANNELS } from '../model/event.ts'
import type { VenueNames } from './names.ts'
import type { SubscriptionEntry } from './view.ts'

const ENTRIES_MAX = 500
const SYMBOL_LENGTH_MAX = 64

const SHAPE =
  'The body must be {"add":[{"venue":…,"symbol":…,"channels":[…]}],"remove":[…]}; a list without entries, and channels, may be left out'
const SYMBOL = `symbol must be one symbol of 1 to ${SYMBOL_LENGTH_MAX} characters without spaces, as the venue writes it`
const CHANNEL = `channels must be a list, without repetition, of: ${CHANNELS.join(', ')}`

/** The body of `POST /api/v1/subscriptions`. Errors are sentences for the client. */
export function subscriptionRequestSchema(names: VenueNames) {
  const venueError = `venue must be one of: ${names.venues.join(', ')}`
  const entry = z.strictObject(
    {
      venue: z.enum(names.venues, { error: venueError }),
      symbol: z
        .string({ error: SYMBOL })
        .max(SYMBOL_LENGTH_MAX, { error: SYMBOL })
        .regex(/^[^\s\p{Cc}]+$/u, { error: SYMBOL })
        .describe('As the venue writes it.'),
      channels: z
        .array(z.enum(CHANNELS, { error: CHANNEL }), { error: CHANNEL })
        .min(1, { error: CHANNEL })
        .refine((channels) => new Set(channels).size === channels.length, { error: CHANNEL })
        .optional()
        .describe('Left out: all that the configuration collects.'),
    },
    { error: SHAPE },
  )
  const entries = z.array(entry, { error: SHAPE }).default([])
  return z
    .strictObject({ add: entries, remove: entries }, { error: SHAPE })
    .refine(({ add, remove }) => add.length + remove.length > 0, { error: 'There is nothing to add or to remove.' })
    .refine(({ add, remove }) => add.length + remove.length <= ENTRIES_MAX, {
      error: `At most ${ENTRIES_MAX} entries may be added and removed at a time.`,
    })
    .refine(({ add, remove }) => isEachNamedOnce([...add, ...remove]), {
      error: 'A channel of a symbol may be named only once, in one of the lists.',
    })
}

type Entry = Omit<SubscriptionEntry, 'channels'> & { readonly channels?: SubscriptionEntry['channels'] }

/** An entry without channels names all of them. */
function isEachNamedOnce(entries: readonly Entry[]): boolean {
  const feeds = entries.flatMap(({ venue, symbol, channels = CHANNELS }) =>
    channels.map((channel) => `${venue} ${symbol} ${channel}`),
  )
  return new Set(feeds).size === feeds.length
}
