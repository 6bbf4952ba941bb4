/** What the journal's records add up to: streams and their gaps as the last process left them. */

import { z } from 'zod'
import { CHANNELS, type EpochUs, GAP_CAUSES, GAP_STATES, type Gap, PROOFS } from '../model/event.ts'
import type { Stretch } from './completeness.ts'
import { revisionOf, type StreamIdentity, streamKey } from './records.ts'
import type { NumberSpan, Tally } from './tally.ts'

const time = z.number().int()
const market = z.enum(['spot', 'perpetual', 'future', 'option'])
const stretch = z.object({
  fromUs: time,
  untilUs: time.optional(),
  isOffList: z.boolean().optional(),
  proof: z.enum(PROOFS).optional(),
})
const identity = {
  exchange: z.string(),
  venue: z.string(),
  channel: z.enum(CHANNELS),
  symbol: z.string(),
  market,
  instrument: z.string().optional(),
}
const gap = z.object({
  ...identity,
  type: z.literal('gap'),
  id: z.string(),
  gap_id: z.string(),
  cause: z.enum(GAP_CAUSES),
  state: z.enum(GAP_STATES),
  start_time_us: time,
  end_time_us: time.optional(),
  last_sequence: z.number().optional(),
  first_sequence: z.number().optional(),
  lost: z.number().optional(),
  healed: z.number().optional(),
  detected_time_us: time,
  reason: z.string().optional(),
})
const stream = z.object({ ...identity, proof: z.enum(PROOFS), numbers: z.string().optional() })

/**
 * Where a stream stands: the last sequence, the epoch, of counted streams the spans before it that are still missing, when
 * its newest message came, and the newest exchange time of its trades; 0: not known.
 */
const mark = z.tuple([z.string(), z.number(), z.number(), z.array(z.tuple([z.number(), z.number()])), time, time])
export type Mark = z.infer<typeof mark>

const ofLog = {
  /** All that is behind this record is in the log alone. */
  lsn: z.number().optional(),
  /** Of streams of the log: the newest id, where it is older than that. */
  ids: z.array(z.tuple([z.string(), z.string()])).optional(),
}

const stamp = {
  /** Records of all processes are counted, because a wall clock can be set back; those of old versions are not: 0. */
  n: z.number().int().default(0),
  atUs: time,
}
export type Stamp = z.infer<z.ZodObject<typeof stamp>>

/** One line of the journal. */
const record = z.discriminatedUnion('k', [
  z.object({ k: z.literal('gap'), gap }),
  /**
   * `isUnmarked`: it stands nowhere; what older records tell is of numbers before it began anew. `former`: of one that is
   * collected and has no number yet, the last before it was retired.
   */
  z.object({
    k: z.literal('stream'),
    ...stamp,
    stream,
    stretches: z.array(stretch),
    epoch: z.number().default(0),
    isUnmarked: z.boolean().optional(),
    former: z.number().optional(),
  }),
  /** What had to be forgotten of a stream, as one gap. */
  z.object({ k: z.literal('forgotten'), gap }),
  /** Alive at `atUs`; the streams that do not stand where the last beat told; and of the log, if there is one. */
  z.object({ k: z.literal('beat'), ...stamp, at: z.array(mark), ...ofLog }),
  /** The same, but of the first number of a numbering, which may be written before the log has any of it. */
  z.object({ k: z.literal('mark'), ...stamp, at: z.array(mark) }),
])
export type JournalRecord = z.infer<typeof record>
type Beat = Extract<JournalRecord, { k: 'beat' }>

/** A numbering of a stream, from its first number on. */
export interface NewNumbering {
  readonly epoch: number
  /** The number before the first. */
  readonly before: number
}

/** One stream as it was last known. */
export interface StreamState {
  readonly stream: StreamIdentity
  /** When it was collected. An unfinished stretch: until the process ended. */
  readonly stretches: readonly Stretch[]
  readonly lastUs: EpochUs | undefined
  readonly lastSequence: number | undefined
  readonly newestTradeUs: EpochUs | undefined
  readonly epoch: number
  readonly missing: readonly NumberSpan[]
  /** It has no number since it was wanted again; before it was retired this was the last. */
  readonly former?: number | undefined
  /** What it had begun when that was not yet certain: the log tells how far it came. */
  readonly ahead?: NewNumbering | undefined
}

export interface RestoredState {
  readonly streams: ReadonlyMap<string, StreamState>
  /** The newest revision of each gap. */
  /** Those found first come first, as the clock showed it. */
  readonly gaps: readonly Gap[]
  /** What had to be forgotten, in any number of gaps a stream. */
  readonly forgotten: readonly Gap[]
  /** When the last process was last seen alive; `undefined`: there was none. */
  readonly lastBeatUs: EpochUs | undefined
  /** The greatest {@link Stamp} has this number. */
  readonly count: number
  /** What the log has behind this record is not in here yet; `undefined`: there was no log. */
  readonly lsn: number | undefined
  /** The newest id of each stream of the log. */
  readonly ids: ReadonlyMap<string, string>
  /** Records that are none of ours. */
  readonly unknown: number
}

const UNKNOWN = { lastUs: undefined, lastSequence: undefined, newestTradeUs: undefined, missing: [] } as const

const isNewer = (a: Stamp, b: Stamp | undefined): boolean => b === undefined || (a.n - b.n || a.atUs - b.atUs) >= 0

