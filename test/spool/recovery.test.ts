/** A log that was cut or spoilt between two processes. */

import { describe, expect, test } from 'vitest'
import { diskError } from '../../src/sim/virtual/disk-fault.ts'
import { lockPath } from '../../src/spool/lock.ts'
import { openSpool } from '../../src/spool/open.ts'
import { SEGMENT_HEAD_BYTES } from '../../src/spool/segment.ts'
import { FOLDER, numbers, Rig } from './rig.ts'

const RECORDS = 3
const lsns = (records: readonly { readonly lsn: number }[]) => records.map(({ lsn }) => lsn)

/** A log of three records in one segment; `isKilled`: it was not closed. */
async function small(isKilled: boolean): Promise<{ rig: Rig; path: string; bytes: Buffer }> {
  const rig = new Rig()
  await rig.start()
  rig.append(RECORDS, 20, 's')
  await rig.run(100)
  if (isKilled) rig.kill()
  else await rig.stop()
  const path = rig.segmentPaths[0] as string
  return { rig, path, bytes: rig.disk.bytes(path) as Buffer }
}

const SIZE = (await small(true)).bytes.length
const RECORD_BYTES = (SIZE - SEGMENT_HEAD_BYTES) / RECORDS

describe.each([true, false])('of a process that was killed: %s', (isKilled) => {
  test('a segment that is cut at any byte ends with its last whole record, and the log goes on', async () => {
    for (let end = 0; end < SIZE; end++) {
      const { rig, path, bytes } = await small(isKilled)
      rig.disk.put(path, bytes.subarray(0, end))
      const whole = Math.max(0, Math.floor((end - SEGMENT_HEAD_BYTES) / RECORD_BYTES))
      const kept = SEGMENT_HEAD_BYTES + whole * RECORD_BYTES
      const spool = await rig.start()
      await rig.run(10)
      expect(spool.recovery, `cut at ${end}`).toMatchObject({ lastLsn: whole, wasInterrupted: isKilled })
      if (whole > 0) {
        expect(spool.recovery.truncatedBytes).toBe(end - kept)
        expect(rig.disk.bytes(path)?.length).toBe(kept)
        expect(spool.bytes.disk).toBe(kept + 2048 + SEGMENT_HEAD_BYTES)
      }
      // A process that closed its log cuts nothing, and has said where it ended.
      const lost = isKilled ? [] : [{ firstLsn: whole + 1, lastLsn: RECORDS }]
      expect(rig.losses, `cut at ${end}`).toMatchObject(lost)
      const next = rig.append(1)
      await rig.run(100)
      expect(lsns(await rig.readAll())).toEqual([...numbers(1, whole), next])
    }
  })

  test('a segment with any byte wrong has lost that record, says so, and the log goes on', async () => {
    for (let at = 0; at < SIZE; at++) {
      const { rig, path, bytes } = await small(isKilled)
      const spoilt = Buffer.from(bytes)
      spoilt[at] = (spoilt[at] as number) ^ 0x40
      rig.disk.put(path, spoilt)
      const lost = at < SEGMENT_HEAD_BYTES ? undefined : Math.floor((at - SEGMENT_HEAD_BYTES) / RECORD_BYTES) + 1
      await rig.start()
      const next = rig.append(1)
      await rig.run(100)
      const left = numbers(1, RECORDS).filter((lsn) => lsn !== lost)
      expect(lsns(await rig.readAll()), `byte ${at}`).toEqual([...left, next])
      // The length of the last record may be wrong so that it looks as if it had been cut while it was written.
      const isCut = isKilled && lost === RECORDS && rig.losses.length === 0
      if (isCut) expect(at).toBeLessThan(SIZE - RECORD_BYTES + 4)
      else
        expect(
          rig.losses.map(({ firstLsn }) => firstLsn),
          `byte ${at}`,
        ).toEqual(lost === undefined ? [] : [lost])
      if (lost === 1 || lost === 2) {
        await rig.run(100)
        expect(rig.disk.bytes(`${path}.bad`), `byte ${at}`).toEqual(spoilt)
      }
    }
  })
})

