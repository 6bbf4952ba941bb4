/** One pump between a log on a simulated disk and a store that fails: what is stored is what the log has, each record once. */

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Store, type StoreFault, type Style } from '../../src/check/store.ts'
import { seededRandom } from '../../src/platform/random.ts'
import { virtualClock } from '../../src/sim/virtual/clock.ts'
import { Scope } from '../../src/sim/virtual/loop.ts'
import { Pump, type PumpEvents } from '../../src/sinks/pump.ts'
import type { SinkTraits } from '../../src/sinks/sink.ts'
import type { SpoolLimits } from '../../src/spool/options.ts'
import { Rig } from '../spool/rig.ts'

class Machine {
  readonly rig: Rig
  readonly store: Store
  readonly told: string[] = []
  readonly #traits: Partial<SinkTraits>
  #scope = new Scope()
  #pump: Pump | undefined

  constructor(style: Style, seed = 1, traits: Partial<SinkTraits> = {}, limits: Partial<SpoolLimits> = {}) {
    this.rig = new Rig(seed, { limits: { keepMs: 1e9, ...limits } })
    this.store = new Store(style)
    this.#traits = traits
  }

  get pump(): Pump {
    return this.#pump as Pump
  }

  async start(): Promise<void> {
    const log = await this.rig.start()
    this.#scope = new Scope()
    const clock = virtualClock(this.rig.loop, this.#scope)
    const events: PumpEvents = {
      failed: (problem) => void this.told.push(problem),
      recovered: () => void this.told.push('ready'),
      rolledBack: () => void this.told.push('rolled back'),
      foundAhead: () => void this.told.push('ahead'),
      wrote: () => {},
    }
    const sink = this.store.sink(clock, this.#traits)
    const files = this.rig.disk.files(this.#scope)
    this.#pump = new Pump({
      name: 'nats',
      sink,
      log,
      clock,
      random: seededRandom(1),
      files,
      stateFolder: '/data/sinks/nats',
      events,
    })
    this.#pump.start()
  }

  kill(): void {
    this.#scope.isAlive = false
    this.rig.kill()
  }

  async stop(): Promise<void> {
    await this.rig.wait(this.pump.stop(1_000))
    await this.rig.stop()
    this.#scope.isAlive = false
  }

  /** Until the store has everything. */
  async settle(): Promise<void> {
    for (let i = 0; i < 400 && (this.pump.lag > 0 || this.pump.problem !== undefined); i++) await this.rig.run(250)
  }

  /** What is stored, and what the log has. */
  async compare(): Promise<{ stored: number[]; logged: number[] }> {
    const logged = (await this.rig.readAll()).map(({ lsn }) => lsn)
    return { stored: this.store.rows.map(({ lsn }) => lsn).sort((a, b) => a - b), logged }
  }
}

test('what is appended is stored within milliseconds, several batches at a time', async () => {
  const machine = new Machine('told')
  await machine.start()
  await machine.rig.run(20)
  machine.rig.append(100)
  await machine.rig.run(40)
  const { stored, logged } = await machine.compare()
  expect(logged).toHaveLength(100)
  expect(stored).toEqual(logged)
  expect(machine.store.writesMax).toBe(4)
  expect(machine.rig.spool.cursor('nats')).toBe(logged.at(-1))
  expect(machine.told).toEqual(['ready'])
})

test('a sink that is down is tried again, and told of once it works', async () => {
  const machine = new Machine('told')
  machine.store.fault = 'does not open'
  await machine.start()
  machine.rig.append(20)
  await machine.rig.run(60_000)
  expect(machine.store.rows).toEqual([])
  expect(machine.pump.problem).toBe('connection refused')
  expect(machine.pump.lag).toBe(20)
  const tries = machine.told.length
  expect(tries).toBeGreaterThan(4)
  expect(tries).toBeLessThan(40)
  machine.store.fault = undefined
  await machine.settle()
  expect((await machine.compare()).stored).toHaveLength(20)
  expect(machine.told.at(-1)).toBe('ready')
})

test('a store that is away is looked for every few seconds; one that takes nothing is tried less often', async () => {
  const failuresIn = async (ms: number, fault: StoreFault): Promise<number> => {
    const machine = new Machine('told')
    await machine.start()
    machine.store.fault = fault
    machine.rig.append(1)
    await machine.rig.run(ms)
    return machine.pump.counts.failures
  }
  expect(await failuresIn(600_000, 'does not open')).toBeGreaterThan(120)
  expect(await failuresIn(600_000, 'refuses')).toBeLessThan(70)
})

test('a batch waits until it is full or old', async () => {
  const machine = new Machine('token', 1, { ageMs: 1_000, recordsMax: 50, bytesMax: 1_000_000 })
  await machine.start()
  await machine.rig.run(20)
  machine.rig.append(10)
  await machine.rig.run(900)
  expect(machine.store.rows).toEqual([])
  await machine.rig.run(200)
  expect(machine.store.rows).toHaveLength(10)
  machine.rig.append(60)
  await machine.rig.run(100)
  expect(machine.store.rows).toHaveLength(60)
})

test('stopping brings a sink that works what it lacks, and does not wait for one that does not', async () => {
  const machine = new Machine('token', 1, { ageMs: 60_000 })
  await machine.start()
  machine.rig.append(30)
  await machine.rig.run(50)
  await machine.stop()
  expect(machine.store.rows).toHaveLength(30)

  machine.store.fault = 'hangs'
  await machine.start()
  machine.rig.append(5)
  await machine.rig.run(50)
  const startMs = machine.rig.loop.nowMs
  await machine.stop()
  expect(machine.rig.loop.nowMs - startMs).toBeLessThan(1_100)
})

test.each(['told', 'token'] as const)(
  'stopping brings what was appended last, though it is not written yet: %s',
  async (style) => {
    const machine = new Machine(style, 1, { ageMs: style === 'token' ? 60_000 : 0 })
    await machine.start()
    machine.rig.append(30)
    await machine.rig.run(50)
    machine.rig.append(5)
    await machine.rig.run(1)
    machine.rig.append(5)
    await machine.stop()
    expect(machine.store.rows).toHaveLength(40)
  },
)

test('a store that has lost what it had gets it again', async () => {
  const machine = new Machine('told')
  await machine.start()
  machine.rig.append(300)
  await machine.settle()
  machine.store.lose(200)
  machine.store.fault = 'refuses'
  machine.rig.append(1)
  await machine.rig.run(100)
  machine.store.fault = undefined
  await machine.settle()
  const { stored, logged } = await machine.compare()
  expect(stored).toEqual(logged)
  expect(machine.told).toContain('rolled back')
  expect(machine.pump.counts.rollbacks).toBe(1)
})

test('what made room while its batch could not be stored is lost once, also if the process ends', async () => {
  const machine = new Machine('token', 1, { recordsMax: 60, bytesMax: 1e6, ageMs: 1_000 }, { quotaBytes: 20_000 })
  await machine.start()
  machine.store.fault = 'refuses'
  for (let i = 0; i < 10; i++) {
    machine.rig.append(6, 80)
    await machine.rig.run(60)
  }
  await machine.rig.run(1_000)
  while (machine.rig.losses.length === 0) {
    machine.rig.append(6, 80)
    await machine.rig.run(60)
  }
  // A part of the batch that is known by its bounds.
  const { lastLsn: evictedLsn = 0 } = machine.rig.losses[0] ?? {}
  expect(evictedLsn).toBeLessThan(60)
  await machine.rig.run(2_000)
  machine.kill()
  machine.store.fault = undefined
  await machine.start()
  await machine.settle()
  expect(machine.store.rows[0]?.lsn).toBe(evictedLsn + 1)
  expect(machine.rig.losses.map(({ cause }) => cause)).toEqual(['evicted'])
})

const act = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant('append' as const), count: fc.integer({ min: 1, max: 60 }) }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('run' as const), count: fc.integer({ min: 0, max: 600 }) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom('kill' as const, 'stop' as const), count: fc.constant(0) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('fault' as const),
      count: fc.constant(0),
      fault: fc.constantFrom<(StoreFault | undefined)[]>(
        'refuses',
        'stores but fails',
        'does not open',
        'hangs',
        undefined,
      ),
    }),
  },
)

describe.each<Style>(['told', 'token'])('%s', (style) => {
  test('whatever dies, each record of the log is stored once', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(act, { maxLength: 30 }), fc.nat(1000), async (acts, seed) => {
        const machine = new Machine(style, seed, style === 'token' && seed % 2 === 0 ? { ageMs: 40 } : {})
        await machine.start()
        for (const step of acts) {
          if (step.do === 'append') machine.rig.append(step.count)
          else if (step.do === 'run') await machine.rig.run(step.count)
          else if ('fault' in step) machine.store.fault = step.fault
          else {
            if (step.do === 'kill') machine.kill()
            else await machine.stop()
            await machine.start()
          }
        }
        // One that hangs hangs until it is closed.
        const wasHanging = machine.store.fault === 'hangs'
        machine.store.fault = undefined
        if (wasHanging) {
          machine.kill()
          await machine.start()
        }
        await machine.settle()
        const { stored, logged } = await machine.compare()
        expect(stored).toEqual(logged)
      }),
      { numRuns: 150, seed: 7 },
    )
  })
})
