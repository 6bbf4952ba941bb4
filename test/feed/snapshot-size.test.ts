import { expect, test } from 'vitest'
import { snapshotSize } from '../../src/feed/snapshot-size.ts'

const SIZES = [
  { levels: 100, weight: 5 },
  { levels: 500, weight: 25 },
  { levels: 1000, weight: 50 },
] as const

const levels = (waiting: number, left: number) => snapshotSize(SIZES, waiting, left).levels

test('one book gets all levels, and so do as many as half of what is left can pay', () => {
  expect([levels(0, 4800), levels(1, 4800), levels(48, 4800)]).toEqual([1000, 1000, 1000])
})

test('the more wait, the less each gets; never less than the smallest', () => {
  expect([levels(49, 4800), levels(96, 4800), levels(97, 4800), levels(10_000, 4800)]).toEqual([500, 500, 100, 100])
})

test('what others have used is not there to be shared', () => {
  expect([levels(1, 100), levels(1, 99), levels(1, 49), levels(1, 0)]).toEqual([1000, 500, 100, 100])
})

test('many that come one after another take less than is left, whatever they leave to those behind', () => {
  let left = 4800
  for (let waiting = 200; waiting > 0; waiting--) left -= snapshotSize(SIZES, waiting, left).weight
  expect(left).toBeGreaterThan(1000)
})
