import { expect, test } from 'vitest'
import { type Delivered, judgeDelivery, type ServiceEnd, type Told } from '../../src/check/prove/delivery-judge.ts'
import type { Stored } from '../../src/check/prove/stores.ts'
import type { Gap } from '../../src/model/event.ts'

const KILL_US = 1_800_000_000_000_000
const FEED = 'okx quote BTC-USDT'

const kill: ServiceEnd = { signal: 'SIGKILL', atUs: KILL_US }
const told = (id: string, beforeMs: number, process = 0): Told => ({
  id,
  feed: FEED,
  receiveUs: KILL_US - beforeMs * 1000,
  process,
})
const store = (name: string, ...ids: readonly (readonly [id: string, count: number])[]): Stored => ({
  store: name,
  ids: new Map(ids),
})

const gap: Gap = {
  type: 'gap',
  exchange: 'okx',
  venue: 'okx',
  market: 'spot',
  symbol: 'BTC-USDT',
  id: 'okx:gap:BTC-USDT:1-1:1',
  channel: 'quote',
  gap_id: '1-1',
  cause: 'process_down',
  state: 'closed',
  start_time_us: KILL_US - 20_000,
  end_time_us: KILL_US + 2_000_000,
  detected_time_us: KILL_US + 1_000_000,
}

/** `a` was received 10 ms before the kill, and everyone has it. */
const A = told('a', 10)
const right: Delivered = {
  told: [A],
  receivedUs: new Map([['a', A.receiveUs]]),
  stores: [store('nats', ['a', 1]), store('lake', ['a', 1])],
  gaps: [gap],
  ends: [kill],
}
const judge = (changes: Partial<Delivered>) => judgeDelivery({ ...right, ...changes })

test('what every store has once is right, and what a kill took is measured', () => {
  expect(judge({ told: [A, told('b', 8), told('c', 7)] })).toEqual({
    doubled: [],
    different: [],
    lost: [],
    unsaid: [],
    takenMs: [8],
    taken: 2,
  })
})

test('doubles and differences are told', () => {
  const stores = [store('nats', ['a', 2]), store('lake', ['a', 1], ['c', 1])]
  expect(judge({ stores })).toMatchObject({
    doubled: ['a stands 2 times in nats'],
    different: ['lake has c and nats has not'],
  })
  expect(judge({ stores: stores.toReversed() }).different).toEqual(['lake has c and nats has not'])
})

test('a kill takes the newest, and nothing before what is stored', () => {
  expect(judge({ told: [told('b', 12), A] }).lost).toHaveLength(1)
  expect(judge({ told: [told('b', 12), { ...A, feed: undefined }] }).lost, 'a gap may come again').toEqual([])
  // The next process has told it again.
  const receivedUs = new Map([['a', KILL_US + 1_000_000]])
  expect(judge({ told: [told('b', 12), A], receivedUs }).lost).toEqual([])
})

test('an orderly end, and the last process, take nothing', () => {
  expect(judge({ told: [A, told('b', 8)], ends: [{ ...kill, signal: 'SIGTERM' }] }).lost).toHaveLength(1)
  expect(judge({ told: [A, told('b', -900, 1)] }).lost).toHaveLength(1)
})

test('what a kill took outside of any gap is told', () => {
  expect(judge({ told: [told('b', 30)] }).unsaid, 'before the gap').toHaveLength(1)
  expect(judge({ told: [told('b', 8)], gaps: [] }).unsaid).toHaveLength(1)
  expect(judge({ told: [told('b', 8)], gaps: [{ ...gap, symbol: 'ETH-USDT' }] }).unsaid).toHaveLength(1)
})
