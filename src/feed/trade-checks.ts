/** Asks a venue for the newest running number of its trade streams: quiet ones every minute, others when asked to. */

import type { EpochUs } from '../model/event.ts'
import { Backoff } from '../platform/backoff.ts'
import type { Platform } from '../platform/platform.ts'
import type { Venue } from '../venues/venue.ts'
import type { Feed } from './feed.ts'
import { type RestClient, RestError } from './rest-client.ts'

/** A stream without a trade for so long is asked about, and so often. */
export const TRADE_CHECK_MS = 60_000
const TICK_MS = 1_000
/** Share of the venue's limit that these questions may use. */
export const TRADE_CHECK_SHARE = 0.1
const RETRY = { firstMs: 1_000, maxMs: 60_000 }
/** An answer that takes longer, behind a pause for example, is still taken, but nothing waits for it any more. */
const ANSWER_MS = 30_000

const NO_ANSWER = 'the venue has not answered yet'

/** When the venue was asked for its newest number, and when it answered. */
export interface Answer {
  readonly askedUs: EpochUs
  /** The same moment by the clock that only grows. */
  readonly askedMs: number
  readonly answeredUs: EpochUs
  /** What is traded after the question comes with the answer to the next poll. */
  readonly isPolled?: boolean
}

export interface TradeChecksOptions {
  readonly venue: Venue
  readonly rest: RestClient
  readonly platform: Platform
  readonly open: () => Iterable<Feed>
  /** `undefined`: the venue has no trades of it. False: that does not help; asked again while an outage is open. */
  readonly newest: (feed: Feed, last: number | undefined, answer: Answer) => boolean
  readonly failed: (feed: Feed, reason: string) => void
}

export class TradeChecks {
  readonly #options: TradeChecksOptions
  readonly #asking = new Set<Feed>()
  /** Of these: those whose answer takes too long. */
  readonly #late = new Set<Feed>()
  /** Since when each stream has had so many events, or was asked about. */
  readonly #quiet = new Map<Feed, { readonly events: number; readonly sinceMs: number }>()
  readonly #backoffs = new Map<Feed, Backoff>()
  readonly #cancels = new Set<() => void>()
  #isStopped = false

  constructor(options: TradeChecksOptions) {
    this.#options = options
  }

  start(): void {
    const { venue, platform } = this.#options
    const [sample] = this.#options.open()
    const request = venue.rest.newestTrade(sample?.topic ?? venue.topic('trade', '', ''))
    const budget = venue.restLimits.budgets[request.budget] ?? { limit: 1, windowMs: TRADE_CHECK_MS }
    const perTick = (TICK_MS * budget.limit * TRADE_CHECK_SHARE) / (budget.windowMs * request.weight)
    let allowance = 1
    const tick = () => {
      allowance = Math.min(Math.max(1, perTick), allowance + perTick)
      for (; allowance >= 1 && this.#askOne(); allowance--);
    }
    this.#cancels.add(platform.clock.every(TICK_MS, tick))
  }

  stop(): void {
    this.#isStopped = true
    for (const cancel of this.#cancels) cancel()
  }

  isAsking(feed: Feed): boolean {
    return this.#asking.has(feed) && !this.#late.has(feed)
  }

  /** Asks now; a stream with an open outage again and again until there is an answer. */
  ask(feed: Feed): void {
    if (this.#isStopped || feed.isGivenUp) return
    if (this.#late.has(feed)) this.#options.failed(feed, NO_ANSWER)
    else if (!this.#asking.has(feed)) void this.#ask(feed)
  }

  /** The stream is collected no more. */
  forget(feed: Feed): void {
    this.#quiet.delete(feed)
    this.#backoffs.delete(feed)
  }

  /** About the quiet stream that was asked about longest ago. False: none is due. */
  #askOne(): boolean {
    const nowMs = this.#options.platform.clock.monotonicMs()
    let chosen: Feed | undefined
    let longestMs = TRADE_CHECK_MS
    for (const feed of this.#options.open()) {
      const quietMs = nowMs - this.#quietSinceMs(feed, nowMs)
      if (feed.topic.proof !== 'counter' || quietMs < longestMs || this.#asking.has(feed)) continue
      chosen = feed
      longestMs = quietMs
    }
    if (chosen !== undefined) this.ask(chosen)
    return chosen !== undefined
  }

  /** Subscribing anew brings nothing by itself: only what came counts. */
  #quietSinceMs(feed: Feed, nowMs: number): number {
    const known = this.#quiet.get(feed)
    if (known?.events === feed.events) return known.sinceMs
    this.#quiet.set(feed, { events: feed.events, sinceMs: nowMs })
    return nowMs
  }

  /** Never rejects. */
  async #ask(feed: Feed): Promise<void> {
    const { venue, rest, platform, newest } = this.#options
    const [askedUs, askedMs] = [platform.clock.nowUs(), platform.clock.monotonicMs()]
    const { tally } = feed
    this.#quiet.set(feed, { events: feed.events, sinceMs: askedMs })
    const answered = this.#await(feed)
    try {
      const last = await rest.get(venue.rest.newestTrade(feed.topic))
      answered()
      if (this.#isStopped || feed.isGivenUp) return
      // A number from before the venue counted anew says nothing about those from then on.
      const answer = { askedUs, askedMs, answeredUs: platform.clock.nowUs() }
      if (feed.tally === tally && newest(feed, last, answer)) this.#backoffs.delete(feed)
      else this.#askLater(feed)
    } catch (error) {
      answered()
      if (!(error instanceof RestError)) throw error
      if (this.#isStopped || feed.isGivenUp) return
      this.#options.failed(feed, error.message)
      if (feed.ledger.outage !== undefined) this.#askLater(feed)
    }
  }

  /** Until the answer is there, or for as long as is reasonable: not at all during a ban. */
  #await(feed: Feed): () => void {
    const { rest, platform, failed } = this.#options
    this.#asking.add(feed)
    const cancel = platform.clock.after(rest.bannedUntilUs === undefined ? ANSWER_MS : 0, () => {
      this.#late.add(feed)
      failed(feed, NO_ANSWER)
    })
    this.#cancels.add(cancel)
    return () => {
      cancel()
      this.#cancels.delete(cancel)
      this.#asking.delete(feed)
      this.#late.delete(feed)
    }
  }

  #askLater(feed: Feed): void {
    const { clock, random } = this.#options.platform
    const backoff = this.#backoffs.get(feed) ?? new Backoff({ ...RETRY, random })
    this.#backoffs.set(feed, backoff)
    const cancel = clock.after(1_000 + backoff.nextMs(), () => {
      this.#cancels.delete(cancel)
      if (feed.ledger.outage !== undefined) this.ask(feed)
    })
    this.#cancels.add(cancel)
  }
}
