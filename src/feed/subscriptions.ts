/** What the venue says to the subscriptions of one connection, feed by feed; what it refuses for now is asked for again. */

import type { Channel } from '../model/event.ts'
import type { Platform } from '../platform/platform.ts'
import type { Topic } from '../venues/venue.ts'
import type { ConnectionHandlers } from './connection-ports.ts'
import type { Feed } from './feed.ts'
import { Retries } from './retries.ts'

export interface SubscriptionsOptions {
  readonly find: (channel: Channel, symbol: string) => Feed | undefined
  /** Refused for good: it is not asked for any more. */
  readonly forget: (feed: Feed) => void
  /** Asks for the feed again; false: not allowed yet. */
  readonly subscribe: (feed: Feed) => boolean
  readonly accepted: (feed: Feed) => void
}

export class Subscriptions {
  readonly #platform: Platform
  readonly #handlers: Pick<ConnectionHandlers, 'subscribed' | 'rejected'>
  readonly #options: SubscriptionsOptions
  readonly #retries: Retries

  constructor(
    platform: Platform,
    handlers: Pick<ConnectionHandlers, 'subscribed' | 'rejected'>,
    options: SubscriptionsOptions,
  ) {
    this.#platform = platform
    this.#handlers = handlers
    this.#options = options
    this.#retries = new Retries(platform, options.subscribe)
  }

  /** A refused subscription owes nothing until it is tried again. */
  isWaiting(feed: Feed): boolean {
    return this.#retries.isWaiting(feed)
  }

  accepted(topics: readonly Topic[]): void {
    for (const feed of this.#feedsOf(topics)) {
      this.#retries.delete(feed)
      feed.silence.restart(this.#platform.clock.monotonicMs())
      this.#handlers.subscribed(feed)
      this.#options.accepted(feed)
    }
  }

  rejected(topics: readonly Topic[], reason: string, isPermanent: boolean): void {
    if (topics.length === 0) this.#handlers.rejected(undefined, reason, isPermanent)
    for (const feed of this.#feedsOf(topics)) {
      // Data that flows is the better answer than one that never came.
      if (!isPermanent && feed.lastMessageUs !== undefined && feed.state === 'live') continue
      if (isPermanent) this.#options.forget(feed)
      this.#handlers.rejected(feed, reason, isPermanent)
      if (!isPermanent) this.#retries.add(feed)
    }
  }

  /** The venue takes the feed on another link. */
  hasten(feed: Feed): void {
    this.#retries.hasten(feed)
  }

  drop(feed: Feed): void {
    this.#retries.delete(feed)
  }

  /** The link ended: the next one asks for everything. */
  ended(): void {
    this.#retries.cancel()
  }

  #feedsOf(topics: readonly Topic[]): Feed[] {
    return topics.flatMap(({ channel, symbol }) => this.#options.find(channel, symbol) ?? [])
  }
}
