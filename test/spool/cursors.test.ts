import { describe, expect, test } from 'vitest'
import { diskError } from '../../src/sim/virtual/disk-fault.ts'
import { lsnText, parseLsn } from '../../src/spool/cursors.ts'
import { LEFT_OUT_LSNS } from '../../src/spool/open.ts'
import { FOLDER, numbers, Rig } from './rig.ts'

const CURSOR = `${FOLDER}/cursor-nats`
const lsns = (records: readonly { readonly lsn: number }[]) => records.map(({ lsn }) => lsn)

async function closed(acked: number): Promise<Rig> {
  const rig = new Rig()
  await rig.start()
  for (let i = 0; i < 10; i++) {
    rig.append(10, 80)
    await rig.run(60)
  }
  rig.spool.ack('nats', acked)
  await rig.stop()
  return rig
}

test('a cursor says where the next process continues', async () => {
  const rig = await closed(42)
  expect(rig.disk.text(CURSOR)).toBe(lsnText(42))
  const spool = await rig.start()
  expect(spool.cursor('nats')).toBe(42)
  expect(lsns(await rig.readAll(43))).toEqual(numbers(43, 100))
  expect(spool.recovery.notes).toEqual([])
})

describe('a cursor file', () => {
  test('that is missing means the oldest record', async () => {
    const rig = await closed(42)
    rig.disk.drop(CURSOR)
    const spool = await rig.start()
    expect(spool.cursor('nats')).toBe(0)
    expect(rig.losses).toEqual([])
  })

  test('that is cut anywhere, or has any bit wrong, means the oldest record, and is told', async () => {
    const whole = Buffer.from(lsnText(42))
    for (let at = 0; at < whole.length; at++) {
      const flipped = Buffer.from(whole)
      flipped[at] = (flipped[at] as number) ^ 1
      expect(parseLsn(flipped.toString()), `byte ${at}`).toBeUndefined()
      expect(parseLsn(whole.subarray(0, at).toString()), `cut at ${at}`).toBeUndefined()
    }
    const rig = await closed(42)
    rig.disk.put(CURSOR, whole.subarray(0, 5))
    const spool = await rig.start()
    expect(spool.cursor('nats')).toBe(0)
    expect(spool.recovery.notes).toEqual([expect.stringContaining('nats')])
    expect(lsns(await rig.readAll(1))).toEqual(numbers(1, 100))
  })

  test('that is ahead of the log is set to its end, and the numbers between are not given again', async () => {
    const rig = await closed(42)
    rig.disk.put(CURSOR, Buffer.from(lsnText(5_000)))
    const spool = await rig.start()
    expect(spool.cursor('nats')).toBe(100)
    expect(spool.recovery.notes).toEqual([expect.stringContaining('5000')])
    const lsn = rig.append()
    expect(lsn).toBe(5_001 + LEFT_OUT_LSNS)
    await rig.run(100)
    expect(lsns(await rig.readAll(101))).toEqual([lsn])
    expect(rig.losses).toEqual([])
  })

  test('that points into a segment that is gone continues with the next, and what is gone is told', async () => {
    const rig = await closed(42)
    const paths = rig.segmentPaths
    for (const path of paths.slice(0, 3)) rig.disk.drop(path)
    const spool = await rig.start()
    const read = lsns(await rig.readAll(spool.cursor('nats') + 1))
    expect(read).toEqual(numbers(read[0] ?? 0, 100))
    expect(rig.losses).toMatchObject([{ cause: 'missing', firstLsn: 43, lastLsn: (read[0] ?? 0) - 1 }])
  })

  test('of a log of which nothing is left stands at its end; what the sink lacked is told', async () => {
    const rig = await closed(42)
    for (const path of rig.segmentPaths) rig.disk.drop(path)
    const spool = await rig.start()
    expect(rig.losses).toMatchObject([{ cause: 'missing', firstLsn: 43, lastLsn: 100 }])
    expect(rig.append()).toBe(101)
    await rig.run(100)
    expect(lsns(await rig.readAll(spool.cursor('nats') + 1))).toEqual([101])
  })

  test('of a log that was emptied because the sink has everything is no reason to miss something', async () => {
    const rig = new Rig(1, { limits: { keepMs: 0 } })
    for (let i = 0; i < 3; i++) {
      await rig.start()
      for (let j = 0; j < 3; j++) {
        rig.append(30, 80)
        await rig.run(60)
      }
      rig.spool.ack('nats', rig.spool.lastLsn)
      await rig.run(3_000)
      await rig.stop()
    }
    for (const path of rig.segmentPaths) rig.disk.drop(path)
    const spool = await rig.start()
    expect(spool.cursor('nats')).toBe(0)
    expect(rig.append()).toBe(271)
    await rig.run(100)
    expect(lsns(await rig.readAll(spool.cursor('nats') + 1))).toEqual([271])
    expect(rig.losses).toEqual([])
  })

  test('is never ahead of what is written, however far the sink is', async () => {
    const rig = new Rig()
    const spool = await rig.start()
    rig.append(3)
    await rig.run(100)
    rig.disk.onOperation = (operation, path) => {
      if (operation === 'append' && path.endsWith('.log')) throw diskError('error')
    }
    rig.append(3)
    await rig.run(100)
    expect(lsns(await rig.readAll(4))).toEqual([4, 5, 6])
    spool.ack('nats', 6)
    await rig.run(1_000)
    expect(rig.disk.text(CURSOR)).toBe(lsnText(3))
  })
})
