import { describe, expect, test } from 'vitest'
import { chained, contiguous, previousChained } from '../../src/book/sequence.ts'
import { delta } from './builders.ts'

describe('contiguous: ids [first, last] on a book at 100', () => {
  test.each([
    [101, 105, 'apply', 'touches'],
    [101, 101, 'apply', 'one id'],
    [95, 105, 'apply', 'overlaps: the first after a snapshot'],
    [100, 101, 'apply', 'overlaps by one'],
    [102, 105, 'gap', 'one id missing'],
    [500, 600, 'gap', 'many missing'],
    [90, 100, 'stale', 'ends where the book stands'],
    [96, 99, 'stale', 'inside the snapshot'],
    [100, 100, 'stale', 'repeated'],
  ] as const)('[%d, %d] %s: %s', (first, last, verdict, _why) => {
    expect(contiguous(100, delta({ first, last }), true)).toBe(verdict)
    expect(contiguous(100, delta({ first, last }), false)).toBe(verdict)
  })

  test('without ids nothing is proven', () => {
    expect(contiguous(100, delta({}), false)).toBe('gap')
    expect(contiguous(100, delta({ last: 101 }), false)).toBe('gap')
    expect(contiguous(100, delta({ first: 101 }), false)).toBe('gap')
  })

  test('a book of a new listing stands at -1', () => {
    expect(contiguous(-1, delta({ first: 0, last: 3 }), true)).toBe('apply')
    expect(contiguous(-1, delta({ first: 1, last: 3 }), true)).toBe('gap')
  })
})

describe('previousChained: first, last, previous on a book at 100', () => {
  test.each([
    [95, 105, 90, 'apply', 'the documented join: first <= 100 <= last'],
    [100, 105, 90, 'apply', 'begins at the snapshot'],
    [95, 100, 90, 'apply', 'ends at the snapshot'],
    [100, 100, 90, 'apply', 'is the snapshot’s own change'],
    [104, 105, 100, 'apply', 'quiet symbol: joined by previous alone'],
    [90, 99, 85, 'stale', 'inside the snapshot'],
    [104, 105, 101, 'gap', 'the snapshot is too old, by one'],
    [101, 105, 99, 'gap', 'begins after the snapshot and does not chain to it'],
  ] as const)('first after a snapshot: [%d, %d] after %d %s: %s', (first, last, previous, verdict, _why) => {
    expect(previousChained(100, delta({ first, last, previous }), true)).toBe(verdict)
  })

  test.each([
    [104, 105, 100, 'apply', 'chains; ids are shared, so first is not 101'],
    [101, 105, 100, 'apply', 'chains'],
    [100, 100, 100, 'apply', 'chains without a step'],
    [95, 105, 90, 'gap', 'overlaps: only legal at a snapshot'],
    [101, 105, 99, 'gap', 'one before it is missing'],
    [104, 105, 101, 'gap', 'one between is missing'],
    [95, 100, 90, 'stale', 'repeated'],
    [90, 95, 85, 'stale', 'older'],
  ] as const)('then: [%d, %d] after %d %s: %s', (first, last, previous, verdict, _why) => {
    expect(previousChained(100, delta({ first, last, previous }), false)).toBe(verdict)
  })

  test('without previous nothing is proven', () => {
    expect(previousChained(100, delta({ first: 101, last: 105 }), false)).toBe('gap')
    expect(previousChained(100, delta({ first: 101, last: 105 }), true)).toBe('gap')
    expect(previousChained(100, delta({ first: 101, previous: 100 }), true)).toBe('gap')
  })
})

describe('chained: previous, last on a book at 100', () => {
  test.each([
    [100, 101, '99:1', 'apply', 'a step of one'],
    [100, 177, '99:1', 'apply', 'any step'],
    [100, 177, '', 'apply', 'no levels, but a new id'],
    [100, 100, '', 'unchanged', 'heartbeat: nothing changed'],
    [100, 100, '99:1', 'apply', 'levels without a new id'],
    [100, 3, '99:1', 'reset', 'maintenance: numbering starts anew'],
    [100, 0, '', 'reset', 'down to the smallest id'],
    [99, 101, '99:1', 'gap', 'one before it is missing'],
    [101, 102, '99:1', 'gap', 'one between is missing'],
    [90, 100, '99:1', 'stale', 'repeated'],
    [80, 90, '99:1', 'stale', 'older'],
    [90, 90, '', 'gap', 'an older heartbeat proves nothing here'],
    [90, 3, '99:1', 'gap', 'a reset of another chain'],
    [-1, 100, '99:1', 'stale', 'the snapshot’s own id, repeated'],
  ] as const)('after %d to %d with %j %s: %s', (previous, last, bids, verdict, _why) => {
    expect(chained(100, delta({ previous, last }, bids), false)).toBe(verdict)
    expect(chained(100, delta({ previous, last }, bids), true)).toBe(verdict)
  })

  test('the example of the venue’s documentation', () => {
    const steps = [
      [10, 15],
      [15, 15],
      [15, 3],
      [3, 5],
    ] as const
    let last = 10
    const verdicts = steps.map(([previous, end]) => {
      const verdict = chained(last, delta({ previous, last: end }, previous === end ? '' : '99:1'), false)
      last = end
      return verdict
    })
    expect(verdicts).toEqual(['apply', 'unchanged', 'reset', 'apply'])
  })

  test('without ids nothing is proven', () => {
    expect(chained(100, delta({ last: 101 }), false)).toBe('gap')
    expect(chained(100, delta({ previous: 100 }), false)).toBe('gap')
    expect(chained(Number.NaN, delta({ previous: 100, last: 101 }), false)).toBe('gap')
  })
})
