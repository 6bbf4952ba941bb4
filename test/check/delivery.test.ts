/** Two stores of a collector that dies at random instants have everything once; and the judge sees when they have not. */

import { expect, test, vi } from 'vitest'
import { judgeDelivery } from '../../src/check/delivery.ts'
import { usualScenario } from '../../src/check/scenario.ts'
import { Store } from '../../src/check/store.ts'
import { World } from '../../src/check/world.ts'
import { ToldIds } from '../../src/collector/told-ids.ts'
import { Ledger } from '../../src/ledger/ledger.ts'
import type { SinkPorts } from '../../src/sinks/sink.ts'

const OPTIONS = { ms: 25_000, killMs: 4_000, outageEveryMs: 8_000, outagesMs: [1_000, 5_000], ambiguity: 0.2 }

test('whatever dies, what was received is stored once', { timeout: 120_000 }, async () => {
  const { broken, kills, outages, outageMsMax, events, lostMsMax } = await judgeDelivery({ ...OPTIONS, seed: 3 })
  expect(broken).toEqual([])
  expect(kills).toBeGreaterThan(2)
  expect(outages).toBeGreaterThan(2)
  expect(outageMsMax).toBeCloseTo(5_000)
  expect(events).toBeGreaterThan(5_000)
  // What waits for the next sync when the power fails.
  expect(lostMsMax).toBeLessThan(100)
})

test('a process that does not take up what the log has stores it twice', { timeout: 120_000 }, async () => {
  const replay = vi.spyOn(Ledger.prototype, 'replay').mockImplementation(() => {})
  const restore = vi.spyOn(ToldIds.prototype, 'restore').mockImplementation(() => {})
  try {
    const { broken } = await judgeDelivery({ ...OPTIONS, seed: 3 })
    expect(broken.some((line) => line.endsWith('is stored twice'))).toBe(true)
  } finally {
    replay.mockRestore()
    restore.mockRestore()
  }
})

test('a collector that finds no room for its log waits for it, and says so', async () => {
  const store = new Store('told')
  const sinks = [{ name: 'told', create: ({ platform }: SinkPorts) => store.sink(platform.clock) }]
  const world = new World({ scenario: usualScenario(), seed: 1, sinks, trace: () => {} })
  for (const market of world.markets) market.start()
  world.disk.faults.add('full')
  world.machine.start()
  await world.loop.run(20_000)
  expect(world.machine.crash).toBeUndefined()
  expect(world.machine.collector?.health().spool).toMatchObject({ status: 'fail' })
  expect(world.machine.collector?.isInitialized).toBe(false)
  world.disk.faults.clear()
  await world.loop.run(40_000)
  expect(world.machine.collector?.health().spool).toMatchObject({ status: 'pass' })
  expect(world.machine.collector?.feeds().every(({ state }) => state === 'live')).toBe(true)
  expect(store.rows.length).toBeGreaterThan(100)
})

test('the sockets of a collector that stops while it starts are no lost connections', async () => {
  for (let stopMs = 50; stopMs < 600; stopMs += 50) {
    const store = new Store('told')
    const sinks = [{ name: 'told', create: ({ platform }: SinkPorts) => store.sink(platform.clock) }]
    const causes: string[] = []
    const world = new World({
      scenario: usualScenario(),
      seed: stopMs,
      sinks,
      trace(entry) {
        if (entry.kind === 'event' && entry.event.type === 'gap') causes.push(entry.event.cause)
      },
    })
    for (const market of world.markets) market.start()
    world.machine.start()
    await world.loop.run(stopMs)
    world.machine.stop()
    await world.loop.run(stopMs + 8_000)
    expect(causes.filter((cause) => cause !== 'shutdown')).toEqual([])
  }
})
