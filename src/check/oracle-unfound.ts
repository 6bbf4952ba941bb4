/** Trades that are lost at the end of a stream show in nothing that follows: someone has to ask, and in time. */

import type { EpochUs } from '../model/event.ts'
import { touches } from './oracle-causes.ts'
import type { Court, Entry, Judge } from './oracle-judge.ts'
import { rangeText } from './oracle-numbers.ts'
import type { Stream } from './oracle-streams.ts'
import { outsideGaps, quietTruth } from './oracle-trades.ts'

/** How often it is looked whether something should have been found by now. */
const LOOK_US = 5_000_000

export function judgeUnfound({ streams, options, report }: Court): Judge {
  const { unfoundUs, detectionUs, restFaults, timeFaults, permanentFaults, unlistedFaults } = options
  /** While they last, and for a while after, nobody can ask. */
  const faults: Entry<'fault'>[] = []
  const told = new Set<Stream>()
  let nextUs = 0
  /** The next entry is the first of another time. */
  let hasJumped = false

  const isExcused = (stream: Stream): boolean =>
    faults.some(
      (fault) => (fault.untilUs ?? fault.atUs) > streams.nowUs - unfoundUs - detectionUs && touches(fault, stream),
    )

  function look(stream: Stream): void {
    const { deliveries, outage } = stream
    const { top, newest } = deliveries
    const last = quietTruth(deliveries, streams.nowUs - unfoundUs)
    if (last === undefined || newest === undefined || top === undefined || last <= newest) return
    if (outage?.isProcess === true || told.has(stream) || isExcused(stream)) return
    if (outsideGaps(stream, { first: top + 1, last: top + 1 }).length === 0) return
    told.add(stream)
    report('loss_unfound', streams.nowUs, stream, `trades ${rangeText({ first: newest + 1, last })} are missing`)
  }

  return {
    fault(entry) {
      const isMet = [restFaults, timeFaults, permanentFaults, unlistedFaults].some((words) => words.test(entry.fault))
      if (isMet) faults.push(entry)
      hasJumped ||= timeFaults.test(entry.fault)
    },
    traded({ atUs }) {
      if (hasJumped) faults.push({ kind: 'fault', fault: 'time jumped', atUs })
      hasJumped = false
      if (atUs < nextUs) return
      nextUs = (atUs + LOOK_US) as EpochUs
      for (const stream of streams.all()) if (stream.channel === 'trade') look(stream)
    },
  }
}
