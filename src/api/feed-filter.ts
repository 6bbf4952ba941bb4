/** Which feeds a query asks for. */

import type { Channel } from '../model/event.ts'
import { unknownInstrument } from './instrument.ts'
import type { CollectorView, FeedName } from './view.ts'

export interface FeedQuery {
  readonly venue: string
  readonly symbol?: string | undefined
  readonly type: 'all' | Channel
}

/** True for the feeds that are asked for. Letters of symbols do not count here: no venue has two that differ by case. */
export function feedFilter({ venue, symbol, type }: FeedQuery): (feed: FeedName) => boolean {
  const wanted = symbol?.toUpperCase()
  return (feed) =>
    (venue === 'all' || feed.venue === venue) &&
    (type === 'all' || feed.channel === type) &&
    (wanted === undefined || feed.symbol.toUpperCase() === wanted)
}

/** Nothing found for a misspelt symbol must not look like nothing lost. Errors: NOT_FOUND when no feed of it is known. */
export function requireKnown(view: CollectorView, query: FeedQuery, isFound: boolean): void {
  if (query.symbol === undefined || isFound || view.feeds().some(feedFilter(query))) return
  throw unknownInstrument('No such feed of this symbol is or was collected.')
}
