import { expect, test } from 'vitest'
import { previousChained } from '../../src/book/sequence.ts'
import { BookSync } from '../../src/book/sync.ts'
import type { BookDelta, BookSnapshot } from '../../src/model/event.ts'

const base = {
  exchange: 'x',
  venue: 'x',
  market: 'perpetual',
  symbol: 'XUSDT',
  bids: [['1', '2']],
  asks: [['3', '4']],
} as const
const snapshot = (sequence: number): BookSnapshot => ({ type: 'book_snapshot', ...base, id: `s${sequence}`, sequence })
const delta = (first: number, last: number, previous: number): BookDelta => ({
  type: 'book_delta',
  ...base,
  id: `d${last}`,
  first_sequence: first,
  last_sequence: last,
  previous_sequence: previous,
})

test('USD-M: a book proven by two equal snapshots still takes a first event that spans its sequence', () => {
  const sync = new BookSync({ rule: previousChained, snapshotFrom: 'rest' })
  sync.onSnapshot(snapshot(100))
  sync.onSnapshot(snapshot(100))
  expect(sync.isLive).toBe(true)
  expect(sync.onDelta(delta(95, 102, 90)).need).toBeUndefined()
  expect(sync.sequence).toBe(102)
  expect(sync.onDelta(delta(101, 110, 101)).need, 'after that only the chain counts').toBe('sequence_gap')
})
