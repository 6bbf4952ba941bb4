/** A live book against fetched snapshots, aligned by sequence: no false alarm, and no true difference missed. */

import { describe, expect, test } from 'vitest'
import { differences, differenceText } from '../../src/book/compare.ts'
import { OrderBook } from '../../src/book/order-book.ts'
import { Past } from '../../src/book/past.ts'
import { BookSync } from '../../src/book/sync.ts'
import type { BookSnapshot, Level } from '../../src/model/event.ts'
import { seededRandom } from '../../src/platform/random.ts'
import { delta, levels, snapshot } from './builders.ts'
import { type Kind, rulesOf, TrueStream } from './true-stream.ts'

const SEEDS = Number(process.env.BOOK_SEEDS ?? 40)

function bookOf(bids: string, asks: string, depth?: number): OrderBook {
  const book = new OrderBook()
  book.replace(levels(bids), levels(asks), depth)
  return book
}

describe('differences', () => {
  const found = (ours: OrderBook, theirs: BookSnapshot, within?: Parameters<typeof differences>[2]) =>
    differences(ours, theirs, within).map(differenceText)

  test('none: the same numbers, written in other ways', () => {
    expect(found(bookOf('9.10:1 8:2.0', '11:3'), snapshot(1, '9.1:1.00 8.000:2', '11.0:3'))).toEqual([])
  })

  test('changed, missing and extra levels, bids first, best first', () => {
    expect(found(bookOf('9:1 8:2 6:1', '11:1 13:2'), snapshot(1, '9:1 8:3 7:1', '11:1 12:4 13:2'))).toEqual([
      'bids 8: ours 2, theirs 3',
      'bids 7: ours none, theirs 1',
      'bids 6: ours 1, theirs none',
      'asks 12: ours none, theirs 4',
    ])
  })

  test('only as far out as both are known', () => {
    const ours = bookOf('9:1 8:2', '11:1 12:1 13:1', 2)
    ours.apply(levels('3:7'), [])
    expect(found(ours, snapshot(1, '9:1 8:2 7:5', '11:1 12:1', { depth: 3 }))).toEqual(['asks 13: ours 1, theirs none'])
    expect(found(ours, snapshot(1, '9:1 7:5', '11:1 12:1', { depth: 2 }))).toEqual(['bids 8: ours 2, theirs none'])
  })

  test('not where a delta that the snapshot may contain a part of has touched', () => {
    const within = delta({}, '8.0:5', '12:0')
    expect(found(bookOf('9:1 8:2', '11:1'), snapshot(1, '9:1 8:3', '11:2 12:1'), within)).toEqual([
      'asks 11: ours 1, theirs 2',
    ])
  })
})

describe('the kept past', () => {
  const past = new Past(bookOf('9:1', '11:1'), 100, undefined)
  past.push(delta({ first: 101, last: 105 }, '8:1'))
  past.push(delta({ first: 106, last: 110 }, '', '12:1'))

  test.each([
    [99, 'before', undefined],
    [100, 'moment', undefined],
    [103, 'moment', 105],
    [105, 'moment', undefined],
    [109, 'moment', 110],
    [110, 'moment', undefined],
    [111, 'ahead', undefined],
  ])('at %i', (sequence, kind, within) => {
    const found = past.find(sequence)
    expect(found.kind).toBe(kind)
    if (found.kind === 'moment') expect(found.within?.last_sequence).toBe(within)
  })

  test('is that of the greatest state that is not behind', () => {
    const found = past.find(107)
    expect(found.kind === 'moment' && [found.book.bids.top(9), found.book.asks.top(9)]).toEqual([
      levels('9:1 8:1'),
      levels('11:1'),
    ])
  })

  test.each([
    ['the numbering starts anew', [delta({ last: 3, previous: 100 })]],
    ['too much happens', Array.from({ length: 5_001 }, (_, i) => delta({ last: 101 + i, previous: 100 + i }))],
  ])('ends when %s', (_, deltas) => {
    const ending = new Past(bookOf('9:1', '11:1'), 100, undefined)
    for (const each of deltas) ending.push(each)
    expect(ending.problem).toBeDefined()
  })

  test('ends when the book is rebuilt', () => {
    const sync = new BookSync(rulesOf('chained'))
    expect(sync.record(), 'nothing to keep').toBeUndefined()
    sync.onSnapshot(snapshot(1))
    const kept = sync.record()
    expect(kept?.problem).toBeUndefined()
    sync.onSnapshot(snapshot(2))
    expect(kept?.problem).toBe('the book was rebuilt')
  })
})

/** A true stream whose REST answers lag behind it or are ahead of it, and a live book that records its past. */
class Bench {
  readonly truth: TrueStream
  readonly sync: BookSync
  readonly past: Past
  readonly random: () => number

  constructor(kind: Kind, seed: number) {
    this.random = seededRandom(seed)
    this.truth = new TrueStream(kind, this.random)
    this.sync = new BookSync(rulesOf(kind))
    this.sync.onSnapshot(this.truth.snapshot())
    for (let i = 0; i < 5 || !this.sync.isLive; i++) this.sync.onDelta(this.truth.next())
    this.past = this.sync.record() as Past
  }

