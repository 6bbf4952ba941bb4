/** Opens the log in a folder: the lock, what the last process left, the cursors. */

import { join } from 'node:path'
import { errorText, PrismError } from '../model/errors.ts'
import { hasCode } from '../platform/system-error.ts'
import { Cursors, lsnText, parseLsn } from './cursors.ts'
import { isStaleLock, type Lock, takeLock } from './lock.ts'
import type { Loss } from './loss.ts'
import { newCounts, type SpoolOptions } from './options.ts'
import { recoverSegments } from './recovery.ts'
import { RESERVE_NAME } from './reserve.ts'
import { endPath, Spool } from './spool.ts'

/**
 * A process that did not end in order may have shown its sinks records that did not survive. Their numbers must not be
 * given to others: so many are left out.
 */
export const LEFT_OUT_LSNS = 10_000_000

const START_NAME = 'start'
const ID_NAME = 'id'
/** What a process that was killed while it replaced a file has left beside it. */
const LEFTOVER = /^(cursor-.+|start|end|id)\.\d+\.tmp$|\.log\.new$/

/** Errors: PrismError SPOOL_LOCKED while another process has it open; CONFIG_INVALID when the folder cannot be used. */
export async function openSpool(options: SpoolOptions): Promise<Spool> {
  const { folder, files } = options
  let lock: Lock | undefined
  try {
    await files.makeFolder(folder)
    lock = await takeLock(options).catch((error: unknown) => takeLockWithReserve(options, error))
    return await openLocked(options, lock)
  } catch (error) {
    await lock?.release(false).catch(() => {})
    if (!(error instanceof Error) || !('code' in error) || error instanceof PrismError) throw error
    const text = `the log cannot use its folder ${folder}: ${errorText(error)}; correct it, or set spool.dir`
    throw new PrismError('CONFIG_INVALID', text, {}, { cause: error })
  }
}

/** On a full disk even a lock needs room that must be made. */
async function takeLockWithReserve(options: SpoolOptions, error: unknown): Promise<Lock> {
  if (!hasCode(error, 'ENOSPC', 'EDQUOT')) throw error
  await options.files.remove(join(options.folder, RESERVE_NAME)).catch(() => Promise.reject(error))
  return takeLock(options)
}

async function openLocked(options: SpoolOptions, lock: Lock): Promise<Spool> {
  const { folder, files, sinks } = options
  const counts = newCounts()
  const cursors = new Cursors({ folder, files, sinks, onError: () => counts.ioErrors.cursor++ })
  const names = await files.list(folder)
  for (const name of names) if (LEFTOVER.test(name)) await files.remove(join(folder, name))
  const { segments, lastLsn, tornLsn, wasWhole, notes, ...found } = await recoverSegments(folder, files, names)
  // The folder has been synced, and with it the lock that says from now on what these have said.
  for (const name of names) if (isStaleLock(name)) await files.remove(join(folder, name))
  const cursorNotes = await cursors.load(segments[0]?.firstLsn ?? lastLsn + 1, lastLsn)
  const wasInterrupted = lock.wasLeft
  const endLsn = wasInterrupted ? undefined : parseLsn((await files.read(endPath(folder))) ?? '')
  const knownLsn = Math.max(lastLsn, endLsn ?? 0, cursors.furthestLsn)
  const isWhole = !wasInterrupted && cursors.furthestLsn <= Math.max(lastLsn, endLsn ?? 0)
  const startLsn = await chooseStart(options, knownLsn, isWhole)
  // A write that was cut with its process was never called written; a log that was closed ends where it said.
  const isTorn = tornLsn !== undefined && (wasWhole || !wasInterrupted)
  const firstLsn = (isTorn ? lastLsn : Math.max(lastLsn, cursors.knownLsn)) + 1
  const losses: Loss[] = []
  if (isTorn || (endLsn ?? 0) >= firstLsn)
    losses.push({
      cause: isTorn ? 'corrupt' : 'missing',
      firstLsn,
      lastLsn: endLsn,
      sinceUs: found.lastTimeUs,
      streams: [],
      sinks: [],
    })
  const recovery = {
    ...found,
    segments: segments.length,
    lastLsn,
    wasInterrupted,
    losses,
    notes: [...notes, ...cursorNotes],
  }
  const id = await ownId(options)
  const spool = new Spool({ options, lock, cursors, segments, id, counts, startLsn, recovery })
  await spool.open(names)
  return spool
}

/** A number that was never given, also if nothing is left of the last processes: each that leaves some out says so. */
async function chooseStart({ folder, files }: SpoolOptions, lastLsn: number, isWhole: boolean): Promise<number> {
  const path = join(folder, START_NAME)
  const startLsn = Math.max(lastLsn + 1, parseLsn((await files.read(path)) ?? '') ?? 0)
  if (isWhole) return startLsn
  // Without room for it a number may be given twice after the next power failure; not starting would be worse.
  await files.replace(path, lsnText(startLsn + LEFT_OUT_LSNS)).catch(() => {})
  return startLsn + LEFT_OUT_LSNS
}

/** The log's name: given when its folder is new. */
async function ownId({ folder, files, random }: SpoolOptions): Promise<string> {
  const path = join(folder, ID_NAME)
  const known = /^([0-9a-f]{16})\n$/.exec((await files.read(path)) ?? '')?.[1]
  if (known !== undefined) return known
  const half = () =>
    Math.floor(random() * 2 ** 32)
      .toString(16)
      .padStart(8, '0')
  const id = half() + half()
  // Without room for it the sinks take the next process for another log: what they hold they cannot tell then.
  await files.replace(path, `${id}\n`).catch(() => {})
  return id
}
