/** What clients change of what is collected: done as far as it can be, the rest refused with a reason. */

import type {
  FeedName,
  RefusedSubscription,
  SubscriptionChange,
  SubscriptionEntry,
  SubscriptionRequest,
} from '../api/view.ts'
import { topicsMax, type WantedFeed } from '../feed/plan.ts'
import { CHANNELS, type Channel } from '../model/event.ts'
import { type Config, SYMBOLS_MAX, type VenueConfig } from '../ops/config-schema.ts'
import type { Venue } from '../venues/venue.ts'
import type { Collected } from './collected.ts'
import { wantedChannels } from './wanted.ts'

type Refusal = Pick<RefusedSubscription, 'refusal' | 'reason'>
type Operation = RefusedSubscription['operation']

const REMOVED = 'removed by a client'
const STOPPING: Refusal = { refusal: 'unavailable', reason: 'the collector is stopping' }

/** What is collected, and by what rules. */
export interface Subscribed {
  readonly config: Config
  readonly isStopped: () => boolean
  readonly find: (venueId: string) => Collected | undefined
  /** The feeds are gone. */
  readonly removed: (feeds: readonly FeedName[]) => void
}

/** Removes first, so that there is room for what is added. */
export async function changeSubscriptions(
  { add, remove }: SubscriptionRequest,
  subscribed: Subscribed,
): Promise<SubscriptionChange> {
  const change = new Change(subscribed)
  for (const entry of remove) change.remove(entry)
  const venues = [...new Set(add.map(({ venue }) => venue))]
  await Promise.all(
    venues.map((venue) =>
      change.add(
        add.filter((entry) => entry.venue === venue),
        subscribed.find(venue),
      ),
    ),
  )
  return change
}

/** Of one entry: the feeds that are to be opened. `isWhole`: they are all that it asks for. */
interface Opening {
  readonly entry: SubscriptionEntry
  readonly feeds: readonly WantedFeed[]
  readonly isWhole: boolean
}

class Change implements SubscriptionChange {
  readonly added: FeedName[] = []
  readonly removed: FeedName[] = []
  readonly unchanged: FeedName[] = []
  readonly refused: RefusedSubscription[] = []
  readonly #subscribed: Subscribed

  constructor(subscribed: Subscribed) {
    this.#subscribed = subscribed
  }

  remove(entry: SubscriptionEntry): void {
    const { venue, symbol, channels = CHANNELS } = entry
    const { find, removed, isStopped } = this.#subscribed
    if (isStopped()) {
      this.#refuse('remove', entry, undefined, STOPPING)
      return
    }
    const feed = find(venue)?.feed
    const feeds = channels.flatMap((channel) => feed?.find(channel, symbol) ?? [])
    const names = feeds.map(({ channel }) => ({ venue, channel, symbol }))
    feed?.remove(feeds, REMOVED)
    this.removed.push(...names)
    removed(names)
    const missing = channels.filter((channel) => !feeds.some((known) => known.channel === channel))
    const isAsked = entry.channels !== undefined || feeds.length === 0
    if (isAsked && missing.length > 0)
      this.#refuse('remove', entry, missing, { refusal: 'not_collected', reason: 'it is not collected' })
  }

  /** `entries`: all of one venue; `collected`: the venue, if it is enabled. */
  async add(entries: readonly SubscriptionEntry[], collected: Collected | undefined): Promise<void> {
    if (collected === undefined) {
      const disabled = { refusal: 'venue_disabled', reason: 'the configuration switches the venue off' } as const
      for (const entry of entries) this.#refuse('add', entry, undefined, disabled)
      return
    }
    const openings = entries.map((entry) => this.#opening(entry, collected))
    const asked = openings.filter(({ feeds }) => feeds.length > 0)
    const listed = await collected.feed.listed(asked.map(({ entry }) => entry.symbol))
    const current = [...collected.feed.feeds]
    const symbols = new Set(current.map(({ symbol }) => symbol))
    let topics = current.length
    const accepted = asked.filter(({ entry, feeds, isWhole }) => {
      const refusal =
        this.#refusalOf(entry, collected, listed, symbols) ?? tooManyTopics(collected.venue, topics + feeds.length)
      if (refusal === undefined) {
        symbols.add(entry.symbol)
        topics += feeds.length
      } else this.#refuse('add', entry, isWhole ? undefined : feeds.map(({ channel }) => channel), refusal)
      return refusal === undefined
    })
    await this.#open(
      accepted.flatMap(({ feeds }) => feeds),
      collected,
    )
  }

