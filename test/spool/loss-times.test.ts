/** Since when data may be missing, where the first record that a reader wants is lost: record n was received at TIME_US + n. */

import { beforeEach, describe, expect, test } from 'vitest'
import { diskError } from '../../src/sim/virtual/disk-fault.ts'
import { Rig, TIME_US } from './rig.ts'

describe('a sink that stands within the third segment', () => {
  let rig = new Rig()
  let cursorLsn = 0
  /** Of the first three segments. */
  let paths: readonly [string, string, string]
  let lastLsns: readonly [number, number, number]

  beforeEach(async () => {
    rig = new Rig()
    await rig.start()
    for (let i = 0; i < 20; i++) {
      rig.append(6, 80)
      await rig.run(60)
    }
    const firsts = rig.segmentPaths.map((path) => Number(/(\d+)\.log$/.exec(path)?.[1]))
    paths = rig.segmentPaths.slice(0, 3) as [string, string, string]
    lastLsns = firsts.slice(1, 4).map((lsn) => lsn - 1) as [number, number, number]
    cursorLsn = lastLsns[1] + 5
    rig.spool.ack('nats', cursorLsn)
    await rig.stop()
  })

  /** Zeros from the record behind this one to the end of the file; 0: all but the head. */
  function spoil(path: string, afterLsn: number): void {
    const bytes = Buffer.from(rig.disk.bytes(path) as Buffer)
    const from = afterLsn === 0 ? 20 : bytes.indexOf(`${afterLsn + 1} ..`) - 20
    rig.disk.put(path, bytes.fill(0, from))
  }

  async function lost(): Promise<unknown> {
    await rig.start()
    await rig.readAll(cursorLsn + 1)
    expect(rig.losses).toMatchObject([{ firstLsn: cursorLsn + 1, lastLsn: lastLsns[2] }])
    return rig.losses[0]?.sinceUs
  }

  test('since the record before, if that is there', async () => {
    spoil(paths[2], cursorLsn)
    expect(await lost()).toBe(TIME_US + cursorLsn)
  })

  test('since the end of the segment before, if the whole one is spoilt', async () => {
    spoil(paths[2], 0)
    expect(await lost()).toBe(TIME_US + lastLsns[1])
  })

  test('or gone', async () => {
    rig.disk.drop(paths[2])
    expect(await lost()).toBe(TIME_US + lastLsns[1])
  })

  test('since the one before that, if this cannot be read either', async () => {
    spoil(paths[2], 0)
    rig.disk.onOperation = (operation, path) => {
      if (operation === 'readAt' && path === paths[1] && rig.isRunning) throw diskError('read')
    }
    expect(await lost()).toBe(TIME_US + lastLsns[0])
  })

  test('nobody can tell, if nothing before is left', async () => {
    for (const path of paths) rig.disk.drop(path)
    expect(await lost()).toBeUndefined()
  })
})

test('a reader that goes back does not take what it has read further on for what was before', async () => {
  const rig = new Rig()
  await rig.start()
  for (let i = 0; i < 20; i++) {
    rig.append(6, 80)
    await rig.run(60)
  }
  await rig.stop()
  const [, second = ''] = rig.segmentPaths
  rig.disk.put(second, Buffer.from(rig.disk.bytes(second) as Buffer).fill(0, 20))
  const spool = await rig.start()
  const reader = spool.reader(100)
  await rig.wait(reader.read({ recordsMax: 5, bytesMax: 1e6 }))
  reader.seek(40)
  await rig.wait(reader.read({ recordsMax: 5, bytesMax: 1e6 }))
  expect(rig.losses).toMatchObject([{ firstLsn: 40 }])
  expect(rig.losses[0]?.sinceUs).toBeLessThan(TIME_US + 40)
})
