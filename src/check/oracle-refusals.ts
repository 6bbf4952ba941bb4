/** Subscriptions that a venue refuses: who collects them tells so, and asks again for what is refused for now. */

import type { EpochUs } from '../model/event.ts'
import { type Court, type Entry, type Judge, mayBlock, millis } from './oracle-judge.ts'

/** A refusal for now is no answer: the stream is asked for again while the connection lives. */
export function judgeRefusals({ streams, options, report }: Court): Judge {
  /** By stream: when it was refused for the first time since it was last taken, and was not asked for since. */
  const refusedUs = new Map<string, EpochUs>()
  /** Refused more than once in a row: the waits grow. */
  const repeated = new Set<string>()

  function settle(key: string): void {
    const sinceUs = refusedUs.get(key)
    refusedUs.delete(key)
    if (sinceUs === undefined || streams.nowUs - sinceUs <= options.askedAgainUs) return
    report('refusal_forgotten', sinceUs, undefined, `${key} was not asked for again in time`)
  }

  function forget(venue: string): void {
    for (const key of refusedUs.keys()) if (key.startsWith(`${venue} `)) refusedUs.delete(key)
  }

  return {
    process: () => refusedUs.clear(),
    fault({ fault, venue }) {
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
      if (answer === 'busy' && isFirst) refusedUs.set(key, atUs)
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
    },
    shown(stream, { stream: name, state, reason, hasOpenGap, atUs }) {
      const sinceUs = refusedUs.get(`${stream.venue} ${name}`)
      if (sinceUs === undefined || atUs - sinceUs < options.toldUs - options.slackUs) return
      // Another connection may still bring it.
      if (stream.subscribed.size > 0 || isStruck(faults, stream.venue, sinceUs)) return
      if (state === 'down' && reason !== '' && hasOpenGap) return
      const gap = hasOpenGap ? 'a gap is open' : 'no gap is open'
      report('refusal_untold', atUs, stream, `${millis(atUs - sinceUs)} after it: ${state} '${reason}', ${gap}`)
    },
  }
}

/** Whoever is refused for good does not ask again and again. */
export function judgeRepeatedAsking({ streams, options, report }: Court): Judge {
  const { restFaults, timeFaults, unlistedFaults, toldUs, listedUs } = options
  /** By stream: when this process was first refused. */
  const refusedUs = new Map<string, EpochUs>()
  /** Where a list of instruments may have come late, or have changed. */
  const relisted = new Set<string | undefined>()
  /** By which the refusal may not have arrived. */
  const faults: Entry<'fault'>[] = []

  return {
    process: () => refusedUs.clear(),
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
      if (afterUs > toldUs && afterUs < listedUs)
        report('refusal_ignored', streams.nowUs, undefined, `${key} asked for again after ${millis(afterUs)}`)
    },
  }
}
