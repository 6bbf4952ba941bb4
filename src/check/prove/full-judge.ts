/** Holds what a stream lacks against what the gaps say that it lacks. Pure. */

import type { EpochUs, Gap } from '../../model/event.ts'
import { gapsByFeed, type Told } from './delivery-judge.ts'
import type { Stored } from './stores.ts'

export interface FullVerdict {
  /** Events of feeds that were told and do not stand in the stream. */
  readonly missing: number
  /** Gaps for lack of room. */
  readonly gaps: number
  /** Feeds of which the gaps count more or less than is missing. */
  readonly wrong: readonly string[]
  /** Missing, and in no gap's time. */
  readonly outside: readonly string[]
  /** Gap records and instruments that are missing: they must not be, unless there is a newer record of the gap. */
  readonly others: readonly string[]
  readonly doubled: number
  /** What was not written yet when the process was killed; in the gap of the kill. */
  readonly taken: number
}

/** The first process was killed, the second one ended in order. */
export function judgeFull(told: Iterable<Told>, { ids }: Stored, gaps: readonly Gap[]): FullVerdict {
  const full = gaps.filter(({ cause }) => cause === 'log_full')
  const byFeed = gapsByFeed(full)
  const ofKill = gapsByFeed(gaps.filter(({ cause }) => cause === 'process_down'))
  const taken = new Map<string, number>()
  const missing = new Map<string, number>()
  const outside: string[] = []
  const others: string[] = []
  const newest = newestRevisions(ids.keys())
  for (const { id, feed, receiveUs, process } of told) {
    if (ids.has(id)) continue
    if (feed === undefined) {
      const [gapId, revision] = revisionOf(id)
      if (revision > (newest.get(gapId) ?? 0)) others.push(id)
      continue
    }
    if (process === 0 && isIn(ofKill.get(feed), receiveUs)) {
      taken.set(feed, (taken.get(feed) ?? 0) + 1)
      continue
    }
    missing.set(feed, (missing.get(feed) ?? 0) + 1)
    if (!isIn(byFeed.get(feed), receiveUs)) outside.push(`${id} at ${receiveUs}`)
  }
  const wrong = [...new Set([...missing.keys(), ...byFeed.keys()])].flatMap((feed) => {
    const said = (byFeed.get(feed) ?? []).reduce((sum, { lost = 0 }) => sum + lost, 0)
    const found = missing.get(feed) ?? 0
    // What the kill took may have been given up before. Of what was not taken when it came nobody knows how much it was.
    const isCounted = byFeed.get(feed)?.every(({ lost }) => lost !== undefined) !== false
    const isRight = (found <= said || !isCounted) && said <= found + (taken.get(feed) ?? 0)
    return isRight ? [] : [`${feed}: the gaps say ${said}, and ${found} are missing`]
  })
  return {
    missing: total(missing),
    gaps: full.length,
    wrong,
    outside,
    others,
    taken: total(taken),
    doubled: [...ids.values()].filter((count) => count > 1).length,
  }
}

/** The newest of each gap. */
function newestRevisions(ids: Iterable<string>): ReadonlyMap<string, number> {
  const newest = new Map<string, number>()
  for (const id of ids) {
    const [gapId, revision] = revisionOf(id)
    if (id.includes(':gap:')) newest.set(gapId, Math.max(revision, newest.get(gapId) ?? 0))
  }
  return newest
}

/** Of the id of a gap record; others have none. */
function revisionOf(id: string): [gapId: string, revision: number] {
  const at = id.lastIndexOf(':')
  return [id.slice(0, at), id.includes(':gap:') ? Number(id.slice(at + 1)) : Number.POSITIVE_INFINITY]
}

const isIn = (gaps: readonly Gap[] = [], atUs: EpochUs): boolean =>
  gaps.some(({ start_time_us, end_time_us = 0 }) => start_time_us <= atUs && atUs <= end_time_us)

const total = (counts: ReadonlyMap<string, number>): number =>
  [...counts.values()].reduce((sum, count) => sum + count, 0)
