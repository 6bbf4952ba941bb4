/** What the ledger is given. */

import type { Gap } from '../model/event.ts'
import type { Clock, Files } from '../platform/platform.ts'
import type { LogProof } from './checkpoint.ts'

export interface LedgerOptions {
  readonly folder: string
  readonly files: Files
  readonly clock: Clock
  /** The durable log that gaps and data go to; without one the ledger's own file is ahead of everything that leaves. */
  readonly log?: LogProof | undefined
  /**
   * Receives every revision of every gap, and the one that it replaces; without a log once it is durable (or the disk has
   * failed).
   */
  readonly emit: (gap: Gap, before: Gap | undefined) => void
  /** The disk takes no records (words), or takes them again. */
  readonly onProblem: (problem: string | undefined) => void
}
