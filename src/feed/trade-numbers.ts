/** What the numbers and times of a trade say about those that were delivered. Pure. */

import type { FeedLedger } from '../ledger/feed-ledger.ts'
import type { NumberedAt, Tally } from '../ledger/tally.ts'
import { isFuture } from '../ledger/trade-time.ts'
import type { EpochUs, MarketEvent, Trade } from '../model/event.ts'
import type { Span, Venue } from '../venues/venue.ts'
import type { Feed } from './feed.ts'

/** Trades are not numbered in the exact order of their times. */
const LATE_US = 2_000_000
/** Stream and REST may tell times to the millisecond or the microsecond: a smaller difference says nothing. */
const TIME_STEP_US = 1_000

/** What is told as one trade here and as several there was made within so long. */
const JOINED_US = 1_000_000

/** By their times they are two trades, not one that was told twice. Without a time of both nobody can say. */
export const isLater = (us: EpochUs | undefined, thanUs: EpochUs | undefined): boolean =>
  us !== undefined && thanUs !== undefined && us - thanUs >= TIME_STEP_US

/** It has left already, whichever way it came; numbers that the venue uses a second time are new. */
export function isDelivered(feed: Feed, trade: Trade): boolean {
  const span = feed.venue.tradeSpan(trade)
  if (span === undefined) return feed.recent.has(trade.id)
  const { last } = feed.tally
  if (last === undefined) return isFormer(feed.ledger, trade, span)
  return span.last <= last && feed.tally.within(span).length === 0 && !isReset(feed, trade, span)
}

/** The stream was retired, and nothing new has come since: among the newest trades may be those of before. */
function isFormer({ former, newestTradeUs }: FeedLedger, { exchange_time_us: timeUs = 0 }: Trade, span: Span): boolean {
  if (former === undefined || newestTradeUs === undefined) return false
  return span.last <= former && timeUs - newestTradeUs < TIME_STEP_US
}

/** The greatest running number of the trades; `undefined`: none of them has one. */
export function newestNumber(venue: Venue, events: readonly MarketEvent[]): number | undefined {
  const numbers = events.flatMap((event) => (event.type === 'trade' ? (venue.tradeSpan(event)?.last ?? []) : []))
  return numbers.length === 0 ? undefined : Math.max(...numbers)
}

/**
 * A number at or below one that was delivered, made later than all that were: the venue counts anew. Fetched trades tell
 * nothing: the venue's clock may have been set back since they were made.
 */
export function isReset({ tally, ledger: { newestTradeUs } }: Feed, trade: Trade, span: Span): boolean {
  if (tally.last === undefined || newestTradeUs === undefined || span.last > tally.last) return false
  if (trade.source === 'backfill' || !isLater(timeUsOf(trade), newestTradeUs)) return false
  return tally.within(span).length === 0 || hasHeld(tally, { first: span.last + 1, last: tally.last })
}

/** 0: unknown, also where the venue names a time that cannot be. */
function timeUsOf({ exchange_time_us: timeUs = 0, receive_time_us: receiveUs = timeUs }: Trade): EpochUs {
  return isFuture(timeUs, receiveUs) ? 0 : timeUs
}

/** Not all of them are missing. */
function hasHeld(tally: Tally, span: Span): boolean {
  const missing = tally.within(span).reduce((sum, { first, last }) => sum + last - first + 1, 0)
  return missing < span.last - span.first + 1
}

/**
 * The number that was delivered before a gap is that of a trade made later: the venue counts anew, and in the gap it came
 * past that number.
 */
export function isUsedAgain({ number, madeUs }: NumberedAt, trade: Trade, span: Span | undefined): boolean {
  if (madeUs === undefined || span === undefined || number < span.first || number > span.last) return false
  return (trade.exchange_time_us ?? 0) - madeUs >= JOINED_US
}

/**
 * For who was late to read the stream: a fetched trade was made long after everything that was delivered, and yet lies
 * before some of it. Meanwhile the venue has begun to count anew and come to the same numbers; or else its clock was set
 * back, which mostly shows in the times of the stream. Who was in time can only have met the latter.
 */
export function isOfOtherNumbers(
  { tally, ledger: { newestTradeUs }, madeUs }: Feed,
  trade: Trade,
  span: Span,
): boolean {
  if (tally.last === undefined || newestTradeUs === undefined || madeUs !== newestTradeUs) return false
  if (timeUsOf(trade) - newestTradeUs < LATE_US || tally.within(span).length === 0) return false
  return hasHeld(tally, { first: span.last + 1, last: tally.last })
}
