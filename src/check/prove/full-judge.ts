/** Holds what a stream lacks against what the gaps say that it lacks. Pure. */

import type { Gap } from '../../model/event.ts'
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
  /** Gap records and instruments that are missing: they must not be. */
  readonly others: readonly string[]
  readonly doubled: number
}

export function judgeFull(told: Iterable<Told>, { ids }: Stored, gaps: readonly Gap[]): FullVerdict {
  const full = gaps.filter(({ cause }) => cause === 'log_full')
  const byFeed = gapsByFeed(full)
  const missing = new Map<string, number>()
  const outside: string[] = []
  const others: string[] = []
  for (const { id, feed, receiveUs } of told) {
    if (ids.has(id)) continue
    if (feed === undefined) {
      others.push(id)
      continue
    }
    missing.set(feed, (missing.get(feed) ?? 0) + 1)
    const isInside = byFeed
      .get(feed)
      ?.some((gap) => gap.start_time_us <= receiveUs && receiveUs <= (gap.end_time_us ?? 0))
    if (isInside !== true) outside.push(`${id} at ${receiveUs}`)
  }
  const wrong = [...new Set([...missing.keys(), ...byFeed.keys()])].flatMap((feed) => {
    const said = (byFeed.get(feed) ?? []).reduce((sum, { lost = 0 }) => sum + lost, 0)
    const found = missing.get(feed) ?? 0
    return said === found ? [] : [`${feed}: the gaps say ${said}, and ${found} are missing`]
  })
  return {
    missing: [...missing.values()].reduce((sum, count) => sum + count, 0),
    gaps: full.length,
    wrong,
    outside,
    others,
    doubled: [...ids.values()].filter((count) => count > 1).length,
  }
}
