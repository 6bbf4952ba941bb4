/** Polls tickers, books and trades over REST where WebSocket is off. */

import type { Channel, EpochUs, MarketEvent } from '../model/event.ts'
import { isoTime } from '../model/time.ts'
import type { Platform } from '../platform/platform.ts'
import type { RestRequest, Topic, Venue } from '../venues/venue.ts'
import type { Feed } from './feed.ts'
import { type RestClient, RestError } from './rest-client.ts'
import type { Answer } from './trade-checks.ts'
import { isDelivered } from './trade-numbers.ts'

/** Polled data older than so many intervals is stale. */
const STALE_INTERVALS = 2.5

export interface PollerOptions {
  readonly venue: Venue
  readonly rest: RestClient
  readonly platform: Platform
  /** All feeds of the venue, as they are by then. */
  readonly feeds: () => Iterable<Feed>
  readonly intervalMs: number
  readonly accept: (feed: Feed, event: MarketEvent, receiveTimeUs: EpochUs) => void
  /** What was new of an answer is accepted; `events`: all of it. */
  readonly answered: (feed: Feed, events: readonly MarketEvent[], answer: Answer) => void
  /** What was polled of the feed is too old. */
  readonly stale: (feed: Feed) => void
  /** The venue does not know the feed's symbol. */
  readonly unknown: (feed: Feed, reason: string) => void
}

export class Poller {
  readonly #options: PollerOptions
  readonly #polling = new Set<Feed>()
  /** When each was last answered, monotonic. */
  readonly #answeredMs = new WeakMap<Feed, number>()
  #stopTimer: (() => void) | undefined
  #isStopped = false

  constructor(options: PollerOptions) {
    this.#options = options
  }

  start(): void {
    const { platform, intervalMs } = this.#options
    this.#stopTimer = platform.clock.every(intervalMs, () => this.#round())
  }

  /** Polls these for the first time now; from then on with all others. */
  add(feeds: readonly Feed[]): void {
    for (const feed of feeds) {
      feed.set('subscribing', `polled every ${this.#options.intervalMs / 1000} s`)
      this.#take(feed)
    }
  }

  /** The venue answers for the feed over REST. */
  canPoll({ channel, symbol }: Feed): boolean {
    return this.#options.venue.rest.poll(channel, [symbol]).length > 0
  }

  stop(): void {
    this.#isStopped = true
    this.#stopTimer?.()
  }

  #round(): void {
    for (const feed of this.#options.feeds()) this.#take(feed)
  }

  #take(feed: Feed): void {
    if (feed.isGivenUp) return
    this.#age(feed)
    // A poll that outlasts the interval (a full budget, a ban) is not asked for twice.
    if (!this.#polling.has(feed)) void this.#poll(feed)
  }

  /** What is too old is not live, whatever keeps the answers from coming. */
  #age(feed: Feed): void {
    const { platform, rest, intervalMs, stale } = this.#options
    const nowMs = platform.clock.monotonicMs()
    const ageMs = nowMs - (this.#answeredMs.get(feed) ?? nowMs)
    const isOld = ageMs > STALE_INTERVALS * intervalMs
    if (rest.bannedUntilUs !== undefined) feed.set('banned', `no request until ${isoTime(rest.bannedUntilUs)}`)
    else if (isOld && feed.state === 'live') feed.set('stale', `no answer for ${Math.round(ageMs / 1000)} s`)
    if (isOld) stale(feed)
  }

  /** Never rejects. */
  async #poll(feed: Feed): Promise<void> {
    this.#polling.add(feed)
    try {
      for (const request of this.#options.venue.rest.poll(feed.channel, [feed.symbol])) await this.#ask(feed, request)
    } catch (error) {
      if (!(error instanceof RestError)) throw error
      if (this.#isStopped || feed.isGivenUp) return
      if (error.kind === 'unknown_symbol') {
        this.#options.unknown(feed, `unknown symbol: ${error.message}`)
        return
      }
      const state = error.kind === 'banned' ? 'banned' : feed.lastMessageUs === undefined ? 'down' : 'stale'
      if (feed.state !== 'live' || state === 'banned') feed.set(state, error.message)
    } finally {
      this.#polling.delete(feed)
    }
  }

  async #ask(feed: Feed, request: RestRequest<readonly MarketEvent[]>): Promise<void> {
    const { rest, accept, answered } = this.#options
    const { clock } = this.#options.platform
    const asked = { askedUs: clock.nowUs(), askedMs: clock.monotonicMs() }
    const events = await rest.get(request)
    if (this.#isStopped || feed.isGivenUp) return
    const receiveTimeUs = clock.nowUs()
    this.#answeredMs.set(feed, clock.monotonicMs())
    // Answers overlap.
    const fresh = events.filter((event) => event.type !== 'trade' || !isDelivered(feed, event))
    // Some venues answer newest first; trades go out oldest first. The whole answer shows it, also where its new part
    // is of one moment.
    if ((events[0]?.exchange_time_us ?? 0) > (events.at(-1)?.exchange_time_us ?? 0)) fresh.reverse()
    feed.lastMessageUs = receiveTimeUs
    feed.events += fresh.length
    feed.set('live')
    for (const event of fresh) accept(feed, event, receiveTimeUs)
    answered(feed, events, { ...asked, answeredUs: receiveTimeUs, isPolled: true })
  }
}

/** Polled states say nothing of what lies between them; trades have their numbers. */
export function polledTopic(venue: Venue, channel: Channel, name: string, symbol: string): Topic {
  if (channel === 'trade') return venue.topic(channel, venue.rest.polledTrades, symbol)
  return { ...venue.topic(channel, name, symbol), proof: 'cadence' }
}
