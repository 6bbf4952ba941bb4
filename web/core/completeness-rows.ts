import { duration, whole } from './format.ts'
import { groupBy } from './group.ts'
import { type FeedCompleteness, keyOf } from './types.ts'

export interface CompletenessRow {
  readonly key: string
  readonly feeds: ReadonlyMap<string, FeedCompleteness>
  readonly worst: number
  readonly idsLost: number
  readonly secondsLost: number
}

/** One row an instrument; the least covered first, then by name. */
export function byInstrument(feeds: readonly FeedCompleteness[]): CompletenessRow[] {
  const rows = [...groupBy(feeds, keyOf)].map(([key, own]) => ({
    key,
    feeds: new Map(own.map((feed) => [feed.channel, feed])),
    worst: Math.min(...own.map(({ covered_share }) => covered_share)),
    idsLost: own.reduce((sum, { ids_lost }) => sum + (ids_lost ?? 0), 0),
    secondsLost: own.reduce((sum, { seconds_lost }) => sum + seconds_lost, 0),
  }))
  return rows.sort((a, b) => a.worst - b.worst || a.key.localeCompare(b.key))
}

/** What is lost may have no length, and no numbers. */
export function lostText({ worst, idsLost, secondsLost }: CompletenessRow): string {
  if (worst === 1) return 'none'
  return `${idsLost > 0 ? `${whole(idsLost)} ids, ` : ''}${duration(secondsLost * 1000)}`
}
