/** Places that the disk cannot read: a try may have gone wrong, else they are lost. */

import { sleep } from '../platform/clock.ts'
import type { Clock, Files } from '../platform/platform.ts'
import { hasCode } from '../platform/system-error.ts'

/** A place that cannot be read is tried so often, so far apart; then it is lost. */
export const READ_TRIES_MAX = 3
export const READ_RETRY_MS = 200

/** Not of files that this process may not read, or has too many of: people can help there, and nothing is lost. */
const isUnreadable = (error: unknown): boolean => hasCode(error, 'EIO', 'ENODATA', 'EBADMSG', 'EUCLEAN')

/** The result, or `instead` where the disk cannot read it. Errors: the system's, other ones. */
export async function readOr<Result, Instead>(
  clock: Clock,
  read: () => Promise<Result>,
  instead: Instead,
): Promise<Result | Instead> {
  for (let tries = 1; ; tries++) {
    try {
      return await read()
    } catch (error) {
      if (!isUnreadable(error)) throw error
      if (tries === READ_TRIES_MAX) return instead
      await sleep(clock, READ_RETRY_MS)
    }
  }
}

/** The same files, but for texts that the disk cannot read: they are empty, as spoilt as others that make no sense. */
export const readableFiles = (files: Files, clock: Clock): Files => ({
  ...files,
  read: (path) => readOr(clock, () => files.read(path), ''),
})
