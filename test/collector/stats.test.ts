import { expect, test } from 'vitest'
import { Stats } from '../../src/collector/stats.ts'
import type { Trade } from '../../src/model/event.ts'
import { createMetrics } from '../../src/ops/metrics.ts'
import { createWorld } from '../helpers/world.ts'

test('what was fetched to heal a gap says nothing of how late data come', async () => {
  const { clock } = createWorld()
  const metrics = createMetrics({ venues: ['binance'], constLabels: {} })
  const stats = new Stats(metrics, clock)
  const nowUs = clock.nowUs()
  const trade: Trade = {
    type: 'trade',
    exchange: 'binance',
    venue: 'binance',
    market: 'spot',
    symbol: 'BTCUSDT',
    id: 'binance:trade:BTCUSDT:0:1',
    price: '1',
    quantity: '1',
    side: 'buy',
    exchange_time_us: nowUs - 20_000,
    receive_time_us: nowUs,
  }
  stats.event({ ...trade, source: 'stream' }, nowUs, nowUs)
  stats.event({ ...trade, exchange_time_us: nowUs - 3_600e6, source: 'backfill' }, nowUs, nowUs)
  const text = await metrics.text()
  stats.stop()
  expect(text).toMatch(/exchange_latency_seconds_count\{[^}]*venue="binance"[^}]*\} 1$/m)
  expect(text).toMatch(/exchange_latency_seconds_sum\{[^}]*venue="binance"[^}]*\} 0.02$/m)
  expect(stats.totalCollections).toBe(2)
})
