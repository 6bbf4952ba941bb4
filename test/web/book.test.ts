import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type BookDelta, DEPTH, LocalBook } from '../../web/core/book.ts'
import type { Book, Level } from '../../web/core/types.ts'

const fetched = (sequence: number, bids: readonly Level[], asks: readonly Level[], state = 'live'): Book => ({
  state,
  reason: 'r',
  sequence,
  bids,
  asks,
  bids_known_to: null,
  asks_known_to: null,
})
const delta = (last: number, bids: readonly Level[], asks: readonly Level[] = []): BookDelta => ({
  bids,
  asks,
  last_sequence: last,
})

/** A book that was fetched at `sequence`. */
function joined(sequence: number, bids: readonly Level[], asks: readonly Level[]): LocalBook {
  const book = new LocalBook()
  book.expect()
  book.fetched(fetched(sequence, bids, asks))
  return book
}

test('keeps the venue’s digits, the best first', () => {
  const book = joined(1, [['10.00', '1.0']], [['11.00', '2.50']])
  book.delta(delta(2, [['10.50', '3']], [['10.90', '0.10']]))
  book.delta(delta(3, [['10.00', '7.000']], [['11.0', '0.00']]))
  expect(book.bids).toEqual([
    ['10.50', '3'],
    ['10.00', '7.000'],
  ])
  expect(book.asks).toEqual([['10.90', '0.10']])
  expect([book.phase, book.sequence]).toEqual(['live', 3])
})

test('deltas that came while the book was fetched are applied, those it contains are not', () => {
  const book = new LocalBook()
  book.expect()
  book.delta(delta(4, [['10', '4']]))
  book.delta(delta(5, [['10', '5']]))
  book.delta(delta(6, [['9', '6']]))
  book.fetched(fetched(5, [['10', '99']], [['11', '1']]))
  expect(book.bids).toEqual([
    ['10', '99'],
    ['9', '6'],
  ])
  const late = joined(5, [['10', '99']], [])
  late.delta(delta(5, [['10', '5']]))
  expect(late.bids).toEqual([['10', '99']])
})

test('a sequence that starts anew is followed once the book has joined', () => {
  const book = joined(1000, [['10', '1']], [])
  book.delta(delta(1001, [['10', '2']]))
  book.delta(delta(3, [['10', '3']]))
  expect(book.bids).toEqual([['10', '3']])
})

test('what is not proven is not shown, until a snapshot comes', () => {
  const book = joined(1, [['10', '1']], [['11', '1']])
  book.distrust('stale: sequence_gap')
  book.delta(delta(2, [['10', '2']]))
  expect([book.phase, book.reason, book.bids, book.asks]).toEqual(['unproven', 'stale: sequence_gap', [], []])
  book.expect()
  book.fetched(fetched(0, [], [], 'syncing'))
  expect([book.phase, book.reason]).toEqual(['unproven', 'syncing: r'])
  book.snapshot({ bids: [['9', '1']], asks: [['12', '1']], sequence: 7 })
  expect([book.phase, book.sequence, book.bids]).toEqual(['live', 7, [['9', '1']]])
})

test('a book that was asked for before a snapshot of the stream is not wanted any more', () => {
  const book = new LocalBook()
  book.expect()
  book.snapshot({ bids: [], asks: [], sequence: 7 })
  expect(book.isExpecting).toBe(false)
})

test('levels beyond what is known are left out, and a side that is used up asks for more', () => {
  const bids = Array.from({ length: DEPTH }, (_, i): Level => [String(1000 - i), '1'])
  const book = joined(1, bids, [])
  book.delta(delta(2, [['500', '1']]))
  expect(book.bids).toHaveLength(DEPTH)
  expect(book.isThin).toBe(false)
  for (let i = 0; i < DEPTH - 50; i++) book.delta(delta(3 + i, [[String(1000 - i), '0']]))
  expect(book.isThin).toBe(true)
  expect(joined(1, bids.slice(0, 10), []).isThin, 'all there is').toBe(false)
})

test('too many updates before the book end the wait', () => {
  const book = new LocalBook()
  book.expect()
  for (let i = 0; i < 2_001; i++) book.delta(delta(i, []))
  expect([book.phase, book.isExpecting]).toEqual(['unproven', false])
})

test('whatever comes, a side is sorted and has each price once', () => {
  const level = fc.tuple(fc.integer({ min: 1, max: 30 }), fc.integer({ min: 0, max: 2 }))
  fc.assert(
    fc.property(fc.array(level, { maxLength: 100 }), (changes) => {
      const book = joined(0, [], [])
      const model = new Map<number, number>()
      changes.forEach(([price, amount], index) => {
        book.delta(delta(index + 1, [], [[String(price), String(amount)]]))
        if (amount === 0) model.delete(price)
        else model.set(price, amount)
      })
      const expected = [...model].sort(([a], [b]) => a - b).map(([price, amount]) => [String(price), String(amount)])
      expect(book.asks).toEqual(expected)
    }),
  )
})
