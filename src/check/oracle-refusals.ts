/** Subscriptions that a venue refuses: who collects them tells so, and asks again for what is refused for now. */

import type { EpochUs } from '../model/event.ts'
import { type Court, type Entry, type Judge, mayBlock, millis } from './oracle-judge.ts'
import type { Stream } from './oracle-streams.ts'

/** Requests that are refused because of a few of their streams are halved so long, at the pace that the venue allows. */
const HALVED_US = 10_000_000
/** A new list of instruments is asked for so often. */
const LISTED_EVERY_US = 600_000_000

/** A refusal for now is no answer: the stream is asked for again while the connection lives. */
export function judgeRefusals({ streams, options, report }: Court): Judge {
  /** By stream: when it was refused for the first time since it was last taken, and was not asked for since. */
  const refusedUs = new Map<string, { readonly atUs: EpochUs; readonly boundUs: number }>()
  /** By venue: when it first refused anything of this process. */
  const firstUs = new Map<string, EpochUs>()
  /** Venues whose answers may not have come: who waits for them waits ever longer. */
  const unanswered = new Set<string | undefined>()
  /** Refused more than once in a row: the waits grow. */
  const repeated = new Set<string>()

  function settle(key: string): void {
    const refusal = refusedUs.get(key)
    refusedUs.delete(key)
    if (refusal === undefined || streams.nowUs - refusal.atUs <= refusal.boundUs) return
    report('refusal_forgotten', refusal.atUs, undefined, `${key} was not asked for again in time`)
  }

  function forget(venue: string): void {
    for (const key of refusedUs.keys()) if (key.startsWith(`${venue} `)) refusedUs.delete(key)
  }

  /** The next request may not arrive, or its answer: it is made once more. */
  function grant(venue: string | undefined): void {
    for (const [key, { atUs, boundUs }] of refusedUs) {
      const isOfVenue = venue === undefined || key.startsWith(`${venue} `)
      const isInTime = streams.nowUs - atUs <= boundUs
      if (isOfVenue && isInTime) refusedUs.set(key, { atUs, boundUs: options.askedAgainUs })
    }
  }

  /** Waits grow with each refusal, and one request can have many streams refused. */
  function isNew(venue: string, atUs: EpochUs): boolean {
    const sinceUs = firstUs.get(venue) ?? atUs
    firstUs.set(venue, sinceUs)
    return atUs - sinceUs <= options.settledUs && !unanswered.has(venue) && !unanswered.has(undefined)
  }

  return {
    process() {
      refusedUs.clear()
      firstUs.clear()
    },
    fault(entry) {
      const { fault, venue } = entry
      if (mayBlock(entry, options) && !options.endFaults.test(fault)) {
        unanswered.add(venue)
        grant(venue)
      }
      if (options.timeFaults.test(fault)) refusedUs.clear()
      // The refusal itself may not have arrived.
      if (options.answerFaults.test(fault)) forget(venue ?? '')
    },
    connection({ venue, state }) {
      if (state === 'closed') forget(venue)
    },
    asked({ venue, stream, answer, atUs }) {
      const key = `${venue} ${stream}`
      const isFirst = !repeated.has(key)
      settle(key)
      if (answer === 'busy') repeated.add(key)
      else repeated.delete(key)
      if (answer !== 'busy' || !isFirst) return
      const { askedSoonUs, askedAgainUs } = options
      refusedUs.set(key, { atUs, boundUs: isNew(venue, atUs) ? askedSoonUs : askedAgainUs })
    },
    finish() {
      for (const key of [...refusedUs.keys()]) settle(key)
    },
  }
}

/** One of the faults that can touch the venue goes on, or has struck since. */
const isStruck = (faults: readonly Entry<'fault'>[], venue: string, sinceUs: EpochUs): boolean =>
  faults.some(
    (fault) => (fault.untilUs ?? fault.atUs) >= sinceUs && (fault.venue === undefined || fault.venue === venue),
  )

