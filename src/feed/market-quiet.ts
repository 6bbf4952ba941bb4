/** Is a ticker or a quote silent because nothing happens? Its symbol's other streams tell. Pure. */

import type { BookSync } from '../book/sync.ts'
import { compareDecimals } from '../model/decimal.ts'
import type { Decimal, Level } from '../model/event.ts'
import type { Feed } from './feed.ts'

/** What else is collected of the symbol. */
export interface SymbolMarket {
  readonly trade: Feed | undefined
  readonly book: Feed | undefined
  readonly sync: BookSync | undefined
}

/**
 * A quote that still is the top of the proven book is the newest there is; a ticker follows trades. `undefined`: the
 * others are being looked into themselves.
 */
export function isMarketQuiet(feed: Feed, { trade, book, sync }: SymbolMarket): boolean | undefined {
  const others = [trade, book].filter((other) => other !== undefined)
  if (others.some((other) => isBehind(feed, other))) return false
  if (feed.channel === 'quote' && sync?.isLive === true && isTop(feed, sync)) return true
  const companions = feed.channel === 'ticker' && trade !== undefined ? [trade] : others
  if (companions.some(({ state, ledger }) => state === 'stale' && ledger.outage === undefined)) return undefined
  const live = companions.filter(({ state }) => state === 'live')
  return live.length > 0 && live.every((other) => isSilentToo(feed, other))
}

/** The venue knows of something that `other` should have brought, unless it turned out to be older than the feed's last word. */
function isBehind({ lastMessageUs = 0, newest }: Feed, { behind }: Feed): boolean {
  if (behind === undefined || behind.foundUs <= lastMessageUs) return false
  const saidUs = newest?.event.exchange_time_us
  return saidUs === undefined || behind.madeUs === undefined || behind.madeUs >= saidUs
}

/** It has said nothing in the second half of the silence: a last word a moment later is no life. */
const isSilentToo = ({ lastMessageMs = 0, silence }: Feed, other: Feed): boolean =>
  (other.lastMessageMs ?? 0) <= lastMessageMs + silence.limitMs / 2

/** The newest quote is what the book shows. */
export function isTop({ newestQuote }: Feed, { book }: BookSync): boolean {
  if (newestQuote === undefined) return false
  const { bid_price, bid_quantity, ask_price, ask_quantity } = newestQuote
  return isLevel(book.bids.best(), bid_price, bid_quantity) && isLevel(book.asks.best(), ask_price, ask_quantity)
}

const isLevel = (level: Level | undefined, price: Decimal | undefined, quantity: Decimal | undefined): boolean =>
  level === undefined || price === undefined || quantity === undefined
    ? level === undefined && price === undefined
    : compareDecimals(level[0], price) === 0 && compareDecimals(level[1], quantity) === 0
