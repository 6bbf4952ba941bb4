/** Gaps of an earlier process whose end it had recorded, and the record is lost. Pure. */

import type { Gap } from '../model/event.ts'
import type { Outcome, StreamIdentity } from './records.ts'

/** Of two gaps of a stream without an end: the one that began later, and the other, which was over by then. */
export function newerOutage(a: Gap, b: Gap | undefined): [outage: Gap, ended: Gap | undefined] {
  if (b === undefined) return [a, undefined]
  const [ended, outage] = a.start_time_us < b.start_time_us ? [a, b] : [b, a]
  return [outage, { ...ended, end_time_us: outage.start_time_us }]
}

/** Of gaps that are over, but nothing says which numbers they lack: they cannot be fetched. */
export function outcomesOfUnnumbered(gaps: Iterable<Gap>, { proof }: StreamIdentity): [gapId: string, Outcome][] {
  const state = proof === 'counter' ? 'final' : 'closed'
  const outcome = { state, reason: 'the record of its end is lost; it ended by then' } as const
  return [...gaps].filter((gap) => gap.first_sequence === undefined).map(({ gap_id }) => [gap_id, outcome])
}