  go(messages: number): void {
    for (let i = 0; i < messages; i++) this.sync.onDelta(this.truth.next())
  }

  below(count: number): number {
    return Math.floor(this.random() * count)
  }

  /** Some moment of the truth, in the middle of a batch as often as not, cut to some depth. */
  fetch(): BookSnapshot {
    const { bids, asks, ...rest } = this.truth.snapshot(this.below(30))
    const depth = 3 + this.below(40)
    return { ...rest, bids: bids.slice(0, depth), asks: asks.slice(0, depth), depth }
  }
}

describe.each(['contiguous', 'previousChained', 'chained'] as const)('against a %s stream', (kind) => {
  test('a right book never differs from a true snapshot, whether it lags, is ahead, or is of the middle of a batch', () => {
    const kinds = { before: 0, ahead: 0, exact: 0, within: 0 }
    for (let seed = 1; seed <= SEEDS * 5; seed++) {
      const bench = new Bench(kind, seed)
      bench.go(8 + bench.below(20))
      const fetched = bench.fetch()
      if (bench.past.problem !== undefined) continue
      const found = bench.past.find(fetched.sequence as number)
      kinds[found.kind === 'moment' ? (found.within === undefined ? 'exact' : 'within') : found.kind]++
      if (found.kind === 'moment') expect(differences(found.book, fetched, found.within), `seed ${seed}`).toEqual([])
    }
    expect(kinds.exact).toBeGreaterThan(SEEDS / 4)
    expect(kinds.within).toBeGreaterThan(SEEDS / 4)
    expect(kinds.before).toBeGreaterThan(0)
  })

  test('a snapshot ahead of the stream is compared when the stream has come as far', () => {
    for (let seed = 1; seed <= SEEDS; seed++) {
      const bench = new Bench(kind, seed)
      bench.go(3)
      const late = [bench.truth.next(), bench.truth.next()]
      const ahead = bench.truth.snapshot()
      if (bench.past.problem !== undefined || (bench.sync.sequence ?? 0) >= (ahead.sequence ?? 0)) continue
      expect(bench.past.find(ahead.sequence as number).kind).toBe('ahead')
      for (const delta of late) bench.sync.onDelta(delta)
      if (bench.past.problem !== undefined) continue
      const found = bench.past.find(ahead.sequence as number)
      expect(found.kind).toBe('moment')
      if (found.kind === 'moment') expect(differences(found.book, ahead, found.within)).toEqual([])
    }
  })

  test('one level that is changed, missing or too many is found, and named', () => {
    let spoilt = 0
    for (let seed = 1; seed <= SEEDS * 3; seed++) {
      const bench = new Bench(kind, seed)
      bench.go(8 + bench.below(20))
      const fetched = bench.fetch()
      const found = bench.past.find(fetched.sequence as number)
      if (bench.past.problem !== undefined || found.kind !== 'moment') continue
      const side = bench.below(2) === 0 ? ('bids' as const) : ('asks' as const)
      const touched = new Set((found.within?.[side] ?? []).map(([price]) => price))
      const rows = fetched[side].filter(([price]) => !touched.has(price))
      // The outermost level also says how far the snapshot reaches: it is spoilt in other tests.
      const row = rows[bench.below(Math.max(1, rows.length - 1))]
      if (row === undefined || row === fetched[side].at(-1)) continue
      spoilt++
      const [price, quantity] = row
      const [how, spoil] = [
        ['changed', [price, `${quantity}5`]],
        ['missing', [price, '0']],
        ['extra', [`${price}.5`, '7']],
      ][bench.below(3)] as [string, Level]
      found.book[side].set(spoil)
      expect(differences(found.book, fetched, found.within), `seed ${seed}: ${how}`).toEqual([
        {
          side,
          price: spoil[0],
          ours: how === 'missing' ? undefined : spoil[1],
          theirs: how === 'extra' ? undefined : quantity,
        },
      ])
    }
    expect(spoilt).toBeGreaterThan(SEEDS / 2)
  })

  test('a book that a snapshot of its past has widened is true as far as it is known, and so is what it emits', () => {
    if (kind === 'chained') return
    let widened = 0
    for (let seed = 1; seed <= SEEDS; seed++) {
      const bench = new Bench(kind, seed)
      bench.sync.book.bids.knownTo = '25'
      bench.sync.book.asks.knownTo = '45'
      bench.sync.book.bids.set(['3', '999'])
      bench.go(8 + bench.below(20))
      const fetched = bench.fetch()
      const { emit } = bench.sync.onSnapshot(fetched)
      const [event] = emit
      if (event?.type !== 'book_snapshot') continue
      widened++
      bench.go(bench.below(10))
      const { book, applied } = bench.sync
      const truth = bench.truth.at(applied as BookSnapshot)
      for (const side of ['bids', 'asks'] as const) {
        const shown = book[side].known(Number.POSITIVE_INFINITY)
        expect(shown, `seed ${seed}`).toEqual(truth[side].slice(0, shown.length))
      }
      expect(event.sequence).toBeGreaterThanOrEqual(fetched.sequence as number)
    }
    expect(widened).toBeGreaterThan(SEEDS / 4)
  })
})
