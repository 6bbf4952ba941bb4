/** Holds the stores against each other, against what left the collector, and against the gaps. Pure. */

import type { EpochUs, Gap } from '../../model/event.ts'
import type { Stored } from './stores.ts'

/** One event that a client of the stream was sent. */
export interface Told {
  readonly id: string
  /** `venue channel symbol`; of a gap or an instrument: `undefined`. */
  readonly feed: string | undefined
  readonly receiveUs: EpochUs
}

export interface ServiceEnd {
  readonly signal: 'SIGKILL' | 'SIGTERM'
  readonly atUs: EpochUs
}

export interface DeliveryVerdict {
  /** Ids that stand in a store more than once. */
  readonly doubled: readonly string[]
  /** Ids that one store has and another lacks. */
  readonly different: readonly string[]
  /** What was sent to a client, is in no store, and is older than any kill explains. */
  readonly lost: readonly string[]
  /** What a kill took, and no gap says so. */
  readonly unsaid: readonly string[]
  /** Of each kill: how old the oldest event was that it took; 0: none. */
  readonly takenMs: readonly number[]
  /** How many events kills took. */
  readonly taken: number
}

/** More than this before a kill is no input that was not flushed yet: it is a loss. */
export const TAKEN_MS_MAX = 1_000
/** Between the signal and the process's last moment. */
const DYING_US = 100_000
/** The receive time is that of the frame, and the gap begins with the message before. */
const GAP_SLACK_US = 1_000

export function judgeDelivery(
  told: Iterable<Told>,
  stores: readonly Stored[],
  gaps: Iterable<Gap>,
  ends: readonly ServiceEnd[],
): DeliveryVerdict {
  const [first] = stores
  const windows = gapsByFeed(gaps)
  const kills = ends.filter(({ signal }) => signal === 'SIGKILL')
  const takenMs = kills.map(() => 0)
  const lost: string[] = []
  const unsaid: string[] = []
  let taken = 0
  for (const { id, feed, receiveUs } of told) {
    if (first === undefined || first.ids.has(id)) continue
    const index = kills.findIndex(({ atUs }) => atUs >= receiveUs - DYING_US)
    const ageMs = ((kills[index]?.atUs ?? Number.POSITIVE_INFINITY) - receiveUs) / 1000
    if (ageMs > TAKEN_MS_MAX) {
      lost.push(`${id}, received at ${receiveUs}`)
      continue
    }
    taken++
    takenMs[index] = Math.max(takenMs[index] ?? 0, ageMs)
    if (feed !== undefined && !isCovered(windows.get(feed) ?? [], receiveUs)) unsaid.push(`${id} at ${receiveUs}`)
  }
  return { doubled: doubledIn(stores), different: differences(stores), lost, unsaid, takenMs, taken }
}

export const feedKey = ({ venue, channel, symbol }: Pick<Gap, 'venue' | 'channel' | 'symbol'>): string =>
  `${venue} ${channel} ${symbol}`

export function gapsByFeed(gaps: Iterable<Gap>): ReadonlyMap<string, readonly Gap[]> {
  const windows = new Map<string, Gap[]>()
  for (const gap of gaps) {
    const key = feedKey(gap)
    const known = windows.get(key)
    if (known === undefined) windows.set(key, [gap])
    else known.push(gap)
  }
  return windows
}

const isCovered = (gaps: readonly Gap[], atUs: EpochUs): boolean =>
  gaps.some(
    ({ start_time_us, end_time_us = Number.POSITIVE_INFINITY }) =>
      start_time_us - GAP_SLACK_US <= atUs && atUs <= end_time_us + GAP_SLACK_US,
  )

const doubledIn = (stores: readonly Stored[]): string[] =>
  stores.flatMap(({ store, ids }) =>
    [...ids].flatMap(([id, count]) => (count > 1 ? [`${id} stands ${count} times in ${store}`] : [])),
  )

function differences([first, ...others]: readonly Stored[]): string[] {
  if (first === undefined) return []
  return others.flatMap((other) => [...lacking(first, other), ...lacking(other, first)])
}

function* lacking(from: Stored, other: Stored): Generator<string> {
  for (const id of other.ids.keys()) if (!from.ids.has(id)) yield `${other.store} has ${id} and ${from.store} has not`
}
