import { expect, test } from 'vitest'
import { chained, previousChained } from '../../src/book/sequence.ts'
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

test('a book that has been silent too long is not live, and goes on where it stands with the next message', () => {
  const sync = new BookSync({ rule: chained, snapshotFrom: 'stream' })
  const heartbeat = { ...delta(0, 100, 100), bids: [], asks: [] }
  const states = (step: { readonly emit: readonly { readonly type: string }[] }) =>
    step.emit.flatMap((event) => ('state' in event && 'reason' in event ? [`${event.state} ${event.reason}`] : []))
  sync.onSnapshot(snapshot(100))
  expect(states(sync.suspend(1))).toEqual(['stale silence'])
  expect(sync.isLive).toBe(false)
  expect(states(sync.suspend(2)), 'said once').toEqual([])
  expect(states(sync.onDelta(heartbeat))).toEqual(['live resumed'])
  expect(sync.isLive).toBe(true)
  sync.suspend(3)
  expect(states(sync.onDelta(delta(0, 105, 100)))).toEqual(['live resumed'])
  sync.suspend(4)
  expect(states(sync.onDelta(delta(0, 120, 110))), 'a gap is a gap').toEqual([])
  expect(sync.isLive).toBe(false)
  expect(sync.state).toBe('stale')
})
