/** A batch that is cut from the log, and read when the sink wants it: all of it, or an error. */

import { expect, test } from 'vitest'
import { Store } from '../../src/check/store.ts'
import { seededRandom } from '../../src/platform/random.ts'
import { virtualClock } from '../../src/sim/virtual/clock.ts'
import { diskError } from '../../src/sim/virtual/disk-fault.ts'
import { Scope } from '../../src/sim/virtual/loop.ts'
import { Cutter, type PumpLog } from '../../src/sinks/batches.ts'
import { Pump } from '../../src/sinks/pump.ts'
import { numbers, Rig } from '../spool/rig.ts'

const MiB = 1024 * 1024
/** As in production. */
const LIMITS = { segmentBytes: 64 * MiB, quotaBytes: 4096 * MiB, reserveBytes: 16 * MiB, memoryBytes: 32 * MiB }

/** Three MB a second, while the disk refuses the log for four seconds and then has much to make up for. */
async function withFailingDisk(rig: Rig, leadMs: number, writeMs: number, each: () => void = () => {}): Promise<void> {
  const collect = async (ms: number) => {
    for (let passedMs = 0; passedMs < ms; passedMs += 10) {
      rig.append(1, 30_000)
      await rig.run(10)
      each()
    }
  }
  await collect(leadMs)
  rig.disk.onOperation = (operation, path) => {
    if (operation === 'append' && path.endsWith('.log')) throw diskError('error')
  }
  await collect(4_000)
  rig.disk.onOperation = () => {}
  rig.disk.delaysMs.write = writeMs
  await collect(4_000)
}

test('what a disk that failed has let readers see stays visible when it works again', async () => {
  const rig = new Rig(1, { limits: LIMITS })
  const log = await rig.start()
  let shownLsn = 0
  const fallen: number[] = []
  await withFailingDisk(rig, 100, 50, () => {
    if (log.readableLsn < shownLsn) fallen.push(log.readableLsn)
    shownLsn = log.readableLsn
  })
  expect(fallen).toEqual([])
  expect((await rig.readAll()).map(({ lsn }) => lsn)).toEqual(numbers(1, log.readableLsn))
})

test.each([
  [1_000, 5],
  [1_020, 5],
  [1_880, 20],
  [1_920, 20],
])('a batch that was cut while the disk failed is stored whole: %i ms, %i ms a write', async (leadMs, writeMs) => {
  // The other one is away, so that memory is not given free.
  const rig = new Rig(1, { sinks: ['clickhouse', 'nats'], limits: LIMITS })
  const log = await rig.start()
  const store = new Store('token')
  const scope = new Scope()
  const clock = virtualClock(rig.loop, scope)
  const pump = new Pump({
    name: 'clickhouse',
    sink: store.sink(clock, { recordsMax: 100_000, bytesMax: 16 * MiB, ageMs: 1_000 }),
    log,
    clock,
    random: seededRandom(1),
    files: rig.disk.files(scope),
    stateFolder: '/data/sinks/clickhouse',
    events: { failed() {}, recovered() {}, rolledBack() {}, foundAhead() {}, wrote() {} },
  })
  pump.start()
  await withFailingDisk(rig, leadMs, writeMs)
  await rig.run(10_000)
  expect(log.cursor('clickhouse')).toBe(log.lastLsn)
  expect(store.rows.map(({ lsn }) => lsn)).toEqual(numbers(1, log.lastLsn))
  expect(rig.losses).toEqual([])
})

test('a batch of which the log shows only a part any more fails; it is not that part', async () => {
  const rig = new Rig(1, { limits: LIMITS })
  const log = await rig.start()
  rig.append(20, 60_000)
  await rig.run(100)
  let readableLsn = 20
  const shrinking = {
    isClosed: false,
    reader: (fromLsn: number) => log.reader(fromLsn),
    get readableLsn() {
      return readableLsn
    },
  } as PumpLog
  const clock = virtualClock(rig.loop, new Scope())
  const cutter = new Cutter({ log: shrinking, name: 'store', clock, fromLsn: 1, further: undefined, first: undefined })
  const traits = { recordsMax: 20, bytesMax: 2 * MiB, ageMs: 1_000, batchesMax: 1, hasFixedBatches: true }
  const batch = await rig.wait(cutter.next(traits))
  readableLsn = 12
  const read = async () => {
    for await (const _ of batch?.records() ?? []);
  }
  await expect(read()).rejects.toThrow('not to 20')
  readableLsn = 20
  await read()
})
