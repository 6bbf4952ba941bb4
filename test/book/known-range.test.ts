import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { BookSide } from '../../src/book/book-side.ts'
import { OrderBook } from '../../src/book/order-book.ts'
import { chained, contiguous } from '../../src/book/sequence.ts'
import { BookSync } from '../../src/book/sync.ts'
import { delta, levels, snapshot } from './builders.ts'
import { narrate } from './narrate.ts'

const EVERYTHING = Number.POSITIVE_INFINITY

function bookOf(bids: string, asks: string, depth?: number): OrderBook {
  const book = new OrderBook()
  book.replace(levels(bids), levels(asks), depth)
  return book
}

const range = ({ bids, asks }: OrderBook) => [bids.knownTo, asks.knownTo]

describe('how far out a side is known', () => {
  test('to its last level, where as many came as were asked for; else to its end', () => {
    expect(range(bookOf('9:1 8:1 7:1', '11:1 12:1', 3))).toEqual(['7', undefined])
    expect(range(bookOf('9:1 8:1 7:1', '11:1 12:1'))).toEqual([undefined, undefined])
    expect(range(bookOf('', '', 3))).toEqual([undefined, undefined])
  })

  test('a level that is set beyond it does not extend it, and is not shown', () => {
    const book = bookOf('9:1 8:1', '11:1 12:1', 2)
    book.apply(levels('5:1'), levels('20:1 12.0:4'))
    expect(range(book)).toEqual(['8', '12'])
    expect(book.bids.known(9)).toEqual(levels('9:1 8:1'))
    expect(book.asks.known(9)).toEqual(levels('11:1 12.0:4'))
    expect(book.asks.top(9)).toEqual(levels('11:1 12.0:4 20:1'))
  })

  test('a removed outermost level leaves it as it is', () => {
    const book = bookOf('9:1 8:1', '11:1 12:1', 2)
    book.apply(levels('8:0'), levels('11:0 12:0 13:1'))
    expect(range(book)).toEqual(['8', '12'])
    expect([book.bids.known(9), book.asks.known(9)]).toEqual([levels('9:1'), []])
  })

  test('what is cut off is unknown, and stays so', () => {
    const book = bookOf('9:1 8:1 7:1', '11:1')
    book.trim(2)
    expect(range(book)).toEqual(['8', undefined])
    book.apply(levels('9:0'), [])
    book.trim(2)
    expect(range(book)).toEqual(['8', undefined])
    book.apply(levels('9:1 8.5:1'), [])
    book.trim(2)
    expect(range(book)).toEqual(['8.5', undefined])
  })

  test('a window of the venue is known to its end while it is full, and whole when it is not', () => {
    const book = bookOf('9:1 8:1 7:1', '11:1', 3)
    book.keepWindow(3)
    expect(range(book)).toEqual(['7', undefined])
    book.apply(levels('10:1'), [])
    book.keepWindow(3)
    expect(range(book)).toEqual(['8', undefined])
    book.apply(levels('10:0'), [])
    book.keepWindow(3)
    expect(range(book)).toEqual([undefined, undefined])
  })

  test('a copy goes its own way', () => {
    const book = bookOf('9:1 8:1', '11:1', 2)
    const copy = book.copy()
    book.apply(levels('9:0 10:1'), levels('11:5'))
    expect([copy.bids.top(9), copy.asks.top(9), ...range(copy)]).toEqual([
      levels('9:1 8:1'),
      levels('11:1'),
      '8',
      undefined,
    ])
  })

  test('shown levels are those up to it, whatever was set and cut', () => {
    const price = fc.nat({ max: 60 }).map(String)
    const level = fc.tuple(price, fc.constantFrom('0', '1', '2'))
    fc.assert(
      fc.property(
        fc.constantFrom('bids', 'asks'),
        fc.array(level),
        fc.option(price),
        fc.nat({ max: 30 }),
        (name, rows, end, count) => {
          const side = new BookSide(name)
          side.knownTo = end ?? undefined
          for (const row of rows) side.set(row)
          const isKnown = (at: string) =>
            end === null || (name === 'bids' ? Number(at) >= Number(end) : Number(at) <= Number(end))
          expect(side.known(count)).toEqual(
            side
              .top(EVERYTHING)
              .filter(([at]) => isKnown(at))
              .slice(0, count),
          )
        },
      ),
      { seed: 20261123 },
    )
  })
})

describe('the range of a synced book', () => {
  test('is that of its snapshot, and of the next one that replaces it', () => {
    const sync = new BookSync({ rule: contiguous, snapshotFrom: 'rest' })
    sync.onSnapshot(snapshot(100, '9:1 8:1', '11:1', { depth: 2 }))
    sync.onDelta(delta({ first: 101, last: 101 }, '7:1'))
    expect(range(sync.book)).toEqual(['8', undefined])
    sync.invalidate('disconnect')
    sync.onSnapshot(snapshot(200, '9:1', '11:1 12:1', { depth: 2 }))
    sync.onDelta(delta({ first: 201, last: 201 }))
    expect(range(sync.book)).toEqual([undefined, '12'])
  })

  test('moves with the window that the venue keeps', () => {
    const sync = new BookSync({ rule: chained, snapshotFrom: 'stream', depthMax: 2 })
    sync.onSnapshot(snapshot(1, '9:1 8:1 7:1', '11:1', { depth: 2 }))
    expect(range(sync.book)).toEqual(['8', undefined])
    sync.onDelta(delta({ previous: 1, last: 2 }, '10:1', '12:1'))
    expect(range(sync.book)).toEqual(['9', '12'])
  })

  test('is widened by a snapshot of the past that is kept, brought up to now', () => {
    const sync = new BookSync({ rule: contiguous, snapshotFrom: 'rest' })
    sync.onSnapshot(snapshot(100, '9:1 8:1', '11:1 12:1', { depth: 2 }))
    sync.onDelta(delta({ first: 101, last: 101 }))
    const wide = snapshot(102, '9:1 8:1 6:1 5:1', '11:1 12:1', { depth: 4, receive_time_us: 7 })
    expect(narrate(sync.onSnapshot(wide)), 'nothing of the past is kept').toEqual(['ignored'])
    sync.record()
    sync.onDelta(delta({ first: 102, last: 103 }, '6:0', '11:0'))
    sync.onDelta(delta({ first: 104, last: 104 }, '4:9 5:2', '', { exchange_time_us: 5 }))
    const { emit } = sync.onSnapshot(wide)
    expect(emit).toEqual([
      {
        ...wide,
        id: 'toy:book_snapshot:BTC-USDT:0:104/4',
        sequence: 104,
        exchange_time_us: 5,
        bids: levels('9:1 8:1 5:2'),
        asks: levels('12:1'),
        depth: 1,
      },
    ])
    expect(range(sync.book)).toEqual(['5', undefined])
    expect([sync.isLive, sync.sequence]).toEqual([true, 104])
    expect(narrate(sync.onSnapshot(wide)), 'there is nothing more to learn').toEqual(['ignored'])
  })

  test.each([
    ['older than the past', 99],
    ['newer than the stream', 999],
  ])('is not widened by a snapshot that is %s', (_, sequence) => {
    const sync = new BookSync({ rule: contiguous, snapshotFrom: 'rest' })
    sync.onSnapshot(snapshot(100, '9:1', '11:1', { depth: 1 }))
    sync.onDelta(delta({ first: 101, last: 101 }))
    sync.record()
    expect(narrate(sync.onSnapshot(snapshot(sequence, '9:1 8:1', '11:1')))).toEqual(['ignored'])
    expect(range(sync.book)).toEqual(['9', '11'])
  })
})
