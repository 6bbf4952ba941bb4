/**
 * A quote and the top of the proven book of its symbol are the same thing, told by two streams. Where they differ for
 * long, the one that spoke last is right, and the other lacks something, however rarely it speaks.
 */

import type { BookSync } from '../book/sync.ts'
import type { Feed } from './feed.ts'
import { isTop } from './market-quiet.ts'

export class Outrun {
  /** Since when the two have differed, monotonic; by the feed that is asked about. */
  readonly #sinceMs = new WeakMap<Feed, number>()

  /**
   * To be asked every second or so. True: `feed`, the quote's or the book's, has been silent, and the two have differed,
   * for longer than the busiest stream may be silent.
   */
  has(feed: Feed, quote: Feed | undefined, sync: BookSync | undefined, nowMs: number): boolean {
    const quoteUs = quote?.lastMessageUs ?? 0
    const bookUs = sync?.applied?.receive_time_us ?? 0
    // A quote in a gap may be old.
    const isToldByOther = feed === quote ? bookUs >= quoteUs : quoteUs >= bookUs && quote?.ledger.outage === undefined
    if (!isToldByOther || !differs(quote, sync)) {
      this.#sinceMs.delete(feed)
      return false
    }
    const sinceMs = this.#sinceMs.get(feed) ?? nowMs
    this.#sinceMs.set(feed, sinceMs)
    return Math.min(nowMs - sinceMs, feed.silence.silentMs(nowMs)) > feed.silence.minMs
  }
}

/** False also where one of them says nothing. */
const differs = (quote: Feed | undefined, sync: BookSync | undefined): boolean =>
  quote?.newestQuote !== undefined && sync?.isLive === true && !isTop(quote, sync)
