import { describe, expect, test } from 'vitest'
import { isSound, repairText, reportText } from '../../src/cli/spool-text.ts'
import { Scope } from '../../src/sim/virtual/loop.ts'
import { inspectSpool, readRecords } from '../../src/spool/inspect.ts'
import { repairSpool } from '../../src/spool/repair.ts'
import { FOLDER, numbers, Rig } from './rig.ts'

const SCREEN = { width: undefined, hasColour: false }

/** Three sinks' worth of a log with several segments, closed in order. */
async function closed(): Promise<Rig> {
  const rig = new Rig()
  await rig.start()
  for (let i = 0; i < 16; i++) {
    rig.append(6, 80, `stream ${i % 2}`, i === 3 ? 'gap' : 'event')
    await rig.run(60)
  }
  rig.spool.ack('nats', 50)
  await rig.stop()
  return rig
}

const inspect = (rig: Rig) => rig.wait(inspectSpool(FOLDER, rig.nextProcess().files, undefined))

async function dump(rig: Rig, from: number, to: number): Promise<number[]> {
  const lsns: number[] = []
  const all = async () => {
    for await (const records of readRecords(FOLDER, rig.nextProcess().files, from, to))
      for (const record of records) {
        rig.check(record)
        lsns.push(record.lsn)
      }
  }
  await rig.wait(all())
  return lsns
}

function spoil(rig: Rig, index: number, at: number): string {
  const path = rig.segmentPaths[index] as string
  const bytes = Buffer.from(rig.disk.bytes(path) as Buffer)
  bytes.fill(0x55, at, at + 10)
  rig.disk.put(path, bytes)
  return path
}

describe('verify', () => {
  test('says of a sound log what it holds', async () => {
    const rig = await closed()
    const report = await inspect(rig)
    expect(isSound(report)).toBe(true)
    expect(report.segments.map(({ records }) => records).reduce((a, b) => a + b)).toBe(96)
    expect(report.segments.map(({ gaps }) => gaps).reduce((a, b) => a + b)).toBe(6)
    expect(report).toMatchObject({ lastLsn: 96, cursors: [{ sink: 'nats', lsn: 50 }], missing: [], quarantined: [] })
    const text = reportText(report, SCREEN)
    expect(text).toContain('96 records')
    expect(text).toContain('All of them are sound.')
    expect(text).toMatch(/nats +50 +46\n/)
  })

  test('is not content with a spoilt record, a file that is gone, a spoilt cursor', async () => {
    const rig = await closed()
    const path = spoil(rig, 0, 500)
    rig.disk.drop(rig.segmentPaths[2] as string)
    rig.disk.put(`${FOLDER}/cursor-nats`, Buffer.from('x'))
    const report = await inspect(rig)
    expect(isSound(report)).toBe(false)
    const text = reportText(report, SCREEN)
    expect(text).toMatch(
      new RegExp(`${path.slice(FOLDER.length + 1)} at byte \\d+: spoilt, \\d+ bytes passed over; record \\d+ is lost`),
    )
    expect(text).toMatch(/between segments: records \d+ to \d+ are lost/)
    expect(text).toContain('cursor of nats: spoilt')
  })

  test('takes the end of what is being written for what it is', async () => {
    const rig = new Rig()
    await rig.start()
    rig.append(3)
    await rig.run(60)
    const path = rig.segmentPaths[0] as string
    const bytes = rig.disk.bytes(path) as Buffer
    rig.disk.put(path, bytes.subarray(0, bytes.length - 4))
    const { processes, files } = rig.options()
    expect(isSound(await rig.wait(inspectSpool(FOLDER, files, processes.own)))).toBe(true)
    expect(isSound(await inspect(rig))).toBe(false)
  })

  test('knows that there is none', async () => {
    expect(reportText(await inspect(new Rig()), SCREEN)).toBe(`There is no log in ${FOLDER}.\n`)
  })
})

