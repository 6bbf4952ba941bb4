/** At the end every stream is live and no gap is open, but for what a fault ended for good. And the venues' rules hold. */

import type { EpochUs } from '../model/event.ts'
import { touches } from './oracle-causes.ts'
import type { GapRecord } from './oracle-gaps.ts'
import type { Court, Entry, Judge } from './oracle-judge.ts'
import type { Stream } from './oracle-streams.ts'

/** What was found so late may still be being fetched. */
const HEALING_US = 4_000_000
/** Words of faults in which a venue forbids requests. */
const FORBIDDEN = /^rest-(limited|banned)/
/** A request is under way no longer. */
const UNDER_WAY_US = 500_000
/** Words of faults in which past trades are refused. */
const REFUSED = /^rest-|^losses-unhealed/
/** Who could not ask waits up to so long before it asks again. */
const ASKED_AGAIN_US = 61_000_000

export function judgeEnd({ streams, options, report }: Court): Judge {
  const permanent: Entry<'fault'>[] = []
  /** The clock jumped ahead; who began since then may take a ban for over that is not. */
  let hasJumped = false
  let startedUs = 0
  /** The process cannot know that the venue forbids requests. */
  let isMisled = false
  /** By venue: when it last did not answer as it should. */
  const unansweredUs = new Map<string, EpochUs>()

  /** The trades that it lacks may still be waited for. */
  function mayBeHealing({ venue }: Stream, record: GapRecord): boolean {
    const lastUs = unansweredUs.get(venue) ?? 0
    return (
      record.firstAtUs > streams.nowUs - HEALING_US ||
      (lastUs > streams.nowUs - ASKED_AGAIN_US && lastUs >= record.firstAtUs)
    )
  }

  function judgeGaps(stream: Stream): void {
    for (const record of stream.open) {
      const isOver = record.latest.end_time_us !== undefined
      if (isOver && mayBeHealing(stream, record)) continue
      const text = `gap ${record.gapId} (${record.latest.cause}) is open since ${record.latest.start_time_us}`
      const promise = record.latestRun < streams.runs ? 'gap_forgotten' : 'gap_left_open'
      report(promise, streams.nowUs, stream, text)
    }
  }

  return {
    fault(entry) {
      const { fault, atUs, untilUs = atUs } = entry
      if (options.permanentFaults.test(fault)) permanent.push(entry)
      // The clock leaves that time out.
      if (options.timeFaults.test(fault))
        for (const [venue, lastUs] of unansweredUs) unansweredUs.set(venue, lastUs + untilUs - atUs)
      if (fault.startsWith('wall') && untilUs > atUs) hasJumped = true
      // What the process before it had asked is answered to nobody.
      if (FORBIDDEN.test(fault) && atUs - startedUs <= UNDER_WAY_US && streams.runs > 1) isMisled = true
      if (entry.venue !== undefined && REFUSED.test(fault)) unansweredUs.set(entry.venue, atUs)
    },
    process({ state, atUs }) {
      if (state !== 'started') return
      startedUs = atUs
      isMisled = hasJumped
    },
    violation({ venue, rule, atUs }) {
      if (isMisled && rule === 'request-while-forbidden') return
      if (!options.isRuleAllowed(rule)) report('venue_rule_broken', atUs, undefined, `${venue}: ${rule}`)
    },
    end(stream, { state, reason }) {
      if (permanent.some((fault) => touches(fault, stream))) return
      if (state !== 'live') report('stream_not_live', streams.nowUs, stream, `${state}: ${reason}`)
      judgeGaps(stream)
    },
  }
}
