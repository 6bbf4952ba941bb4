/** A stream has gone silent: the venue's newest trade, or its own book, tells a quiet market from a dead stream. */

import type { Books } from '../book/books.ts'
import type { BookSync } from '../book/sync.ts'
import type { EpochUs } from '../model/event.ts'
import type { Platform } from '../platform/platform.ts'
import type { Venue } from '../venues/venue.ts'
import type { Feed } from './feed.ts'
import { type RestClient, RestError } from './rest-client.ts'

/** What REST knows and the stream has not brought may be on its way for so long; a whole connection is not waited for so patiently. */
const IN_FLIGHT_MS = { feed: 2_000, connection: 1_000 }

/** An answer that takes longer, behind a pause for example, is waited for no more: meanwhile the book would be called live. */
const ANSWER_MS = 30_000

/** Streams of one connection that said their last words within this time have fallen silent with it. */
const TOGETHER_MS = 5_000

export interface ProbesOptions {
  readonly venue: Venue
  readonly rest: RestClient
  readonly platform: Platform
  readonly books: Books
  /** The stream of a book lacks what the venue has, or the venue cannot be asked; in words. */
  readonly dead: (feed: Feed, reason: string) => void
  /** The venue has nothing new, but the book is not proven yet: whoever waits for its snapshot goes on waiting. */
  readonly unproven: (feed: Feed) => void
}

export class Probes {
  readonly #options: ProbesOptions
  readonly #asking = new Set<Feed>()
  #isStopped = false

  constructor(options: ProbesOptions) {
    this.#options = options
  }

  stop(): void {
    this.#isStopped = true
  }

  isAsking(feed: Feed): boolean {
    return this.#asking.has(feed)
  }

  /** About one silent book, whose connection lives. Never rejects. */
  async ask(feed: Feed): Promise<void> {
    if (this.#asking.has(feed)) return
    const { events } = feed
    this.#asking.add(feed)
    const reason = await this.#missing(feed, IN_FLIGHT_MS.feed)
      .catch(wordsOf)
      .finally(() => this.#asking.delete(feed))
    if (this.#isStopped || feed.isGivenUp || feed.events !== events) return
    if (reason !== undefined) this.#options.dead(feed, reason)
    else if (this.#book(feed)?.isProven === true) feed.quiet()
    else this.#options.unproven(feed)
  }

  /**
   * True: the venue has nothing that the busiest of the feeds lacks; of those that fell silent together with the
   * connection, for one that had said nothing for long before tells of itself alone. False also where it cannot be told.
   * Never rejects.
   */
  async isQuiet(feeds: readonly Feed[]): Promise<boolean> {
    const known = feeds.filter((feed) => this.#canTell(feed))
    const newestUs = Math.max(...known.map(lastUs))
    const busiest = known.filter((feed) => newestUs - lastUs(feed) <= TOGETHER_MS * 1000).sort(byRate)[0]
    if (busiest === undefined) return false
    const answer = await this.#missing(busiest, IN_FLIGHT_MS.connection).catch(wordsOf)
    return answer === undefined
  }

  /**
   * Where the venue stands, in words, unless the stream does or comes there too. One that stands before it, for longer than
   * REST lags, counts anew: what the stream lacks cannot be told. Errors: rejects with {@link RestError}.
   */
  async #missing(feed: Feed, inFlightMs: number): Promise<string | undefined> {
    const askedMs = this.#options.platform.clock.monotonicMs()
    const newest = await this.#inTime(this.#newest(feed))
    const isMissing = () => newest !== undefined && newest > (this.#position(feed) ?? 0)
    if (isMissing()) await new Promise<void>((resolve) => void this.#options.platform.clock.after(inFlightMs, resolve))
    const position = this.#position(feed) ?? 0
    const isAnew = newest !== undefined && feed.restLag.isExceeded(newest, position, askedMs)
    return isMissing() || isAnew ? `the venue's book is at ${newest}` : undefined
  }

  async #newest({ channel, topic, symbol }: Feed): Promise<number | undefined> {
    const { rest, venue } = this.#options
    if (rest.bannedUntilUs !== undefined) throw new RestError('banned', 'the venue cannot be asked during a ban')
    if (channel === 'trade') return rest.get(venue.rest.newestTrade(topic))
    // Its number alone is asked for, which the smallest tells as well.
    const { sequence } = await rest.get(venue.rest.snapshot(symbol, venue.rest.snapshotSizes[0]))
    return sequence
  }

  #inTime<Answer>(answer: Promise<Answer>): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const late = () => reject(new RestError('failed', 'no answer in time'))
      const cancel = this.#options.platform.clock.after(ANSWER_MS, late)
      answer.then(resolve, reject).finally(cancel)
    })
  }

  #canTell(feed: Feed): boolean {
    if (feed.channel === 'trade') return feed.tally.last !== undefined
    const book = this.#book(feed)
    return book?.isProven === true || book?.candidateSequence !== undefined
  }

  /** Where the stream stands, or stood when it was last good. */
  #position(feed: Feed): number | undefined {
    if (feed.channel === 'trade') return feed.tally.last
    const book = this.#book(feed)
    // A snapshot that follows an audit's mismatch tells of the venue: that the stream lacks it may be what the audit found.
    return (book?.reason === 'audit_mismatch' ? undefined : book?.candidateSequence) ?? book?.sequence
  }

  #book({ channel, symbol }: Feed): BookSync | undefined {
    return channel === 'book' ? this.#options.books.find(this.#options.venue.id, symbol) : undefined
  }
}

/** Why the venue could not be asked. Errors: throws on what is no {@link RestError}. */
function wordsOf(error: unknown): string {
  if (error instanceof RestError) return error.message
  throw error
}

const lastUs = ({ lastMessageUs = 0 }: Feed): EpochUs => lastMessageUs

/** The busiest first, of two alike the one that spoke last; asking for a trade costs less than asking for a book. */
const byRate = (a: Feed, b: Feed): number =>
  Number(a.channel !== 'trade') - Number(b.channel !== 'trade') ||
  a.silence.limitMs - b.silence.limitMs ||
  lastUs(b) - lastUs(a)
