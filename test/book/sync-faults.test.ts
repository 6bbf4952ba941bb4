/** Books against the rarer faults: numbering that starts anew, empty answers, crossings that last, what is left after a break. */

import { describe, expect, test } from 'vitest'
import { Books } from '../../src/book/books.ts'
import type { OrderBook } from '../../src/book/order-book.ts'
import type { BookRules } from '../../src/book/rules.ts'
import { chained, contiguous, previousChained } from '../../src/book/sequence.ts'
import { BookSync } from '../../src/book/sync.ts'
import type { BookDelta, BookSnapshot } from '../../src/model/event.ts'
import { delta, snapshot } from './builders.ts'
import { narrate } from './narrate.ts'

const FETCHED: BookRules = { rule: contiguous, snapshotFrom: 'rest' }
const STREAMED: BookRules = { rule: chained, snapshotFrom: 'stream' }
const BROKEN = ['stale: sequence_gap', 'need sequence_gap']

function start(rules: BookRules) {
  const sync = new BookSync(rules)
  const feed = (event: BookSnapshot | BookDelta, checksum?: number) =>
    narrate(event.type === 'book_snapshot' ? sync.onSnapshot(event, checksum) : sync.onDelta(event, checksum))
  return { sync, feed }
}

/** Happened, and was received, at that second. */
const at = (seconds: number) => ({ exchange_time_us: seconds * 1e6, receive_time_us: seconds * 1e6 })

describe('a numbering that starts anew on fetched books', () => {
  test('breaks a book that deltas have joined, with the first message', () => {
    const { feed } = start(FETCHED)
    feed(snapshot(1000, '99:1', '101:1', { receive_time_us: 1e6 }))
    feed(delta({ first: 1001, last: 1002 }, '', '', at(2)))
    expect(feed(delta({ first: 1, last: 3 }, '98:1', '', at(3)))).toEqual(BROKEN)
    expect(feed(snapshot(2, '97:1'))).toEqual(['snapshot 2', 'delta 3', 'live: snapshot'])
  })

  test('breaks a book that stands at its snapshot: its deltas are older than those before it', () => {
    const { feed } = start(FETCHED)
    feed(delta({ first: 990, last: 995 }, '', '', at(1)))
    feed(snapshot(1000, '99:1', '101:1', { receive_time_us: 2e6 }))
    feed(delta({ first: 996, last: 1000 }, '', '', at(2)))
    expect(feed(delta({ first: 1, last: 3 }, '98:1', '', at(3)))).toEqual(BROKEN)
  })

  test('breaks a book that two snapshots proved, when its deltas come too late to be in them', () => {
    const { sync, feed } = start(FETCHED)
    feed(snapshot(1000, '99:1', '101:1', { receive_time_us: 1e6 }))
    feed(snapshot(1000, '99:1', '101:1', { receive_time_us: 11e6 }))
    expect(feed(delta({ first: 1, last: 3 }, '98:1', '', at(12))), 'it may be late').toEqual(['ignored'])
    expect(feed(delta({ first: 4, last: 5 }, '98:1', '', at(42)))).toEqual(BROKEN)
    expect(sync.isLive).toBe(false)
  })

  test('while deltas are held: those of the old one do not keep a new snapshot out', () => {
    const { feed } = start(FETCHED)
    feed(delta({ first: 990, last: 995 }, '', '', at(1)))
    feed(delta({ first: 1, last: 3 }, '98:1', '', at(2)))
    feed(delta({ first: 4, last: 6 }, '98:2', '', at(3)))
    expect(feed(snapshot(2, '97:1'))).toEqual(['snapshot 2', 'delta 3', 'delta 6', 'live: snapshot'])
  })

  test('a delta that is repeated while others are held drops none of them', () => {
    const { feed } = start(FETCHED)
    feed(delta({ first: 990, last: 995 }, '', '', at(1)))
    feed(delta({ first: 996, last: 999 }, '', '', at(2)))
    feed(delta({ first: 990, last: 995 }, '', '', at(1)))
    expect(feed(snapshot(990))).toEqual(['snapshot 990', 'delta 995', 'delta 999', 'live: snapshot'])
  })

  test('two equal snapshots of the old one prove nothing while deltas of the new one come', () => {
    const { sync, feed } = start(FETCHED)
    feed(snapshot(1000))
    feed(delta({ first: 1, last: 3 }, '98:1', '', at(2)))
    expect(feed(snapshot(1000))).toEqual([])
    expect(sync.isLive).toBe(false)
    expect(feed(snapshot(1000)), 'a quiet book').toEqual(['snapshot 1000', 'live: snapshot'])
  })
})

