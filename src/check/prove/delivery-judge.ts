/** Holds the stores against each other, against what left the collector, and against the gaps. Pure. */

import type { EpochUs, Gap } from '../../model/event.ts'
import type { Stored } from './stores.ts'

/** One event that a client of the stream was sent. */
export interface Told {
  readonly id: string
  /** `venue channel symbol`; of a gap or an instrument: `undefined`. */
  readonly feed: string | undefined
  readonly receiveUs: EpochUs
  /** Which process sent it first; they are counted from 0. */
  readonly process: number
}

/** How a process ended. */
export interface ServiceEnd {
  readonly signal: 'SIGKILL' | 'SIGTERM'
  readonly atUs: EpochUs
}

export interface Delivered {
  /** In the order in which they were sent. */
  readonly told: Iterable<Told>
  /** In one of the stores: when each was received. Another time than that which was told: it came again. */
  readonly receivedUs: ReadonlyMap<string, EpochUs>
  readonly stores: readonly Stored[]
  readonly gaps: Iterable<Gap>
  /** Of each process but the last. */
  readonly ends: readonly ServiceEnd[]
}

export interface DeliveryVerdict {
  /** Ids that stand in a store more than once. */
  readonly doubled: readonly string[]
  /** Ids that one store has and another lacks. */
  readonly different: readonly string[]
  /** What was sent to a client and is in no store, though no kill explains it: a kill takes the newest and nothing before. */
  readonly lost: readonly string[]
  /** What a kill took, and no gap says so. */
  readonly unsaid: readonly string[]
  /** Of each kill: how old the oldest event was that it took; 0: none. */
  readonly takenMs: readonly number[]
  /** How many events kills took. */
  readonly taken: number
}

/** The receive time is that of the frame, and the gap begins with the message before. */
const GAP_SLACK_US = 1_000

export function judgeDelivery({ told, receivedUs, stores, gaps, ends }: Delivered): DeliveryVerdict {
  const windows = gapsByFeed(gaps)
  /** By process: what it sent and no store has, as long as nothing later of it is found. */
  const open = ends.map((): Told[] => [])
  const lost: string[] = []
  const lose = ({ id, receiveUs }: Told) => void lost.push(`${id}, received at ${receiveUs}`)
  for (const each of told) {
    const { id, process, receiveUs, feed } = each
    const ofProcess = ends[process]?.signal === 'SIGKILL' ? open[process] : undefined
    if (!receivedUs.has(id)) ofProcess === undefined ? lose(each) : ofProcess.push(each)
    // A gap is no witness: the next process may tell the same revision of it, found at the same time.
    else if (feed !== undefined && receivedUs.get(id) === receiveUs)
      for (const before of ofProcess?.splice(0) ?? []) lose(before)
  }
  const taken = open.flat()
  const unsaid = taken.flatMap(({ id, feed, receiveUs }) =>
    feed === undefined || isCovered(windows.get(feed) ?? [], receiveUs) ? [] : [`${id} at ${receiveUs}`],
  )
  const takenMs = ends.flatMap(({ signal, atUs }, process) =>
    signal === 'SIGKILL'
      ? [Math.max(0, ...(open[process] ?? []).map(({ receiveUs }) => (atUs - receiveUs) / 1000))]
      : [],
  )
  return { doubled: doubledIn(stores), different: differences(stores), lost, unsaid, takenMs, taken: taken.length }
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
