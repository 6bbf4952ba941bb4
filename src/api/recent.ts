/** The newest records by category: filter first, then newest first, then cut. */

import { type EpochUs, instrumentKey } from '../model/event.ts'
import { bookRecord, tickerRecord, tradeRecord } from './records.ts'
import type { CollectorView } from './view.ts'

export interface RecentQuery {
  /** `undefined`: all. */
  readonly exchange: string | undefined
  readonly categories: readonly Category[]
  readonly limit: number
  readonly depth: number
}

/** How each kept category is read from the store. A category more is one entry more. */
const READERS = {
  tickers: (view: CollectorView, query: RecentQuery) =>
    keyed(
      newest([...view.store.tickers()].filter(matches(query)), query, (ticker) => ticker.receive_time_us),
      tickerRecord,
    ),
  orderbooks: (view: CollectorView, query: RecentQuery) =>
    keyed(
      newest([...view.store.liveBooks()].filter(matches(query)), query, (book) => book.receiveTimeUs).flatMap(
        ({ venue, symbol }) => view.book(venue, symbol, query.depth) ?? [],
      ),
      bookRecord,
    ),
  trades: (view: CollectorView, query: RecentQuery) => keyed(newestTrades(view, query), tradeRecord),
} as const

export type Category = keyof typeof READERS
export const CATEGORIES = Object.keys(READERS) as readonly Category[]

type Recent = { [Name in Category]?: ReturnType<(typeof READERS)[Name]> }

/** A category with no match is left out. */
export function recentRecords(view: CollectorView, query: RecentQuery): Recent {
  const found = query.categories.map((category) => [category, READERS[category](view, query)] as const)
  return Object.fromEntries(found.filter(([, records]) => Object.keys(records).length > 0))
}

const matches =
  ({ exchange }: RecentQuery) =>
  (record: { readonly exchange: string }): boolean =>
    exchange === undefined || record.exchange === exchange

function newest<Item>(items: Item[], { limit }: RecentQuery, timeOf: (item: Item) => EpochUs | undefined): Item[] {
  return items.sort((a, b) => (timeOf(b) ?? 0) - (timeOf(a) ?? 0)).slice(0, limit)
}

/** The newest trade of each instrument; the store yields newest first. */
function newestTrades(view: CollectorView, query: RecentQuery) {
  const isMatch = matches(query)
  const byKey = new Map<
    string,
    ReturnType<CollectorView['store']['trades']> extends Iterable<infer Item> ? Item : never
  >()
  for (const trade of view.store.trades()) {
    const key = instrumentKey(trade.venue, trade.symbol)
    if (!isMatch(trade) || byKey.has(key)) continue
    byKey.set(key, trade)
    if (byKey.size === query.limit) break
  }
  return [...byKey.values()]
}

const keyed = <Item extends { readonly venue: string; readonly symbol: string }, Shown>(
  items: readonly Item[],
  show: (item: Item) => Shown,
): Record<string, Shown> =>
  Object.fromEntries(items.map((item) => [instrumentKey(item.venue, item.symbol), show(item)] as const))
