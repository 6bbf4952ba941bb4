/** What a stream's ledger needs, and what it hears of an earlier process. */

import type { EpochUs, Gap } from '../model/event.ts'
import type { NumberSpan } from './tally.ts'

export interface FeedLedgerHooks {
  nowUs(): EpochUs
  nextGapId(): string
  /** Every revision of every gap, in order. */
  record(gap: Gap): void
  /** The same, of what is lost for good behind us. */
  lacked(gap: Gap): void
  /** The stretches of time in which the stream was collected have changed, or its first sequence is known. */
  stretched(): void
}

/** One event of the stream, as an earlier process delivered it. */
export interface Delivered {
  /** Running numbers, where the stream counts. */
  readonly span?: NumberSpan | undefined
  readonly sequence?: number | undefined
  readonly receiveUs: EpochUs
  /** Exchange time of a trade. */
  readonly tradeUs?: EpochUs | undefined
  /** Fetched later to heal a gap. */
  readonly isLate?: boolean | undefined
}
