/** The log on real files, in real processes. */

import { type ChildProcess, execFileSync, fork, spawn, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { systemFiles } from '../../src/platform/files.ts'
import { systemProcesses } from '../../src/platform/processes.ts'
import { systemPlatform } from '../../src/platform/system.ts'
import type { LogRecord } from '../../src/spool/frame.ts'
import type { Loss } from '../../src/spool/loss.ts'
import { openSpool } from '../../src/spool/open.ts'
import { SPOOL_LIMITS, type SpoolLimits } from '../../src/spool/options.ts'
import type { Spool } from '../../src/spool/spool.ts'
import { until } from '../helpers/service.ts'
import { numbers } from './rig.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const CHILD = fileURLToPath(new URL('child.mjs', import.meta.url))
const MAIN = join(ROOT, 'dist', 'main.js')
const KILLS = 12

const base = mkdtempSync(join(tmpdir(), 'spool-'))
let folder = ''
let folders = 0
const children: ChildProcess[] = []

beforeAll(() => {
  execFileSync(process.execPath, [join(ROOT, 'scripts', 'setup.mjs')], { stdio: 'ignore' })
}, 120_000)
afterAll(() => rmSync(base, { recursive: true }))
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL')
})

function nextFolder(): string {
  folder = join(base, String(++folders))
  return folder
}

function open(limits: Partial<SpoolLimits> = {}, losses: Loss[] = []): Promise<Spool> {
  const { files, clock, processes, random } = systemPlatform()
  return openSpool({
    folder,
    files,
    clock,
    processes,
    random,
    sinks: ['nats'],
    sync: 'interval',
    whenFull: 'evict',
    limits: { ...SPOOL_LIMITS, segmentBytes: 1_048_576, reserveBytes: 1_048_576, ...limits },
    onLoss: (loss) => void losses.push(loss),
  })
}

const segmentBytes = (): number =>
  readdirSync(folder)
    .filter((name) => name.endsWith('.log'))
    .reduce((sum, name) => sum + statSync(join(folder, name)).size, 0)

function holdUp(ms: number): void {
  const untilMs = performance.now() + ms
  while (performance.now() < untilMs);
}

async function readAll(spool: Spool, fromLsn: number): Promise<LogRecord[]> {
  const reader = spool.reader(fromLsn)
  const all: LogRecord[] = []
  for (;;) {
    const batch = await reader.read({ recordsMax: 1_000, bytesMax: 1_000_000 })
    if (batch.length === 0) return all
    all.push(...batch)
  }
}

describe('real files', () => {
  test('take records and give them back, over many segments and starts', async () => {
    nextFolder()
    let last = 0
    for (let start = 0; start < 3; start++) {
      const spool = await open()
      expect(spool.recovery).toMatchObject({ lastLsn: last, wasInterrupted: false, truncatedBytes: 0 })
      for (let i = 0; i < 10_000; i++) {
        last = spool.append(spool.stream('a'), 'event', 1, Buffer.from(`${last + 1}`.padEnd(300))) ?? 0
        if (i % 1_000 === 0) await spool.untilReadable(last)
      }
      await spool.close()
    }
    const spool = await open()
    const records = await readAll(spool, 1)
    expect(records.map(({ lsn }) => lsn)).toEqual(numbers(1, 30_000))
    expect(records.every(({ lsn, body }) => Number(body.toString()) === lsn)).toBe(true)
    expect(readdirSync(folder).filter((name) => name.endsWith('.log')).length).toBeGreaterThan(8)
    await spool.close()
  })

  test('do what their interface says', async () => {
    const place = join(nextFolder(), 'deep')
    expect(await systemFiles.list(place)).toEqual([])
    await systemFiles.makeFolder(place)
    const path = join(place, 'x')
    expect(await systemFiles.size(path)).toBeUndefined()
    const file = await systemFiles.create(path)
    await expect(systemFiles.create(path)).rejects.toMatchObject({ code: 'EEXIST' })
    // More parts than one system call takes.
    const parts = numbers(1, 3_000).map((number) => Buffer.from(`${number},`))
    await file.append(parts)
    await file.sync()
    await file.close()
    const whole = Buffer.concat(parts)
    expect(await systemFiles.size(path)).toBe(whole.length)
    expect(await systemFiles.readAt(path, 10, 20)).toEqual(whole.subarray(10, 30))
    expect(await systemFiles.readAt(path, whole.length - 3, 20)).toEqual(whole.subarray(-3))
    await expect(systemFiles.readAt(join(place, 'y'), 0, 1)).rejects.toMatchObject({ code: 'ENOENT' })
    await systemFiles.truncate(path, 7)
    await systemFiles.rename(path, join(place, 'z'))
    await systemFiles.syncFolder(place)
    expect(await systemFiles.list(place)).toEqual(['z'])
    expect(readFileSync(join(place, 'z'))).toEqual(whole.subarray(0, 7))
    await systemFiles.remove(join(place, 'z'))
    await expect(systemFiles.remove(join(place, 'z'))).rejects.toMatchObject({ code: 'ENOENT' })
    expect(await systemFiles.freeBytes(place)).toBeGreaterThan(0)
  })
})

