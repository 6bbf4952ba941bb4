/** A stream that has not come to life within a minute is a gap from its beginning. */

import type { Clock } from '../platform/platform.ts'
import type { Feed } from './feed.ts'

const FIRST_LIVE_MS = 60_000

export class Graces {
  readonly #clock: Clock
  /** Ends the wait for the first life of each feed. */
  readonly #cancels = new Map<Feed, () => void>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** The feed is asked for now. */
  start(feed: Feed): void {
    this.#cancels.set(
      feed,
      this.#clock.after(FIRST_LIVE_MS, () => this.#onOver(feed)),
    )
  }

  /** The feed is not waited for any more. */
  end(feed: Feed): void {
    this.#cancels.get(feed)?.()
    this.#cancels.delete(feed)
  }

  stop(): void {
    for (const cancel of this.#cancels.values()) cancel()
  }

  #onOver(feed: Feed): void {
    const { ledger, isGivenUp, reason } = feed
    this.#cancels.delete(feed)
    if (!ledger.isCollected && !isGivenUp) ledger.begin({ cause: 'not_subscribed', reason })
  }
}
