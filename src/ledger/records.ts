/** Gap records as pure values: each change of a gap is a new event with the same `gap_id` and the next revision. */

import type { Channel, EpochUs, Gap, GapCause, GapState, Market, Proof } from '../model/event.ts'

/** One stream: what its gaps say of themselves. */
export interface StreamIdentity {
  readonly exchange: string
  readonly venue: string
  readonly channel: Channel
  readonly symbol: string
  readonly market: Market
  readonly instrument?: string | undefined
  readonly proof: Proof
  /** What its running numbers count, where the venue has several kinds. */
  readonly numbers?: string | undefined
}

export type StreamName = Pick<StreamIdentity, 'venue' | 'channel' | 'symbol'>

export const streamKey = ({ venue, channel, symbol }: StreamName): string => `${venue}:${channel}:${symbol}`

/** What is known of a loss when it is noticed. */
export interface LossStart {
  readonly cause: GapCause
  readonly startUs: EpochUs
  readonly lastSequence?: number | undefined
  readonly reason?: string | undefined
}

/** What is known when data came again. */
export interface LossEnd {
  /** Where numbers show a loss: when the last message before it came. It may be from any time since. */
  readonly startUs?: EpochUs | undefined
  readonly endUs: EpochUs
  /** Where asking took time, or who was asked may lag: since when more may be missing, before the end. */
  readonly nextUs?: EpochUs | undefined
  readonly firstSequence?: number | undefined
  readonly lost?: number | undefined
}

/** It began with the last beat of a process or with its stop, and not with a message of the stream. */
export const isOfProcess = ({ cause }: Pick<Gap, 'cause'>): boolean => cause === 'process_down' || cause === 'shutdown'

export function openGap(stream: StreamIdentity, gapId: string, start: LossStart, nowUs: EpochUs): Gap {
  const { exchange, venue, market, symbol, instrument, channel } = stream
  return {
    type: 'gap',
    exchange,
    venue,
    market,
    symbol,
    instrument,
    id: revisionId(stream, gapId, 1),
    channel,
    gap_id: gapId,
    cause: start.cause,
    state: 'open',
    start_time_us: Math.min(start.startUs, nowUs),
    last_sequence: start.lastSequence,
    detected_time_us: nowUs,
    reason: start.reason === '' ? undefined : start.reason,
  }
}

/** How a healed or unhealable gap ended. */
export interface Outcome {
  readonly state: Exclude<GapState, 'open'>
  readonly healed?: number | undefined
  readonly reason?: string | undefined
  /** Where what came shows that more may be missing than was known. */
  readonly start_time_us?: EpochUs
}

/** The next revision of `gap`. */
export function revise(gap: Gap, change: Partial<Omit<Gap, 'id' | 'gap_id' | 'type'>>): Gap {
  return { ...gap, ...change, id: revisionId(gap, gap.gap_id, revisionOf(gap) + 1) }
}

export const endOf = (gap: Pick<Gap, 'start_time_us'>, { endUs, firstSequence, lost }: LossEnd): Partial<Gap> => ({
  end_time_us: Math.max(endUs, gap.start_time_us),
  first_sequence: firstSequence,
  lost,
})

const revisionId = ({ venue, symbol }: { venue: string; symbol: string }, gapId: string, revision: number): string =>
  `${venue}:gap:${symbol}:${gapId}:${revision}`

export const revisionOf = (gap: Gap): number => Number(gap.id.slice(gap.id.lastIndexOf(':') + 1))

/** What is missing of one stream, in order: its numbers only grow, while the clock may be set back, also between two processes. */
export const byNumbers = (a: Gap, b: Gap): number => (a.last_sequence ?? 0) - (b.last_sequence ?? 0)
