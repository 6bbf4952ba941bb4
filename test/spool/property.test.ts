/** Random actions against a memory of what was appended: what may be lost, and what never. */

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { DiskFault } from '../../src/sim/virtual/disk-fault.ts'
import type { SyncPolicy } from '../../src/spool/options.ts'
import { Rig } from './rig.ts'

type Action =
  | { readonly do: 'append'; readonly count: number; readonly bytes: number; readonly kind: 'event' | 'gap' }
  | { readonly do: 'run'; readonly ms: number }
  | { readonly do: 'pump' | 'rewind' | 'skip'; readonly part: number }
  | { readonly do: 'kill' | 'power' | 'stop' | 'mend' }
  | { readonly do: 'break'; readonly fault: DiskFault }

const append = fc.record({
  do: fc.constant('append' as const),
  count: fc.integer({ min: 1, max: 40 }),
  bytes: fc.integer({ min: 1, max: 400 }),
  kind: fc.constantFrom('event' as const, 'event' as const, 'gap' as const),
})
const run = fc.record({
  do: fc.constant('run' as const),
  ms: fc.oneof(fc.integer({ min: 0, max: 12 }), fc.integer({ min: 0, max: 200 })),
})
const pump = fc.record({
  do: fc.constantFrom('pump' as const, 'pump' as const, 'rewind' as const, 'skip' as const),
  part: fc.double({ min: 0, max: 1, noNaN: true }),
})
const kill = fc.record({ do: fc.constantFrom('kill' as const, 'stop' as const) })
const power = fc.record({ do: fc.constantFrom('kill' as const, 'power' as const) })
const fault = fc.oneof(
  fc.record({
    do: fc.constant('break' as const),
    fault: fc.constantFrom<DiskFault[]>('full', 'error', 'sync', 'read'),
  }),
  fc.record({ do: fc.constant('mend' as const) }),
)

/** One run: what must be there, and what of it may go when the power fails. */
class Run {
  readonly rig: Rig
  readonly #must = new Set<number>()
  /** Written while the disk refused to say that they are on it. */
  readonly #shaky = new Set<number>()
  #reader: ReturnType<Rig['spool']['reader']> | undefined
  #ackedMax = 0

  constructor(seed: number, sync: SyncPolicy) {
    // With little memory a sink reads from disk what was just written.
    const memoryBytes = seed % 2 === 0 ? 1_048_576 : 65_536
    this.rig = new Rig(seed, { sync, limits: { keepMs: 1e9, memoryBytes } })
  }

  async act(action: Action): Promise<void> {
    const { rig } = this
    switch (action.do) {
      case 'append':
        return void rig.append(action.count, action.bytes, 'a', action.kind)
      case 'run':
        return rig.run(action.ms)
      case 'pump':
        return this.#pump(action.part)
      case 'rewind':
        return this.#rewind(action.part)
      case 'skip':
        return rig.spool.skip(rig.spool.lastLsn + Math.floor(1_000 * action.part))
      case 'break':
        return void rig.disk.faults.add(action.fault)
      case 'mend':
        return rig.disk.faults.clear()
      default:
        return this.#end(action.do)
    }
  }

