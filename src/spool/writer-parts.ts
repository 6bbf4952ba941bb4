/** What the writer of the log works with, and whom it tells. */

import type { Clock, Files } from '../platform/platform.ts'
import type { SpoolCounts, SpoolLimits, SyncPolicy } from './options.ts'
import type { Segment } from './segment.ts'
import type { Tail } from './tail.ts'

export interface WriterParts {
  readonly folder: string
  readonly files: Files
  readonly clock: Clock
  readonly limits: SpoolLimits
  readonly sync: SyncPolicy
  readonly tail: Tail
  readonly counts: SpoolCounts
  readonly segments: Segment[]
  /** The last record before this process. */
  readonly previousLsn: number
  /** Bytes that the next segment may have; 0: none. */
  readonly room: (hasRefused: boolean) => Promise<number>
  /** There is some, and nothing is removed for it. */
  readonly hasRoom: () => Promise<boolean>
  /** There are more records that can be read. */
  readonly onVisible: () => void
  readonly onProblem: (problem: string | undefined) => void
  readonly onDurable: () => void
  readonly onSync: (seconds: number) => void
}
