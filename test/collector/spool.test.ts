/** The durable log as the collector opens it. */

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { isSpoolOn, openCollectorSpool, spoolFolder } from '../../src/collector/spool.ts'
import { loadConfig } from '../../src/ops/config.ts'
import type { Config } from '../../src/ops/config-schema.ts'
import { type LogFields, silentLogger } from '../../src/ops/log.ts'
import { createMetrics } from '../../src/ops/metrics.ts'
import { systemPlatform } from '../../src/platform/system.ts'
import type { Loss } from '../../src/spool/loss.ts'
import { venues } from '../../src/venues/index.ts'

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'marketprism-log-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

function configOf(options: Readonly<Record<string, unknown>> = {}): Config {
  const overrides = Object.entries({ data_dir: folder, ...options }).map(([path, value]) => ({
    path,
    value,
    origin: 'test',
  }))
  return loadConfig({ venues, environment: {}, cwd: folder, configDir: undefined, overrides }).config
}

test('without sinks it is off unless asked for, with sinks on unless it must not be', () => {
  const isOn = (mode: string, sinks: readonly string[]) => isSpoolOn(configOf({ 'spool.mode': mode }), sinks)
  expect([isOn('auto', []), isOn('on', []), isOn('off', [])]).toEqual([false, true, false])
  expect([isOn('auto', ['nats']), isOn('on', ['nats']), isOn('off', ['nats'])]).toEqual([true, true, false])
})

test('its folder is in that of the data, or where it is said', () => {
  expect(spoolFolder(configOf())).toBe(join(folder, 'spool'))
  expect(spoolFolder(configOf({ 'spool.dir': '/mnt/fast' }))).toBe('/mnt/fast')
})

test('it takes what is logged, tells what it lost, and shows itself in the metrics', async () => {
  const metrics = createMetrics({ venues: [], constLabels: {} })
  const warned: (LogFields | undefined)[] = []
  const losses: Loss[] = []
  const config = configOf({
    'spool.quota_bytes': 16_777_216,
    'spool.memory_bytes': 4_194_304,
    'spool.sync_interval_ms': 1,
  })
  const spool = await openCollectorSpool({
    config,
    platform: systemPlatform(),
    metrics,
    logger: { ...silentLogger, warning: (_name, _text, fields) => void warned.push(fields) },
    sinks: ['nats'],
    onLoss: (loss) => void losses.push(loss),
    onDurable: () => {},
  })
  const stream = spool.stream('binance trade BTCUSDT')
  for (let i = 0; i < 40; i++) {
    let last = 0
    for (let j = 0; j < 50; j++) last = spool.append(stream, 'event', 1, Buffer.alloc(10_000)) ?? last
    await spool.untilReadable(last)
    while (spool.durableLsn < last) await new Promise((resolve) => setTimeout(resolve, 1))
  }
  const evicted = losses.reduce((sum, { streams }) => sum + (streams[0]?.records ?? 0), 0)
  expect(losses.length).toBeGreaterThan(0)
  expect(warned[0]).toMatchObject({ cause: 'evicted', first_lsn: 1, streams: 1, sinks: 'nats' })
  const text = await metrics.text()
  expect(text).toContain('marketprism_spool_records_total 2000\n')
  expect(text).toContain(`marketprism_spool_evicted_total{reason="evicted"} ${evicted}\n`)
  expect(text).toContain('marketprism_spool_writable 1\n')
  for (const operation of ['open', 'write', 'sync', 'read', 'remove', 'cursor'])
    expect(text).toContain(`marketprism_spool_io_errors_total{operation="${operation}"} 0\n`)
  expect(text).not.toContain('operation="other"')
  expect(Number(/marketprism_spool_bytes (\d+)/.exec(text)?.[1])).toBeLessThanOrEqual(16_777_216)
  expect(Number(/marketprism_spool_sync_duration_seconds_count (\d+)/.exec(text)?.[1])).toBeGreaterThan(0)
  await spool.close()
})
