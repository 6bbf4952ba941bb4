/** The venues that are collected. They are switched on and off, and their feeds changed, one change after the other. */

import type { FeedName, SubscriptionChange, SubscriptionRequest } from '../api/view.ts'
import type { Config } from '../ops/config-schema.ts'
import type { Venue } from '../venues/venue.ts'
import { type Collected, type CollectedParts, collectVenue } from './collected.ts'
import { reloadVenue, undoneChanges } from './reload.ts'
import { changeSubscriptions } from './subscriptions.ts'

/** Feeds named in one log line. */
const NAMED_MAX = 20

export interface RosterParts extends CollectedParts {
  /** The registry. */
  readonly venues: readonly Venue[]
  /** These feeds are collected no more. */
  readonly removed: (feeds: readonly FeedName[]) => void
}

export class Roster {
  readonly #parts: RosterParts
  /** By venue id: those that are switched on. */
  readonly #collected = new Map<string, Collected>()
  #config: Config
  /** Lets changes begin: what is received before the log is open would reach no sink. */
  #letChange: (started: Promise<unknown> | undefined) => void = () => {}
  #changes: Promise<unknown> = new Promise((resolve) => {
    this.#letChange = resolve
  })
  #isStopped = false

  constructor(config: Config, parts: RosterParts) {
    this.#parts = parts
    this.#config = config
    for (const venue of parts.venues) if (isOn(config, venue)) this.#switchOn(venue)
  }

  /** By which it is collected now. */
  get config(): Config {
    return this.#config
  }

  /** In the order of the registry. */
  get all(): readonly Collected[] {
    return this.#parts.venues.flatMap(({ id }) => this.#collected.get(id) ?? [])
  }

  find(venueId: string): Collected | undefined {
    return this.#collected.get(venueId)
  }

  /** Says which streams are wanted. Before {@link start}. */
  open(): void {
    for (const { feed } of this.all) feed.open()
  }

  /** Resolves when every venue is being collected or tried; they start side by side, and changes wait for it. */
  start(): Promise<void> {
    const started = Promise.all(this.all.map(({ feed }) => feed.start()))
    this.#letChange(started.catch(() => {}))
    return started.then(() => {})
  }

  /** What cannot be changed is refused, each feed on its own. */
  change(request: SubscriptionRequest): Promise<SubscriptionChange> {
    return this.#inTurn(() =>
      changeSubscriptions(request, {
        config: this.#config,
        isStopped: () => this.#isStopped,
        find: (id) => this.find(id),
        removed: this.#parts.removed,
      }),
    )
  }

  /**
   * Collects what `config` says from now on, or from the start on; what clients changed is undone. Resolves when everything
   * is asked for.
   */
  reload(config: Config): Promise<void> {
    return this.#inTurn(async () => {
      if (this.#isStopped) return
      const before = this.#config
      this.#config = config
      for (const collected of this.all) this.#tellUndone(collected, before)
      await Promise.all(this.#parts.venues.map((venue) => this.#reload(venue)))
    })
  }

  stop(): void {
    this.#isStopped = true
    this.#letChange(undefined)
    for (const { stop } of this.all) stop()
  }

  #inTurn<Result>(change: () => Promise<Result>): Promise<Result> {
    const turn = this.#changes.then(change)
    this.#changes = turn.catch(() => {})
    return turn
  }

  async #reload(venue: Venue): Promise<void> {
    const collected = this.find(venue.id)
    if (collected !== undefined && isOn(this.#config, venue))
      await reloadVenue(collected, this.#config, this.#parts.removed)
    else if (collected !== undefined) this.#switchOff(collected)
    else if (isOn(this.#config, venue)) {
      const { feed } = this.#switchOn(venue)
      feed.open()
      await feed.start()
    }
  }

  #switchOn(venue: Venue): Collected {
    const collected = collectVenue(venue, this.#config, this.#parts)
    this.#collected.set(venue.id, collected)
    return collected
  }

  #switchOff({ venue, feed, stop }: Collected): void {
    const feeds = [...feed.feeds]
    feed.remove(feeds, 'the configuration switches the venue off')
    stop()
    this.#collected.delete(venue.id)
    this.#parts.removed(feeds.map(({ channel, symbol }) => ({ venue: venue.id, channel, symbol })))
  }

  #tellUndone(collected: Collected, before: Config): void {
    const { added, removed } = undoneChanges(collected, before, this.#config)
    if (added.length + removed.length === 0) return
    const names = (feeds: readonly Pick<FeedName, 'channel' | 'symbol'>[]) =>
      feeds
        .slice(0, NAMED_MAX)
        .map(({ channel, symbol }) => `${channel} ${symbol}`)
        .join(', ')
    this.#parts.logger.warning('subscriptions_undone', 'the configuration undoes what clients had changed', {
      venue: collected.venue.id,
      added: names(added),
      removed: names(removed),
      count: added.length + removed.length,
    })
  }
}

const isOn = ({ exchanges }: Config, { id }: Venue): boolean => exchanges[id]?.enabled === true
