/** Takes spoilt places out of a log that no process uses. It cannot bring records back; what was there is kept as a copy. */

import type { Files } from '../platform/platform.ts'
import { cursorPath, lsnText } from './cursors.ts'
import { frameBytes, type LogRecord, streamOf, writeFrame } from './frame.ts'
import { inspectSpool, type SegmentReport, type SpoolReport } from './inspect.ts'
import { type LockParts, takeLock } from './lock.ts'
import { copyFile, quarantinePath } from './quarantine.ts'
import { SegmentReader, segmentHead } from './segment.ts'

/** One thing to do, in words; and how. */
interface Step {
  readonly text: string
  readonly act: () => Promise<void>
}

export interface Repaired {
  readonly report: SpoolReport
  /** What was done, or would be. */
  readonly steps: readonly string[]
}

/** Errors: PrismError SPOOL_LOCKED while a process uses the log; the system's. `isTrial`: only says what it would do. */
export async function repairSpool(parts: LockParts, isTrial: boolean): Promise<Repaired> {
  const { folder, files } = parts
  const lock = isTrial ? undefined : await takeLock(parts)
  let isDone = false
  try {
    const report = await inspectSpool(folder, files, undefined)
    const steps = planOf(report, files)
    if (!isTrial) for (const { act } of steps) await act()
    isDone = true
    return { report, steps: steps.map(({ text }) => text) }
  } finally {
    // A process that ended in the middle is still to be made up for by the next start.
    await lock?.release(isDone && !lock.wasLeft)
  }
}

function planOf(report: SpoolReport, files: Files): Step[] {
  const segments = report.segments.flatMap((segment) => segmentStep(segment, report.folder, files) ?? [])
  const cursors = report.cursors.flatMap(({ sink, lsn }): Step[] => {
    const path = cursorPath(report.folder, sink)
    if (lsn === undefined)
      return [
        { text: `cursor of ${sink}: spoilt, removed; it starts at the oldest record`, act: () => files.remove(path) },
      ]
    if (lsn <= report.lastLsn) return []
    const text = `cursor of ${sink}: was at ${lsn}, set to the end of the log, ${report.lastLsn}`
    return [{ text, act: () => files.replace(path, lsnText(report.lastLsn)) }]
  })
  return [...segments, ...cursors]
}

function segmentStep(segment: SegmentReport, folder: string, files: Files): Step | undefined {
  const { name, path, bytes, records, problems } = segment
  if (records === 0) {
    const text = `${name}: has no record, moved to ${quarantinePath(name)}`
    return { text, act: () => files.rename(path, quarantinePath(path)) }
  }
  const spoilt = problems.filter(({ kind }) => kind !== 'missing')
  if (spoilt.length === 0) return undefined
  const passed = spoilt.reduce((sum, problem) => sum + problem.bytes, 0)
  const text = `${name}: ${passed} of ${bytes} bytes taken out, ${records} records kept; as it was: ${quarantinePath(name)}`
  return { text, act: () => rewrite(segment, folder, files) }
}

/** A crash leaves the old or the new file, never a part. */
async function rewrite({ path, firstLsn, previousLsn }: SegmentReport, folder: string, files: Files): Promise<void> {
  const fresh = `${path}.new`
  if ((await files.size(quarantinePath(path))) === undefined) await copyFile(files, path, quarantinePath(path))
  if ((await files.size(fresh)) !== undefined) await files.remove(fresh)
  const file = await files.create(fresh)
  try {
    await file.append([segmentHead(previousLsn ?? firstLsn)])
    const reader = new SegmentReader(files, path, firstLsn)
    for (let items = await reader.next(); items !== undefined; items = await reader.next())
      await file.append(items.flatMap(({ record }) => (record === undefined ? [] : [frameOf(record)])))
    await file.sync()
  } finally {
    await file.close()
  }
  await files.rename(fresh, path)
  await files.syncFolder(folder)
}

function frameOf({ lsn, kind, stream, timeUs, body }: LogRecord): Buffer {
  const named = streamOf(stream)
  const bytes = Buffer.alloc(frameBytes(named, body.length))
  writeFrame(bytes, 0, lsn, kind, named, timeUs, body)
  return bytes
}
