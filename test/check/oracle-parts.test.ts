import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { follows } from '../../src/check/oracle-books.ts'
import { toldBy } from '../../src/check/oracle-gaps.ts'
import { countOf, Deliveries, without } from '../../src/check/oracle-numbers.ts'
import { type Chain, DEFAULTS, numbersOf } from '../../src/check/oracle-promises.ts'
import { differenceOf } from '../../src/check/oracle-replica.ts'
import type { BookDelta, Gap, Level, Trade } from '../../src/model/event.ts'

test('a gap answers for the numbers between; one that goes back for all before it goes on', () => {
  const gap = (last: number, first?: number) =>
    ({ state: 'final', last_sequence: last, ...(first && { first_sequence: first }) }) as Gap
  expect(toldBy(gap(10, 13))).toEqual({ first: 11, last: 12 })
  expect(toldBy(gap(824, 796))).toEqual({ first: 1, last: 795 })
  expect(countOf([toldBy(gap(10, 11))])).toBe(0)
  expect(countOf([toldBy(gap(10))])).toBe(0)
})

describe('numbers', () => {
  const span = fc.tuple(fc.nat(60), fc.nat(5)).map(([first, more]) => ({ first, last: first + more }))

  test('what is missing is what was never added', () => {
    fc.assert(
      fc.property(fc.array(span, { maxLength: 30 }), span, (added, asked) => {
        const deliveries = new Deliveries()
        const known = new Set<number>()
        for (const each of added) {
          deliveries.add({ ...each, id: '', kills: 0, atUs: 0 })
          for (let number = each.first; number <= each.last; number++) known.add(number)
        }
        const missing: number[] = []
        for (const { first, last } of deliveries.missing(asked))
          for (let number = first; number <= last; number++) missing.push(number)
        const wanted: number[] = []
        for (let number = asked.first; number <= asked.last; number++) if (!known.has(number)) wanted.push(number)
        expect(missing).toEqual(wanted)
        expect(deliveries.top).toBe(known.size === 0 ? undefined : Math.max(...known))
        expect(deliveries.earlier(asked) === undefined).toBe(wanted.length === asked.last - asked.first + 1)
      }),
    )
  })

  test('a cut leaves what lies beside it', () => {
    expect(without([{ first: 1, last: 9 }], { first: 3, last: 4 })).toEqual([
      { first: 1, last: 2 },
      { first: 5, last: 9 },
    ])
    expect(without([{ first: 1, last: 9 }], { first: 1, last: Number.POSITIVE_INFINITY })).toEqual([])
    expect(without([{ first: 1, last: 9 }], { first: 1, last: 0 })).toEqual([{ first: 1, last: 9 }])
  })

  test.each([
    ['a trade', { trade_id: '7' }, { first: 7, last: 7 }],
    ['an aggregate', { trade_id: '3', first_trade_id: '7', last_trade_id: '9' }, { first: 7, last: 9 }],
    ['beside its id', { trade_id: '500', sequence: 7 }, { first: 7, last: 7 }],
    ['none', {}, undefined],
    ['no number', { trade_id: 'ETH-7' }, undefined],
  ])('the numbers of %s', (_name, trade, wanted) => {
    expect(numbersOf(trade as Trade)).toEqual(wanted)
  })
})

describe('books', () => {
  /** `[U, u, pu]` behind 100. */
  const CASES: readonly (readonly [Chain, boolean, readonly (number | undefined)[], boolean])[] = [
    ['range', false, [101, 105], true],
    ['range', false, [99, 101], true],
    ['range', false, [99, 100], false],
    ['range', false, [102, 105], false],
    ['previous', false, [undefined, 130, 100], true],
    ['previous', false, [undefined, 90, 100], true],
    ['previous', false, [undefined, 130, 99], false],
    ['previous', true, [90, 130, 99], false],
    ['previous_joined', false, [90, 130, 100], true],
    ['previous_joined', false, [90, 130, 99], false],
    ['previous_joined', true, [90, 130, 80], true],
    ['previous_joined', true, [101, 130, 80], false],
    ['previous_joined', true, [90, 99, 80], false],
    ['range', false, [101, undefined], false],
  ]
  test.each(CASES)(
    '%s, behind a snapshot: %s, %j follows 100: %s',
    (chain, isSnapshot, [first, last, previous], wanted) => {
      const delta = { first_sequence: first, last_sequence: last, previous_sequence: previous } as BookDelta
      expect(follows(chain, 100, isSnapshot, delta)).toBe(wanted)
    },
  )

  test('each venue chains as it publishes', () => {
    const chains = ['binance', 'binance-usdm', 'okx', 'deribit'].map(DEFAULTS.chainOf)
    expect(chains).toEqual(['range', 'previous_joined', 'previous', 'previous'])
  })

  const bids = (...levels: readonly Level[]) => ({ bids: levels, asks: [] })
  const truth = bids(['10.50', '1'], ['10', '2'], ['9', '3'])
  test.each([
    ['the same', truth, undefined],
    ['the same values', bids(['10.5', '1.0'], ['10.00', '2'], ['9', '3']), undefined],
    ['the best of it', bids(['10.5', '1'], ['10', '2']), undefined],
    ['too little of it', bids(['10.5', '1']), 'bids[1] is missing, in truth 10 x 2'],
    ['another quantity', bids(['10.5', '1'], ['10', '2.5']), 'bids[1] is 10 x 2.5, in truth 10 x 2'],
    ['another price', bids(['10.05', '1'], ['10', '2']), 'bids[0] is 10.05 x 1, in truth 10.50 x 1'],
  ])('a book with %s', (_name, found, wanted) => {
    expect(differenceOf(truth, found, 2)).toBe(wanted)
  })

  test('a level too much, where the true book is short', () => {
    expect(differenceOf(bids(['1', '1']), bids(['1', '1'], ['0.5', '1']), 2)).toBe('bids[1] is not in the true book')
  })
})
