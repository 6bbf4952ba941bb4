/** Gap records are well formed, move in one direction, and are durable before the data behind them leaves. */

import type { Gap } from '../model/event.ts'
import type { GapRecord } from './oracle-gaps.ts'
import type { Court, Judge } from './oracle-judge.ts'

/** What is wrong with a gap record by itself. `isRenumbered`: the venue has used numbers of the stream twice. */
export function faultsOf(gap: Gap, isRenumbered = false): string[] {
  const { state, start_time_us: start, end_time_us: end, detected_time_us: detected, lost, healed } = gap
  const { last_sequence: last, first_sequence: first } = gap
  const isCounted = gap.channel === 'trade' && last !== undefined && first !== undefined && !isRenumbered
  return [
    end !== undefined && end < start && `it ends ${start - end} us before it starts`,
    detected < start && `it was detected ${start - detected} us before it starts`,
    state !== 'open' && end === undefined && `it is ${state} and has no end`,
    state === 'final' && !gap.reason && 'it is final and says no reason',
    (healed ?? 0) > (lost ?? Number.POSITIVE_INFINITY) && `it healed ${healed} of ${lost}`,
    isCounted && first <= last && `its first sequence ${first} is not behind ${last}`,
    isCounted && (lost ?? 0) > first - last - 1 && `it lost ${lost} between ${last} and ${first}`,
  ].filter((text) => text !== false)
}

export function judgeRecords({ streams, options, report }: Court): Judge {
  const told = new Set<GapRecord>()
  /** Until then the disk may not have taken anything. */
  let diskUs = 0
  return {
    fault({ fault, atUs, untilUs = atUs }) {
      if (options.diskFaults.test(fault)) diskUs = Math.max(diskUs, untilUs + options.detectionUs)
    },
    gap({ record, event, before }) {
      const wrong = faultsOf(event, record.stream.past.untilUs > 0)
      const text = `gap ${event.gap_id}: ${wrong.join('; ')}`
      if (wrong.length > 0) report('gap_malformed', streams.nowUs, record.stream, text)
      if (before !== undefined && before.state !== 'open')
        report(
          'gap_state_order',
          streams.nowUs,
          record.stream,
          `${event.gap_id} was ${before.state}, now ${event.state}`,
        )
    },
    repeated({ record, event }) {
      report('gap_revision_repeated', streams.nowUs, record.stream, `${event.id} left twice`)
    },
    finish() {
      for (const stream of streams.all())
        for (const { gapId, firstAtUs } of stream.undurable)
          if (
            Math.max(firstAtUs, diskUs) < streams.nowUs - options.slackUs &&
            firstAtUs < streams.nowUs - options.startUs
          )
            report('gap_not_durable', firstAtUs, stream, `gap ${gapId} is not durable at the end`)
    },
    data(stream) {
      for (const record of stream.undurable) {
        if (told.has(record)) continue
        told.add(record)
        if (record.firstAtUs > diskUs)
          report('data_before_durable', streams.nowUs, stream, `gap ${record.gapId} is not durable yet`)
      }
    },
  }
}
