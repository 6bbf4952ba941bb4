import { expect, test } from 'vitest'
import { BookSync } from '../../src/book/sync.ts'
import type { Feed } from '../../src/feed/feed.ts'
import { Outrun } from '../../src/feed/outrun.ts'
import { Silence } from '../../src/feed/silence.ts'
import type { Quote } from '../../src/model/event.ts'
import { findVenue } from '../../src/venues/index.ts'
import type { Venue } from '../../src/venues/venue.ts'
import { snapshot } from '../book/builders.ts'

/** A quote of 99 and 101, said at 0, of a stream whose rate nobody knows; a busy one may be silent for 15 s. */
function quoteFeed(outage?: object): Feed {
  const silence = new Silence({ min: 15_000, max: 1_800_000 })
  silence.heard(0)
  const newestQuote = { bid_price: '99', bid_quantity: '1', ask_price: '101', ask_quantity: '1' } as Quote
  return { silence, newestQuote, ledger: { outage } } as unknown as Feed
}

/** Live, with this best bid. */
function bookOf(bid: string, receive_time_us?: number): BookSync {
  const sync = new BookSync((findVenue('deribit') as Venue).book)
  sync.onSnapshot(snapshot(10, `${bid}:1`, '101:1', { ...(receive_time_us && { receive_time_us }) }))
  return sync
}

/** Asked every second; the second in which it first has. */
function foundS(quote: Feed, bookAt: (second: number) => BookSync | undefined, feed = quote): number | undefined {
  const outrun = new Outrun()
  for (let second = 1; second <= 120; second++)
    if (outrun.has(feed, quote, bookAt(second), second * 1_000)) return second
  return undefined
}

test('a quote is outrun when the top of its live book has been another for as long as a busy stream may be silent', () => {
  expect(foundS(quoteFeed(), () => bookOf('98'))).toBe(17)
  expect(foundS(quoteFeed(), (second) => bookOf(second < 60 ? '99' : '98'))).toBe(76)
})

test('it is not while the book shows it, now and then or always, nor by a book that is not live', () => {
  expect(foundS(quoteFeed(), () => bookOf('99'))).toBeUndefined()
  expect(foundS(quoteFeed(), (second) => bookOf(second % 10 === 0 ? '99' : '98'))).toBeUndefined()
  expect(foundS(quoteFeed(), () => new BookSync((findVenue('deribit') as Venue).book))).toBeUndefined()
  expect(foundS(quoteFeed(), () => undefined)).toBeUndefined()
})

test('it is not while it speaks; the book is, that is silent and differs from a quote without a gap', () => {
  const [quote, book] = [quoteFeed(), quoteFeed()]
  const outrun = new Outrun()
  for (let second = 1; second <= 60; second++) {
    quote.silence.heard(second * 1_000)
    expect(outrun.has(quote, quote, bookOf('98'), second * 1_000 + 500)).toBe(false)
    expect(outrun.has(book, quote, bookOf('98'), second * 1_000 + 500)).toBe(second >= 17)
  }
  expect(foundS(quoteFeed({ cause: 'silence' }), () => bookOf('98'))).toBe(17)
  expect(foundS(quoteFeed({ cause: 'silence' }), () => bookOf('98'), book)).toBeUndefined()
})

test('who spoke last is right: a book that has died outruns no quote, however rarely that speaks', () => {
  const [quote, book] = [quoteFeed(), quoteFeed()]
  quote.lastMessageUs = 20_000_000
  expect(foundS(quote, () => bookOf('98', 10_000_000))).toBeUndefined()
  expect(foundS(quote, () => bookOf('98', 10_000_000), book)).toBe(17)
  expect(foundS(quote, () => bookOf('98', 30_000_000))).toBe(17)
  expect(foundS(quote, () => bookOf('98', 30_000_000), book)).toBeUndefined()
})
