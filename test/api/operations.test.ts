/** What the service tells of its own work: activity, sinks, warnings. */

import { afterEach, beforeEach, expect, test } from 'vitest'
import { ask, bodyOf } from './helpers/http.ts'
import { type RunningApi, startApi } from './helpers/start-api.ts'

let running: RunningApi
beforeEach(async () => {
  running = await startApi()
})
afterEach(() => running.api.stop())

const dataOf = async (path: string) => bodyOf(await ask(running.url, path)).data

test('activity has one value a step, rounded, and null where nothing came', async () => {
  const { step_seconds, times, venues } = await dataOf('/api/v1/activity')
  expect([step_seconds, times.length]).toEqual([5, 2])
  expect(venues[0]).toEqual({
    exchange: 'binance',
    venue: 'binance',
    messages_per_second: [0, 12.35],
    events_per_second: [0, 6.1],
    exchange_latency_ms: { p50: [null, 12.3456], p99: [null, 100] },
    store_latency_ms: { p50: [null, 0.0123], p99: [null, 1] },
  })
})

test('sinks say how far behind they are and why; without a log there is none', async () => {
  expect(await dataOf('/api/v1/sinks')).toEqual({ spool: null, count: 0, sinks: [] })
  const counts = { records: 10, bytes: 1000, failures: 2, rollbacks: 0, rejected: 1 }
  const spool = { isWritable: true, reason: '', diskBytes: 5, memoryBytes: 4, quotaBytes: 9, records: 12, evicted: 0 }
  running.collector.deliveryView = {
    spool,
    sinks: [{ name: 'nats', isUp: false, reason: 'refused', lagRecords: 2, lagSeconds: 1.23456, ...counts }],
  }
  expect(await dataOf('/api/v1/sinks')).toEqual({
    spool: {
      state: 'writable',
      reason: '',
      disk_bytes: 5,
      memory_bytes: 4,
      quota_bytes: 9,
      records: 12,
      records_evicted: 0,
    },
    count: 1,
    sinks: [
      {
        name: 'nats',
        state: 'failing',
        reason: 'refused',
        lag_records: 2,
        lag_seconds: 1.235,
        records: 10,
        bytes: 1000,
        failures: 2,
        rollbacks: 0,
        records_rejected: 1,
      },
    ],
  })
})

test('warnings come newest first, as many as asked for', async () => {
  const line = (event: string) =>
    JSON.stringify({ time: '2025-06-29T04:07:49.066285+00:00', level: 'WARNING', event, message: 'm', venue: 'okx' })
  for (const event of ['a', 'b', 'c']) running.warnings.add(line(event))
  const { summary, count, warnings } = await dataOf('/api/v1/warnings?limit=2')
  expect([summary, count]).toEqual([{ warnings: 3, errors: 0 }, 2])
  expect(warnings.map(({ event }: { event: string }) => event)).toEqual(['c', 'b'])
  expect(warnings[0]).toMatchObject({ level: 'WARNING', message: 'm', venue: 'okx', symbol: null, repeats: null })
  expect((await ask(running.url, '/api/v1/warnings?limit=201')).status).toBe(400)
})
