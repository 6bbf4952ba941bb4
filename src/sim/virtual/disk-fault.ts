/** What a disk can do wrong: no room; every write, every sync, every read fails. */
export type DiskFault = 'full' | 'error' | 'sync' | 'read'

const CALLS: Readonly<Record<DiskFault, string>> = { full: 'write', error: 'write', sync: 'fdatasync', read: 'read' }

/** The error as Node reports it. */
export const diskError = (fault: DiskFault): Error =>
  fault === 'full'
    ? systemError('ENOSPC', 'no space left on device', CALLS.full)
    : systemError('EIO', 'i/o error', CALLS[fault])

export const systemError = (code: string, reason: string, call: string): Error =>
  Object.assign(new Error(`${code}: ${reason}, ${call}`), { code })
