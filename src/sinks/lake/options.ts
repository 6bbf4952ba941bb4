/** What can be set of the lake, and how it wants to be fed. */

import type { SinkTraits } from '../sink.ts'

export interface LakeSinkOptions {
  /** Folder of the lake; made when missing. */
  readonly dir: string
  /** The oldest files are removed when all files together are larger, in bytes; 0: never. */
  readonly bytesMax: number
  /** Dates that are older are removed, in days; 0: never. */
  readonly keepDays: number
  /** Events of so many bytes of JSON are written at once. */
  readonly batchBytes: number
  /** An event is in the lake at the latest so long after it was received, in milliseconds. */
  readonly batchAgeMs: number
}

/** Bounds what sorting a batch needs beside its bytes. */
const RECORDS_MAX = 500_000

/**
 * One batch becomes one file for each type, exchange and date in it. Few large batches, because files are not merged
 * later: see docs/LAKE.md.
 */
export const lakeTraits = ({ batchBytes, batchAgeMs }: LakeSinkOptions): SinkTraits => ({
  recordsMax: RECORDS_MAX,
  bytesMax: batchBytes,
  ageMs: batchAgeMs,
  batchesMax: 1,
  hasFixedBatches: true,
})
