/** When a book that does not hold may be built anew: it must not use up the venue's limits. */

import { Backoff } from '../platform/backoff.ts'
import type { Platform } from '../platform/platform.ts'
import type { Feed } from './feed.ts'

const BACKOFF = { firstMs: 500, maxMs: 300_000 }
/** A book that was live for so long is rebuilt at once again. */
const STEADY_MS = 60_000

/** The rebuilds of one book. */
interface Rebuild {
  readonly backoff: Backoff
  /** Not before this, monotonic. */
  dueMs: number
  liveSinceMs: number | undefined
}

export class Rebuilds {
  readonly #platform: Pick<Platform, 'clock' | 'random'>
  readonly #of = new Map<Feed, Rebuild>()

  constructor(platform: Pick<Platform, 'clock' | 'random'>) {
    this.#platform = platform
  }

  /** The book broke. The first rebuild is due at once, those that follow it closely after growing waits. */
  postpone(feed: Feed): void {
    const { clock, random } = this.#platform
    const nowMs = clock.monotonicMs()
    const known = this.#of.get(feed)
    const rebuild = known ?? { backoff: new Backoff({ ...BACKOFF, random }), dueMs: 0, liveSinceMs: undefined }
    this.#of.set(feed, rebuild)
    if (rebuild.liveSinceMs !== undefined && nowMs - rebuild.liveSinceMs >= STEADY_MS) rebuild.backoff.reset()
    rebuild.liveSinceMs = undefined
    const isFirst = rebuild.backoff.attempts === 0
    const waitMs = rebuild.backoff.nextMs()
    rebuild.dueMs = nowMs + (isFirst ? 0 : waitMs)
  }

  /** Until its rebuild is due. */
  waitMs(feed: Feed): number {
    return Math.max(0, (this.#of.get(feed)?.dueMs ?? 0) - this.#platform.clock.monotonicMs())
  }

  /** The book is live. */
  held(feed: Feed): void {
    const rebuild = this.#of.get(feed)
    if (rebuild !== undefined) rebuild.liveSinceMs = this.#platform.clock.monotonicMs()
  }

  forget(feed: Feed): void {
    this.#of.delete(feed)
  }
}
