/** A store is away for so long that the log has to give up what it lacks. */

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { until } from '../helpers/service.ts'
import { running, tradeOf } from './delivery-rig.ts'

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'marketprism-log-full-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

test('a store that is away costs each feed one gap, and another store nothing', { timeout: 60_000 }, async () => {
  const ids: string[] = []
  const near = {
    write: async (batch: Parameters<Parameters<typeof running>[1][string]['write']>[0]) => {
      for await (const records of batch.records())
        for (const { body } of records) ids.push((JSON.parse(body.toString()) as { id: string }).id)
    },
  }
  const away = { write: near.write, open: () => Promise.reject(new Error('connection refused')) }
  const options = { 'spool.quota_bytes': 16_777_216, 'spool.memory_bytes': 4_194_304, 'spool.sync_interval_ms': 1 }
  const { delivery, emit, gaps, metrics, stop } = await running(folder, { near, away }, options)
  const order_type = 'x'.repeat(100_000)
  const TRADES = 600
  for (let index = 1; index <= TRADES; index++) {
    emit({ ...tradeOf(index), order_type })
    if (index % 10 === 0) await until('it to be stored', () => delivery.durableLsn === delivery.lastLsn)
  }
  await until('the store to have all', () => ids.filter((id) => id.startsWith('okx:trade')).length === TRADES)
  const full = gaps.filter(({ cause }) => cause === 'log_full')
  expect(full.length).toBeGreaterThan(5)
  expect(new Set(full.map(({ gap_id }) => gap_id)).size).toBe(1)
  const text = await metrics.text()
  const given = Number(/marketprism_spool_evicted_total\{reason="evicted"\} (\d+)/.exec(text)?.[1])
  expect(full.at(-1)).toMatchObject({ state: 'final', reason: 'given up for lack of room; for away' })
  // Beside trades, gap records are given up, and counted.
  expect(full.at(-1)?.lost).toBeGreaterThan(300)
  expect(full.at(-1)?.lost).toBeLessThanOrEqual(given)
  expect(text).toContain('marketprism_spool_evicted_total{reason="refused"} 0\n')
  expect(ids).toHaveLength(new Set(ids).size)
  for (const { id } of full) expect(ids).toContain(id)
  await stop()
})
