/** An orderly end: every stream has a gap that says so, and the next process ends it. */

import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { systemClock } from '../../src/platform/clock.ts'
import { simVenues } from '../../src/sim/index.ts'
import { type Simulator, startSimulator } from '../../src/sim/server.ts'
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
