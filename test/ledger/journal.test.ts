/** The journal's files: what is in them whatever fails, and whatever is slow. */

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test, vi } from 'vitest'
import { Journal, type JournalOptions } from '../../src/ledger/journal.ts'
import { systemFiles } from '../../src/platform/files.ts'
import { createWorld, settle } from '../helpers/world.ts'
import { fakeClock } from '../ops/fake-clock.ts'

test('a folder that was removed is a problem, and is made again with all that must survive', async () => {
  const parent = mkdtempSync(join(tmpdir(), 'marketprism-journal-'))
  const folder = join(parent, 'ledger')
  const clock = fakeClock()
  const problems: (string | undefined)[] = []
  const kept = [{ gap: 1 }]
  const options: JournalOptions = {
    folder,
    files: systemFiles,
    clock,
    picture: () => kept,
    untilProven: () => Promise.resolve(),
    onProblem: (problem) => void problems.push(problem),
  }
  const journal = new Journal(options)
  await journal.open()
  rmSync(folder, { recursive: true })
  kept.push({ gap: 2 })
  journal.add({ gap: 2 })
  journal.flush()
  expect(problems).toEqual([expect.stringContaining('ENOENT')])
  clock.advance(5_000)
  await vi.waitFor(() => expect(problems).toEqual([expect.any(String), undefined]))
  journal.close()
  expect((await new Journal(options).load()).records).toEqual(kept)
  rmSync(parent, { recursive: true })
})

describe('a picture is under way when the disk fails', () => {
  /** A journal that has grown: the next record is followed by a picture. */
  async function grown() {
    const world = createWorld()
    const { append, replace } = world.files
    const disk = { isFull: false, bytes: 0, replace: (write: () => Promise<void>) => write() }
    const log = { isBehind: false, waiting: [] as (() => void)[] }
    const files = {
      ...world.files,
      append: (path: string) => {
        const file = append(path)
        return {
          append: (text: string) => {
            if (disk.isFull) throw new Error('ENOSPC: no space left')
            file.append(text)
          },
          sync: file.sync,
          close: file.close,
          get size() {
            return disk.bytes
          },
        }
      },
      replace: (path: string, text: string) => disk.replace(() => replace(path, text)),
    }
    const kept: { id: number }[] = []
    const problems: (string | undefined)[] = []
    const journal = new Journal({
      folder: 'ledger',
      files,
      clock: world.clock,
      picture: () => [...kept],
      untilProven: () => (log.isBehind ? new Promise((resolve) => void log.waiting.push(resolve)) : Promise.resolve()),
      onProblem: (problem) => void problems.push(problem),
    })
    const add = () => {
      kept.push({ id: kept.length })
      journal.add(kept.at(-1) as object)
      journal.flush()
    }
    const lost = async () => {
      const { records } = await journal.load()
      const found = (records as { id: number }[]).map(({ id }) => id)
      return kept.map(({ id }) => id).filter((id) => !found.includes(id))
    }
    await journal.open()
    disk.bytes = 9 * 1024 * 1024
    return { world, disk, log, add, lost, problems }
  }

  test('the next one takes over and has all, though both have waited for the log', async () => {
    const { world, disk, log, add, lost } = await grown()
    log.isBehind = true
    add()
    disk.isFull = true
    add()
    await world.clock.advance(5_000)
    expect(log.waiting).toHaveLength(2)
    disk.isFull = false
    for (const resolve of log.waiting) {
      resolve()
      add()
      await settle()
      add()
    }
    expect(await lost()).toEqual([])
  })

  test('it does not take over: it lacks what the disk has refused', async () => {
    const { world, disk, log, add, lost, problems } = await grown()
    log.isBehind = true
    add()
    disk.isFull = true
    add()
    disk.isFull = false
    log.isBehind = false
    log.waiting[0]?.()
    await settle()
    expect(problems).toEqual([expect.stringContaining('ENOSPC')])
    await world.clock.advance(5_000)
    expect(problems.at(-1)).toBeUndefined()
    expect(await lost()).toEqual([])
  })

  test('one that is slow does not come behind the next one', async () => {
    const { world, disk, add, lost } = await grown()
    let goOn = () => {}
    disk.replace = (write) => new Promise<void>((resolve) => (goOn = resolve)).then(write)
    add()
    await settle()
    disk.isFull = true
    add()
    disk.isFull = false
    disk.replace = (write) => write()
    await world.clock.advance(5_000)
    add()
    goOn()
    await settle()
    add()
    expect(await lost()).toEqual([])
  })
})
