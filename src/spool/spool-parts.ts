import type { Cursors } from './cursors.ts'
import type { Lock } from './lock.ts'
import type { Recovery, SpoolCounts, SpoolOptions } from './options.ts'
import type { Segment } from './segment.ts'

/** What a log is made of when its folder has been read. */
export interface SpoolParts {
  readonly options: SpoolOptions
  readonly lock: Lock
  readonly cursors: Cursors
  readonly segments: Segment[]
  /** Names this log: the numbers of another one count from 1 again. */
  readonly id: string
  readonly counts: SpoolCounts
  readonly startLsn: number
  readonly recovery: Recovery
}
