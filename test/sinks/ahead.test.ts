/** A store that holds more of the log than the log itself: the folder was set back to an older copy. */

import { expect, test } from 'vitest'
import { Store } from '../../src/check/store.ts'
import { isSound } from '../../src/cli/spool-text.ts'
import { seededRandom } from '../../src/platform/random.ts'
import { virtualClock } from '../../src/sim/virtual/clock.ts'
import { Scope } from '../../src/sim/virtual/loop.ts'
import { Pump } from '../../src/sinks/pump.ts'
import { inspectSpool } from '../../src/spool/inspect.ts'
import { FOLDER, numbers, Rig } from '../spool/rig.ts'

const OLD = 'of the log as it was'

class Machine {
  readonly rig = new Rig(1, { limits: { keepMs: 1e9 } })
  readonly store = new Store('told', seededRandom(1))
  readonly ahead: number[] = []
  #scope = new Scope()
  pump: Pump | undefined

  /** The store is away until {@link connect}. */
  async start(): Promise<void> {
    await this.rig.start()
  }

  connect(): void {
    this.#scope = new Scope()
    const clock = virtualClock(this.rig.loop, this.#scope)
    this.pump = new Pump({
      name: 'nats',
      sink: this.store.sink(clock),
      log: this.rig.spool,
      clock,
      random: seededRandom(1),
      files: this.rig.disk.files(this.#scope),
      stateFolder: '/data/sinks/nats',
      events: {
        failed() {},
        recovered() {},
        rolledBack() {},
        foundAhead: (heldLsn) => void this.ahead.push(heldLsn),
        wrote() {},
      },
    })
    this.pump.start()
  }

  async stop(): Promise<void> {
    await this.rig.wait(this.pump?.stop(1_000) ?? Promise.resolve())
    await this.rig.stop()
    this.#scope.isAlive = false
  }

  /** Numbers of what is stored, but for what was before. */
  get stored(): number[] {
    const found = this.store.rows.filter(({ body }) => body !== OLD).map(({ lsn }) => lsn)
    return [...new Set(found)].sort((a, b) => a - b)
  }
}

async function setBack(waiting: number): Promise<Machine> {
  const machine = new Machine()
  machine.store.rows.push(...numbers(1, 5_000).map((lsn) => ({ lsn, body: OLD })))
  await machine.start()
  machine.rig.append(waiting)
  await machine.rig.run(50)
  return machine
}

test('what waits is not taken for what the store holds, and what comes next gets numbers that it does not have', async () => {
  const machine = await setBack(20)
  machine.connect()
  await machine.rig.run(100)
  expect(machine.ahead).toEqual([5_000])
  expect(machine.stored).toEqual(numbers(1, 20))
  expect(machine.rig.append(3)).toBe(5_003)
  await machine.rig.run(100)
  expect(machine.stored).toEqual([...numbers(1, 20), 5_001, 5_002, 5_003])
  expect(machine.pump?.lag).toBe(0)
  await machine.stop()
  const { rig } = machine
  await rig.start()
  expect(rig.append()).toBe(5_004)
  await rig.run(50)
  expect((await rig.readAll()).map(({ lsn }) => lsn)).toEqual([...numbers(1, 20), ...numbers(5_001, 5_004)])
  expect(rig.losses).toEqual([])
  await rig.stop()
  expect(isSound(await rig.wait(inspectSpool(FOLDER, rig.nextProcess().files, undefined)))).toBe(true)
})

test('also when the connection breaks before all of it is there, and new data have the store’s numbers behind them', async () => {
  const machine = await setBack(400)
  machine.store.ambiguity = 0.3
  machine.connect()
  for (let i = 0; i < 100; i++) {
    machine.rig.append(1)
    await machine.rig.run(200)
  }
  machine.store.ambiguity = 0
  await machine.rig.run(60_000)
  expect(machine.stored).toEqual([...machine.rig.appended.keys()])
  expect(machine.rig.spool.lastLsn).toBeGreaterThan(5_000)
  expect(machine.pump?.counts.failures).toBeGreaterThan(3)
  expect(machine.pump?.lag).toBe(0)
})

test('a log in which nothing comes behind it ends where its last record is', async () => {
  const machine = await setBack(20)
  machine.connect()
  await machine.rig.run(100)
  await machine.stop()
  await machine.rig.start()
  expect(machine.rig.losses).toEqual([])
  expect(machine.rig.spool.lastLsn).toBe(20)
})
