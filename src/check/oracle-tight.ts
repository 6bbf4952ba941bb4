/** A gap claims no more than was missing: one message more on each side by its numbers, or a second by its times. */

import type { EpochUs, Gap } from '../model/event.ts'
import { DiskTrouble } from './oracle-disk.ts'
import type { GapRecord } from './oracle-gaps.ts'
import { type Court, isProcessGap, type Judge, millis } from './oracle-judge.ts'
import type { Deliveries } from './oracle-numbers.ts'
import type { Numbers } from './oracle-promises.ts'
import type { Stream } from './oracle-streams.ts'

/** How long a handover may hold back what came. */
const HELD_US_MAX = 30_000_000

/** Whoever is refused for good asks again when the list of instruments is due; what the venue then took is found out there. */
const REFUSED_US_MAX = 620_000_000

const isBySequence = ({ cause, last_sequence }: Gap): boolean =>
  last_sequence !== undefined && (cause === 'sequence_gap' || cause === 'sequence_reset')

/** Nothing was delivered between the two. */
const isSameStart = (a: Gap, b: Gap): boolean =>
  a.gap_id !== b.gap_id && a.last_sequence !== undefined && a.last_sequence === b.last_sequence

const goesBack = ({ last_sequence: last = 0, first_sequence: first = last }: Gap): boolean => first < last

const endOfFinal = ({ latest: { state, end_time_us: endUs } }: GapRecord): EpochUs =>
  (state === 'final' ? endUs : undefined) ?? Number.POSITIVE_INFINITY

interface Time {
  readonly fromUs: EpochUs
  readonly untilUs: EpochUs
}

/** Stalls that are remembered: of one before the process ended, and of those since. */
const STALLS_MAX = 20

/** With `next`, which begins last; two that touch are one. */
function joined(times: readonly Time[], next: Time): readonly Time[] {
  const last = times.at(-1)
  if (last === undefined || next.fromUs > last.untilUs) return [...times.slice(1 - STALLS_MAX), next]
  return [...times.slice(0, -1), { fromUs: last.fromUs, untilUs: Math.max(last.untilUs, next.untilUs) }]
}