  /** Sorts out what is collected already, and what the configuration does not allow. */
  #opening(entry: SubscriptionEntry, { venue, feed }: Collected): Opening {
    const { config } = this.#subscribed
    const names = wantedChannels(config, config.exchanges[venue.id] as VenueConfig)
    const isPolled = (channel: Channel) => venue.rest.poll(channel, [entry.symbol]).length > 0
    const isOn = (channel: Channel) => names[channel] !== undefined && (config.enable_websocket || isPolled(channel))
    const channels = entry.channels ?? CHANNELS.filter(isOn)
    const off = channels.filter((channel) => !isOn(channel))
    const disabled = { refusal: 'channel_disabled', reason: 'the configuration does not collect it' } as const
    if (off.length > 0 || channels.length === 0) this.#refuse('add', entry, off, disabled)
    const feeds = channels.filter(isOn).flatMap((channel): WantedFeed[] => {
      const isCollected = feed.find(channel, entry.symbol)?.isGivenUp === false
      if (isCollected) this.unchanged.push({ venue: venue.id, channel, symbol: entry.symbol })
      return isCollected ? [] : [{ channel, name: names[channel] as string, symbol: entry.symbol }]
    })
    return { entry, feeds, isWhole: feeds.length === channels.length }
  }

  #refusalOf(
    { symbol }: SubscriptionEntry,
    { venue }: Collected,
    listed: ReadonlyMap<string, boolean>,
    symbols: ReadonlySet<string>,
  ): Refusal | undefined {
    if (this.#subscribed.isStopped()) return STOPPING
    const isListed = listed.get(symbol)
    if (isListed === undefined)
      return { refusal: 'unavailable', reason: `the instruments of ${venue.title} are not known yet` }
    if (!isListed) return { refusal: 'unknown_symbol', reason: `${venue.title} does not list it` }
    if (symbols.has(symbol) || symbols.size < SYMBOLS_MAX) return undefined
    return { refusal: 'limit', reason: `${SYMBOLS_MAX} symbols of ${venue.title} are collected already` }
  }

  /** What was given up makes place for a new attempt. */
  async #open(feeds: readonly WantedFeed[], { venue, feed }: Collected): Promise<void> {
    feed.remove(
      feeds.flatMap(({ channel, symbol }) => feed.find(channel, symbol) ?? []),
      'asked for again',
    )
    await feed.add(feeds)
    this.added.push(...feeds.map(({ channel, symbol }) => ({ venue: venue.id, channel, symbol })))
  }

  /** `channels` undefined, or all that the entry names: the entry as a whole. */
  #refuse(
    operation: Operation,
    { venue, symbol, channels: named = CHANNELS }: SubscriptionEntry,
    channels: readonly Channel[] | undefined,
    refusal: Refusal,
  ): void {
    const isWhole = channels === undefined || channels.length === named.length || channels.length === 0
    const each = isWhole ? [undefined] : channels
    for (const channel of each) this.refused.push({ operation, venue, symbol, channel, ...refusal })
  }
}

function tooManyTopics(venue: Venue, topics: number): Refusal | undefined {
  const max = topicsMax(venue)
  if (topics <= max) return undefined
  return { refusal: 'limit', reason: `${venue.title} allows connections for ${max} streams, and they are in use` }
}
