/** The lake on real files: processes that are killed, and a disk that is really full. */

import { execFileSync, fork, spawnSync } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statfsSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parquetReadObjects } from 'hyparquet'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { seededRandom } from '../../../src/platform/random.ts'
import { CODEC } from '../../../src/sinks/lake/codec.ts'
import { inflate } from './inflate.ts'
import { batchOf, realLake, recordsOf, trade } from './rig.ts'

const ROOT = fileURLToPath(new URL('../../..', import.meta.url))
const CHILD = fileURLToPath(new URL('child.mjs', import.meta.url))
const KILLS = 15
const RECORDS = 300

const base = mkdtempSync(join(tmpdir(), 'lake-'))
beforeAll(() => {
  execFileSync(process.execPath, [join(ROOT, 'scripts', 'setup.mjs')], { stdio: 'ignore' })
}, 120_000)
afterAll(() => rmSync(base, { recursive: true }))

const parquetPaths = (dir: string): string[] =>
  readdirSync(dir, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.parquet'))
    .map((path) => join(dir, path))

async function ids(dir: string): Promise<number[]> {
  const all: number[] = []
  for (const path of parquetPaths(dir)) {
    const bytes = readFileSync(path)
    const file = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length)
    for (const { id } of await parquetReadObjects({ file, columns: ['id'], compressors: { [CODEC]: inflate } })) {
      all.push(Number(id))
    }
  }
  return all.sort((a, b) => a - b)
}

/** Runs a process from batch `next` on and kills it so long after its first batch was stored. The result is the next batch. */
function runAndKill(dir: string, next: number, afterMs: number): Promise<number> {
  return new Promise((resolve) => {
    const child = fork(CHILD, [dir, String(next)], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
    let stored = next - 1
    child.on('message', (message: { stored: number }) => {
      if (stored < next) setTimeout(() => child.kill('SIGKILL'), afterMs)
      stored = message.stored
    })
    // Everything it has said has been heard by then.
    child.on('disconnect', () => resolve(stored + 1))
  })
}

test(`${KILLS} processes that are killed while they write leave each row once, and nothing half written`, async () => {
  const dir = join(base, 'killed')
  const random = seededRandom(3)
  let next = 0
  let unfinished = 0
  for (let kill = 0; kill < KILLS; kill++) {
    next = await runAndKill(dir, next, random() * 60)
    unfinished += readdirSync(join(dir, '.unfinished')).length
  }
  expect(unfinished, 'some were killed in the middle').toBeGreaterThan(0)
  // What was stored beyond the last batch that was told is of the next one.
  const found = await ids(dir)
  expect(new Set(found).size).toBe(found.length)
  expect(found.filter((id) => id <= next * RECORDS)).toHaveLength(next * RECORDS)
  const { sink } = realLake({ dir }, 'log')
  await sink.open()
  expect(readdirSync(join(dir, '.unfinished'))).toEqual([])
}, 60_000)

test('a disk that is really full is told, leaves no part of a file, and takes the batch when there is room', async () => {
  const dir = join(base, 'small')
  mkdirSync(dir)
  const mount = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', dir], { encoding: 'utf8' })
  if (mount.status !== 0) {
    return console.warn(`Not tested on a real full disk: ${mount.stderr?.trim() || 'no mount here'}`)
  }
  try {
    const { sink } = realLake({ dir: join(dir, 'lake') })
    await sink.open()
    const { bavail, bsize } = statfsSync(dir)
    writeFileSync(join(dir, 'other'), Buffer.alloc((bavail - 3) * bsize))
    const random = seededRandom(1)
    const price = () => String(Math.floor(random() * 1e15))
    const batch = batchOf(recordsOf(Array.from({ length: 5000 }, (_, i) => trade(i, { price: price() }))))
    await expect(sink.write(batch)).rejects.toThrow('ENOSPC: no space left on device, write; the disk is full')
    expect(existsSync(join(dir, 'lake', 'type=trade'))).toBe(false)
    expect(readdirSync(join(dir, 'lake', '.unfinished'))).toEqual([])
    rmSync(join(dir, 'other'))
    await sink.close()
    await sink.open()
    await sink.write(batch)
    expect(sink.counts).toMatchObject({ files: 1, rows: 5000 })
    await sink.close()
  } finally {
    spawnSync('umount', [dir])
  }
})
