/** Numbers that only sinks have seen are never given to other records, however long a process went on without its disk. */

import { expect, test } from 'vitest'
import { diskError } from '../../src/sim/virtual/disk-fault.ts'
import { lsnText } from '../../src/spool/cursors.ts'
import { LEFT_OUT_LSNS } from '../../src/spool/open.ts'
import { FOLDER, numbers, Rig } from './rig.ts'

const HOUR_MS = 3_600_000
const HOUR_US = HOUR_MS * 1_000
const START = `${FOLDER}/start`

/** Its disk refuses the log for an hour while sinks take what comes from memory. */
async function withoutDisk(rig: Rig): Promise<number> {
  rig.disk.onOperation = (operation, path) => {
    if (operation === 'append' && path.endsWith('.log')) throw diskError('error')
  }
  const last = rig.append(3) ?? 0
  await rig.run(HOUR_MS)
  expect((await rig.readAll(last)).map(({ lsn }) => lsn)).toEqual([last])
  rig.kill()
  rig.disk.onOperation = () => {}
  return last
}

test('as many are left out as can have been given since the last record that is known', async () => {
  const rig = new Rig()
  await rig.start()
  rig.append(10)
  await rig.run(200)
  await withoutDisk(rig)
  await rig.start()
  const lsn = rig.append(2) ?? 0
  expect(lsn).toBeGreaterThan(10 + HOUR_US)
  expect(lsn).toBeLessThan(10 + HOUR_US + LEFT_OUT_LSNS)
  await rig.run(100)
  expect((await rig.readAll(11)).map((record) => record.lsn)).toEqual([lsn - 1, lsn])
  await rig.stop()
  await rig.start()
  expect(rig.append()).toBe(lsn + 1)
  expect(rig.losses).toEqual([])
})

test('since the last start where no record is known; starts that bring none add up to no more than their time', async () => {
  const rig = new Rig()
  const startMs = rig.loop.nowMs
  const starts = 30
  for (let i = 0; i < starts; i++) {
    await rig.start()
    const last = await withoutDisk(rig)
    for (const path of rig.segmentPaths) rig.disk.drop(path)
    await rig.start()
    expect(rig.append(), `start ${i}`).toBeGreaterThan(last - 3 + HOUR_US)
    rig.kill()
  }
  await rig.start()
  const passedUs = (rig.loop.nowMs - startMs) * 1_000
  expect(rig.append()).toBeLessThan(passedUs + 3 * starts * LEFT_OUT_LSNS)
})

test('a clock that was wrong for decades uses up no more than a thousandth of all numbers', async () => {
  const rig = new Rig()
  const spool = await rig.start()
  spool.append(spool.stream('a'), 'event', 1_000_000, Buffer.from('x'))
  await rig.run(100)
  rig.kill()
  rig.disk.put(START, Buffer.from(`${lsnText(1)}${lsnText(1_000_000)}`))
  await rig.start()
  const lsn = rig.append() ?? 0
  expect(lsn).toBeGreaterThan(1e12)
  expect(lsn).toBeLessThan(Number.MAX_SAFE_INTEGER / 900)
  await rig.run(100)
  expect((await rig.readAll(2)).map((record) => record.lsn)).toEqual([lsn])
})

test('what a version that wrote no time has said of its start still counts', async () => {
  const rig = new Rig()
  await rig.start()
  rig.append(3)
  await rig.stop()
  rig.disk.put(START, Buffer.from(lsnText(5_000)))
  await rig.start()
  expect(rig.append()).toBe(5_000)
  rig.kill()
  rig.disk.put(START, Buffer.from(lsnText(5_000)))
  await rig.start()
  expect(rig.append()).toBe(5_000 + LEFT_OUT_LSNS)
})

test('numbers that are skipped were never records, wherever they lie', async () => {
  const rig = new Rig(1, { limits: { memoryBytes: 65_536, segmentBytes: 1_000_000 } })
  const spool = await rig.start()
  spool.skip(9)
  const given: number[] = []
  for (let i = 0; i < 12; i++) {
    for (const count of [2, 50]) {
      rig.append(count, 80)
      given.push(...numbers(spool.lastLsn - count + 1, spool.lastLsn))
      spool.skip(spool.lastLsn + 30)
      spool.skip(spool.lastLsn - 1)
    }
    if (i % 3 === 0) await rig.run(100)
  }
  await rig.run(100)
  expect(given[0]).toBe(10)
  expect(given[2]).toBe(42)
  expect((await rig.readAll()).map(({ lsn }) => lsn)).toEqual(given)
  await rig.stop()
  await rig.start()
  expect((await rig.readAll()).map(({ lsn }) => lsn)).toEqual(given)
  expect(rig.losses).toEqual([])
})
