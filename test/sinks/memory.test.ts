import { describe, expect, test } from 'vitest'
import type { Trade } from '../../src/model/event.ts'
import { MemoryStore } from '../../src/sinks/memory.ts'

/** Made at `second`; a fetched one came after all others. */
const trade = (second: number, source: Trade['source'] = 'stream', symbol = 'BTCUSDT'): Trade => ({
  type: 'trade',
  exchange: 'binance',
  venue: 'binance',
  market: 'spot',
  symbol,
  id: `binance:trade:${symbol}:0:${second}`,
  trade_id: String(second),
  price: String(second),
  quantity: '1',
  side: 'buy',
  exchange_time_us: second * 1e6,
  receive_time_us: (source === 'backfill' ? 1000 : second) * 1e6,
  source,
})

function store(recordsMax: number, trades: readonly Trade[]): MemoryStore {
  const memory = new MemoryStore(recordsMax)
  for (const each of trades) memory.accept(each)
  return memory
}

const ids = (memory: MemoryStore) => [...memory.trades()].map(({ trade_id }) => trade_id)

describe('trades that were fetched to heal a gap', () => {
  test('stand where they belong, not before those that are newer', () => {
    const live = [1, 2, 6, 7].map((second) => trade(second))
    const memory = store(10, [...live, trade(3, 'backfill'), trade(4, 'backfill'), trade(8), trade(5, 'backfill')])
    expect(ids(memory)).toEqual(['8', '7', '6', '5', '4', '3', '2', '1'])
  })

  test('do not drive newer ones out of a full store', () => {
    const live = [3, 4, 5, 7, 8].map((second) => trade(second))
    const memory = store(4, [...live, trade(1, 'backfill'), trade(2, 'backfill'), trade(6, 'backfill')])
    expect(ids(memory)).toEqual(['8', '7', '6', '5'])
    memory.accept(trade(9))
    expect(ids(memory)).toEqual(['9', '8', '7', '6'])
  })

  test('may be the oldest that are kept', () => {
    const memory = store(
      4,
      [1, 3, 4, 5].map((second) => trade(second)),
    )
    memory.accept(trade(2, 'backfill'))
    expect(ids(memory)).toEqual(['5', '4', '3', '2'])
    expect(ids(store(1, [trade(1), trade(2, 'backfill'), trade(1, 'backfill')]))).toEqual(['2'])
  })

  test('are the newest where the venue has made none since', () => {
    const memory = store(3, [trade(1), trade(2, 'backfill')])
    expect(ids(memory)).toEqual(['2', '1'])
  })
})
