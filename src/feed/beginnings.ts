/**
 * Trade streams between their confirmation and their first number: what the venue tells of one meanwhile is where its
 * counting begins.
 */

import type { EpochUs } from '../model/event.ts'
import type { Feed } from './feed.ts'
import type { Answer } from './trade-checks.ts'

interface Told extends Answer {
  readonly newest: number
  /** When the stream was confirmed. */
  readonly sinceUs: EpochUs
}

export class Beginnings {
  /** Since when the venue has confirmed each stream that is subscribed now. */
  readonly #confirmed = new Map<Feed, { readonly us: EpochUs; readonly ms: number }>()
  /** What the venue told first of each stream that has brought nothing since it was confirmed. */
  readonly #told = new WeakMap<Feed, Told>()

  /** For how long the stream had been confirmed at `ms`, monotonic; negative: it was not yet. */
  confirmedForMs(feed: Feed, ms: number): number {
    return ms - (this.#confirmed.get(feed)?.ms ?? Number.POSITIVE_INFINITY)
  }

  confirmed(feed: Feed, us: EpochUs, ms: number): void {
    this.#confirmed.set(feed, { us, ms })
    this.#told.delete(feed)
  }

  /** The stream is being started afresh. */
  restarted(feed: Feed): void {
    this.#confirmed.delete(feed)
  }

  /** The feed is collected no more. */
  forget(feed: Feed): void {
    this.#confirmed.delete(feed)
    this.#told.delete(feed)
  }

  /** Numbers will tell what is lost from now on, though the stream has brought none. */
  isTold(feed: Feed): boolean {
    return this.#told.has(feed)
  }

  /** The venue's newest number, of a stream without any. True: the venue has counted on since it was first asked. */
  hasMoved(feed: Feed, newest: number, answer: Answer): boolean {
    const first = this.#told.get(feed)
    if (first === undefined)
      this.#told.set(feed, { ...answer, newest, sinceUs: this.#confirmed.get(feed)?.us ?? answer.askedUs })
    return first !== undefined && newest > first.newest
  }

  /**
   * The stream owes what the venue has counted since it was first asked, where that is not what comes `next`; what it owes
   * from before that nobody knows. True: it counts from there.
   */
  count(feed: Feed, next: number): boolean {
    const { tally, ledger } = feed
    const first = tally.last === undefined ? this.#told.get(feed) : undefined
    if (first === undefined || next <= first.newest + 1) return false
    const { newest, sinceUs, askedUs, answeredUs } = first
    const start = { cause: 'silence', startUs: sinceUs, reason: 'the stream has brought no trade yet' } as const
    ledger.lose(start, { endUs: answeredUs, nextUs: askedUs, firstSequence: newest + 1 })
    tally.reach(newest)
    ledger.heard(newest, askedUs)
    return true
  }
}
