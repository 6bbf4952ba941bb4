/** How much of a window feeds cover: shares that never look better than they are, and sums that keep the unverifiable apart. */

import { z } from 'zod'
import { CHANNELS, type EpochUs, type Proof } from '../model/event.ts'
import { isoTime } from '../model/time.ts'
import { proofSchema } from './gaps.ts'
import { count, seconds, time } from './schemas.ts'
import type { CompletenessView } from './view.ts'

const US_PER_SECOND = 1e6
/** Digits of a share. */
const SHARE_UNITS = 1e6
/** What binary fractions may lack: 1 - 0.9 is 99999.99999999997 units. */
const DUST = 1e-6

/** Proofs by which every lost message is found. Of the others, what they do not show may be lost all the same. */
const VERIFIABLE: ReadonlySet<Proof> = new Set(['counter', 'range', 'chained'])

export const isVerifiable = ({ proof }: Pick<CompletenessView, 'proof'>): boolean => VERIFIABLE.has(proof)

/** Is anything missing, as far as is known? */
export const isIncomplete = ({ secondsLost, hasMomentaryLoss, idsLost = 0, openGaps }: CompletenessView): boolean =>
  secondsLost > 0 || hasMomentaryLoss || idsLost > 0 || openGaps > 0

/** Six digits, cut and not rounded; 1 only when nothing is missing. */
export function share(covered: number, hasLoss: boolean): number {
  const units = Math.floor(covered * SHARE_UNITS + DUST)
  return Math.max(0, Math.min(units, hasLoss ? SHARE_UNITS - 1 : SHARE_UNITS)) / SHARE_UNITS
}

const shareSchema = z.number().min(0).max(1)
const idsSchema = count.nullable()

const measures = {
  covered_share: shareSchema.describe(
    'Share of `seconds` that lies in no gap; healed gaps count as covered. Six digits, cut; 1 only when nothing is missing.',
  ),
  seconds: seconds.describe('How long the feed was collected between `start` and `end`.'),
  seconds_lost: seconds.describe('A gap of one moment adds none; the share is below 1 all the same.'),
  ids_lost: idsSchema.describe(
    'Ids missed and not fetched, of the gaps that touch the window; `null` where the ids are no counter.',
  ),
  ids_healed: idsSchema.describe('Ids missed and fetched.'),
  gaps: count.describe('Gaps that touch the window.'),
  open_gaps: count,
}

const bucketSchema = z.strictObject({ start: time, end: time, ...measures })

export const feedCompletenessSchema = z.strictObject({
  exchange: z.string(),
  venue: z.string(),
  channel: z.enum(CHANNELS),
  symbol: z.string(),
  proof: proofSchema,
  verifiable: z.boolean().describe('Every lost message would be known. Where false, more may be lost than is shown.'),
  start: time.describe('Start of the window, or when this feed was first collected, if that is later.'),
  end: time,
  ...measures,
  buckets: z
    .array(bucketSchema)
    .optional()
    .describe(
      'With `step` only, the oldest first; without those before the feed was first collected. A gap counts, with its ids, in each bucket that it touches.',
    ),
})

const measured = (view: CompletenessView) => ({
  covered_share: share(view.coveredShare, isIncomplete(view)),
  seconds: view.secondsCollected,
  seconds_lost: view.secondsLost,
  ids_lost: view.idsLost ?? null,
  ids_healed: view.idsHealed ?? null,
  gaps: view.gaps,
  open_gaps: view.openGaps,
})

export const bucketRecord = (view: CompletenessView): z.input<typeof bucketSchema> => ({
  start: isoTime(view.startUs),
  end: isoTime(view.endUs),
  ...measured(view),
})

export const feedCompletenessRecord = (
  view: CompletenessView,
  buckets: z.input<typeof bucketSchema>[] | undefined,
): z.input<typeof feedCompletenessSchema> => ({
  exchange: view.exchange,
  venue: view.venue,
  channel: view.channel,
  symbol: view.symbol,
  proof: view.proof,
  verifiable: isVerifiable(view),
  ...bucketRecord(view),
  ...(buckets === undefined ? {} : { buckets }),
})

export const completenessSumSchema = z.strictObject({
  feeds: count,
  incomplete: count.describe('Feeds of which something is missing, as far as is known.'),
  ...measures,
  covered_share: shareSchema.nullable().describe('Over `seconds`; `null` when there are no feeds.'),
  seconds: seconds.describe('How long these feeds were collected in the window, together.'),
})

/** The total of some feeds. */
export function completenessSum(views: readonly CompletenessView[]): z.input<typeof completenessSumSchema> {
  const sum = (of: (view: CompletenessView) => number): number => views.reduce((total, view) => total + of(view), 0)
  const ids = (of: (view: CompletenessView) => number | undefined): number | null =>
    views.some((view) => of(view) !== undefined) ? sum((view) => of(view) ?? 0) : null
  const incomplete = views.filter(isIncomplete).length
  const collected = sum(({ secondsCollected }) => secondsCollected)
  const covered = sum(({ coveredShare, secondsCollected }) => coveredShare * secondsCollected)
  return {
    feeds: views.length,
    incomplete,
    covered_share: collected === 0 ? null : share(covered / collected, incomplete > 0),
    seconds: wholeMicroseconds(collected),
    seconds_lost: wholeMicroseconds(sum(({ secondsLost }) => secondsLost)),
    ids_lost: ids(({ idsLost }) => idsLost),
    ids_healed: ids(({ idsHealed }) => idsHealed),
    gaps: sum(({ gaps }) => gaps),
    open_gaps: sum(({ openGaps }) => openGaps),
  }
}

/** Seconds without the dust that adding them leaves. */
const wholeMicroseconds = (total: number): number => Math.round(total * US_PER_SECOND) / US_PER_SECOND

export interface Bucket {
  readonly startUs: EpochUs
  readonly endUs: EpochUs
}

/** How many buckets {@link bucketsOf} makes. */
export const bucketCount = (sinceUs: EpochUs, untilUs: EpochUs, stepUs: number): number =>
  Math.ceil(untilUs / stepUs) - Math.floor(sinceUs / stepUs)

/** A window cut at the multiples of `stepUs`, so that the same minute is the same bucket in every answer. */
export function bucketsOf(sinceUs: EpochUs, untilUs: EpochUs, stepUs: number): readonly Bucket[] {
  const first = Math.floor(sinceUs / stepUs)
  return Array.from({ length: bucketCount(sinceUs, untilUs, stepUs) }, (_, index) => ({
    startUs: Math.max(sinceUs, (first + index) * stepUs),
    endUs: Math.min(untilUs, (first + index + 1) * stepUs),
  }))
}