describe('real processes', () => {
  test(`a process that is killed ${KILLS} times has lost nothing that it had called written`, async () => {
    nextFolder()
    const promised = new Set<number>()
    for (let kill = 0; kill < KILLS; kill++) {
      const child = fork(CHILD, [folder])
      children.push(child)
      let first = 0
      let written = 0
      await new Promise<void>((resolve) => {
        child.on('message', (message: { readonly first?: number; readonly written?: number }) => {
          first = message.first ?? first
          written = message.written ?? written
          // At another moment each time: after so many records.
          if (written > first + 1_000 + kill * 37 && !child.killed) child.kill('SIGKILL')
        })
        child.on('exit', () => resolve())
      })
      const spool = await open()
      const there = new Set(
        (await readAll(spool, 1)).map(({ lsn, body }) => (Number(body.toString().split(' ')[0]) === lsn ? lsn : -1)),
      )
      for (const lsn of numbers(first, written)) promised.add(lsn)
      expect([...promised].filter((lsn) => !there.has(lsn)).slice(0, 5)).toEqual([])
      expect(there).not.toContain(-1)
      expect(spool.recovery.wasInterrupted).toBe(true)
      await spool.close()
    }
    expect(promised.size).toBeGreaterThan(KILLS * 1_000)
  })

  test('of two on one folder the second is refused, also by the command line, which may look', async () => {
    nextFolder()
    const child = fork(CHILD, [folder])
    children.push(child)
    await new Promise((resolve) => child.once('message', resolve))
    await expect(open()).rejects.toMatchObject({
      code: 'SPOOL_LOCKED',
      message: expect.stringContaining(String(child.pid)),
    })
    const repair = spawnSync(process.execPath, [MAIN, 'spool', 'repair', '--dir', folder], { encoding: 'utf8' })
    expect(repair.status).toBe(73)
    expect(repair.stderr).toContain(`in use by process ${child.pid}`)
    const verify = spawnSync(process.execPath, [MAIN, 'spool', 'verify', '--dir', folder], { encoding: 'utf8' })
    expect(verify.stdout).toContain(`process ${child.pid} uses it`)
    expect(verify.status).toBe(0)
  })

  test('a number that another process has now does not stand for the dead one', () => {
    const { own, stateOf } = systemProcesses()
    expect(stateOf(own)).toBe('alive')
    expect(stateOf({ ...own, started: '1' })).toBe('dead')
    expect(stateOf({ ...own, boot: 'another' })).toBe('dead')
    expect(stateOf({ ...own, space: 'another' })).toBe('unknown')
    expect(stateOf({ ...own, pid: 2 ** 22 + 1 })).toBe('dead')
  })
})

test('what has come is written though the thread is held up right behind it', async () => {
  nextFolder()
  const spool = await open()
  await until('the first segment', () => segmentBytes() > 0, 5_000)
  const before = segmentBytes()
  spool.append(spool.stream('trade'), 'event', 1, Buffer.alloc(500))
  spool.append(spool.stream('trade'), 'event', 2, Buffer.alloc(500))
  await Promise.resolve()
  holdUp(200)
  expect(segmentBytes()).toBeGreaterThan(before + 1_000)
  await spool.close()
})

test('a process that was killed and that its parent has not noticed yet is dead', async () => {
  if (process.platform !== 'linux')
    return console.warn('Not tested: processes without a parent that waits; no /proc here')
  const fieldsOf = (pid: number) => readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
  // The shell becomes a program that never asks what became of its child.
  const parent = spawn('sh', ['-c', 'sleep 60 & echo $!; exec sleep 60'])
  children.push(parent)
  const pid = Number(
    await new Promise<string>((resolve) => parent.stdout.once('data', (data) => resolve(String(data)))),
  )
  // Until then the shell would take note of its child.
  await until('the program', () => readFileSync(`/proc/${parent.pid}/comm`, 'utf8') === 'sleep\n')
  const started = fieldsOf(pid)[19] ?? ''
  const { own, stateOf } = systemProcesses()
  expect(stateOf({ ...own, pid, started })).toBe('alive')
  process.kill(pid, 'SIGKILL')
  await until('the child to end', () => fieldsOf(pid)[0] === 'Z')
  expect(stateOf({ ...own, pid, started })).toBe('dead')
})

describe('a real full disk', () => {
  test('takes new records in the place of the oldest, and the log is sound behind it', async () => {
    nextFolder()
    mkdirSync(folder)
    const mount = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=8m', 'tmpfs', folder], { encoding: 'utf8' })
    if (mount.status !== 0)
      return console.warn(`Not tested on a real full disk: ${mount.stderr?.trim() || 'no mount here'}`)
    try {
      const losses: Loss[] = []
      const spool = await open({}, losses)
      let last = 0
      for (let i = 0; i < 300; i++) {
        for (let j = 0; j < 200; j++) last = spool.append(spool.stream('a'), 'event', 1, Buffer.alloc(300, 65)) ?? last
        await spool.untilReadable(last)
      }
      expect(spool.counts.refused).toBe(0)
      expect(losses.length).toBeGreaterThan(5)
      const end = losses.at(-1)?.lastLsn ?? 0
      expect(spool.counts.evicted).toBe(end)
      const records = await readAll(spool, end + 1)
      expect(records.map(({ lsn }) => lsn)).toEqual(numbers(end + 1, 60_000))
      // Somebody else takes what is left.
      const { bavail, bsize } = await import('node:fs').then(({ statfsSync }) => statfsSync(folder))
      writeFileSync(join(folder, 'other'), Buffer.alloc(bavail * bsize))
      for (let i = 0; i < 20; i++) {
        for (let j = 0; j < 200; j++) last = spool.append(spool.stream('a'), 'event', 1, Buffer.alloc(300, 65)) ?? last
        await spool.untilReadable(last)
      }
      expect(last).toBe(64_000)
      await spool.close()
      expect(spawnSync(process.execPath, [MAIN, 'spool', 'verify', '--dir', folder]).status).toBe(0)
    } finally {
      spawnSync('umount', [folder])
    }
  })
})
