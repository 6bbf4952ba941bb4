/** An orderly end: every stream has a gap that says so, and the next process ends it. */

import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { DataCollectorService } from '../../src/collector/service.ts'
import { loadConfig } from '../../src/ops/config.ts'
import { systemClock } from '../../src/platform/clock.ts'
import { systemPlatform } from '../../src/platform/system.ts'
import { simVenues } from '../../src/sim/index.ts'
import { type Simulator, startSimulator } from '../../src/sim/server.ts'
import { venues } from '../../src/venues/index.ts'
import { startService, until } from '../helpers/service.ts'

let simulator: Simulator | undefined
afterEach(() => simulator?.stop())

test('stopping is told as a shutdown of every feed, not as lost connections', async () => {
  simulator = await startSimulator({ clock: systemClock(), venues: simVenues, seed: 11, rate: 2 })
  const { service, stop } = await startService(simulator, { binance: ['BTCUSDT'], okx: ['BTC-USDT'] })
  const { collector } = service
  await until('every feed to be live', () => collector.feeds().every(({ state }) => state === 'live'))
  await stop()
  const open = [...collector.gaps()].filter(({ state }) => state === 'open')
  expect(open.map(({ cause }) => cause)).toEqual(Array(collector.feeds().length).fill('shutdown'))
})

test('a stop that comes while it is starting closes the log, and nothing is collected after it', async () => {
  simulator = await startSimulator({ clock: systemClock(), venues: simVenues, seed: 11, rate: 2 })
  const folder = mkdtempSync(join(tmpdir(), 'stop-'))
  const { service, events } = await startService(simulator, { okx: ['BTC-USDT'] }, { data_dir: folder })
  await service.stop('test')
  expect(readdirSync(join(folder, 'spool')), 'the log says how far it went').toContain('end')
  await new Promise((resolve) => setTimeout(resolve, 500))
  expect(simulator.connections()).toEqual([])
  expect(events).toEqual([])
  rmSync(folder, { recursive: true })
})

test('a start that hangs on its disk does not make stopping longer than it may be', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'stop-'))
  const values = { data_dir: folder, 'api.port': 0, 'log.format': 'json', shutdown_timeout_ms: 200 }
  const overrides = Object.entries(values).map(([path, value]) => ({ path, value, origin: 'test' }))
  const loaded = loadConfig({ venues, environment: {}, cwd: folder, overrides })
  const platform = systemPlatform()
  let isReading = false
  const read = () => {
    isReading = true
    return new Promise<never>(() => {})
  }
  const log: string[] = []
  const service = new DataCollectorService({
    loaded,
    platform: { ...platform, files: { ...platform.files, read } },
    output: { write: (line: string) => void log.push(JSON.parse(line).event), on: () => {} },
  })
  void service.start()
  await until('the start to hang', () => isReading)
  await service.stop('test')
  expect(log.slice(-3)).toEqual(['service_stopping', 'stop_timed_out', 'service_stopped'])
  rmSync(folder, { recursive: true })
})
