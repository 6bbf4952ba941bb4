/** The process is killed, or the power fails, before each single operation of the disk. */

import { describe, expect, test } from 'vitest'
import { parseLsn } from '../../src/spool/cursors.ts'
import type { SyncPolicy } from '../../src/spool/options.ts'
import { parseSegmentName } from '../../src/spool/segment.ts'
import { FOLDER, Rig } from './rig.ts'

const QUOTA = 24 * 1024

class Crash {
  readonly rig: Rig
  readonly #at: number
  operations = 0
  /** What must not be, of each operation. An error thrown there would count as one of the disk. */
  readonly violations: string[] = []
  ackedLsn = 0
  /** Gap records by number; those of losses by the last record that was lost. */
  readonly gaps = new Map<number, string>()
  readonly gapsOfLosses = new Map<number, string>()
  /** What the log promised when it ended. */
  written = 0
  durable = 0

  constructor(at: number, sync: SyncPolicy, isDiskFull: boolean) {
    this.rig = new Rig(at, { sync, limits: { keepMs: 200, ...(!isDiskFull && { quotaBytes: QUOTA }) } })
    if (isDiskFull) this.rig.disk.capacityBytes = QUOTA
    this.#at = at
    this.rig.onLoss = ({ lastLsn = 0 }) => {
      if (this.rig.isRunning) this.gapsOfLosses.set(lastLsn, this.#appendGap())
    }
    this.rig.disk.onOperation = (operation, path) => {
      this.#checkOrder(operation, path)
      if (++this.operations !== this.#at) return
      if (this.rig.isRunning) {
        this.written = this.rig.spool.writtenLsn
        this.durable = this.rig.spool.durableLsn
      }
      this.rig.kill()
    }
  }

  get isOver(): boolean {
    return this.operations >= this.#at
  }

  /** Segments are begun, given up, removed; a sink follows, then falls behind. */
  async play(): Promise<void> {
    const { rig } = this
    await rig.start().catch(() => {})
    for (let step = 0; step < 24 && !this.isOver; step++) {
      rig.append(9, 150, `stream ${step % 3}`)
      if (step % 8 === 3) this.#appendGap()
      if (step < 8) this.#ack(rig.spool.writtenLsn)
      await rig.run(step % 6 === 5 ? 1_100 : 30)
    }
    if (this.isOver) return
    this.written = rig.spool.lastLsn
    this.durable = rig.spool.lastLsn
    await rig.stop().catch(() => {})
  }

  #appendGap(): string {
    const lsn = this.rig.append(1, 20, 'stream 0', 'gap') ?? 0
    const body = this.rig.appended.get(lsn) ?? ''
    this.gaps.set(lsn, body)
    return body
  }

  #ack(lsn: number): void {
    this.rig.spool.ack('nats', lsn)
    this.ackedLsn = lsn
  }

  /** A cursor on disk never points into a segment that is removed, and the quota holds. */
  #checkOrder(operation: string, path: string): void {
    const { disk } = this.rig
    if (operation === 'append' && disk.usedBytes > QUOTA + 4096) this.violations.push(`${disk.usedBytes} bytes`)
    const name = parseSegmentName(path.slice(FOLDER.length + 1))
    if (operation !== 'remove' || name === undefined || (disk.bytes(path)?.length ?? 0) <= 20) return
    const next = this.rig.segmentPaths[this.rig.segmentPaths.indexOf(path) + 1]
    const end = parseSegmentName(next?.slice(FOLDER.length + 1) ?? '')?.firstLsn ?? 0
    const stored = parseLsn(disk.text(`${FOLDER}/cursor-nats`) ?? '') ?? 0
    if (stored < end - 1) this.violations.push(`${path} is removed, the cursor stands at ${stored}`)
  }
}

/** The next process: it opens the log, has what was promised, and goes on. */
async function checkNext(crash: Crash, promised: number): Promise<void> {
  const { rig, ackedLsn, operations, violations, gaps, gapsOfLosses } = crash
  expect(violations).toEqual([])
  rig.disk.onOperation = () => {}
  const told = [...rig.losses]
  const spool = await rig.start()
  const there = new Set((await rig.readAll(spool.oldestLsn)).map(({ lsn }) => lsn))
  const evicted = told.filter(({ cause }) => cause === 'evicted')
  for (const lsn of rig.appended.keys()) {
    if (lsn > promised || lsn <= ackedLsn) continue
    if (evicted.some(({ firstLsn = 0, lastLsn = 0 }) => firstLsn <= lsn && lsn <= lastLsn)) continue
    expect(there, `operation ${operations}: record ${lsn}`).toContain(lsn)
  }
  const cursorLsn = spool.cursor('nats')
  const records = await rig.readAll(Math.max(cursorLsn + 1, spool.oldestLsn))
  const gapsBehind = records.flatMap(({ kind, body }) => (kind === 'gap' ? body.toString() : []))
  for (const [lsn, body] of gaps)
    if (lsn <= promised && lsn > ackedLsn)
      expect(gapsBehind, `operation ${operations}: gap record ${lsn}`).toContain(body)
  for (const [lastLsn, body] of gapsOfLosses)
    if (cursorLsn >= lastLsn) expect(gapsBehind, `operation ${operations}: gap of ${lastLsn}`).toContain(body)
  const behind = await rig.wait(spool.reader(spool.cursor('nats') + 1).read({ recordsMax: 1, bytesMax: 1 }))
  expect(rig.losses.length, `operation ${operations} leaves a false loss`).toBe(told.length)
  expect(behind.length === 0 || spool.cursor('nats') < (behind[0]?.lsn ?? 0)).toBe(true)
  rig.append(1)
  await rig.run(100)
  expect(spool.durableLsn).toBe(spool.lastLsn)
}

async function operationsOf(sync: SyncPolicy, isDiskFull: boolean): Promise<number> {
  const crash = new Crash(Number.POSITIVE_INFINITY, sync, isDiskFull)
  await crash.play()
  expect(crash.rig.losses.some(({ cause }) => cause === 'evicted')).toBe(true)
  return crash.operations
}

describe.each<[SyncPolicy, what: string]>([
  ['always', 'quota'],
  ['interval', 'quota'],
  ['interval', 'disk'],
])('with the policy %s and a full %s', (sync, what) => {
  const isDiskFull = what === 'disk'

  test('a kill before any operation loses nothing that was written, and the next process goes on', async () => {
    const operations = await operationsOf(sync, isDiskFull)
    expect(operations).toBeGreaterThan(100)
    for (let at = 1; at <= operations; at++) {
      const crash = new Crash(at, sync, isDiskFull)
      await crash.play()
      crash.rig.kill()
      await checkNext(crash, crash.written)
    }
  })

  test('a power failure before any operation loses nothing that was durable, and the next process goes on', async () => {
    const operations = await operationsOf(sync, isDiskFull)
    for (let at = 1; at <= operations; at++) {
      const crash = new Crash(at, sync, isDiskFull)
      await crash.play()
      crash.rig.losePower()
      await checkNext(crash, crash.durable)
    }
  })
})
