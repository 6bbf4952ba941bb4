/**
 * What is known for certain of the stream at one moment, kept so that the next open need not look far back, and so that a
 * stream from which old messages have gone can be told from one that was restored from an older copy or made anew.
 */

import { join } from 'node:path'
import { z } from 'zod'
import type { Files } from '../../platform/platform.ts'

const seq = z.int().nonnegative()

const checkpoint = z.object({
  logId: z.string(),
  stream: z.string(),
  /** Of the subjects that were looked at. Older versions did not say. */
  prefix: z.string().optional(),
  /** When the stream was made, in its server's words. */
  created: z.string(),
  /** Every record up to this number is stored. */
  lsn: seq,
  /** All others that are stored have a higher sequence in the stream than this. */
  floorSeq: seq,
  /** The highest sequence that a record of ours was acknowledged with, and that record; 0: none yet. */
  ackedSeq: seq,
  ackedLsn: seq,
})

export type Checkpoint = Readonly<z.infer<typeof checkpoint>>

const pathOf = (folder: string): string => join(folder, 'checkpoint.json')

/** The last one that was written; `undefined`: none that can be read, and none of another log or stream. */
export async function readCheckpoint(
  files: Files,
  folder: string,
  logId: string,
  stream: string,
): Promise<Checkpoint | undefined> {
  const text = await files.read(pathOf(folder))
  if (text === undefined) return undefined
  try {
    const found = checkpoint.parse(JSON.parse(text))
    return found.logId === logId && found.stream === stream ? found : undefined
  } catch {
    return undefined
  }
}

/** Errors: rejects with the system's error. */
export const writeCheckpoint = (files: Files, folder: string, value: Checkpoint): Promise<void> =>
  files.replace(pathOf(folder), `${JSON.stringify(value)}\n`)
