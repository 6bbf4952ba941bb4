/** The lock of a process that did not end in order is the only sign of it: no way of dying may take it from the next one. */

import { expect, test } from 'vitest'
import { diskError } from '../../src/sim/virtual/disk-fault.ts'
import { inspectSpool } from '../../src/spool/inspect.ts'
import { lockPath } from '../../src/spool/lock.ts'
import { FOLDER, Rig } from './rig.ts'

async function died(how: 'kill' | 'losePower'): Promise<Rig> {
  const rig = new Rig()
  await rig.start()
  rig.append(3)
  await rig.run(100)
  rig[how]()
  return rig
}

test.each(['kill', 'losePower'] as const)('the next process may die before any of its operations: %s', async (how) => {
  let hasOpened = false
  for (let at = 1; !hasOpened; at++) {
    const rig = await died(how)
    let operations = 0
    rig.disk.onOperation = () => {
      if (++operations === at) rig[how]()
    }
    hasOpened = await rig.start().then(
      () => operations < at,
      () => false,
    )
    rig.disk.onOperation = () => {}
    if (hasOpened) break
    const spool = await rig.start()
    expect(spool.recovery.wasInterrupted, `operation ${at}`).toBe(true)
    expect(rig.append(), `operation ${at}`).toBeGreaterThan(1_000)
    expect(rig.disk.paths.filter((path) => path.startsWith(lockPath(FOLDER)))).toEqual([lockPath(FOLDER)])
  }
})

test('where there is no room for the new lock before the reserve is gone, the old one counts all the same', async () => {
  const rig = await died('kill')
  rig.disk.onOperation = (operation, path) => {
    if (operation === 'append' && path === lockPath(FOLDER) && rig.disk.paths.includes(`${FOLDER}/reserve`))
      throw diskError('full')
  }
  const spool = await rig.start()
  expect(spool.recovery.wasInterrupted).toBe(true)
  expect(rig.append()).toBeGreaterThan(1_000)
})

test('a log of which only the moved lock is left was not closed: what it said when it last was is void', async () => {
  const rig = await died('kill')
  await rig.start()
  await rig.stop()
  await rig.start()
  rig.kill()
  rig.disk.drop(lockPath(FOLDER))
  rig.disk.put(`${lockPath(FOLDER)}.7`, Buffer.from('x'))
  const [newest = ''] = rig.segmentPaths.slice(-1)
  rig.disk.put(newest, (rig.disk.bytes(newest) as Buffer).subarray(0, 70))
  const { missing } = await rig.wait(inspectSpool(FOLDER, rig.nextProcess().files, undefined))
  expect(missing).toEqual([])
})