/** The order of `records` does not matter. */
export function restore(records: readonly unknown[]): RestoredState {
  const streams = new Map<string, Recorded>()
  const gaps = new Map<string, Gap>()
  const forgotten: Gap[] = []
  const marks = new Map<string, Marked>()
  const starts = new Map<string, Marked>()
  let lastBeat: Stamp | undefined
  let count = 0
  let lsn: number | undefined
  const ids = new Map<string, Stamp & { readonly id: string }>()
  let unknown = 0
  for (const line of records) {
    const { success, data } = record.safeParse(line)
    if (!success) {
      unknown++
      continue
    }
    if (data.k === 'gap') {
      const known = gaps.get(data.gap.gap_id)
      if (known === undefined || revisionOf(known) < revisionOf(data.gap)) gaps.set(data.gap.gap_id, data.gap)
      continue
    }
    if (data.k === 'forgotten') {
      forgotten.push(data.gap)
      continue
    }
    const { n, atUs } = data
    count = Math.max(count, n)
    if (data.k === 'stream') {
      const key = streamKey(data.stream)
      if (!isNewer(data, streams.get(key))) continue
      const { k, ...state } = data
      streams.set(key, { ...UNKNOWN, ...state })
      continue
    }
    if (data.k === 'beat') {
      if (isNewer(data, lastBeat)) {
        lsn = data.lsn ?? lsn
        lastBeat = { n, atUs }
      }
      for (const [name, id] of data.ids ?? []) if (isNewer(data, ids.get(name))) ids.set(name, { id, n, atUs })
    }
    const known = data.k === 'beat' ? marks : starts
    for (const mark of data.at) if (isNewer(data, known.get(mark[0]))) known.set(mark[0], { mark, n, atUs })
  }
  for (const [key, state] of streams) {
    streams.set(key, { ...state, ...standingOf(state, marks.get(key), starts.get(key)) })
  }
  const newestIds = new Map([...ids].map(([name, { id }]) => [name, id]))
  const found = [...gaps.values()].sort((a, b) => a.detected_time_us - b.detected_time_us)
  return { streams, gaps: found, forgotten, lastBeatUs: lastBeat?.atUs, count, lsn, ids: newestIds, unknown }
}

interface Marked extends Stamp {
  readonly mark: Mark
}

interface Recorded extends StreamState, Stamp {
  readonly isUnmarked?: boolean | undefined
}

/** `told`: by a beat, which the log has; `start`: of a numbering, of which the log may have nothing. */
function standingOf(state: Recorded, told: Marked | undefined, start: Marked | undefined): Partial<StreamState> {
  const isNew = start !== undefined && (told === undefined || !isNewer(told, start))
  const [, before = 0, begun = 0] = start?.mark ?? []
  const ahead = isNew && begun > (told?.mark[2] ?? begun) ? { epoch: begun, before } : undefined
  const newest = isNew && ahead === undefined ? start : told
  if (newest === undefined || (state.isUnmarked === true && !isNewer(newest, state))) return {}
  const [, lastSequence, epoch, spans, lastUs, newestTradeUs] = newest.mark
  const missing = spans.map(([first, last]) => ({ first, last }))
  // Where it stood before it was retired joins nothing that came since.
  const standing = state.former === undefined ? { lastUs: lastUs || undefined, lastSequence, missing } : {}
  return { ...standing, newestTradeUs: newestTradeUs || undefined, epoch, ahead }
}

/** Where a stream stands; `undefined`: nowhere yet. */
export function markOf(key: string, { standing, former, newestTradeUs = 0, epoch }: Standing): Mark | undefined {
  const { lastUs = 0, lastSequence, tally } = standing
  const sequence = tally.last ?? lastSequence ?? former
  const spans = tally.missing.map(({ first, last }): [number, number] => [first, last])
  return sequence === undefined ? undefined : [key, sequence, epoch, spans, lastUs, newestTradeUs]
}

/** Everything that must survive of all streams. */
export function* pictureOf(
  streams: Iterable<readonly [key: string, { readonly ledger: Standing & Described; readonly gaps: Map<string, Gap> }]>,
  stamp: Stamp,
  forgotten: Iterable<Gap>,
  ofLog: Pick<Beat, 'lsn' | 'ids'> | undefined,
): Generator<JournalRecord> {
  const at: Mark[] = []
  for (const [key, { ledger, gaps }] of streams) {
    if (ledger.stretches.length > 0) yield streamRecord(key, ledger, stamp)
    for (const gap of gaps.values()) yield { k: 'gap', gap }
    const mark = markOf(key, ledger)
    if (mark !== undefined) at.push(mark)
  }
  for (const gap of forgotten) yield { k: 'forgotten', gap }
  yield { k: 'beat', ...stamp, at, ...ofLog }
}

interface Described {
  readonly stream: StreamIdentity
  readonly stretches: readonly Stretch[]
  readonly tally: Tally
}

interface Standing {
  readonly standing: {
    readonly lastUs: EpochUs | undefined
    readonly lastSequence: number | undefined
    readonly tally: Tally
  }
  readonly former: number | undefined
  readonly newestTradeUs: EpochUs | undefined
  readonly epoch: number
}

export function streamRecord(key: string, ledger: Standing & Described, stamp: Stamp): JournalRecord {
  const { stream, stretches, tally, epoch, former } = ledger
  const isUnheard = stretches.at(-1)?.untilUs === undefined && tally.last === undefined
  return {
    k: 'stream',
    ...stamp,
    stream,
    stretches: [...stretches],
    epoch,
    ...(markOf(key, ledger) === undefined && { isUnmarked: true }),
    ...(isUnheard && { former }),
  }
}

/** The stream begins behind the number `before`. */
export const startRecord = (key: string, before: number, epoch: number, stamp: Stamp): JournalRecord => ({
  k: 'mark',
  ...stamp,
  at: [[key, before, epoch, [], 0, 0]],
})
