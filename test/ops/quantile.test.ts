import { expect, test } from 'vitest'
import { quantile } from '../../src/ops/quantile.ts'

const BOUNDS = [1, 2, 4]
const of = (counts: readonly number[], q: number) => quantile(BOUNDS, Float64Array.from(counts), q)

test('lies inside its bucket, in proportion', () => {
  expect(of([0, 10, 0, 0], 0.5)).toBe(1.5)
  expect(of([10, 0, 10, 0], 0.75)).toBe(3)
  expect(of([4, 0, 0, 0], 0.25)).toBe(0.25)
})

test('is the last bound for what is beyond it, and nothing for nothing', () => {
  expect(of([1, 0, 0, 99], 0.99)).toBe(4)
  expect(of([0, 0, 0, 0], 0.5)).toBeUndefined()
})
