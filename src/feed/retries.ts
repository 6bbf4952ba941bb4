/** Feeds whose subscription was refused for now, each asked for again after growing waits. */

import { Backoff } from '../platform/backoff.ts'
import type { Platform } from '../platform/platform.ts'
import type { Feed } from './feed.ts'

const RETRY = { firstMs: 4_000, maxMs: 300_000 }
const RETRY_MS_MIN = 1_000

export class Retries {
  readonly #platform: Platform
  readonly #subscribe: (feed: Feed) => boolean
  readonly #retries = new Map<Feed, { readonly backoff: Backoff; cancel?: () => void }>()

  /** `subscribe`: asks for the feed again; false: not allowed yet. */
  constructor(platform: Platform, subscribe: (feed: Feed) => boolean) {
    this.#platform = platform
    this.#subscribe = subscribe
  }

  /** It waits for its next try, and owes nothing until then. */
  isWaiting(feed: Feed): boolean {
    return this.#retries.get(feed)?.cancel !== undefined
  }

  add(feed: Feed): void {
    const { clock, random } = this.#platform
    const retry = this.#retries.get(feed) ?? { backoff: new Backoff({ ...RETRY, random }) }
    this.#retries.set(feed, retry)
    retry.cancel?.()
    retry.cancel = clock.after(RETRY_MS_MIN + retry.backoff.nextMs(), () => this.#try(feed))
  }

  /** The venue takes it on another link: if it waits for its next try, this is the time. */
  hasten(feed: Feed): void {
    if (!this.isWaiting(feed)) return
    this.#retries.get(feed)?.cancel?.()
    this.#try(feed)
  }

  /** The feed was taken after all, or is not wanted any more. */
  delete(feed: Feed): void {
    this.#retries.get(feed)?.cancel?.()
    this.#retries.delete(feed)
  }

  /** The link ended: the next one asks for everything. */
  cancel(): void {
    for (const retry of this.#retries.values()) {
      retry.cancel?.()
      delete retry.cancel
    }
  }

  #try(feed: Feed): void {
    delete this.#retries.get(feed)?.cancel
    if (!feed.isGivenUp && !this.#subscribe(feed)) this.add(feed)
  }
}
