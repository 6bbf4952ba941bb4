import { expect, test } from 'vitest'
import { judgeDelivery, type ServiceEnd, type Told } from '../../src/check/prove/delivery-judge.ts'
import type { Stored } from '../../src/check/prove/stores.ts'
import type { Gap } from '../../src/model/event.ts'

const KILL_US = 1_800_000_000_000_000
const FEED = 'okx quote BTC-USDT'

const kill: ServiceEnd = { signal: 'SIGKILL', atUs: KILL_US }
const told = (id: string, beforeMs: number): Told => ({ id, feed: FEED, receiveUs: KILL_US - beforeMs * 1000 })
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

const KEPT = [store('nats', ['a', 1]), store('lake', ['a', 1])]

test('what every store has once is right, and what a kill took is measured', () => {
  expect(judgeDelivery([told('a', 5_000), told('b', 8)], KEPT, [gap], [kill])).toEqual({
    doubled: [],
    different: [],
    lost: [],
    unsaid: [],
    takenMs: [8],
    taken: 1,
  })
})

test('doubles, differences and losses are told', () => {
  const stores = [store('nats', ['a', 2]), store('lake', ['a', 1], ['c', 1])]
  expect(judgeDelivery([], stores, [], [])).toMatchObject({
    doubled: ['a stands 2 times in nats'],
    different: ['lake has c and nats has not'],
  })
  expect(judgeDelivery([], stores.toReversed(), [], []).different).toEqual(['lake has c and nats has not'])
  expect(judgeDelivery([told('b', 1_500)], KEPT, [gap], [kill]).lost, 'long before the kill').toHaveLength(1)
  expect(judgeDelivery([told('b', -200)], KEPT, [gap], [kill]).lost, 'after the kill').toHaveLength(1)
  expect(judgeDelivery([told('b', 8)], KEPT, [gap], [{ ...kill, signal: 'SIGTERM' }]).lost).toHaveLength(1)
})

test('what a kill took outside of any gap is told', () => {
  expect(judgeDelivery([told('b', 30)], KEPT, [gap], [kill]).unsaid, 'before the gap').toHaveLength(1)
  expect(judgeDelivery([told('b', 8)], KEPT, [], [kill]).unsaid).toHaveLength(1)
  expect(judgeDelivery([told('b', 8)], KEPT, [{ ...gap, symbol: 'ETH-USDT' }], [kill]).unsaid).toHaveLength(1)
})