test('a delta that ends where the snapshot stands has joined it: only the chain counts after it', () => {
  const { feed } = start({ rule: previousChained, snapshotFrom: 'rest' })
  feed(delta({ first: 95, last: 100, previous: 90 }))
  expect(feed(snapshot(100))).toEqual(['snapshot 100', 'delta 100', 'live: snapshot'])
  expect(feed(delta({ first: 99, last: 110, previous: 98 }))).toEqual(BROKEN)
})

describe('a fetched snapshot without any level', () => {
  test('makes no book while the stream goes on', () => {
    const { sync, feed } = start(FETCHED)
    feed(delta({ first: 101, last: 105 }, '98:1'))
    expect(feed(snapshot(103, '', ''))).toEqual(['need snapshot_too_old'])
    expect(sync.isLive).toBe(false)
    expect(feed(snapshot(103))).toEqual(['snapshot 103', 'delta 105', 'live: snapshot'])
  })

  test('is a book when it is the same twice and nothing happens', () => {
    const { feed } = start(FETCHED)
    feed(snapshot(100, '', ''))
    expect(feed(snapshot(100, '', ''))).toEqual(['snapshot 100', 'live: snapshot'])
    expect(feed(delta({ first: 101, last: 102 }, '98:1'))).toEqual(['delta 102'])
  })
})

describe('a crossed book', () => {
  test('is wrong after two seconds, however few messages come', () => {
    const { sync, feed } = start(STREAMED)
    feed(snapshot(1))
    feed(delta({ previous: 1, last: 2 }, '102:1', '', at(10)))
    expect(sync.crossedSinceUs).toBe(10e6)
    expect(feed(delta({ previous: 2, last: 3 }, '98:1', '', at(12.1)))).toEqual([
      'delta 3',
      'stale: crossed_book',
      'need crossed_book',
    ])
    expect(sync.crossedSinceUs).toBeUndefined()
  })

  test('is one from its snapshot on; a heartbeat tells how long', () => {
    const { sync, feed } = start(STREAMED)
    feed(snapshot(1, '101:1', '101:1', at(10)))
    expect(sync.crossedSinceUs).toBe(10e6)
    expect(feed(delta({ previous: 1, last: 1 }, '', '', at(13)))).toEqual(['stale: crossed_book', 'need crossed_book'])
  })

  test('is forgiven as soon as it is not crossed', () => {
    const { sync, feed } = start(STREAMED)
    feed(snapshot(1))
    feed(delta({ previous: 1, last: 2 }, '102:1', '', at(10)))
    feed(delta({ previous: 2, last: 3 }, '102:0', '', at(11)))
    expect(sync.crossedSinceUs).toBeUndefined()
    expect(feed(delta({ previous: 3, last: 4 }, '102:1', '', at(20)))).toEqual(['delta 4'])
  })
})