export function judgeTimes({ streams, options, report }: Court): Judge {
  const { startUs, processUs, slackUs } = options
  const tooWide = new Set<GapRecord>()
  /** When the process could not say that it lives. */
  let stalls: readonly Time[] = []
  /** When this process began: by a clock that was set back its gap may begin before the end of the one before it. */
  let begunUs = Number.POSITIVE_INFINITY
  /** Streams that are told to be refused for good. */
  const refused = new Set<Stream>()
  /** When the newest data of each stream that left was received: before a snapshot's own stream had brought anything. */
  const receivedUs = new Map<Stream, EpochUs>()
  /** The connection that brought the stream alone, though another carried others of its venue. */
  const seconds = new Map<Stream, number>()
  /** Who carries each stream; and when one of them ended beside another, and what it had held with it. */
  const carriers = new Map<Stream, ReadonlySet<number>>()
  const droppedUs = new Map<Stream, EpochUs>()
  /** By venue: when it last had two connections for a stream. */
  const twofoldUs = new Map<string, EpochUs>()
  /** By venue: when its clock last jumped, so that what is new looks old. */
  const clocksUs = new Map<string | undefined, EpochUs>()
  /** When the venue made the first of the trades that a gap lacked, once that has left. */
  const madeUs = new Map<GapRecord, EpochUs>()

  /** The earliest time at which the gap may begin. An audit looks back further than any message. */
  function earliest(record: GapRecord): EpochUs {
    // What was on its way when the venue took the symbol off its list was not taken any more.
    const ends = record.first.cause === 'delisted' ? [...record.stream.gaps.values()].map(endOfFinal) : []
    return Math.min(earliestOf(record), ...ends)
  }

  function earliestOf({ stream, first, outage, causeUs }: GapRecord): EpochUs {
    if (isProcessGap(first)) {
      // What REST did not know of yet when the first of several ends was asked about was missed since then.
      const before = [...stream.gaps.values()].filter(
        ({ latest }) => isProcessGap(latest) && isSameStart(latest, first),
      )
      const endedUs = Math.min(begunUs, lastAlive(endOf(stream) ?? streams.endedUs ?? 0))
      return Math.min(endedUs - processUs, ...before.map(({ first: { start_time_us: startUs } }) => startUs))
    }
    if (isBySequence(first) || first.cause === 'audit_mismatch' || stream.leftUs === undefined) return 0
    if (outage !== undefined) return outage.beforeUs - startUs
    // By a clock that was set back the newer of the two is the earlier one.
    const lastUs = Math.min(stream.previousUs ?? 0, stream.deliveredUs ?? Number.POSITIVE_INFINITY)
    return Math.min(lastUs, causeUs ?? lastUs) - startUs
  }

  /** What numbers show to be missing may be missing since the stream's own last message. */
  function moved(record: GapRecord, event: Gap): EpochUs {
    const heardUs = receivedUs.get(record.stream) ?? Number.POSITIVE_INFINITY
    if (!isProcessGap(event)) return Math.min(record.beforeUs ?? 0, heardUs)
    // What was made before the process ended was lost before it did. When that was of what is gone nobody can say.
    return madeUs.get(record) ?? (event.state === 'final' ? 0 : Number.POSITIVE_INFINITY)
  }

  const lastAlive = (endedUs: EpochUs): EpochUs =>
    stalls.find(({ fromUs, untilUs }) => fromUs <= endedUs && untilUs >= endedUs - processUs)?.fromUs ?? endedUs

  /** When the outage of the process began that the stream is in, or was last in. */
  const endOf = ({ outage, lastOutage }: Stream): EpochUs | undefined => {
    const latest = outage ?? lastOutage
    return latest?.isProcess ? latest.fromUs : undefined
  }

  /** The latest time at which it may end: books when they are live again, if they were not all the time. */
  function latest({ stream, first, latest: { start_time_us: startUs }, resumedUs }: GapRecord): EpochUs {
    if (isBySequence(first)) return streams.nowUs
    const wasLive = stream.liveUs !== undefined && stream.liveUs <= startUs
    return (stream.channel === 'book' && !wasLive ? stream.liveUs : resumedUs) ?? streams.nowUs
  }

  const isDoubled = (venue: string): boolean =>
    [...streams.all()].some((each) => each.venue === venue && each.subscribed.size > 1)

  /** While two connections carry streams of a venue, what the second brings is held until it joins the first, or ends with it. */
  function mayBeHeld({ stream }: GapRecord, { cause, start_time_us: startUs }: Gap): boolean {
    const { venue, subscribed } = stream
    const second = seconds.get(stream)
    const isGone = second !== undefined && !subscribed.has(second)
    const { endedUs = 0 } = streams
    const hasEnded = endedUs >= startUs && twofoldUs.get(venue) === endedUs
    return cause === 'maintenance' || isGone || isDoubled(venue) || hasEnded
  }

  const mayBeDropped = ({ stream }: GapRecord, { start_time_us: startUs }: Gap): boolean =>
    (droppedUs.get(stream) ?? 0) >= startUs

  const mayLookOld = ({ stream: { venue, channel } }: GapRecord, { start_time_us: startUs }: Gap): boolean =>
    (channel === 'ticker' || channel === 'quote') && (clocksUs.get(venue) ?? 0) >= startUs

  function tell(record: GapRecord, text: string): void {
    if (tooWide.has(record)) return
    tooWide.add(record)
    report('gap_too_wide', streams.nowUs, record.stream, `gap ${record.gapId} (${record.first.cause}) ${text}`)
  }

  return {
    fault({ fault, venue, atUs, untilUs = atUs }) {
      if (options.clockFaults.test(fault)) clocksUs.set(venue, atUs)
      // Nor does anyone live in the time that a clock leaves out.
      if (options.timeFaults.test(fault) && untilUs > atUs) stalls = joined(stalls, { fromUs: atUs, untilUs })
      // The disk is tried again only after a while.
      else if (options.diskFaults.test(fault))
        stalls = joined(stalls, { fromUs: atUs, untilUs: untilUs + options.detectionUs })
    },
    process({ state, atUs }) {
      const { endedUs } = streams
      if (state === 'started') begunUs = atUs
      if (state !== 'started' || endedUs === undefined) return
      // Who begins while the disk takes nothing is never heard of: the process before was the last that was.
      const isSilent = ({ fromUs, untilUs }: Time) => fromUs <= atUs && atUs <= untilUs
      stalls = stalls.map((stall) => (isSilent(stall) ? { ...stall, fromUs: Math.min(stall.fromUs, endedUs) } : stall))
    },
    connection({ venue, connection, state, atUs }) {
      if (state !== 'closed') return
      for (const [stream, ids] of carriers)
        if (stream.venue === venue && ids.has(connection) && stream.subscribed.size > 0) {
          droppedUs.set(stream, atUs)
          twofoldUs.set(venue, atUs)
        }
    },
    subscribed(stream) {
      carriers.set(stream, new Set(stream.subscribed))
      const [only] = stream.subscribed
      if (only !== undefined && stream.subscribed.size === 1 && isDoubled(stream.venue)) seconds.set(stream, only)
    },
    shown(stream, { state, reason }) {
      if (state === 'down' && reason.startsWith('refused')) refused.add(stream)
    },
    data(stream, event) {
      const isFetched = event.type === 'trade' && event.source === 'backfill'
      if (!isFetched && event.receive_time_us !== undefined) receivedUs.set(stream, event.receive_time_us)
      const span = event.type === 'trade' ? options.countersOf(event) : undefined
      if (span === undefined || event.exchange_time_us === undefined) return
      for (const record of stream.open) {
        const { last_sequence } = record.latest
        if (last_sequence === undefined || last_sequence + 1 < span.first || last_sequence >= span.last) continue
        madeUs.set(record, event.exchange_time_us)
      }
    },
    gap({ record, event, before }) {
      // A process that died could not write down the end of it, so the next one goes on with it.
      if (record.isReverted) return
      const begins = before === undefined || event.start_time_us < before.start_time_us
      const isMoved = before !== undefined && event.lost !== 0
      const fromUs = isMoved ? Math.min(earliest(record), moved(record, event)) : earliest(record)
      const earlyUs = begins ? fromUs - slackUs - event.start_time_us : 0
      if (earlyUs > HELD_US_MAX || (earlyUs > 0 && !mayBeHeld(record, event) && !mayBeDropped(record, event)))
        tell(record, `begins ${millis(earlyUs)} too early`)
      const { end_time_us } = event
      if (end_time_us === undefined || end_time_us === before?.end_time_us) return
      // A stream that is behind the venue first repeats what was fetched: numbers say where the gap ends.
      if (record.stream.channel === 'trade' && isBySequence(event)) return
      // The clock of the process that began it may have been ahead.
      const lateUs = end_time_us - Math.max(latest(record), event.start_time_us) - slackUs
      const mayBeRefused = refused.delete(record.stream) && lateUs <= REFUSED_US_MAX
      const mayBeLate = mayBeHeld(record, event) || mayLookOld(record, event)
      if (lateUs <= 0 || mayBeRefused || (lateUs <= HELD_US_MAX && mayBeLate)) return
      tell(record, `ends ${millis(lateUs)} too late`)
    },
  }
}

