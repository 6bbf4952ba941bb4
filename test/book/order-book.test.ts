import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { BookSide } from '../../src/book/book-side.ts'
import { OrderBook } from '../../src/book/order-book.ts'
import type { Level } from '../../src/model/event.ts'
import { seededRandom } from '../../src/platform/random.ts'
import { levels } from './builders.ts'
import { ReplicaSide } from './replica.ts'

fc.configureGlobal({ seed: 20261123 })

const SIDES = ['bids', 'asks'] as const
const EVERYTHING = Number.POSITIVE_INFINITY

/** Few prices, so that sets hit; some share a double, some are one price written twice. */
const price = fc.oneof(
  fc.nat({ max: 300 }).map(String),
  fc.nat({ max: 30 }).map((tick) => `${tick}.10`),
  fc.nat({ max: 30 }).map((tick) => `${tick}.1`),
  fc.nat({ max: 9 }).map((digit) => `90071992547409930${digit}`),
  fc.nat({ max: 9 }).map((digit) => `0.3000000000000000000${digit}`),
)
const quantity = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom('1', '2.50', '0.00000001') },
  fc.constantFrom('0', '0.000'),
)
const level: fc.Arbitrary<Level> = fc.tuple(price, quantity)

describe.each(SIDES)('%s', (name) => {
  test('are what a map would hold, after any sets and removals', () => {
    fc.assert(
      fc.property(fc.array(level, { maxLength: 400 }), fc.nat({ max: 80 }), (changes, count) => {
        const side = new BookSide(name)
        const model = new ReplicaSide(name)
        for (const change of changes) {
          side.set(change)
          model.set(change)
        }
        const expected = model.all()
        expect(side.top(EVERYTHING)).toEqual(expected)
        expect(side.top(count)).toEqual(expected.slice(0, count))
        expect(side.size).toBe(expected.length)
        expect(side.best()).toEqual(expected[0])
        side.trim(count)
        expect(side.top(EVERYTHING)).toEqual(expected.slice(0, count))
        expect(side.size).toBe(Math.min(count, expected.length))
      }),
      { numRuns: 300 },
    )
  })

  test.each(['rising', 'falling', 'shuffled'])('hold 5,000 levels, put in %s and taken out again', (order) => {
    const random = seededRandom(7)
    const prices = Array.from({ length: 5_000 }, (_, i) => `${(i + 1) / 100}`)
    if (order === 'falling') prices.reverse()
    if (order === 'shuffled') prices.sort(() => random() - 0.5)
    const side = new BookSide(name)
    const model = new ReplicaSide(name)
    for (const at of prices) {
      side.set([at, '1'])
      model.set([at, '1'])
    }
    expect(side.size).toBe(5_000)
    expect(side.top(EVERYTHING)).toEqual(model.all())
    for (const at of prices.filter(() => random() < 0.9)) {
      side.set([at, '0'])
      model.set([at, '0'])
      if (random() < 0.01) expect(side.top(3)).toEqual(model.all().slice(0, 3))
    }
    expect(side.top(EVERYTHING)).toEqual(model.all())
    expect(side.size).toBe(model.all().length)
  })

  test('empty again, they take levels as if new', () => {
    const side = new BookSide(name)
    for (let round = 0; round < 3; round++) {
      for (let i = 1; i <= 200; i++) side.set([String(i), '1'])
      for (let i = 1; i <= 200; i++) side.set([String(i), '0.0'])
      expect(side.size).toBe(0)
      expect(side.best()).toBeUndefined()
      expect(side.top(5)).toEqual([])
    }
  })

  test('one price written in two ways is one level, with the newest text', () => {
    const side = new BookSide(name)
    for (const [at, amount] of levels('1.10:1 1.1:2 01.100:3')) side.set([at, amount])
    expect(side.top(9)).toEqual([['01.100', '3']])
    side.set(['1.1', '0'])
    expect(side.size).toBe(0)
  })

  test('prices that share a double are levels of their own, in order, across pages', () => {
    const side = new BookSide(name)
    const model = new ReplicaSide(name)
    // 300 neighbours of one double: several pages of equal keys.
    for (let i = 0; i < 300; i++) {
      const change: Level = [`0.1000000000000000000000${String((i * 7) % 300).padStart(3, '0')}1`, String(i + 1)]
      side.set(change)
      model.set(change)
    }
    expect(side.top(EVERYTHING)).toEqual(model.all())
    const gone: Level = ['0.10000000000000000000001501', '0']
    side.set(gone)
    model.set(gone)
    expect(side.top(EVERYTHING)).toEqual(model.all())
    expect(side.size).toBe(299)
  })

  test('removing an unknown level changes nothing', () => {
    const side = new BookSide(name)
    for (const change of levels('1:1 3:1')) side.set(change)
    for (const gone of levels('0.5:0 2:0 4:0.00')) side.set(gone)
    expect(side.size).toBe(2)
  })
})

describe('order book', () => {
  test.each([
    ['99:1', '101:1', false],
    ['99:1', '', false],
    ['', '', false],
    ['101:1', '101:1', true],
    ['101.10:1', '101.1:1', true],
    ['102:1', '101:1', true],
    ['1.00000000000000001:1', '1.00000000000000002:1', false],
    ['1.00000000000000002:1', '1.00000000000000001:1', true],
  ])('bids %j against asks %j: crossed %j', (bids, asks, isCrossed) => {
    const book = new OrderBook()
    book.replace(levels(bids), levels(asks))
    expect(book.isCrossed()).toBe(isCrossed)
  })

  test('replace forgets what was there; apply does not; trim keeps the best', () => {
    const book = new OrderBook()
    book.replace(levels('5:1 4:1'), levels('6:1 7:1'))
    book.replace(levels('3:1 2:1 1:1'), levels('9:1 10:1 11:1'))
    book.apply(levels('2.5:1 1:0'), levels('9:0'))
    expect(book.bids.top(9)).toEqual(levels('3:1 2.5:1 2:1'))
    expect(book.asks.top(9)).toEqual(levels('10:1 11:1'))
    book.trim(1)
    expect(book.bids.top(9)).toEqual(levels('3:1'))
    expect(book.asks.top(9)).toEqual(levels('10:1'))
  })
})
