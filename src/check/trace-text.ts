/** Trace entries as lines for people. */

import type { MarketEvent } from '../model/event.ts'
import { isoTime } from '../model/time.ts'
import type { TraceEntry } from './trace.ts'

/** `00:00:31.415926 event …`; times are those of the machine's wall clock. */
export const traceLine = (entry: TraceEntry): string => `${isoTime(entry.atUs).slice(11, 26)} ${entryText(entry)}`

function entryText(entry: TraceEntry): string {
  switch (entry.kind) {
    case 'event':
      return `event       ${eventText(entry.event)}`
    case 'checkpoint': {
      const { venue, symbol, served, truth } = entry
      const top = (level: readonly string[] | undefined) => level?.join('x') ?? 'nothing'
      const best = `bid ${top(served.bids[0])}, in truth ${top(truth.bids[0])}`
      return `checkpoint  ${venue} ${symbol} served ${served.state}, ${served.bids.length} bids, best ${best}`
    }
    case 'frame':
      return `frame       ${entry.venue} ${entry.channel} ${entry.symbol} #${entry.connection} ${entry.fate}`
    default: {
      const { kind, atUs: _at, ...rest } = entry
      return `${kind.padEnd(11)} ${Object.entries(rest)
        .map(([name, value]) => `${name}=${value}`)
        .join(' ')}`
    }
  }
}

/** What tells one event from another, without its data. */
function eventText(event: MarketEvent): string {
  const what = `${event.type} ${event.venue} ${event.symbol}`
  switch (event.type) {
    case 'gap': {
      const { channel, gap_id, cause, state, start_time_us, end_time_us, last_sequence, first_sequence } = event
      const times = `${clock(start_time_us)}..${end_time_us === undefined ? '' : clock(end_time_us)}`
      const counts = `lost ${event.lost ?? '?'} healed ${event.healed ?? '?'}`
      const numbers = `${last_sequence ?? ''}..${first_sequence ?? ''}`
      return `${what} ${channel} ${gap_id} ${state} ${cause} ${times} ${numbers} ${counts} ${event.reason ?? ''}`
    }
    case 'book_state':
      return `${what} ${event.state}: ${event.reason} at ${event.sequence}`
    case 'book_delta':
      return `${what} ${event.first_sequence ?? event.previous_sequence}..${event.last_sequence}`
    case 'book_snapshot':
      return `${what} ${event.sequence}, ${event.bids.length} bids`
    case 'trade':
      return `${what} ${event.id} ${event.first_trade_id ?? ''}..${event.last_trade_id ?? ''} ${event.source ?? ''}`
    default:
      return `${what} ${event.id}`
  }
}

const clock = (timeUs: number): string => isoTime(timeUs).slice(11, 23)
