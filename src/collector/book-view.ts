/** Order books as the API shows them: a book that is not proven, or crossed, is never served as live. */

import type { BookView, LiveBook } from '../api/view.ts'
import type { Books } from '../book/books.ts'
import type { BookSync } from '../book/sync.ts'
import type { Feed } from '../feed/feed.ts'
import type { Instrument } from '../model/event.ts'

/** Also in the moment before a crossed book is found to be wrong. */
const isServed = (sync: BookSync): boolean => sync.isLive && !sync.book.isCrossed()

export function* liveBooks(books: Books): Generator<LiveBook> {
  for (const [venue, symbol, sync] of books) {
    if (!isServed(sync) || sync.applied === undefined) continue
    const { exchange, receive_time_us } = sync.applied
    yield { exchange, venue, symbol, receiveTimeUs: receive_time_us }
  }
}

export interface BookAsked {
  readonly venue: string
  readonly symbol: string
  readonly instrument: Instrument | undefined
  readonly depth: number
}

/** `feed` knows best why a book is not live: not connected, refused, banned, being rebuilt. */
export function bookView(
  sync: BookSync | undefined,
  feed: Feed | undefined,
  { venue, symbol, instrument, depth }: BookAsked,
): BookView {
  const served = sync !== undefined && isServed(sync) ? sync : undefined
  const applied = sync?.applied
  return {
    venue,
    symbol,
    market: applied?.market ?? instrument?.market ?? '',
    instrument: instrument?.instrument,
    state: served !== undefined ? 'live' : sync?.state === 'live' ? 'stale' : (sync?.state ?? 'syncing'),
    reason: served !== undefined || feed === undefined ? (sync?.reason ?? '') : `${feed.state}: ${feed.reason}`,
    sequence: sync?.sequence,
    bids: served?.book.bids.known(depth) ?? [],
    asks: served?.book.asks.known(depth) ?? [],
    bidsKnownTo: served?.book.bids.knownTo,
    asksKnownTo: served?.book.asks.knownTo,
    exchangeTimeUs: applied?.exchange_time_us,
    receiveTimeUs: applied?.receive_time_us,
  }
}
