import { CHANNELS } from '../../src/model/event.ts'
import { channelNames, type Topic, type Venue } from '../../src/venues/venue.ts'

/** All that can be subscribed to for some symbols. */
export const everyTopic = (venue: Venue, symbols: readonly string[]): Topic[] =>
  symbols.flatMap((symbol) =>
    CHANNELS.flatMap((channel) => channelNames(venue, channel).map((name) => venue.topic(channel, name, symbol))),
  )

/** Request ids 101, 102, …, as a connection numbers them. */
export function counter(): () => string {
  let last = 100
  return () => String(++last)
}
