/** Which feeds are wanted, and which connection carries each. Pure. */

import { CHANNELS, type Channel } from '../model/event.ts'
import type { Topic, Venue } from '../venues/venue.ts'

/** A feed to be collected. `name`: the venue's channel that brings it. */
export interface WantedFeed {
  readonly channel: Channel
  readonly name: string
  readonly symbol: string
}

/** Every channel of every symbol. `channels`: the venue's channel for each of ours that is wanted. */
export const wantedFeeds = (
  symbols: readonly string[],
  channels: Readonly<Partial<Record<Channel, string>>>,
): WantedFeed[] =>
  symbols.flatMap((symbol) =>
    CHANNELS.flatMap((channel) => {
      const name = channels[channel]
      return name === undefined ? [] : [{ channel, name, symbol }]
    }),
  )

interface Carried {
  readonly topic: Topic
}

/** The feeds of one connection: all on one endpoint, within the venue's limit. */
export interface PlannedConnection<Feed extends Carried> {
  readonly endpoint: string
  readonly feeds: readonly Feed[]
}

/** Cuts feeds into connections: one endpoint each, evenly filled, never above the venue's limit of topics. */
export function planConnections<Feed extends Carried>(venue: Venue, feeds: readonly Feed[]): PlannedConnection<Feed>[] {
  return Object.keys(venue.endpoints).flatMap((endpoint) => {
    const here = feeds.filter(({ topic }) => topic.endpoint === endpoint)
    const count = Math.ceil(here.length / venue.socketLimits.topicsPerConnectionMax)
    return Array.from({ length: count }, (_, index) => ({
      endpoint,
      feeds: here.slice(Math.floor((index * here.length) / count), Math.floor(((index + 1) * here.length) / count)),
    }))
  })
}

/** Topics that keep the venue's limit of connections, however they are spread over its endpoints. */
export function topicsMax({ socketLimits, endpoints }: Venue): number {
  const { connectionsMax = Number.POSITIVE_INFINITY, topicsPerConnectionMax } = socketLimits
  return (connectionsMax - (Object.keys(endpoints).length - 1)) * topicsPerConnectionMax
}

/** A connection that is there, and how many more topics it may carry. */
export interface Room {
  readonly endpoint: string
  readonly places: number
}

export interface Placement<Feed extends Carried> {
  /** For each room the feeds that go there. */
  readonly joining: readonly (readonly Feed[])[]
  readonly opening: readonly PlannedConnection<Feed>[]
}

/** Feeds go where there is room, the first room first; what is left gets connections of its own. */
export function placeFeeds<Feed extends Carried>(
  venue: Venue,
  feeds: readonly Feed[],
  rooms: readonly Room[],
): Placement<Feed> {
  const left = new Set(feeds)
  const joining = rooms.map(({ endpoint, places }) => {
    const fitting = [...left].filter(({ topic }) => topic.endpoint === endpoint).slice(0, Math.max(0, places))
    for (const feed of fitting) left.delete(feed)
    return fitting
  })
  return { joining, opening: planConnections(venue, [...left]) }
}
