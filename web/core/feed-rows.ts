import { timeMs } from './format.ts'
import { groupBy } from './group.ts'
import { type Feed, type InstrumentName, keyOf } from './types.ts'

export interface FeedRow extends InstrumentName {
  readonly key: string
  readonly feeds: ReadonlyMap<string, Feed>
  readonly lastMs: number | undefined
  readonly events: number
  readonly isTroubled: boolean
}

const NOT_WANTED = new Set(['disabled', 'delisted'])

/** One row an instrument, in the order of its first feed. */
export function byInstrument(feeds: readonly Feed[]): FeedRow[] {
  return [...groupBy(feeds, keyOf)].map(([key, own]) => {
    const times = own.flatMap(({ last_message }) => timeMs(last_message) ?? [])
    return {
      key,
      venue: own[0]?.venue ?? '',
      symbol: own[0]?.symbol ?? '',
      feeds: new Map(own.map((feed) => [feed.channel, feed])),
      lastMs: times.length === 0 ? undefined : Math.max(...times),
      events: own.reduce((sum, { events }) => sum + events, 0),
      isTroubled: own.some(({ state }) => state !== 'live' && !NOT_WANTED.has(state)),
    }
  })
}
