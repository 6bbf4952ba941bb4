/** The journal on the machine's own file system. */

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test, vi } from 'vitest'
import { Journal, type JournalOptions } from '../../src/ledger/journal.ts'
import { systemFiles } from '../../src/platform/files.ts'
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
