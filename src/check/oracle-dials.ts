/** How the collector comes back after a connection has ended, and which it ends itself. */

import type { EpochUs } from '../model/event.ts'
import { type Court, type Entry, type Judge, millis } from './oracle-judge.ts'

/** Longer pauses are none that a wait draws. */
const WAIT_US_MAX = 35_000_000
/** Who takes over at once does not wait. */
const WAIT_US_MIN = 1_000
/** Three waits that are the same to so little are not drawn by chance. */
const SAME_US = 2
const SAME_COUNT = 3

/** What failed together must not come back together: waits before dialling again are drawn. */
export function judgeWaits({ streams, report }: Court): Judge {
  const endpoints = new Map<string, string>()
  const endedUs = new Map<string, EpochUs>()
  const waits: number[] = []
  let isTold = false

  function dialled(endpoint: string): void {
    const sinceUs = endedUs.get(endpoint)
    endedUs.delete(endpoint)
    if (sinceUs === undefined || isTold) return
    const waitUs = streams.nowUs - sinceUs
    if (waitUs < WAIT_US_MIN || waitUs > WAIT_US_MAX) return
    waits.push(waitUs)
    isTold = waits.filter((each) => Math.abs(each - waitUs) <= SAME_US).length >= SAME_COUNT
    if (isTold) report('dials_in_step', streams.nowUs, undefined, `${endpoint}: ${millis(waitUs)}, as twice before`)
  }

  return {
    process() {
      for (const map of [endpoints, endedUs]) map.clear()
    },
    connection({ venue, connection, state, endpoint = '' }) {
      const key = `${venue} ${connection}`
      if (state === 'dialled') {
        endpoints.set(key, `${venue} ${endpoint}`)
        dialled(`${venue} ${endpoint}`)
      } else if (state === 'closed') endedUs.set(endpoints.get(key) ?? key, streams.nowUs)
    },
  }
}

/** A process that stood still has heard nothing of its peers, so it may not take them for dead. */
export function judgeStalls({ streams, options, report }: Court): Judge {
  const others: Entry<'fault'>[] = []
  let stall: { readonly fromUs: EpochUs; readonly untilUs: EpochUs } | undefined

  /** Something else may have happened to the venue's connections since they were last well. */
  const isExcused = (venue: string, sinceUs: EpochUs): boolean =>
    others.some((fault) => {
      const isHere = fault.symbol === undefined && (fault.venue === undefined || fault.venue === venue)
      return isHere && (fault.untilUs ?? fault.atUs) >= sinceUs - options.deadLinkUs
    })

  return {
    process() {
      stall = undefined
    },
    fault(entry) {
      const { fault, atUs, untilUs = atUs } = entry
      if (!options.stallFaults.test(fault)) others.push(entry)
      else if (stall === undefined || atUs > stall.untilUs) stall = { fromUs: atUs, untilUs }
      else stall = { fromUs: stall.fromUs, untilUs: Math.max(stall.untilUs, untilUs) }
    },
    connection({ venue, state, isOurs }) {
      if (state !== 'closed' || isOurs !== true || stall === undefined) return
      const { nowUs } = streams
      if (nowUs < stall.untilUs - options.slackUs || nowUs > stall.untilUs + options.startUs) return
      if (!isExcused(venue, stall.fromUs))
        report(
          'healthy_link_ended',
          nowUs,
          undefined,
          `${venue}: ended behind a stall of ${millis(stall.untilUs - stall.fromUs)}`,
        )
    },
  }
}
