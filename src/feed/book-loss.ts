/** What the steps of a book mean to the ledger: why data are missing, and how a loss ended. */

import { sequenceOf } from '../book/numbering.ts'
import type { BookOutput } from '../book/step.ts'
import type { LossEnd } from '../ledger/records.ts'
import type { BookReason, BookSnapshot, EpochUs, GapCause } from '../model/event.ts'
import { isNumbered } from './epoch.ts'
import type { Feed } from './feed.ts'

export const CAUSE_OF: Readonly<Record<BookReason, GapCause>> = {
  subscribed: 'not_subscribed',
  snapshot: 'sequence_gap',
  resumed: 'silence',
  sequence_gap: 'sequence_gap',
  sequence_reset: 'sequence_reset',
  checksum: 'checksum',
  crossed_book: 'crossed_book',
  buffer_overflow: 'resync_overflow',
  snapshot_too_old: 'sequence_gap',
  decode_error: 'decode_error',
  disconnect: 'disconnect',
  silence: 'silence',
  audit_mismatch: 'audit_mismatch',
  delisted: 'delisted',
  shutdown: 'shutdown',
}

/** The book is live with `outputs`. A delta that goes on with the chain shows that nothing was missed. */
export function endOf({ ledger, topic }: Feed, outputs: readonly BookOutput[], receiveTimeUs: EpochUs): LossEnd {
  const data = outputs.filter((output) => output.type !== 'book_state')
  const endUs = Math.min(...data.map((output) => output.receive_time_us ?? receiveTimeUs), receiveTimeUs)
  const first = data[0]
  if (first === undefined || first.type === 'book_delta') return { endUs, lost: 0 }
  const last = ledger.outage?.last_sequence
  const startUs = ledger.lastUs
  const firstSequence = first.sequence
  if (last === undefined || firstSequence === undefined) return { startUs, endUs, firstSequence }
  // Only numbers that count single updates tell how many there were, and none do across a restart of the numbering.
  const isCounted = last <= firstSequence && (topic.proof === 'range' || last === firstSequence)
  const lost = isCounted ? firstSequence - last : undefined
  return { endUs, firstSequence, lost, ...(lost !== 0 && { startUs }) }
}

/** A snapshot that came while nothing was known to be missing, and does not stand where the changes had come to. */
export function noteJump({ ledger, topic }: Feed, { sequence }: BookSnapshot, endUs: EpochUs): void {
  const { lastSequence, lastUs: startUs = endUs } = ledger
  const isChained = topic.proof === 'range' || topic.proof === 'chained'
  if (!isChained || lastSequence === undefined || sequence === undefined || sequence === lastSequence) return
  const cause = sequence > lastSequence ? 'sequence_gap' : 'sequence_reset'
  ledger.lose({ cause, startUs, lastSequence }, { endUs, firstSequence: sequence })
}

/** Before `outputs` leave. What a snapshot without a time belongs to is told by the deltas that join it. */
export function noteNumbers({ numbering }: Feed, outputs: readonly BookOutput[], receiveTimeUs: EpochUs): void {
  const data = outputs.filter((output) => output.type !== 'book_state').filter(isNumbered)
  const event = data.findLast(({ exchange_time_us }) => exchange_time_us !== undefined) ?? data.at(-1)
  if (event === undefined) return
  const sequence = sequenceOf(event)
  if (sequence !== undefined) numbering.heard(sequence, event, receiveTimeUs)
}
