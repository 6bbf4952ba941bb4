/** Places of the disk that cannot be read when the log is opened: what lies there is lost and told, and the log goes on. */

import { describe, expect, test } from 'vitest'
import { diskError, systemError } from '../../src/sim/virtual/disk-fault.ts'
import { FOLDER, numbers, Rig, TIME_US } from './rig.ts'

const MiB = 1024 * 1024
const lsns = (records: readonly { readonly lsn: number }[]) => records.map(({ lsn }) => lsn)

/** 90 records in three or four segments; the sink has had ten. */
async function filled(how: 'kill' | 'stop'): Promise<{ rig: Rig; newest: string; lastLsn: number }> {
  const rig = new Rig()
  await rig.start()
  for (let i = 0; i < 15; i++) {
    rig.append(6, 80)
    await rig.run(60)
  }
  rig.spool.ack('nats', 10)
  await rig.run(1_500)
  await rig[how]()
  const newest = rig.segmentPaths.at(-1) as string
  return { rig, newest, lastLsn: Number(/(\d+)\.log$/.exec(newest)?.[1]) - 1 }
}

function breakReads(rig: Rig, bad: string, error = diskError('read')): void {
  rig.disk.onOperation = (operation, path) => {
    if ((operation === 'readAt' || operation === 'read') && path === bad) throw error
  }
}

test.each(['kill', 'stop'] as const)(
  'a newest segment of which nothing can be read is moved away and told: %s',
  async (how) => {
    const { rig, newest, lastLsn } = await filled(how)
    breakReads(rig, newest)
    const spool = await rig.start()
    const loss = { cause: 'corrupt', firstLsn: lastLsn + 1, sinceUs: TIME_US + lastLsn, sinks: [] }
    expect(rig.losses).toEqual([{ ...loss, streams: [], lastLsn: how === 'stop' ? 90 : undefined }])
    expect(spool.recovery.notes).toEqual([expect.stringContaining(newest)])
    expect(lsns(await rig.readAll(11))).toEqual(numbers(11, lastLsn))
    const next = rig.append() ?? 0
    expect(next).toBeGreaterThan(90)
    await rig.stop()
    expect(rig.disk.paths).toContain(`${newest}.bad`)
    expect(rig.disk.paths).not.toContain(newest)
    await rig.start()
    expect(lsns(await rig.readAll(11))).toEqual([...numbers(11, lastLsn), next])
    expect(rig.losses).toHaveLength(1)
  },
)

describe.each([
  ['it becomes a segment of its own', 5],
  ['it stays where it is, if it cannot be copied', Number.POSITIVE_INFINITY],
])('what can be read before the place is kept: %s', (_, lastBadRead) => {
  test.each(['kill', 'stop'] as const)('%s', async (how) => {
    const limits = { segmentBytes: 4 * MiB, quotaBytes: 32 * MiB, memoryBytes: 8 * MiB }
    const rig = new Rig(1, { limits })
    await rig.start()
    for (let i = 0; i < 30; i++) {
      rig.append(1, 100_000)
      await rig.run(60)
    }
    await rig[how]()
    const [path = ''] = rig.segmentPaths
    let reads = 0
    // The head, the first MiB, then what the disk cannot read, however often it is tried.
    rig.disk.onOperation = (operation, of) => {
      if (operation === 'readAt' && of === path && ++reads >= 3 && reads <= lastBadRead) throw diskError('read')
    }
    await rig.start()
    const left = numbers(1, 10)
    expect(rig.losses).toMatchObject([{ cause: 'corrupt', firstLsn: 11, sinceUs: TIME_US + 10 }])
    expect(rig.losses[0]?.lastLsn).toBe(how === 'stop' ? 30 : undefined)
    const next = rig.append() ?? 0
    expect(next).toBeGreaterThan(30)
    await rig.run(100)
    reads = 1
    expect(lsns(await rig.readAll())).toEqual([...left, next])
    await rig.stop()
    reads = 0
    await rig.start()
    expect(lsns(await rig.readAll())).toEqual([...left, next])
    expect(rig.losses).toHaveLength(1)
    const kept = rig.disk.bytes(lastBadRead === 5 ? `${path}.bad` : path)
    expect(kept?.length).toBeGreaterThan(3_000_000)
  })
})

test('a read that fails once or twice is tried again, and nothing is lost', async () => {
  const { rig, newest } = await filled('kill')
  let failures = 0
  rig.disk.onOperation = (operation, path) => {
    if (operation === 'readAt' && path === newest && ++failures <= 2) throw diskError('read')
  }
  await rig.start()
  expect(lsns(await rig.readAll())).toEqual(numbers(1, 90))
  expect(rig.losses).toEqual([])
})

test('a cursor is as a spoilt one then: what the sink has had comes again', async () => {
  const { rig } = await filled('stop')
  breakReads(rig, `${FOLDER}/cursor-nats`)
  const spool = await rig.start()
  expect(spool.cursor('nats')).toBe(0)
  expect(spool.recovery.notes).toEqual([expect.stringContaining('nats')])
  spool.ack('nats', 20)
  await rig.stop()
  rig.disk.onOperation = () => {}
  expect((await rig.start()).cursor('nats')).toBe(20)
})

test('without what the last process said of its end no number is given twice', async () => {
  const { rig, newest } = await filled('stop')
  rig.disk.drop(newest)
  breakReads(rig, `${FOLDER}/end`)
  await rig.start()
  expect(rig.append()).toBeGreaterThan(90)
})

test('nor without what earlier ones said of their starts', async () => {
  const rig = new Rig()
  await rig.start()
  rig.append(3)
  await rig.run(100)
  rig.kill()
  // What is shown now is taken back by a power failure; the next one brings nothing.
  await rig.start()
  rig.append(1_000)
  await rig.run(5)
  expect(rig.spool.readableLsn).toBeGreaterThan(1_000)
  rig.losePower()
  for (const path of rig.segmentPaths.slice(1)) rig.disk.drop(path)
  await rig.start()
  await rig.stop()
  breakReads(rig, `${FOLDER}/start`)
  await rig.start()
  expect(rig.append(1_100)).toBeGreaterThan(1e12)
})

test('files that this process may not read are for people to correct', async () => {
  const { rig, newest } = await filled('stop')
  breakReads(rig, newest, systemError('EACCES', 'permission denied', 'open'))
  await expect(rig.start()).rejects.toMatchObject({
    code: 'CONFIG_INVALID',
    message: expect.stringContaining('EACCES'),
  })
  expect(rig.disk.paths).toContain(newest)
})
