/** Records that are not there, and that no reader has come upon when what is before and behind them makes room. */

import { expect, test } from 'vitest'
import { numbers, Rig } from './rig.ts'

async function fill(rig: Rig, segments: number): Promise<void> {
  for (let i = 0; i < segments * 5; i++) {
    rig.append(6, 80)
    await rig.run(60)
  }
}

/** Those of the numbers that are neither there nor told. */
async function untold(rig: Rig, lsns: readonly number[]): Promise<number[]> {
  const read = (await rig.readAll(rig.spool.cursor('nats') + 1)).map(({ lsn }) => lsn)
  const told = rig.losses.flatMap(({ firstLsn = 0, lastLsn = 0 }) => numbers(firstLsn, lastLsn))
  const known = new Set([...read, ...told])
  return lsns.filter((lsn) => !known.has(lsn))
}

test.each([0, 1])('a segment that somebody has removed is told, once: %s', async (index) => {
  const rig = new Rig(1, { limits: { quotaBytes: 30_000 } })
  await rig.start()
  await fill(rig, 3)
  const { lastLsn } = rig.spool
  await rig.stop()
  rig.disk.drop(rig.segmentPaths[index] as string)
  await rig.start()
  await fill(rig, 10)
  expect(rig.spool.cursor('nats')).toBeGreaterThan(lastLsn)
  expect(await untold(rig, numbers(1, lastLsn))).toEqual([])
  const holes = rig.losses.filter(({ cause }) => cause !== 'evicted')
  expect(holes).toMatchObject([{ firstLsn: 30 * index + 1, lastLsn: 30 * (index + 1), streams: [], sinks: [] }])
})

test('numbers that a process has left out are in no loss', async () => {
  const rig = new Rig(1, { limits: { quotaBytes: 30_000 } })
  await rig.start()
  await fill(rig, 2)
  rig.kill()
  await rig.start()
  await fill(rig, 12)
  expect(rig.spool.cursor('nats')).toBeGreaterThan(10_000_000)
  for (const { cause, firstLsn = 0, lastLsn = 0 } of rig.losses)
    expect([cause, lastLsn - firstLsn < 1_000]).toEqual(['evicted', true])
})

test('what a failed file alone has is told, if a kill has cut its second copy short', async () => {
  const rig = new Rig(1, { limits: { quotaBytes: 60_000, segmentBytes: 8192 } })
  await rig.start()
  rig.append(10, 80)
  await rig.run(100)
  expect(rig.spool.durableLsn).toBe(10)
  rig.append(20, 80)
  await rig.run(5)
  expect(rig.spool.writtenLsn).toBe(30)
  rig.disk.faults.add('sync')
  while (rig.spool.problem === undefined) await rig.run(0.5)
  let isSecond = false
  rig.disk.onOperation = (operation, path) => {
    if (operation === 'append' && path.endsWith('.log')) isSecond = true
  }
  rig.disk.faults.clear()
  while (!isSecond) await rig.run(0.05)
  rig.kill()
  rig.disk.onOperation = () => {}
  // Five whole records, and a part of the next.
  const second = rig.segmentPaths[1] as string
  const frameBytes = 127
  rig.disk.put(second, (rig.disk.bytes(second) as Buffer).subarray(0, 20 + 5 * frameBytes + 60))
  await rig.start()
  const there = (await rig.readAll()).map(({ lsn }) => lsn)
  expect(there).toEqual(numbers(1, 30))
  await fill(rig, 40)
  expect(rig.spool.cursor('nats')).toBeGreaterThan(30)
  expect(await untold(rig, there)).toEqual([])
})
