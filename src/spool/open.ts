/** Opens the log in a folder: the lock, what the last process left, the cursors. */

import { errorText, PrismError } from '../model/errors.ts'
import { Cursors } from './cursors.ts'
import { type Lock, takeLock } from './lock.ts'
import type { Loss } from './loss.ts'
import { newCounts, type SpoolOptions } from './options.ts'
import { recoverSegments } from './recovery.ts'
import { Spool } from './spool.ts'

/**
 * A process that did not end in order may have shown its sinks records that did not survive. Their numbers must not be
 * given to others: so many are left out.
 */
export const LEFT_OUT_LSNS = 10_000_000

/** Errors: PrismError SPOOL_LOCKED while another process has it open; CONFIG_INVALID when the folder cannot be used. */
export async function openSpool(options: SpoolOptions): Promise<Spool> {
  const { folder, files } = options
  let lock: Lock | undefined
  try {
    await files.makeFolder(folder)
    lock = await takeLock(options)
    return await openLocked(options, lock)
  } catch (error) {
    await lock?.release(false).catch(() => {})
    if (!(error instanceof Error) || !('code' in error) || error instanceof PrismError) throw error
    const text = `the log cannot use its folder ${folder}: ${errorText(error)}; correct it, or set spool.dir`
    throw new PrismError('CONFIG_INVALID', text, {}, { cause: error })
  }
}

async function openLocked(options: SpoolOptions, lock: Lock): Promise<Spool> {
  const { folder, files, sinks } = options
  const counts = newCounts()
  const cursors = new Cursors({ folder, files, sinks, onError: () => counts.ioErrors.cursor++ })
  const names = await files.list(folder)
  const { segments, lastLsn, spoiltFromLsn, notes, ...found } = await recoverSegments(folder, files, names)
  const cursorNotes = await cursors.load(segments[0]?.firstLsn ?? lastLsn + 1, lastLsn)
  const wasInterrupted = lock.wasLeft
  const isWhole = !wasInterrupted && cursors.furthestLsn <= lastLsn
  const startLsn = Math.max(lastLsn, cursors.furthestLsn) + 1 + (isWhole ? 0 : LEFT_OUT_LSNS)
  const losses: Loss[] = []
  if (spoiltFromLsn !== undefined) losses.push({ cause: 'corrupt', firstLsn: spoiltFromLsn, streams: [], sinks: [] })
  const recovery = {
    ...found,
    segments: segments.length,
    lastLsn,
    wasInterrupted,
    losses,
    notes: [...notes, ...cursorNotes],
  }
  const spool = new Spool({ options, lock, cursors, segments, counts, startLsn, recovery })
  await spool.open(names)
  return spool
}
