/** Opens the log in a folder: the lock, what the last process left, the cursors. */

import { join } from 'node:path'
import { errorText, PrismError } from '../model/errors.ts'
import type { EpochUs } from '../model/event.ts'
import { hasCode } from '../platform/system-error.ts'
import { Cursors, lsnText, parseLsn } from './cursors.ts'
import { END_NAME, readEnd } from './end.ts'
import { isStaleLock, type Lock, takeLock } from './lock.ts'
import type { Loss } from './loss.ts'
import { newCounts, type SpoolOptions } from './options.ts'
import { recoverSegments } from './recovery.ts'
import { RESERVE_NAME } from './reserve.ts'
import { parseSegmentName } from './segment.ts'
import { Spool } from './spool.ts'
import { readableFiles } from './unreadable.ts'

/**
 * A process that did not end in order may have shown its sinks records that did not survive. Their numbers must not be
 * given to others: so many are left out, or one for each microsecond since the last one that is known if these are more,
 * because no process gives them faster. A wrong clock must not use them up: there are 900 times the most of them.
 */
export const LEFT_OUT_LSNS = 10_000_000
const LEFT_OUT_LSNS_MAX = 1e13

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
    return await openLocked({ ...options, files: readableFiles(files, options.clock) }, lock)
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
  const { segments, lastLsn, tornLsn, wasWhole, notes, ...found } = await recoverSegments(options, names)
  // The folder has been synced, and with it the lock that says from now on what these have said.
  for (const name of names) if (isStaleLock(name)) await files.remove(join(folder, name))
  const cursorNotes = await cursors.load(segments[0]?.firstLsn ?? lastLsn + 1, lastLsn)
  const wasInterrupted = lock.wasLeft
  const endLsn = wasInterrupted ? undefined : await readEnd(folder, files)
  // In an emptied folder it is another log.
  const saidLsn = Math.max(endLsn ?? 0, (names.includes(ID_NAME) ? options.provenLsn : undefined) ?? 0)
  const knownLsn = Math.max(lastLsn, saidLsn, cursors.furthestLsn)
  const isNew = names.every((name) => name !== END_NAME && parseSegmentName(name) === undefined)
  const isWhole =
    !wasInterrupted && (endLsn !== undefined || isNew) && cursors.furthestLsn <= Math.max(lastLsn, saidLsn)
  const startLsn = await chooseStart(options, { lsn: knownLsn + 1, timeUs: found.lastTimeUs }, isWhole)
  // A write that was cut with its process was never called written; a log that was closed ends where it said.
  const isTorn = tornLsn !== undefined && (wasWhole || !wasInterrupted)
  const firstLsn = (isTorn ? lastLsn : Math.max(lastLsn, cursors.knownLsn)) + 1
  const losses: Loss[] = []
  if (isTorn || saidLsn >= firstLsn)
    losses.push({
      cause: isTorn ? 'corrupt' : 'missing',
      firstLsn,
      lastLsn: isTorn ? endLsn : saidLsn,
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
  await spool.open(await files.list(folder))
  return spool
}

/** A number that no process had given at this time. */
interface Unused {
  readonly lsn: number
  /** `undefined`: not known. */
  readonly timeUs: EpochUs | undefined
}

/** A number that was never given, also if nothing is left of the last processes: each says where and when it starts. */
async function chooseStart({ folder, files, clock }: SpoolOptions, next: Unused, isWhole: boolean): Promise<number> {
  const path = join(folder, START_NAME)
  const text = await files.read(path)
  const last = parseStart(text)
  const nowUs = clock.nowUs()
  const leftOut = (sinceUs = nowUs): number => {
    // Nobody knows what was left out before.
    if (text !== undefined && last.lsn === 0) return LEFT_OUT_LSNS_MAX
    return isWhole ? 0 : Math.min(LEFT_OUT_LSNS_MAX, Math.max(LEFT_OUT_LSNS, nowUs - sinceUs))
  }
  const startLsn = Math.max(...[next, last].map(({ lsn, timeUs }) => lsn + leftOut(timeUs)))
  // Without room for it a number may be given twice after the next power failure; not starting would be worse.
  await files.replace(path, `${lsnText(startLsn)}${lsnText(nowUs)}`).catch(() => {})
  return startLsn
}

/** Older versions wrote no time. */
function parseStart(text = ''): Unused {
  const [lsn = '', time = ''] = text.split(/(?<=\n)/)
  return { lsn: parseLsn(lsn) ?? 0, timeUs: parseLsn(time) }
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