describe('what a book was when it was last good', () => {
  const LAST = (sync: BookSync) => [sync.sequence, sync.applied?.id, sync.applied?.receive_time_us]
  const good = ['toy:book_delta:BTC-USDT:0:101', 2e6]

  test('is told after it broke, and while a new snapshot is only a candidate', () => {
    const { sync, feed } = start(FETCHED)
    feed(snapshot(100))
    feed(delta({ first: 101, last: 101 }, '', '', at(2)))
    feed(delta({ first: 103, last: 104 }, '', '', at(3)))
    expect(LAST(sync)).toEqual([101, ...good])
    sync.invalidate('audit_mismatch', 9e6)
    feed(snapshot(300))
    feed(delta({ first: 290, last: 295 }, '', '', at(4)))
    expect(LAST(sync)).toEqual([101, ...good])
    feed(delta({ first: 299, last: 301 }, '', '', at(5)))
    expect(sync.sequence).toBe(301)
  })

  test('is not what failed its checksum', () => {
    const { sync, feed } = start({ ...STREAMED, checksum: (book: OrderBook) => book.bids.size + book.asks.size })
    feed(snapshot(100), 2)
    feed(delta({ previous: 100, last: 101 }, '', '', at(2)), 2)
    feed(delta({ previous: 101, last: 102 }, '98:1', '', at(3)), 9)
    expect(LAST(sync)).toEqual([101, ...good])
    feed(snapshot(200), 9)
    expect(LAST(sync)).toEqual([101, ...good])
  })

  test('includes its heartbeats: until then nothing was missed', () => {
    const { sync, feed } = start(STREAMED)
    feed(snapshot(100, '99:1', '101:1', at(1)))
    expect(feed(delta({ previous: 100, last: 100 }, '', '', at(61)))).toEqual([])
    expect([sync.sequence, sync.applied?.receive_time_us]).toEqual([100, 61e6])
  })
})

test('an audit that found a book wrong makes it stale until a new snapshot joins', () => {
  const { sync, feed } = start(FETCHED)
  feed(snapshot(100))
  feed(delta({ first: 101, last: 101 }))
  expect(narrate(sync.invalidate('audit_mismatch', 5))).toEqual(['stale: audit_mismatch'])
  expect(feed(delta({ first: 102, last: 103 }))).toEqual(['syncing: audit_mismatch'])
  expect(feed(snapshot(103))).toEqual(['snapshot 103', 'live: snapshot'])
})

test('all books together hold no more than fits: the one that finds no room starts over, and gives its room back', () => {
  const symbols = Array.from({ length: 12 }, (_, i) => `S${i}`)
  const books = new Books(new Map([['toy', FETCHED]]))
  const many = (sequence: number, symbol: string) =>
    delta({ first: sequence, last: sequence }, '', '', {
      symbol,
      bids: Array.from({ length: 100_000 }, (_, i) => [String(i + 1), '1'] as const),
    })
  const needs = symbols.map((symbol) => books.accept(many(1, symbol)).need)
  expect(needs.indexOf('buffer_overflow')).toBe(9)
  expect(needs.filter((need) => need !== undefined).length, 'each that comes then').toBe(3)
  expect(books.accept({ ...snapshot(5), symbol: 'S0' }).need, 'frees what S0 has held').toBeUndefined()
  expect(books.accept(many(6, 'S11')).need).toBeUndefined()
})

test('states that are told of one moment, while our clock stands still, have ids of their own', () => {
  const { sync } = start(STREAMED)
  const nowUs = 1_795_392_000_000_000
  const at = { receive_time_us: nowUs }
  const emitted = [
    ...sync.onSnapshot(snapshot(100, '99:1', '101:1', at)).emit,
    ...sync.suspend(nowUs).emit,
    ...sync.onDelta(delta({ previous: 100, last: 100 }, '', '', at)).emit,
    ...sync.suspend(nowUs).emit,
  ]
  const states = emitted.flatMap((event) => (event.type === 'book_state' ? [event] : []))
  expect(states.map(({ state }) => state)).toEqual(['live', 'stale', 'live', 'stale'])
  expect(new Set(states.map(({ id }) => id)).size).toBe(4)
})
