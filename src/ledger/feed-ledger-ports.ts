/** What the ledger of one stream is given: its surroundings, and what an earlier process delivered. */

import type { EpochUs, Gap } from '../model/event.ts'
import type { NumberSpan } from './tally.ts'

export interface FeedLedgerHooks {
  nowUs(): EpochUs
  nextGapId(): string
  /** Every revision of every gap, in order. */
  record(gap: Gap): void
  /** The stretches of time in which the stream was collected have changed, or its first sequence is known. */
  stretched(): void
}

/** One event of the stream, as an earlier process delivered it. */
export interface Delivered {
  /** Running numbers, where the stream counts. */
  readonly span?: NumberSpan | undefined
  /** Of these numbers; absent: as it was known last. */
  readonly epoch?: number | undefined
  readonly sequence?: number | undefined
  readonly receiveUs: EpochUs
  /** Exchange time of a trade. */
  readonly tradeUs?: EpochUs | undefined
  /** Fetched later to heal a gap. */
  readonly isLate?: boolean | undefined
}
