/** All that the ledger keeps of one stream. */

import type { EpochUs, Gap } from '../model/event.ts'
import { FeedLedger } from './feed-ledger.ts'
import type { GapsOfStream } from './kept-gaps.ts'
import { Lacks } from './lacks.ts'
import { openGap, type StreamIdentity } from './records.ts'

export interface Entry {
  readonly ledger: FeedLedger
  /** How the stream comes when it is opened next. */
  wanted: StreamIdentity
  readonly lacks: Lacks
  readonly gaps: GapsOfStream
  /** Sequence and epoch as the last beat told them. */
  told: string
}

/** `loss`: it says of nothing that it was delivered. `known loss`: more of what was recorded before. */
export type RecordKind = 'gap' | 'loss' | 'known loss'

export interface EntryHooks {
  readonly nowUs: () => EpochUs
  readonly nextGapId: () => string
  /** Every revision of every gap, in order. */
  record(of: Entry, gap: Gap, what: RecordKind): void
  /** See {@link FeedLedgerHooks.stretched}. */
  stretched(of: Entry): void
}

export function newEntry(stream: StreamIdentity, { nowUs, nextGapId, ...hooks }: EntryHooks): Entry {
  const record = (gap: Gap) => hooks.record(entry, gap, 'gap')
  const stretched = () => hooks.stretched(entry)
  const entry: Entry = {
    wanted: stream,
    gaps: new Map(),
    told: '',
    ledger: new FeedLedger(stream, { nowUs, nextGapId, record, stretched }),
    lacks: new Lacks({
      create: (start) => openGap(entry.ledger.stream, nextGapId(), start, nowUs()),
      record: (gap, isKnown) => hooks.record(entry, gap, isKnown ? 'known loss' : 'loss'),
    }),
  }
  return entry
}
