import { expect, test } from 'vitest'
import { Stats } from '../../src/collector/stats.ts'
import type { Gap, Trade } from '../../src/model/event.ts'
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

test('a gap that has grown counts for what it has grown by', async () => {
  const { clock } = createWorld()
  const metrics = createMetrics({ venues: ['okx'], constLabels: {} })
  const stats = new Stats(metrics, clock)
  const revision = (number: number, lost: number, endUs: number): Gap => ({
    type: 'gap',
    exchange: 'okx',
    venue: 'okx',
    market: 'spot',
    symbol: 'BTC-USDT',
    id: `okx:gap:BTC-USDT:1-1:${number}`,
    channel: 'trade',
    gap_id: '1-1',
    cause: 'log_full',
    state: 'final',
    start_time_us: 1_000_000,
    end_time_us: endUs,
    detected_time_us: 2_000_000,
    lost,
  })
  const [first, second] = [revision(1, 3, 3_000_000), revision(2, 8, 6_000_000)]
  stats.gap(first, undefined)
  stats.gap(second, first)
  const text = await metrics.text()
  stats.stop()
  expect(text).toMatch(/gaps_total\{[^}]*cause="log_full"[^}]*\} 1$/m)
  expect(text).toMatch(/ids_lost_total\{[^}]*venue="okx"[^}]*\} 8$/m)
  expect(text).toMatch(/gap_seconds_total\{[^}]*venue="okx"[^}]*\} 5$/m)
})

test('a gap that lacks nobody knows how many ids counts those that were fetched, and takes none away', async () => {
  const { clock } = createWorld()
  const metrics = createMetrics({ venues: ['okx'], constLabels: {} })
  const stats = new Stats(metrics, clock)
  const times = { start_time_us: 1_000_000, end_time_us: 3_000_000, detected_time_us: 2_000_000 }
  const what = {
    type: 'gap',
    exchange: 'okx',
    venue: 'okx',
    market: 'spot',
    symbol: 'BTC-USDT',
    channel: 'trade',
  } as const
  const gap: Gap = { ...what, ...times, id: 'g:3', gap_id: 'g', cause: 'disconnect', state: 'final', healed: 3 }
  stats.gap(gap, { ...gap, id: 'g:2', state: 'open', healed: undefined })
  stats.gap({ ...gap, id: 'h:1', gap_id: 'h', lost: 5, healed: 0 }, undefined)
  const text = await metrics.text()
  stats.stop()
  expect(text).toMatch(/ids_lost_total\{[^}]*venue="okx",channel="trade"[^}]*\} 5$/m)
  expect(text).toMatch(/ids_healed_total\{[^}]*venue="okx",channel="trade"[^}]*\} 3$/m)
})
