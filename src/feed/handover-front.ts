/**
 * Where the events of a second link stand to what the first has delivered, by channel: books by their sequence, trades
 * by their running numbers, tickers and quotes by their ids. The whole difference between the channels of a handover.
 */

import type { SequenceRule } from '../book/sequence.ts'
import type { EpochUs, MarketEvent, Trade } from '../model/event.ts'
import type { Span, Venue } from '../venues/venue.ts'
import { isAfter, type Received } from './event-order.ts'
import type { Feed } from './feed.ts'
import { RecentIds } from './recent-ids.ts'
import { isLater } from './trade-numbers.ts'

/** An event of the second link that waits. */
export interface Held {
  readonly event: MarketEvent
  readonly checksum: number | undefined
  readonly receiveTimeUs: EpochUs
}

/** `past`: delivered already. `next`: continues what was delivered. `beyond`: something between is missing. */
export type Place = 'past' | 'next' | 'beyond'

/** The end of what was delivered of one feed. */
export interface Front {
  /** There is an end that can be joined; events of feeds without one are all `next`. */
  readonly isKnown: boolean
  /** The first link delivered it. */
  delivered(event: MarketEvent, receiveTimeUs: EpochUs): void
  /** It is the very event that was delivered last, or (tickers, quotes) one of the last. */
  isEnd(event: MarketEvent): boolean
  /** It is the very event that was delivered last. */
  isLast(event: MarketEvent): boolean
  /** Places events one after another; each `next` moves the end. */
  walk(): (held: Held) => Place
  /** After the switch: delivered already, on the first link. */
  isRepeated(event: MarketEvent): boolean
}

export interface FrontOptions {
  readonly venue: Venue
  readonly feed: Feed
  readonly sequenceOf: (feed: Feed) => number | undefined
  /** The newest trade that was delivered before. */
  readonly newestTrade: Trade | undefined
}

/** Ids of delivered tickers and quotes that are remembered: more than come in the time by which the links are apart. */
const DELIVERED_IDS_MAX = 500

export function createFront(options: FrontOptions): Front {
  switch (options.feed.channel) {
    case 'book':
      return new BookFront(options.venue.book.rule, () => options.sequenceOf(options.feed))
    case 'trade':
      return new TradeFront(options.venue, options.newestTrade)
    default:
      return new StateFront()
  }
}

/** No venue's books count on by so many while one link lags behind another. */
const LAG_NUMBERS_MAX = 10_000_000

/** So far behind is no link: the venue counts anew. */
const isAnew = (sequence: number, present: number): boolean => present - sequence > LAG_NUMBERS_MAX

class BookFront implements Front {
  readonly #rule: SequenceRule
  readonly #present: () => number | undefined
  #isCaughtUp = false

  constructor(rule: SequenceRule, present: () => number | undefined) {
    this.#rule = rule
    this.#present = present
  }

  /** A book that is not proven has nothing to lose. */
  get isKnown(): boolean {
    return this.#present() !== undefined
  }

  delivered(): void {}

  isEnd(event: MarketEvent): boolean {
    const present = this.#present()
    return present !== undefined && present === endOf(event)
  }

  isLast(event: MarketEvent): boolean {
    return this.isEnd(event)
  }

  walk(): (held: Held) => Place {
    let last = this.#present()
    return ({ event }) => {
      if (last === undefined) return 'next'
      if (event.type !== 'book_delta') {
        const end = endOf(event) ?? Number.POSITIVE_INFINITY
        if (!isAnew(end, last)) return end <= last ? 'past' : 'beyond'
        last = end
        return 'next'
      }
      const verdict = this.#rule(last, event, false)
      if (verdict === 'stale' || verdict === 'unchanged') return 'past'
      if (verdict === 'gap') return 'beyond'
      last = event.last_sequence
      return 'next'
    }
  }

  /** Until the second link has caught up; from then on the book itself is the judge. */
  isRepeated(event: MarketEvent): boolean {
    const present = this.#present()
    if (this.#isCaughtUp || present === undefined || event.type !== 'book_delta') return false
    if (isAnew(event.last_sequence ?? present, present)) return false
    this.#isCaughtUp = this.#rule(present, event, false) !== 'stale'
    return !this.#isCaughtUp
  }
}

const endOf = (event: MarketEvent): number | undefined =>
  event.type === 'book_snapshot' ? event.sequence : event.type === 'book_delta' ? event.last_sequence : undefined

class TradeFront implements Front {
  readonly #venue: Venue
  #newest: TradeEnd | undefined

  constructor(venue: Venue, newest: Trade | undefined) {
    this.#venue = venue
    if (newest !== undefined) this.delivered(newest)
  }

  get isKnown(): boolean {
    return this.#newest !== undefined
  }

  delivered(event: MarketEvent): void {
    const span = this.#spanOf(event)
    if (span !== undefined && !isPast(span, this.#newest)) this.#newest = span
  }

  isEnd(event: MarketEvent): boolean {
    const span = this.#spanOf(event)
    return span !== undefined && span.last === this.#newest?.last && !isLater(span.timeUs, this.#newest.timeUs)
  }

  isLast(event: MarketEvent): boolean {
    return this.isEnd(event)
  }

  walk(): (held: Held) => Place {
    let newest = this.#newest
    return ({ event }) => {
      const span = this.#spanOf(event)
      if (span === undefined) return 'next'
      if (isPast(span, newest)) return 'past'
      if (newest !== undefined && span.first > newest.last + 1) return 'beyond'
      newest = span
      return 'next'
    }
  }

  isRepeated(event: MarketEvent): boolean {
    const span = this.#spanOf(event)
    return span !== undefined && isPast(span, this.#newest)
  }

  #spanOf(event: MarketEvent): TradeEnd | undefined {
    const span = event.type === 'trade' ? this.#venue.tradeSpan(event) : undefined
    return span && { ...span, timeUs: event.exchange_time_us }
  }
}

interface TradeEnd extends Span {
  readonly timeUs: EpochUs | undefined
}

/** A number that does not grow while the time goes on is no old trade: the venue counts anew. */
function isPast(span: TradeEnd, newest: TradeEnd | undefined): boolean {
  if (newest === undefined || span.last > newest.last) return false
  return span.last === newest.last ? !isLater(span.timeUs, newest.timeUs) : (span.timeUs ?? 0) <= (newest.timeUs ?? 0)
}

/** Tickers and quotes: by the ids that both links give them, or where these differ by the venue's time. */
class StateFront implements Front {
  readonly isKnown = false
  readonly #ids = new RecentIds(DELIVERED_IDS_MAX)
  #last: Received | undefined
  #hasCommon = false

  delivered(event: MarketEvent, receiveTimeUs: EpochUs): void {
    this.#ids.add(event.id)
    this.#last = { event, receiveTimeUs }
  }

  isEnd(event: MarketEvent): boolean {
    const isCommon = this.#ids.has(event.id)
    this.#hasCommon ||= isCommon
    return isCommon
  }

  isLast(event: MarketEvent): boolean {
    return this.#last?.event.id === event.id
  }

  walk(): (held: Held) => Place {
    return (held) => (this.#isOutdated(held) ? 'past' : 'next')
  }

  isRepeated(event: MarketEvent): boolean {
    return this.#ids.has(event.id) || this.#isOutdated({ event, receiveTimeUs: Number.POSITIVE_INFINITY })
  }

  #isOutdated(one: Received): boolean {
    return !this.#hasCommon && this.#last !== undefined && !isAfter(one, this.#last)
  }
}
