import { expect, test } from 'vitest'
import { BookSync } from '../../src/book/sync.ts'
import type { Feed } from '../../src/feed/feed.ts'
import { isMarketQuiet } from '../../src/feed/market-quiet.ts'
import type { Quote } from '../../src/model/event.ts'
import { findVenue } from '../../src/venues/index.ts'
import type { Venue } from '../../src/venues/venue.ts'
import { snapshot } from '../book/builders.ts'

const SECOND = 1_000_000

/** A feed as far as the question goes: it may be silent for 20 s. */
const feed = (channel: string, lastMessageUs: number, more: object = {}): Feed =>
  ({
    channel,
    lastMessageUs,
    lastMessageMs: lastMessageUs / 1_000,
    state: 'live',
    silence: { limitMs: 20_000 },
    ledger: {},
    ...more,
  }) as unknown as Feed

const only = (trade?: Feed, book?: Feed) => ({ trade, book, sync: undefined })

test('a ticker is silent with its market, also when a trade came a moment after it', () => {
  const ticker = feed('ticker', 100 * SECOND)
  expect(isMarketQuiet(ticker, only(feed('trade', 100.3 * SECOND)))).toBe(true)
  expect(isMarketQuiet(ticker, only(feed('trade', 115 * SECOND)))).toBe(false)
})

test('a ticker follows trades, where they are collected: a book that moves is no trade', () => {
  const ticker = feed('ticker', 100 * SECOND)
  expect(isMarketQuiet(ticker, only(feed('trade', 90 * SECOND), feed('book', 119 * SECOND)))).toBe(true)
  expect(isMarketQuiet(ticker, only(undefined, feed('book', 119 * SECOND)))).toBe(false)
})

test('what the others should have brought, or nobody to ask, is no quiet', () => {
  const quote = feed('quote', 100 * SECOND)
  const behind = { foundUs: 110 * SECOND }
  expect(isMarketQuiet(quote, only(feed('trade', 90 * SECOND, { behind })))).toBe(false)
  expect(isMarketQuiet(quote, only())).toBe(false)
  const known = { state: 'stale', ledger: { outage: {} } }
  expect(isMarketQuiet(quote, only(feed('trade', 90 * SECOND, known)))).toBe(false)
})

test('what they should have brought tells nothing when the venue made it before the last word', () => {
  const ticker = feed('ticker', 100 * SECOND, { newest: { event: { exchange_time_us: 5_000 } } })
  const fetched = (madeUs: number) => feed('trade', 90 * SECOND, { behind: { foundUs: 110 * SECOND, madeUs } })
  expect(isMarketQuiet(ticker, only(fetched(4_999)))).toBe(true)
  expect(isMarketQuiet(ticker, only(fetched(5_000)))).toBe(false)
  expect(isMarketQuiet(feed('ticker', 100 * SECOND), only(fetched(4_999)))).toBe(false)
})

test('while the others are looked into nothing is said', () => {
  const ticker = feed('ticker', 100 * SECOND)
  expect(isMarketQuiet(ticker, only(feed('trade', 90 * SECOND, { state: 'stale' })))).toBeUndefined()
})

test('a quote that still is the top of the proven book is the newest, whatever happens deeper', () => {
  const sync = new BookSync((findVenue('okx') as Venue).book)
  sync.onSnapshot(snapshot(10, '99:1', '101:2'))
  const top = { bid_price: '99.0', bid_quantity: '1', ask_price: '101', ask_quantity: '2.00' } as Quote
  const market = { trade: undefined, book: feed('book', 119 * SECOND), sync }
  expect(isMarketQuiet(feed('quote', 100 * SECOND, { newestQuote: top }), market)).toBe(true)
  const old = { ...top, ask_quantity: '3' }
  expect(isMarketQuiet(feed('quote', 100 * SECOND, { newestQuote: old }), market)).toBe(false)
})
