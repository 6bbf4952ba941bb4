/** One process at a time in a log's folder: a file that only one can create, with the name of who did. */

import { join } from 'node:path'
import { PrismError } from '../model/errors.ts'
import { sleep } from '../platform/clock.ts'
import type { Clock, DataFile, Files, Processes, ProcessName } from '../platform/platform.ts'
import { hasCode } from '../platform/system-error.ts'

/** The holder makes the file longer so often: that can be seen from other containers too. */
const BEAT_MS = 5_000
/** Who cannot see the holder looks so long whether the file grows. */
const WATCH_MS = 12_000
/** Between the creation of the file and its first line nobody knows whose it is. */
const UNNAMED_MS = 500
/** Others may want the lock of a dead process at the same time. */
const TRIES_MAX = 5

export interface LockParts {
  readonly folder: string
  readonly files: Files
  readonly clock: Clock
  readonly processes: Processes
}

export interface Lock {
  /** It was left behind by a process that did not end in order. */
  readonly wasLeft: boolean
  /** `isClean`: everything was done; else the next process must not think so, and finds the lock as of a dead one. */
  release(isClean: boolean): Promise<void>
}

export const lockPath = (folder: string): string => join(folder, 'lock')

/** The lock of a dead process, moved away. It goes when its finder has a lock of its own, which says the same from then on. */
export const isStaleLock = (name: string): boolean => /^lock\.\d+$/.test(name)

/** Errors: PrismError SPOOL_LOCKED while another process holds it; the system's error if the folder takes no file. */
export async function takeLock(parts: LockParts): Promise<Lock> {
  const { folder, files, clock } = parts
  const path = lockPath(folder)
  for (let tries = 0; tries < TRIES_MAX; tries++) {
    const file = await create(parts)
    if (file !== undefined) {
      const wasLeft = (await files.list(folder)).some(isStaleLock)
      const stopBeat = clock.every(BEAT_MS, () => void file.append([Buffer.from('.')]).catch(() => {}))
      return { wasLeft, release: (isClean) => release(path, files, file, stopBeat, isClean) }
    }
    const holder = await findHolder(parts)
    if (holder !== undefined) throw locked(folder, holder)
    await moveStale(parts)
  }
  throw locked(folder, undefined)
}

/** Who holds the lock; `undefined`: nobody who lives. Takes a while when the holder cannot be seen from here. */
export async function findHolder({ folder, files, clock, processes }: LockParts): Promise<ProcessName | undefined> {
  const path = lockPath(folder)
  let text = await files.read(path)
  if (text === undefined) return undefined
  if (parseHolder(text) === undefined) {
    await sleep(clock, UNNAMED_MS)
    text = (await files.read(path)) ?? ''
  }
  const holder = parseHolder(text)
  if (holder === undefined) return undefined
  const state = processes.stateOf(holder)
  if (state !== 'unknown') return state === 'alive' ? holder : undefined
  const size = await files.size(path)
  await sleep(clock, WATCH_MS)
  return (await files.size(path)) === size ? undefined : holder
}

/** `undefined`: there is one already. */
async function create({ folder, files, processes }: LockParts): Promise<DataFile | undefined> {
  let file: DataFile | undefined
  try {
    file = await files.create(lockPath(folder))
    await file.append([Buffer.from(`${JSON.stringify(processes.own)}\n`)])
    return file
  } catch (error) {
    if (hasCode(error, 'EEXIST')) return undefined
    await file?.close()
    if (file !== undefined) await files.remove(lockPath(folder))
    throw error
  }
}

async function release(
  path: string,
  files: Files,
  file: DataFile,
  stopBeat: () => void,
  isClean: boolean,
): Promise<void> {
  stopBeat()
  await file.close()
  if (isClean) await files.remove(path)
  else await files.truncate(path, 0)
}

/** If another has taken over meanwhile, it is theirs, and is put back. */
async function moveStale(parts: LockParts): Promise<void> {
  const { folder, files, processes } = parts
  const aside = `${lockPath(folder)}.${processes.own.pid}`
  try {
    await files.rename(lockPath(folder), aside)
    const holder = parseHolder((await files.read(aside)) ?? '')
    if (holder !== undefined && processes.stateOf(holder) === 'alive') await files.rename(aside, lockPath(folder))
  } catch (error) {
    if (!hasCode(error, 'ENOENT')) throw error
  }
}

function parseHolder(text: string): ProcessName | undefined {
  try {
    const value: unknown = JSON.parse(text.split('\n')[0] ?? '')
    return isName(value) ? value : undefined
  } catch {
    return undefined
  }
}

const isName = (value: unknown): value is ProcessName =>
  typeof value === 'object' &&
  value !== null &&
  'pid' in value &&
  Number.isSafeInteger(value.pid) &&
  ['started', 'boot', 'space'].every((key) => typeof (value as Record<string, unknown>)[key] === 'string')

function locked(folder: string, holder: ProcessName | undefined): PrismError {
  const who = holder === undefined ? 'another process' : `process ${holder.pid}`
  return new PrismError(
    'SPOOL_LOCKED',
    `the log in ${folder} is in use by ${who}; stop it, or give this one another folder (spool.dir)`,
    holder === undefined ? {} : { pid: holder.pid },
  )
}
