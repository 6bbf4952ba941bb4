/** What a store refused for good can be read from the dead-letter file, whatever the disk did before. */

import { expect, test } from 'vitest'
import { seededRandom } from '../../src/platform/random.ts'
import { virtualClock } from '../../src/sim/virtual/clock.ts'
import { VirtualDisk } from '../../src/sim/virtual/disk.ts'
import { Scope, VirtualLoop } from '../../src/sim/virtual/loop.ts'
import { DeadLetters } from '../../src/sinks/dead-letters.ts'
import type { LogRecord } from '../../src/spool/frame.ts'

const FOLDER = '/data/dead-letter'
const PATH = `${FOLDER}/store.jsonl`

const recordOf = (lsn: number): LogRecord => {
  const body = Buffer.from(JSON.stringify({ id: String(lsn) }))
  return { lsn, kind: 'event', stream: 'trade okx okx spot X', timeUs: 1, bodyBytes: body.length, body }
}

function machine() {
  const loop = new VirtualLoop()
  const disk = new VirtualDisk(loop, seededRandom(1))
  const scope = new Scope()
  const letters = () =>
    new DeadLetters({ folder: FOLDER, sink: 'store', files: disk.files(scope), clock: virtualClock(loop, scope) })
  /** The outcome, once time has passed. */
  const outcome = async (added: Promise<void>): Promise<string> => {
    const settled = added.then(
      () => 'added',
      (error: Error) => error.message,
    )
    await loop.run(loop.nowMs + 100)
    return settled
  }
  const lsns = (): number[] =>
    (disk.text(PATH) ?? '')
      .split('\n')
      .filter((line) => line.endsWith('}'))
      .map((line) => JSON.parse(line).lsn)
  return { disk, letters, outcome, lsns }
}

test('a line that a full disk has cut takes none with it', async () => {
  const { disk, letters, outcome, lsns } = machine()
  const file = letters()
  expect(await outcome(file.add(recordOf(1), 'poison'))).toBe('added')
  disk.capacityBytes = disk.usedBytes + 20
  expect(await outcome(file.add(recordOf(2), 'poison'))).toContain('ENOSPC')
  disk.capacityBytes = Number.POSITIVE_INFINITY
  expect(await outcome(file.add(recordOf(2), 'poison'))).toBe('added')
  expect(await outcome(letters().add(recordOf(3), 'poison'))).toBe('added')
  expect(lsns()).toEqual([1, 2, 3])
  expect(disk.text(PATH)).not.toContain('\n\n')
})

test('the name of a new file is on disk before a record counts as kept', async () => {
  const { disk, letters, outcome } = machine()
  const synced: string[] = []
  disk.onOperation = (operation, path) => {
    if (operation === 'syncFolder') synced.push(path)
  }
  expect(await outcome(letters().add(recordOf(1), 'poison'))).toBe('added')
  expect(synced).toEqual([FOLDER, '/data'])
})

test('records that are refused together are all kept', async () => {
  const { letters, outcome, lsns } = machine()
  const file = letters()
  const added = Promise.all([1, 2, 3].map((lsn) => file.add(recordOf(lsn), 'poison')))
  expect(await outcome(added.then(() => {}))).toBe('added')
  expect(lsns()).toEqual([1, 2, 3])
})