/** Its reason stands where people look: the stream is down, and its data are missing. */
export function judgeRefusalsTold({ options, report }: Court): Judge {
  /** By stream: when it was refused, and nothing has happened since that could change what is told. */
  const refusedUs = new Map<string, EpochUs>()
  /** What was shown instead, by stream. */
  const untold = new Map<string, { readonly stream: Stream; readonly atUs: EpochUs; readonly text: string }>()
  /** By which the answer may not have arrived. */
  const faults: Entry<'fault'>[] = []

  function forget(venue: string): void {
    for (const key of refusedUs.keys()) if (key.startsWith(`${venue} `)) refusedUs.delete(key)
  }

  return {
    process: () => refusedUs.clear(),
    fault(entry) {
      if (options.timeFaults.test(entry.fault)) refusedUs.clear()
      // A symbol that is off the list has a reason of its own.
      if (mayBlock(entry, options) || options.unlistedFaults.test(entry.fault)) faults.push(entry)
    },
    connection: ({ venue }) => forget(venue),
    asked({ venue, stream, answer, atUs }) {
      const key = `${venue} ${stream}`
      if (answer === 'refused' || answer === 'busy') refusedUs.set(key, atUs)
      else refusedUs.delete(key)
      // It was under way again when that was shown.
      if (atUs - (untold.get(key)?.atUs ?? 0) <= options.settledUs) untold.delete(key)
    },
    shown(stream, { stream: name, state, reason, hasOpenGap, atUs }) {
      const sinceUs = refusedUs.get(`${stream.venue} ${name}`)
      if (sinceUs === undefined || atUs - sinceUs < options.toldUs - options.slackUs) return
      // Another connection may still bring it.
      if (stream.subscribed.size > 0 || isStruck(faults, stream.venue, sinceUs)) return
      if (state === 'down' && reason !== '' && hasOpenGap) return
      const gap = hasOpenGap ? 'a gap is open' : 'no gap is open'
      const text = `${millis(atUs - sinceUs)} after it: ${state} '${reason}', ${gap}`
      untold.set(`${stream.venue} ${name}`, { stream, atUs, text })
    },
    finish() {
      for (const { stream, atUs, text } of untold.values()) report('refusal_untold', atUs, stream, text)
    },
  }
}

/** Whoever is refused for good does not ask again and again. */
export function judgeRepeatedAsking({ streams, options, report }: Court): Judge {
  const { restFaults, timeFaults, unlistedFaults, listedUs } = options
  /** By stream: when this process was first refused. */
  const refusedUs = new Map<string, EpochUs>()
  let startedUs: EpochUs = 0
  /** Where a list of instruments may have come late, or have changed. */
  const relisted = new Set<string | undefined>()
  /** By which the refusal may not have arrived. */
  const faults: Entry<'fault'>[] = []

  /** Lists that may have come until then, since the process started. */
  const listsBy = (atUs: EpochUs): number => Math.floor((atUs - startedUs) / LISTED_EVERY_US)

  return {
    process({ atUs }) {
      refusedUs.clear()
      startedUs = atUs
    },
    fault(entry) {
      const { fault, venue } = entry
      if (timeFaults.test(fault)) refusedUs.clear()
      if (restFaults.test(fault) || unlistedFaults.test(fault)) relisted.add(venue)
      if (mayBlock(entry, options)) faults.push(entry)
    },
    connection({ venue, state }) {
      if (state !== 'closed') return
      for (const key of refusedUs.keys()) if (key.startsWith(`${venue} `)) refusedUs.delete(key)
    },
    asked({ venue, stream, answer, atUs }) {
      const key = `${venue} ${stream}`
      const sinceUs = refusedUs.get(key)
      if (answer !== 'refused') refusedUs.delete(key)
      else refusedUs.set(key, sinceUs ?? atUs)
      if (sinceUs === undefined || relisted.has(venue) || relisted.has(undefined)) return
      if (isStruck(faults, venue, sinceUs)) return
      const afterUs = atUs - sinceUs
      // A request that is refused because of one of its streams is halved at once.
      if (afterUs > HALVED_US && listsBy(atUs + LISTED_EVERY_US - listedUs) === listsBy(sinceUs))
        report('refusal_ignored', streams.nowUs, undefined, `${key} asked for again after ${millis(afterUs)}`)
    },
  }
}
