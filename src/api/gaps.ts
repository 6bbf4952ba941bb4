/** Gaps as the API shows them, which of them were asked for, and what they sum up to. */

import { z } from 'zod'
import {
  CHANNELS,
  type EpochUs,
  GAP_CAUSES,
  GAP_STATES,
  type Gap,
  type GapCause,
  type GapState,
  PROOFS,
  type Proof,
} from '../model/event.ts'
import { isoTime, isoTimeOrNull } from '../model/time.ts'
import { count, market, seconds, time, timeOrNull } from './schemas.ts'

const US_PER_SECOND = 1e6

export const proofSchema = z
  .enum(PROOFS)
  .describe(
    'What can be verified on the stream. `counter`, `range`, `chained`: every lost message is found. `cadence`: only silence is. `none`: only lost connections and long silences are.',
  )

export const gapSchema = z.strictObject({
  gap_id: z.string().describe('The same in every event and answer about this gap.'),
  exchange: z.string(),
  venue: z.string(),
  market,
  symbol: z.string(),
  instrument: z.string().nullable().describe('Canonical name.'),
  channel: z.enum(CHANNELS),
  proof: proofSchema.nullable(),
  cause: z.enum(GAP_CAUSES),
  state: z
    .enum(GAP_STATES)
    .describe(
      '`open`: it goes on, or what is missing is being fetched. `closed`: it ended, and nothing is fetched. `healed`: all of it was fetched. `final`: some of it cannot be fetched.',
    ),
  reason: z.string().nullable().describe('In words: why it happened, or why it cannot be healed.'),
  start_time: time.describe('When the last message before it came.'),
  end_time: timeOrNull.describe('When the first message after it came; `null` until then.'),
  duration_seconds: seconds.describe('Until now while it has no end.'),
  detected_time: time.describe('When it was noticed.'),
  last_sequence: z.int().nullable().describe('The last one before it.'),
  first_sequence: z.int().nullable().describe('The first one after it.'),
  lost: count.nullable().describe('Ids missed; `null` where the ids are no counter, or it is not known yet.'),
  healed: count.nullable().describe('How many of them were fetched and delivered.'),
})

const durationOf = ({ start_time_us, end_time_us }: Gap, nowUs: EpochUs): number =>
  Math.max(0, (end_time_us ?? nowUs) - start_time_us)

export const gapRecord = (gap: Gap, proof: Proof | undefined, nowUs: EpochUs): z.input<typeof gapSchema> => ({
  gap_id: gap.gap_id,
  exchange: gap.exchange,
  venue: gap.venue,
  market: gap.market,
  symbol: gap.symbol,
  instrument: gap.instrument ?? null,
  channel: gap.channel,
  proof: proof ?? null,
  cause: gap.cause,
  state: gap.state,
  reason: gap.reason ?? null,
  start_time: isoTime(gap.start_time_us),
  end_time: isoTimeOrNull(gap.end_time_us),
  duration_seconds: durationOf(gap, nowUs) / US_PER_SECOND,
  detected_time: isoTime(gap.detected_time_us),
  last_sequence: gap.last_sequence ?? null,
  first_sequence: gap.first_sequence ?? null,
  lost: gap.lost ?? null,
  healed: gap.healed ?? null,
})

/** Does it touch the window? A gap without an end touches everything after its start. */
export const touches = (gap: Gap, sinceUs: EpochUs, untilUs: EpochUs): boolean =>
  gap.start_time_us <= untilUs && (gap.end_time_us ?? Number.POSITIVE_INFINITY) >= sinceUs

/** Is something missing because of it, as far as is known? */
export const leavesLoss = ({ state, lost }: Gap): boolean => state === 'open' || (state !== 'healed' && lost !== 0)

export const gapSummarySchema = z.strictObject({
  total: count,
  states: z.partialRecord(z.enum(GAP_STATES), count),
  causes: z.partialRecord(z.enum(GAP_CAUSES), count),
  incomplete: count.describe('Gaps that leave something missing: neither healed, nor ended with nothing lost.'),
  seconds: seconds.describe('All durations together; gaps of different feeds, or of one, may overlap.'),
  lost: count.describe('Ids missed, of the gaps where they can be counted.'),
  healed: count.describe('Ids of these that were fetched and delivered.'),
  uncounted: count.describe('Gaps where the missed ids cannot be counted, or are not yet: they are not in `lost`.'),
})

export function gapSummary(gaps: readonly Gap[], nowUs: EpochUs): z.input<typeof gapSummarySchema> {
  const states: Partial<Record<GapState, number>> = {}
  const causes: Partial<Record<GapCause, number>> = {}
  for (const { state, cause } of gaps) {
    states[state] = (states[state] ?? 0) + 1
    causes[cause] = (causes[cause] ?? 0) + 1
  }
  const sum = (of: (gap: Gap) => number): number => gaps.reduce((total, gap) => total + of(gap), 0)
  return {
    total: gaps.length,
    states,
    causes,
    incomplete: gaps.filter(leavesLoss).length,
    seconds: sum((gap) => durationOf(gap, nowUs)) / US_PER_SECOND,
    lost: sum(({ lost }) => lost ?? 0),
    healed: sum(({ healed }) => healed ?? 0),
    uncounted: gaps.filter(({ lost }) => lost === undefined).length,
  }
}
