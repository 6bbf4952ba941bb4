/** What the last process delivered after the ledger's file was written: the log knows it. */

import { epochOf, isNumbered } from '../feed/epoch.ts'
import type { Delivered } from '../ledger/feed-ledger-ports.ts'
import type { Ledger } from '../ledger/ledger.ts'
import type { StreamIdentity } from '../ledger/records.ts'
import { CHANNEL_OF, type Gap, type MarketEvent } from '../model/event.ts'
import type { Spool } from '../spool/spool.ts'
import type { Venue } from '../venues/venue.ts'

const CHUNK = { recordsMax: 2_000, bytesMax: 1024 * 1024 }

/** Resolves with the number of records that were taken up. */
export async function replayLog(
  spool: Spool,
  ledger: Ledger,
  venues: readonly Venue[],
  seen: (event: MarketEvent) => void,
): Promise<number> {
  const { replayAfterLsn } = ledger
  if (replayAfterLsn === undefined) return 0
  const { lastLsn } = spool.recovery
  const reader = spool.reader(Math.max(replayAfterLsn + 1, spool.oldestLsn))
  let count = 0
  while (reader.nextLsn <= lastLsn) {
    for (const record of await reader.read(CHUNK)) {
      if (record.lsn > lastLsn) break
      const event = JSON.parse(record.body.toString()) as MarketEvent
      replayEvent(event, record.timeUs, ledger, venues)
      seen(event)
      count++
    }
  }
  return count
}

function replayEvent(event: MarketEvent, timeUs: number, ledger: Ledger, venues: readonly Venue[]): void {
  const channel = event.type === 'gap' ? event.channel : CHANNEL_OF[event.type]
  if (channel === undefined) return
  const { exchange, venue, market, symbol, instrument } = event
  // A stream that nobody wants any more: whether it could be verified does not matter.
  const known = ledger.find({ venue, channel, symbol })?.stream
  const stream: StreamIdentity = known ?? { exchange, venue, channel, symbol, market, instrument, proof: 'none' }
  const found = venues.find(({ id }) => id === venue)
  ledger.replay(stream, event.type === 'gap' ? event : deliveredOf(event, timeUs, stream, found))
}

function deliveredOf(
  event: Exclude<MarketEvent, Gap>,
  receiveUs: number,
  { proof }: StreamIdentity,
  venue: Venue | undefined,
): Delivered {
  switch (event.type) {
    case 'trade': {
      const span = proof === 'counter' ? venue?.tradeSpan(event) : undefined
      const epoch = span && epochOf(event)
      return { span, epoch, receiveUs, tradeUs: event.exchange_time_us, isLate: event.source === 'backfill' }
    }
    case 'book_delta':
      return { sequence: event.last_sequence, receiveUs }
    case 'book_snapshot':
      return { sequence: event.sequence, receiveUs }
    case 'quote':
      return { sequence: isNumbered(event) ? event.sequence : undefined, receiveUs }
    default:
      return { receiveUs }
  }
}
