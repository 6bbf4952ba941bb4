/** Makes what is collected of one venue what a new configuration says; what is the same goes on untouched. */

import type { FeedName } from '../api/view.ts'
import type { Feed } from '../feed/feed.ts'
import { type WantedFeed, wantedFeeds } from '../feed/plan.ts'
import { polledTopic } from '../feed/poller.ts'
import type { Config, VenueConfig } from '../ops/config-schema.ts'
import type { Topic } from '../venues/venue.ts'
import type { Collected } from './collected.ts'
import { wantedChannels } from './wanted.ts'

const REMOVED = 'the configuration does not collect it any more'
const RENAMED = 'another channel of the venue brings it now'

/** Feeds by what becomes of them. */
export interface Reconciliation {
  readonly remove: readonly Feed[]
  /** Collected already, but from another channel of the venue. */
  readonly rename: readonly WantedFeed[]
  readonly add: readonly WantedFeed[]
}

/** What leads from the feeds there are to those that are wanted. `topicOf`: what brings a feed. Pure. */
export function reconcile(
  feeds: Iterable<Feed>,
  wanted: readonly WantedFeed[],
  topicOf: (feed: WantedFeed) => Topic,
): Reconciliation {
  const left = new Map([...feeds].map((feed) => [keyOf(feed), feed]))
  const rename: WantedFeed[] = []
  const add: WantedFeed[] = []
  for (const each of wanted) {
    const feed = left.get(keyOf(each))
    left.delete(keyOf(each))
    if (feed === undefined) add.push(each)
    else if (feed.topic.name !== topicOf(each).name) rename.push(each)
  }
  return { remove: [...left.values()], rename, add }
}

/** Resolves when everything is asked for. `removed`: these feeds are gone, called before. */
export async function reloadVenue(
  { venue, feed, move }: Collected,
  config: Config,
  removed: (feeds: readonly FeedName[]) => void,
): Promise<void> {
  const venueConfig = config.exchanges[venue.id] as VenueConfig
  // Polling brings trades from a channel of its own choice.
  const topicOf = ({ channel, name, symbol }: WantedFeed) =>
    config.enable_websocket ? venue.topic(channel, name, symbol) : polledTopic(venue, channel, name, symbol)
  const { remove, rename, add } = reconcile(feed.feeds, wantedOf(config, venue.id), topicOf)
  feed.remove(remove, REMOVED)
  removed(remove.map(({ channel, symbol }) => ({ venue: venue.id, channel, symbol })))
  feed.remove(
    rename.flatMap(({ channel, symbol }) => feed.find(channel, symbol) ?? []),
    RENAMED,
  )
  move(venueConfig)
  await Promise.all([feed.add(rename, RENAMED), feed.add(add)])
}

/** What clients had changed, and the new configuration changes back. Pure. */
export function undoneChanges(
  { venue, feed }: Collected,
  before: Config,
  after: Config,
): { readonly added: readonly WantedFeed[]; readonly removed: readonly Pick<FeedName, 'channel' | 'symbol'>[] } {
  const wantedBefore = new Set(wantedOf(before, venue.id).map(keyOf))
  const wantedAfter = wantedOf(after, venue.id)
  const keysAfter = new Set(wantedAfter.map(keyOf))
  return {
    added: wantedAfter.filter(
      (each) => wantedBefore.has(keyOf(each)) && feed.find(each.channel, each.symbol) === undefined,
    ),
    removed: [...feed.feeds].filter((each) => !wantedBefore.has(keyOf(each)) && !keysAfter.has(keyOf(each))),
  }
}

function wantedOf(config: Config, venueId: string): WantedFeed[] {
  const venueConfig = config.exchanges[venueId]
  if (venueConfig?.enabled !== true) return []
  return wantedFeeds(venueConfig.symbols, wantedChannels(config, venueConfig))
}

const keyOf = ({ channel, symbol }: Pick<FeedName, 'channel' | 'symbol'>): string => `${channel} ${symbol}`
