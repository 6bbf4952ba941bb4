/** Data that the log does not take. */

import { expect, test } from 'vitest'
import type { Loss } from '../../src/spool/loss.ts'
import { Rig } from './rig.ts'

const recordsOf = ({ streams }: Loss): number => streams.reduce((sum, { records }) => sum + records, 0)
const namesOf = ({ streams }: Loss): string[] => streams.map(({ stream }) => stream)

/** There is room for gap records only. */
async function filled(): Promise<Rig> {
  const rig = new Rig(1, { whenFull: 'refuse', limits: { quotaBytes: 20_000, reserveBytes: 4096 } })
  const log = await rig.start()
  while (!log.isFull) {
    rig.append(6, 80)
    await rig.run(60)
  }
  await rig.run(5_000)
  rig.losses.length = 0
  return rig
}

test('a stream is told with its first record, those of the same time together, so that a kill leaves none untold', async () => {
  const rig = await filled()
  for (const stream of ['a', 'b', 'a']) expect(rig.append(1, 80, stream)).toBeUndefined()
  expect([rig.losses, rig.spool.hasUntold]).toEqual([[], true])
  await rig.run(11)
  expect(rig.spool.hasUntold).toBe(false)
  expect(rig.losses).toMatchObject([{ cause: 'refused', isOngoing: true }])
  expect(rig.losses.map(namesOf)).toEqual([['a', 'b']])
  for (let i = 0; i < 100; i++) {
    rig.append(1, 80, 'a')
    await rig.run(1_000)
  }
  expect(rig.losses, 'it goes on').toHaveLength(1)
  rig.append(1, 80, 'c')
  await rig.run(11)
  expect(rig.losses.map(namesOf)).toEqual([['a', 'b'], ['c']])
})

test('how much it was is told when there is room again, once', async () => {
  const rig = await filled()
  const { spool } = rig
  for (let i = 0; i < 30; i++) {
    rig.append(2, 80, 'a')
    await rig.run(500)
  }
  await rig.run(60_000)
  expect(rig.losses, 'nothing more comes, but nothing would be taken').toHaveLength(1)
  spool.ack('nats', spool.lastLsn)
  await rig.run(3_000)
  expect(rig.losses).toHaveLength(2)
  const [, all] = rig.losses
  expect(all?.isOngoing).toBeUndefined()
  expect(all && recordsOf(all)).toBe(60)
  expect(rig.append(1, 80, 'a')).toBe(spool.lastLsn)
})

test('a stream is told before the next record that is taken', async () => {
  const rig = new Rig(1, { limits: { memoryBytes: 600_000 } })
  const spool = await rig.start()
  await rig.run(100)
  let taken = 0
  rig.onLoss = () => {
    taken = spool.lastLsn
  }
  let refused: number | undefined = 0
  while (refused !== undefined) refused = rig.append(1, 20_000, 'a')
  const lastLsn = spool.lastLsn
  // Other work keeps the timers waiting, while the disk gets on.
  while (!rig.losses.some(({ isOngoing }) => isOngoing)) {
    rig.append(1, 20_000, 'a')
    await rig.run(0.25)
  }
  expect(taken).toBe(lastLsn)
})

test('what is refused now and then, as a slow disk gets on, is one loss', async () => {
  const rig = new Rig(1, { limits: { memoryBytes: 600_000, segmentBytes: 1_000_000 } })
  rig.disk.delaysMs.write = 200
  const spool = await rig.start()
  let spells = 0
  let wasTaken = true
  for (let i = 0; i < 2_000; i++) {
    const isTaken = rig.append(1, 20_000, 'a') !== undefined
    if (wasTaken && !isTaken) spells++
    wasTaken = isTaken
    await rig.run(5)
  }
  expect(spells).toBeGreaterThan(10)
  expect(rig.losses).toHaveLength(1)
  rig.disk.delaysMs.write = 0.1
  await rig.run(10_000)
  expect(rig.losses).toHaveLength(2)
  expect(recordsOf(rig.losses[1] as Loss)).toBe(spool.counts.refused)
})
