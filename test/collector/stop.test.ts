/** An orderly end: every stream has a gap that says so, and the next process ends it. */

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
