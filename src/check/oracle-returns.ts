/** What was lost comes back in time: streams without a connection, books. */

import type { EpochUs } from '../model/event.ts'
import { touches } from './oracle-causes.ts'
import { type Court, type Entry, type Judge, millis } from './oracle-judge.ts'
import { nameOf, type Stream } from './oracle-streams.ts'

/** Faults by the streams that they touch: when the last of them was over. */
class Endings {
  readonly #faults: Entry<'fault'>[] = []

  add(fault: Entry<'fault'>): void {
    this.#faults.push(fault)
  }

  lastUs(stream: Stream, without: RegExp): EpochUs {
    let lastUs = 0
    for (const fault of this.#faults)
      if (!without.test(fault.fault) && touches(fault, stream)) lastUs = Math.max(lastUs, fault.untilUs ?? fault.atUs)
    return lastUs
  }
}

/** A book that broke so often without holding in between is built anew ever more rarely. */
const BREAKS_MAX = 4
const STEADY_US = 60_000_000
const AGAIN = 'live again'

/** A stream is on a connection again, and a book live, within a bounded time after the last fault that touches it. */
export function judgeReturns({ streams, options, report }: Court): Judge {
  const endings = new Endings()
  const permanent: Entry<'fault'>[] = []
  const unsubscribedUs = new Map<Stream, EpochUs>()
  const staleUs = new Map<Stream, EpochUs>()
  /** How often each book broke since it last held for a while. */
  const breaks = new Map<Stream, number>()
  const subscribedUs = new Map<Stream, EpochUs>()
  const liveUs = new Map<Stream, EpochUs>()

  function settle(stream: Stream, lost: Map<Stream, EpochUs>, word: string, boundUs = options.backUs): void {
    const lostUs = lost.get(stream)
    // What a venue refuses for now is asked for again ever more rarely.
    const sinceUs = lostUs && Math.max(lostUs, word === AGAIN ? (subscribedUs.get(stream) ?? 0) : 0)
    lost.delete(stream)
    if (sinceUs === undefined || permanent.some((fault) => touches(fault, stream))) return
    const lateUs = streams.nowUs - Math.max(sinceUs, endings.lastUs(stream, options.quietFaults))
    if (lateUs > boundUs) report('back_late', streams.nowUs, stream, `${word} after ${millis(lateUs)}`)
  }

  return {
    fault(entry) {
      if (options.timeFaults.test(entry.fault)) for (const lost of [unsubscribedUs, staleUs]) lost.clear()
      endings.add(entry)
      if (options.permanentFaults.test(entry.fault)) permanent.push(entry)
    },
    process({ state, atUs }) {
      for (const lost of [unsubscribedUs, staleUs]) {
        if (state !== 'started') lost.clear()
        else
          for (const stream of streams.all())
            if (stream.deliveredUs !== undefined && (lost !== staleUs || stream.channel === 'book'))
              lost.set(stream, atUs)
      }
    },
    connection({ venue, state, atUs }) {
      if (state !== 'closed') return
      for (const stream of streams.all()) {
        const isLost = stream.venue === venue && stream.subscribed.size === 0 && stream.deliveredUs !== undefined
        if (isLost && !unsubscribedUs.has(stream)) unsubscribedUs.set(stream, atUs)
      }
    },
    subscribed(stream) {
      subscribedUs.set(stream, streams.nowUs)
      settle(stream, unsubscribedUs, 'on a connection again')
    },
    bookState(stream, { state }) {
      const count = breaks.get(stream) ?? 0
      if (state === 'live') {
        settle(stream, staleUs, AGAIN, count > BREAKS_MAX ? options.backUs : options.bookBackUs)
        liveUs.set(stream, streams.nowUs)
      } else if (!staleUs.has(stream)) {
        staleUs.set(stream, streams.nowUs)
        const hasHeld = streams.nowUs - (liveUs.get(stream) ?? 0) > STEADY_US
        breaks.set(stream, hasHeld ? 1 : count + 1)
      }
    },
    finish() {
      for (const stream of [...unsubscribedUs.keys()]) settle(stream, unsubscribedUs, 'on no connection')
    },
  }
}

/** Before a connection carries the trades again nobody can say that none are missing any more. */
export function judgeEarlyEnds({ streams, options, report }: Court): Judge {
  /** Venues said that they send what they did not. */
  const untrue: Entry<'fault'>[] = []
  /** What ended while a connection carried the stream may be told when that is over. */
  const closedUs = new Map<string, EpochUs>()
  return {
    connection({ venue, state, atUs }) {
      if (state === 'closed') closedUs.set(venue, atUs)
    },
    fault(entry) {
      if (options.untrueFaults.test(entry.fault)) untrue.push(entry)
    },
    gap({ record: { stream, isReverted }, event, before }) {
      const { end_time_us: endUs } = event
      if (stream.channel !== 'trade' || event.state === 'final' || endUs === undefined) return
      // An earlier process knew that it had ended.
      if (isReverted || (closedUs.get(stream.venue) ?? 0) >= endUs) return
      if (before?.end_time_us !== undefined || stream.subscribed.size > 0) return
      if (untrue.some((fault) => touches(fault, stream))) return
      report('gap_ended_early', streams.nowUs, stream, `gap ${event.gap_id} ended; nobody carries ${nameOf(stream)}`)
    },
  }
}
