/** No gap without a cause: each overlaps a fault that can touch its stream, or an end of the process. */

import type { EpochUs, Gap, GapCause } from '../model/event.ts'
import type { Court, Entry, Judge } from './oracle-judge.ts'
import type { Stream } from './oracle-streams.ts'

type Fault = Entry<'fault'>
type Scope = Pick<Fault, 'venue' | 'channel' | 'symbol' | 'connection'>

/** A connection without any data for less is not silent. */
const SILENT_US = 7_000_000
/** A level that is wrong may show long after it became so. */
const SHOWN_LATE: ReadonlySet<GapCause> = new Set(['audit_mismatch', 'crossed_book', 'checksum'])
/** Faults that are remembered; the oldest half goes when there are more. */
const FAULTS_MAX = 40_000

/** The fault without the stream that it is confined to. */
const placeOf = ({ venue, connection }: Scope): Scope => ({
  ...(venue !== undefined && { venue }),
  ...(connection !== undefined && { connection }),
})

/** The fault with all streams of its symbol. */
const symbolOf = ({ venue, symbol }: Scope): Scope => ({
  ...(venue !== undefined && { venue }),
  ...(symbol !== undefined && { symbol }),
})

/** Can a fault with this scope touch the stream? */
export function touches({ venue, channel, symbol, connection }: Scope, stream: Stream): boolean {
  if (venue !== undefined && venue !== stream.venue) return false
  if (channel !== undefined && channel !== stream.channel) return false
  if (symbol !== undefined && symbol !== stream.symbol) return false
  if (connection === undefined || stream.connections.has(connection)) return true
  // A newer connection than any that carried the stream may be meant to, without having had a frame of it yet.
  return [...stream.connections].every((each) => each < connection)
}

export function judgeCauses({ streams, options, report }: Court): Judge {
  const { detectionUs, harmlessFaults, lagFaults } = options
  let faults: Fault[] = []
  const lags: Fault[] = []
  let hasEnded = false

  function add(fault: Fault): void {
    faults.push(fault)
    if (faults.length > FAULTS_MAX) faults = faults.slice(-FAULTS_MAX / 2)
  }

  const overlaps = ({ atUs, untilUs = atUs }: Fault, startUs: EpochUs, endUs: EpochUs): boolean =>
    atUs <= endUs + detectionUs && untilUs + detectionUs >= startUs

  /**
   * Nothing has come on its connections for long: whatever was lost of one stream makes all of them suspect. One that the
   * collector ends for that is still there when the gap is told.
   */
  const isAllSilent = (stream: Stream, { cause }: Gap): boolean =>
    (cause === 'silence' || (cause === 'disconnect' && stream.subscribed.size > 0)) &&
    streams.nowUs - streams.heardUs(stream) >= SILENT_US

  /** That a ticker or a quote is silent is judged by what its symbol's other streams bring. */
  const isFollower = ({ channel }: Stream, { cause }: Gap): boolean =>
    cause === 'silence' && (channel === 'ticker' || channel === 'quote')

  /** Without the trades nobody can tell that a ticker is silent because nothing is traded. */
  const isUntold = ({ venue, symbol, channel }: Stream, { cause }: Gap): boolean =>
    cause === 'silence' && channel === 'ticker' && streams.of({ venue, symbol, channel: 'trade' }).subscribed.size === 0

  return {
    fault(entry) {
      if (!harmlessFaults.test(entry.fault)) add(entry)
      else if (lagFaults.test(entry.fault)) lags.push(entry)
    },
    process({ state, atUs }) {
      if (state !== 'started') hasEnded = true
      if (hasEnded) add({ kind: 'fault', fault: `process ${state}`, atUs })
    },
    gap({ record, event, before }) {
      if (before !== undefined || record.causeUs !== undefined) return
      const { stream } = record
      const endUs = event.end_time_us ?? streams.nowUs
      const silentUs = (stream.deliveredUs === streams.nowUs ? stream.previousUs : stream.deliveredUs) ?? 0
      // What a fault did lasts at least until the stream speaks again; a frame that was under way then says nothing of it.
      const sinceUs = SHOWN_LATE.has(event.cause) ? 0 : silentUs - detectionUs
      const near = (fault: Fault) =>
        overlaps(fault, event.start_time_us, endUs) || (fault.untilUs ?? fault.atUs) >= sinceUs
      const widened = isAllSilent(stream, event) ? placeOf : isFollower(stream, event) ? symbolOf : undefined
      const causes = isFollower(stream, event) ? [...lags, ...faults] : faults
      const cause = causes.findLast((fault) => near(fault) && touches(widened?.(fault) ?? fault, stream))
      record.causeUs = cause?.atUs
      if (cause !== undefined || isUntold(stream, event)) return
      const ofSymbol = ({ venue, connection, symbol }: Fault) =>
        symbol !== undefined && touches({ ...(venue && { venue }), ...(connection && { connection }) }, stream)
      const other = faults.findLast((fault) => near(fault) && ofSymbol(fault))
      const text = `gap ${event.gap_id} (${event.cause}) since ${event.start_time_us}`
      if (other === undefined || other.symbol === stream.symbol)
        report('gap_without_cause', streams.nowUs, stream, text)
      else report('other_symbol_touched', streams.nowUs, stream, `${text}: ${other.fault} of ${other.symbol}`)
    },
  }
}
