/** A disk without room for the durable log: nothing is collected until it has. */

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { Collector } from '../../src/collector/collector.ts'
import type { MarketEvent } from '../../src/model/event.ts'
import { loadConfig } from '../../src/ops/config.ts'
import { silentLogger } from '../../src/ops/log.ts'
import { createMetrics } from '../../src/ops/metrics.ts'
import { systemPlatform } from '../../src/platform/system.ts'
import { simVenues } from '../../src/sim/index.ts'
import { startSimulator } from '../../src/sim/server.ts'
import { venues } from '../../src/venues/index.ts'
import { until } from '../helpers/service.ts'

test('a configuration that is read again meanwhile is collected when there is room, not before', {
  timeout: 30_000,
}, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'no-room-'))
  const platform = systemPlatform()
  const { clock, files } = platform
  const simulator = await startSimulator({ clock, venues: simVenues, seed: 7 })
  const configOf = (enabled: readonly string[]) =>
    loadConfig({
      venues,
      environment: {},
      cwd: folder,
      overrides: [
        { path: 'data_dir', value: folder, origin: 'test' },
        { path: 'spool.mode', value: 'on', origin: 'test' },
        ...venues.flatMap(({ id }) =>
          Object.entries({ ...simulator.options(id), enabled: enabled.includes(id) }).map(([key, value]) => ({
            path: `exchanges.${id}.${key}`,
            value,
            origin: 'test',
          })),
        ),
      ],
    }).config
  let hasRoom = false
  const create: typeof files.create = async (path) => {
    if (hasRoom) return files.create(path)
    throw Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' })
  }
  const collector = new Collector({
    config: configOf(['okx']),
    venues,
    platform: { ...platform, files: { ...files, create } },
    metrics: createMetrics({ venues: venues.map(({ id }) => id), constLabels: {} }),
    logger: silentLogger,
  })
  const events: MarketEvent[] = []
  collector.subscribe((event) => void events.push(event))
  expect(await collector.open()).toBe(false)
  const started = collector.start()
  const reloaded = collector.reload(configOf(['okx', 'deribit']))
  await new Promise((resolve) => setTimeout(resolve, 2_000))
  expect(events).toEqual([])
  expect(simulator.connections()).toEqual([])
  hasRoom = true
  await Promise.all([started, reloaded])
  await until('both to be live', () => collector.exchanges().filter(({ status }) => status === 'active').length === 2)
  await collector.stop()
  await simulator.stop()
  rmSync(folder, { recursive: true })
})