test('a file in the folder that is none of the log’s is left alone', async () => {
  const rig = new Rig()
  for (const name of ['0.log', '00000000000000x1.log', '0000000000000000.log', 'notes.txt', 'cursor-']) {
    rig.disk.put(`${FOLDER}/${name}`, Buffer.from('x'))
  }
  await rig.start()
  rig.append(2)
  await rig.run(100)
  expect(lsns(await rig.readAll())).toEqual([1, 2])
  expect(rig.disk.paths).toContain(`${FOLDER}/notes.txt`)
})

test('copies of spoilt segments are few', async () => {
  const rig = new Rig()
  await rig.start()
  for (let i = 0; i < 50; i++) {
    rig.append(6, 80)
    await rig.run(60)
  }
  await rig.stop()
  for (const path of rig.segmentPaths) {
    const bytes = Buffer.from(rig.disk.bytes(path) as Buffer)
    bytes.fill(0, 300, 310)
    rig.disk.put(path, bytes)
  }
  await rig.start()
  await rig.readAll()
  await rig.run(1_000)
  expect(rig.losses.length).toBeGreaterThan(5)
  expect(rig.disk.paths.filter((path) => path.endsWith('.bad'))).toHaveLength(4)
  expect(rig.disk.paths).toContain(lockPath(FOLDER))
})

describe('a log that had more, as others know', () => {
  const LAST = 90

  async function killed(): Promise<Rig> {
    const rig = new Rig()
    await rig.start()
    for (let i = 0; i < LAST / 6; i++) {
      rig.append(6, 80)
      await rig.run(60)
    }
    rig.spool.ack('nats', 10)
    await rig.run(1_500)
    rig.kill()
    return rig
  }

  test.each(['newest', 'every'])('tells what it has not any more: %s segment is gone', async (which) => {
    const rig = await killed()
    for (const path of rig.segmentPaths.slice(which === 'newest' ? -1 : 0)) rig.disk.drop(path)
    const spool = await rig.wait(openSpool({ ...rig.nextProcess(), provenLsn: LAST }))
    const { lastLsn, lastTimeUs, losses } = spool.recovery
    expect(lastLsn).toBe(which === 'newest' ? 60 : 0)
    const firstLsn = which === 'newest' ? 61 : 11
    expect(losses).toEqual([{ cause: 'missing', firstLsn, lastLsn: LAST, sinceUs: lastTimeUs, streams: [], sinks: [] }])
    expect(spool.lastLsn).toBeGreaterThan(LAST)
  })

  test('tells nothing if it has all of it, and is another one if its folder was emptied', async () => {
    for (const isEmptied of [false, true]) {
      const rig = await killed()
      if (isEmptied) for (const path of [...rig.disk.paths]) rig.disk.drop(path)
      const spool = await rig.wait(openSpool({ ...rig.nextProcess(), provenLsn: LAST }))
      expect(spool.recovery).toMatchObject({ losses: [], lastLsn: isEmptied ? 0 : LAST })
      if (isEmptied) expect(spool.lastLsn).toBe(0)
    }
  })

  test.each(['kill', 'stop'] as const)(
    'tells nothing of what everyone had from memory while the disk failed: %s',
    async (how) => {
      const rig = new Rig(1, { limits: { memoryBytes: 65_536 } })
      const first = await rig.start()
      rig.append(3)
      await rig.run(100)
      rig.disk.onOperation = (operation, path) => {
        if (operation === 'append' && path.endsWith('.log')) throw diskError('error')
      }
      for (let i = 0; i < 20; i++) {
        rig.append(30, 100)
        await rig.run(1_000)
        first.ack('nats', first.lastLsn)
      }
      const provenLsn = first.durableLsn
      expect(provenLsn).toBeGreaterThan(first.writtenLsn)
      await rig.run(1_500)
      await rig[how]()
      rig.disk.onOperation = () => {}
      const spool = await rig.wait(openSpool({ ...rig.nextProcess(), provenLsn }))
      expect(spool.recovery).toMatchObject({ losses: [], lastLsn: 3 })
      expect(spool.lastLsn).toBeGreaterThan(603)
    },
  )
})
