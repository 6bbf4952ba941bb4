/** How far a log went that was closed: what the next process must find; less is a loss. */

import { join } from 'node:path'
import type { Files } from '../platform/platform.ts'
import { lsnText, parseLsn } from './cursors.ts'

export const END_NAME = 'end'

const endPath = (folder: string): string => join(folder, END_NAME)

/** `undefined`: it does not say, or it is spoilt. Errors: the system's. */
export const readEnd = async (folder: string, files: Files): Promise<number | undefined> =>
  parseLsn((await files.read(endPath(folder))) ?? '')

/** Errors: the system's. */
export const writeEnd = (folder: string, files: Files, lastLsn: number): Promise<void> =>
  files.replace(endPath(folder), lsnText(lastLsn))
