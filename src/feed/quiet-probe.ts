/** A whole connection is silent: the venue's newest trade, or its book, tells a quiet market from a dead stream. */

import type { Books } from '../book/books.ts'
import type { Platform } from '../platform/platform.ts'
import type { Venue } from '../venues/venue.ts'
import type { Feed } from './feed.ts'
import { type RestClient, RestError } from './rest-client.ts'

/** What REST knows and the stream has not brought may be on its way. */
const IN_FLIGHT_MS = 1_000

export interface QuietProbeOptions {
  readonly venue: Venue
  readonly rest: RestClient
  readonly platform: Platform
  readonly books: Books
}

export class QuietProbe {
  readonly #options: QuietProbeOptions

  constructor(options: QuietProbeOptions) {
    this.#options = options
  }

  /** True: the venue has nothing that the busiest of the feeds lacks. False also where it cannot be told. Never rejects. */
  async isQuiet(feeds: readonly Feed[]): Promise<boolean> {
    const busiest = feeds.filter((feed) => this.#position(feed) !== undefined).sort(byRate)[0]
    if (busiest === undefined) return false
    try {
      const newest = await this.#newest(busiest)
      if (!this.#lacks(busiest, newest)) return true
      await new Promise<void>((resolve) => void this.#options.platform.clock.after(IN_FLIGHT_MS, resolve))
      return !this.#lacks(busiest, newest)
    } catch (error) {
      if (!(error instanceof RestError)) throw error
      return false
    }
  }

  #newest({ channel, topic, symbol }: Feed): Promise<number | undefined> {
    const { rest, venue } = this.#options
    if (channel === 'trade') return rest.get(venue.rest.newestTrade(topic))
    return rest.get(venue.rest.snapshot(symbol)).then(({ sequence }) => sequence)
  }

  #lacks(feed: Feed, newest: number | undefined): boolean {
    return newest !== undefined && newest > (this.#position(feed) ?? newest)
  }

  /** Where a stream that can be proven stands. */
  #position({ channel, symbol, tally }: Feed): number | undefined {
    const { books, venue } = this.#options
    if (channel === 'trade') return tally.last
    const sync = channel === 'book' ? books.find(venue.id, symbol) : undefined
    return sync?.isProven === true ? sync.sequence : undefined
  }
}

/** The busiest first; asking for a trade costs less than asking for a book. */
const byRate = (a: Feed, b: Feed): number =>
  Number(a.channel !== 'trade') - Number(b.channel !== 'trade') || a.silence.limitMs - b.silence.limitMs