  async start(): Promise<void> {
    const { rig } = this
    rig.disk.faults.clear()
    const spool = await rig.start()
    this.#forgetEvicted()
    expect(spool.cursor('nats')).toBeLessThanOrEqual(spool.recovery.lastLsn)
    expect(spool.cursor('nats')).toBeLessThanOrEqual(Math.max(this.#ackedMax, spool.oldestLsn - 1))
    const there = new Set((await rig.readAll()).map(({ lsn }) => lsn))
    for (const lsn of this.#must) expect(there, `record ${lsn} is there`).toContain(lsn)
    // What was not promised may be gone.
    for (const lsn of rig.appended.keys()) if (!there.has(lsn)) rig.appended.delete(lsn)
    for (const lsn of there) this.#must.add(lsn)
    this.#reader = spool.reader(spool.cursor('nats') + 1)
  }

  async #end(how: 'kill' | 'power' | 'stop' | 'mend'): Promise<void> {
    const { rig } = this
    const { writtenLsn, durableLsn, problem } = rig.spool
    const hasFailed = problem !== undefined || rig.disk.faults.size > 0
    for (const lsn of rig.appended.keys()) {
      if (lsn <= durableLsn || (how !== 'power' && lsn <= writtenLsn)) this.#must.add(lsn)
      if (lsn > durableLsn && lsn <= writtenLsn && hasFailed) this.#shaky.add(lsn)
    }
    if (how === 'stop') {
      if (!hasFailed) for (const lsn of rig.appended.keys()) this.#must.add(lsn)
      await rig.stop()
    } else if (how === 'kill') rig.kill()
    else {
      for (const lsn of this.#shaky) this.#must.delete(lsn)
      rig.losePower()
    }
    await this.start()
  }

  /** What was told as evicted need not be there, nor what is older; cursors are taken past it. */
  #forgetEvicted(): void {
    for (const { cause, lastLsn = 0 } of this.rig.losses) {
      if (cause !== 'evicted') continue
      this.#ackedMax = Math.max(this.#ackedMax, lastLsn)
      for (const set of [this.#must, this.rig.appended])
        for (const lsn of set.keys()) if (lsn <= lastLsn) set.delete(lsn)
    }
  }

  async #pump(part: number): Promise<void> {
    const { rig } = this
    const before = this.#reader?.nextLsn ?? 0
    const batch = await rig.wait(this.#reader?.read({ recordsMax: 50, bytesMax: 5000 }) ?? Promise.resolve([]))
    if (rig.spool.problem === undefined)
      expect(batch.at(-1)?.lsn ?? 0, 'what is read is written').toBeLessThanOrEqual(rig.spool.writtenLsn)
    for (const record of batch) {
      expect(record.lsn).toBeGreaterThanOrEqual(before)
      rig.check(record)
    }
    const acked = batch[Math.floor(part * batch.length)]?.lsn
    if (acked === undefined) return
    rig.spool.ack('nats', acked)
    this.#ackedMax = Math.max(this.#ackedMax, acked)
  }

  #rewind(part: number): void {
    const { spool } = this.rig
    const lsn = spool.rewind('nats', Math.floor(part * spool.cursor('nats')))
    this.#reader?.seek(lsn + 1)
  }

  /** When the disk works again everything gets there, and everything that was taken can be read. */
  async finish(): Promise<void> {
    const { rig } = this
    rig.disk.faults.clear()
    await rig.run(62_000)
    const { spool } = rig
    expect(spool.problem).toBeUndefined()
    expect(spool.writtenLsn).toBe(spool.lastLsn)
    this.#forgetEvicted()
    const there = new Set((await rig.readAll()).map(({ lsn }) => lsn))
    for (const lsn of rig.appended.keys()) expect(there, `record ${lsn} is there`).toContain(lsn)
    await this.#end('stop')
  }
}

async function play(seed: number, sync: SyncPolicy, actions: readonly Action[]): Promise<Run> {
  const run = new Run(seed, sync)
  await run.start()
  for (const action of actions) await run.act(action)
  await run.finish()
  return run
}

const seeds = fc.integer({ min: 1, max: 1e9 })
const policies = fc.constantFrom<SyncPolicy[]>('always', 'interval', 'off')
const list = (...actions: fc.Arbitrary<Action>[]) =>
  fc.array(fc.oneof(append, append, run, run, pump, ...actions), { minLength: 1, maxLength: 40 })

describe('whatever happens', () => {
  test('a process that is killed loses nothing that counted as written, and nothing is called lost', async () => {
    await fc.assert(
      fc.asyncProperty(seeds, policies, list(kill), async (seed, sync, actions) => {
        const { rig } = await play(seed, sync, actions)
        expect(rig.losses.filter(({ cause }) => cause !== 'refused')).toEqual([])
        expect(rig.problems).toEqual([])
      }),
      { numRuns: 150, seed: 1, endOnFailure: !process.env.SHRINK },
    )
  })

  test('a power failure takes nothing that was durable', async () => {
    await fc.assert(
      fc.asyncProperty(
        seeds,
        fc.constantFrom<SyncPolicy[]>('always', 'interval'),
        list(power),
        async (seed, sync, actions) => {
          await play(seed, sync, actions)
        },
      ),
      { numRuns: 500, seed: 2, endOnFailure: !process.env.SHRINK },
    )
  })

  test('a disk that fails on the way loses nothing of it either, and the log recovers', async () => {
    await fc.assert(
      fc.asyncProperty(
        seeds,
        fc.constantFrom<SyncPolicy[]>('always', 'interval'),
        list(power, fault),
        async (seed, sync, actions) => {
          await play(seed, sync, actions)
        },
      ),
      { numRuns: 200, seed: 3, endOnFailure: !process.env.SHRINK },
    )
  })
})