describe('dump', () => {
  test('yields the records that are asked for, once and in order, spoilt or not', async () => {
    const rig = await closed()
    expect(await dump(rig, 1, 1_000)).toEqual(numbers(1, 96))
    expect(await dump(rig, 40, 70)).toEqual(numbers(40, 70))
    expect(await dump(rig, 97, 1_000)).toEqual([])
    spoil(rig, 0, 500)
    const left = await dump(rig, 1, 96)
    expect(left).toHaveLength(95)
  })

  test('yields records once that were written twice, because a disk has failed', async () => {
    const rig = new Rig()
    await rig.start()
    rig.append(5)
    await rig.run(10)
    rig.disk.faults.add('sync')
    await rig.run(60)
    rig.disk.faults.clear()
    rig.append(5)
    await rig.run(40_000)
    expect(rig.segmentPaths.length).toBeGreaterThan(1)
    expect(await dump(rig, 1, 100)).toEqual(numbers(1, 10))
    expect(await dump(rig, 7, 100)).toEqual(numbers(7, 10))
    expect(isSound(await inspect(rig))).toBe(true)
  })
})

describe('repair', () => {
  test('has nothing to do with a sound log', async () => {
    const rig = await closed()
    const repaired = await rig.wait(repairSpool(rig.nextProcess(), false))
    expect(repairText(repaired, false)).toContain('nothing to repair')
    expect(rig.disk.paths).not.toContain(`${FOLDER}/lock`)
  })

  test('says what it would do, then does it, keeps what was there, and leaves a log that goes on', async () => {
    const rig = await closed()
    const path = spoil(rig, 1, 500)
    const before = rig.disk.bytes(path)
    const torn = rig.segmentPaths.at(-1) as string
    rig.disk.put(torn, Buffer.concat([rig.disk.bytes(torn) as Buffer, Buffer.from('half a rec')]))
    rig.disk.put(`${FOLDER}/cursor-nats`, Buffer.from('x'))
    rig.disk.put(`${FOLDER}/0000000000000500.log`, Buffer.alloc(300, 7))
    const trial = await rig.wait(repairSpool(rig.nextProcess(), true))
    expect(trial.steps).toHaveLength(4)
    expect(rig.disk.bytes(path)).toEqual(before)
    const { steps } = await rig.wait(repairSpool(rig.nextProcess(), false))
    expect(steps).toEqual(trial.steps)
    expect(rig.disk.bytes(`${path}.bad`)).toEqual(before)
    const report = await inspect(rig)
    const problems = report.segments.flatMap((segment) => segment.problems)
    expect(problems.map(({ kind }) => kind)).toEqual(['missing'])
    expect(await dump(rig, 1, 96)).toHaveLength(95)
    await rig.start()
    rig.append(1)
    await rig.run(100)
    expect(await rig.readAll()).toHaveLength(96)
    expect(rig.losses).toMatchObject([
      { cause: 'missing', firstLsn: problems[0]?.firstLsn, lastLsn: problems[0]?.lastLsn },
    ])
  })

  test('that is cut off at any operation has lost nothing, and can be done again', async () => {
    for (let at = 1; at < 40; at++) {
      const rig = await closed()
      spoil(rig, 1, 500)
      let count = 0
      rig.disk.onOperation = () => {
        if (++count === at) scope.isAlive = false
      }
      const scope = new Scope()
      void repairSpool(rig.options(scope), false).catch(() => {})
      await rig.run(200)
      if (scope.isAlive) break
      rig.losePower()
      rig.disk.onOperation = () => {}
      await rig.start()
      expect(await rig.readAll(), `operation ${at}`).toHaveLength(95)
      await rig.stop()
      await rig.wait(repairSpool(rig.nextProcess(), false))
      expect(await dump(rig, 1, 96)).toHaveLength(95)
    }
  })

  test('leaves a log alone that a process uses', async () => {
    const rig = new Rig()
    await rig.start()
    await expect(rig.wait(repairSpool(rig.nextProcess(), false))).rejects.toMatchObject({ code: 'SPOOL_LOCKED' })
  })
})
