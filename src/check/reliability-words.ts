/** What the words of gap records and of the table of channels mean. */

import type { GapCause, GapState, Proof } from '../model/event.ts'

export const CAUSE_MEANINGS: Readonly<Record<GapCause, string>> = {
  sequence_gap: 'The numbers of the stream do not continue: messages were lost.',
  sequence_reset: 'The venue began to number anew; what lay between cannot be told.',
  disconnect: 'The connection ended.',
  silence: 'The connection, or this stream of it, said nothing for longer than it does.',
  not_subscribed: 'The venue refused the subscription, did not answer it, or it was interrupted for a change.',
  decode_error: 'A message could not be read, so what it said is missing.',
  checksum: 'The book’s checksum is not the venue’s.',
  crossed_book: 'The best bid stayed above the best ask.',
  audit_mismatch: 'The book differs from the venue’s own over REST.',
  resync_overflow: 'More changes came than can be held while waiting for a snapshot.',
  banned: 'The venue forbids requests for a time.',
  maintenance: 'The venue announced the end of the connection, or is in maintenance.',
  process_down: 'The process before this one was killed, or crashed.',
  process_stalled: 'The process got no time: suspended, or starved.',
  shutdown: 'The process was stopped in order, or the feed was removed.',
  delisted: 'The venue does not list the symbol any more.',
  shed: 'Dropped here on purpose, because more came than could be handled.',
  log_full: 'The durable log had no room: the oldest data that a sink lacked, or new ones, were given up.',
  log_spoilt: 'The disk lost or spoilt a part of the durable log that a sink lacked.',
  rejected: 'A store refused the record for good; it is in the dead-letter file.',
}

export const STATE_MEANINGS: Readonly<Record<GapState, string>> = {
  open: 'Its end is not known yet, or what is missing is being fetched.',
  closed: 'Ended; nothing is fetched, because it cannot be (books, tickers, quotes) or nothing was missed (`lost` 0).',
  healed: 'All that was missed has been fetched and delivered.',
  final: 'Some of it cannot be fetched; `reason` says why, `lost` and `healed` how much.',
}

export const PROOF_MEANINGS: Readonly<Record<Proof, string>> = {
  counter: 'Ids count up by one: every lost message is found and counted.',
  range: 'Ranges of ids touch: every lost message is found.',
  chained: 'Each message names the one before: every lost message is found.',
  cadence: 'It speaks at known intervals: silence is found, a single lost message is not.',
  none: 'Only lost connections and long silences are found.',
}