/** Gaps of trades, against the trades that left around them. */
export function judgeNumbers({ streams, options, report }: Court): Judge {
  /** Gaps behind which no trade of the stream has left yet. */
  const ahead = new Map<Stream, GapRecord[]>()
  /** The first trade behind a gap whose end is not told yet. */
  const behind = new Map<GapRecord, Numbers>()
  const disk = new DiskTrouble(options)
  /** Until then the process read nothing; then all at once, an answer before the frames that came earlier. */
  let stalledUntilUs = 0

  /** What left in the last moments of an earlier process may be unknown to those that follow. */
  function mayBeUnknown(deliveries: Deliveries, number: number): boolean {
    const [delivery] = deliveries.earlier({ first: number, last: number }) ?? []
    if (delivery === undefined) return false
    const endedUs = streams.killsUs[delivery.kills]
    return endedUs !== undefined && (streams.isForgotten(delivery) || disk.hasHidden(delivery.atUs, endedUs))
  }

  function judgeStart({ stream }: GapRecord, { gap_id, last_sequence = 0, first_sequence }: Gap): void {
    const { deliveries } = stream
    const [hole] = deliveries.missing({ first: last_sequence + 1, last: (first_sequence ?? Infinity) - 1 })
    const reached = (hole?.first ?? first_sequence ?? 0) - 1
    if (reached <= last_sequence) return
    const message = deliveries.endingAt(reached)
    if (message === undefined || message.first <= last_sequence + 1 || mayBeUnknown(deliveries, last_sequence + 1))
      return
    report('gap_too_wide', streams.nowUs, stream, `gap ${gap_id} begins at ${last_sequence}; ${reached} had left`)
  }

  function judgeEnd({ stream, gapId }: GapRecord, first: number, next: Numbers): void {
    if (first > next.last + 1)
      report('gap_too_wide', streams.nowUs, stream, `gap ${gapId} ends at ${first}; ${next.last} came first`)
  }

  return {
    fault(entry) {
      disk.fault(entry)
      const { fault, atUs, untilUs = atUs } = entry
      if (options.stallFaults.test(fault)) stalledUntilUs = Math.max(stalledUntilUs, untilUs)
    },
    renumbered(stream) {
      ahead.delete(stream)
      for (const record of behind.keys()) if (record.stream === stream) behind.delete(record)
    },
    data(stream, event) {
      const waiting = event.type === 'trade' && event.source !== 'backfill' ? ahead.get(stream) : undefined
      if (event.type !== 'trade' || waiting === undefined) return
      // Which came first nobody can say by a clock that was set back.
      const isOrdered = streams.clockUs >= streams.nowUs
      const span = options.countersOf(event)
      if (span === undefined) return
      ahead.delete(stream)
      const reset = waiting.findLastIndex(({ latest }) => goesBack(latest))
      // What went before the venue's new numbers ended with them.
      for (const record of waiting.slice(Math.max(0, reset))) {
        const first = record.latest.first_sequence
        // What was received after the end was told says nothing about it.
        const isReceived = Math.max(stream.deliveredUs ?? 0, stalledUntilUs + options.slackUs) <= record.latestUs
        if (first !== undefined && isReceived && isOrdered) judgeEnd(record, first, span)
        else if (first !== undefined) continue
        else if (stream.open.has(record)) behind.set(record, span)
      }
    },
    gap({ record, event, before }) {
      const { stream } = record
      if (stream.channel !== 'trade') return
      if (before === undefined) {
        if (event.last_sequence !== undefined && !isProcessGap(event) && !record.isReverted) judgeStart(record, event)
        ahead.set(stream, [...(ahead.get(stream) ?? []), record])
      }
      const next = behind.get(record)
      if (next === undefined || event.first_sequence === undefined) return
      behind.delete(record)
      judgeEnd(record, event.first_sequence, next)
    },
  }
}
