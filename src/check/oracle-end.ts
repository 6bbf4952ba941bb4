/** At the end every stream is live and no gap is open, but for what a fault ended for good. And the venues' rules hold. */

import { touches } from './oracle-causes.ts'
import type { Court, Entry, Judge } from './oracle-judge.ts'
import type { Stream } from './oracle-streams.ts'

/** What was found so late may still be being fetched. */
const HEALING_US = 4_000_000

export function judgeEnd({ streams, options, report }: Court): Judge {
  const permanent: Entry<'fault'>[] = []

  function judgeGaps(stream: Stream): void {
    for (const record of stream.open) {
      const isOver = record.latest.end_time_us !== undefined
      if (isOver && record.firstAtUs > streams.nowUs - HEALING_US) continue
      const text = `gap ${record.gapId} (${record.latest.cause}) is open since ${record.latest.start_time_us}`
      const promise = record.latestRun < streams.runs ? 'gap_forgotten' : 'gap_left_open'
      report(promise, streams.nowUs, stream, text)
    }
  }

  return {
    fault(entry) {
      if (options.permanentFaults.test(entry.fault)) permanent.push(entry)
    },
    violation({ venue, rule, atUs }) {
      if (!options.isRuleAllowed(rule)) report('venue_rule_broken', atUs, undefined, `${venue}: ${rule}`)
    },
    end(stream, { state, reason }) {
      if (permanent.some((fault) => touches(fault, stream))) return
      if (state !== 'live') report('stream_not_live', streams.nowUs, stream, `${state}: ${reason}`)
      judgeGaps(stream)
    },
  }
}
