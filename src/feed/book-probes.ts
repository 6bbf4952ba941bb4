/** A book whose stream has gone silent: the venue's own book tells a quiet market from a dead subscription. */

import type { Books } from '../book/books.ts'
import type { Platform } from '../platform/platform.ts'
import type { Venue } from '../venues/venue.ts'
import type { Feed } from './feed.ts'
import { type RestClient, RestError } from './rest-client.ts'

/** What REST knows and the stream has not brought may be on its way. */
const IN_FLIGHT_MS = 2_000

export interface BookProbesOptions {
  readonly venue: Venue
  readonly rest: RestClient
  readonly platform: Platform
  readonly books: Books
  /** The stream lacks what the venue has, or the venue cannot be asked; in words. */
  readonly dead: (feed: Feed, reason: string) => void
}

export class BookProbes {
  readonly #options: BookProbesOptions
  readonly #asking = new Set<Feed>()
  #isStopped = false

  constructor(options: BookProbesOptions) {
    this.#options = options
  }

  stop(): void {
    this.#isStopped = true
  }

  isAsking(feed: Feed): boolean {
    return this.#asking.has(feed)
  }

  /** Never rejects. */
  async ask(feed: Feed): Promise<void> {
    if (this.#asking.has(feed)) return
    const { venue, rest, platform, dead } = this.#options
    const { events } = feed
    this.#asking.add(feed)
    try {
      const { sequence = 0 } = await rest.get(venue.rest.snapshot(feed.symbol))
      if (this.#lacks(feed, sequence))
        await new Promise<void>((resolve) => void platform.clock.after(IN_FLIGHT_MS, resolve))
      if (this.#isStopped || feed.isGivenUp || feed.events !== events) return
      if (this.#lacks(feed, sequence)) dead(feed, `the venue's book is at ${sequence}`)
      else feed.quiet()
    } catch (error) {
      if (!(error instanceof RestError)) throw error
      if (!this.#isStopped && !feed.isGivenUp && feed.events === events) dead(feed, error.message)
    } finally {
      this.#asking.delete(feed)
    }
  }

  #lacks({ symbol }: Feed, sequence: number): boolean {
    const { books, venue } = this.#options
    return sequence > (books.find(venue.id, symbol)?.sequence ?? 0)
  }
}
