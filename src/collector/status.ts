/** What an exchange's state is, from the facts of its feeds, sockets and REST. Pure. */

import type { ExchangeStatus, ExchangeView } from '../api/view.ts'
import type { EpochUs } from '../model/event.ts'
import type { FeedState } from '../model/feed.ts'
import type { Collected } from './collected.ts'

/** The facts of one venue of an exchange. */
export interface VenueFacts {
  readonly feeds: readonly { readonly state: FeedState; readonly reason: string; readonly symbol: string }[]
  readonly socketsOpen: number
  readonly socketsWanted: number
  readonly isRestAvailable: boolean | undefined
  readonly bannedUntilUs: EpochUs | undefined
  readonly lastMessageUs: EpochUs | undefined
}

/** States that are neither wanted nor missed. */
const SETTLED: ReadonlySet<FeedState> = new Set(['disabled', 'delisted'])
const ON_THE_WAY: ReadonlySet<FeedState> = new Set(['connecting', 'subscribing', 'syncing', 'resyncing'])

/** `venues`: those of the exchange that are enabled. Without any feed, because clients removed all, it is `disabled` too. */
export function exchangeView(exchange: string, venues: readonly VenueFacts[]): ExchangeView {
  const feeds = venues.flatMap((venue) => venue.feeds).filter(({ state }) => !SETTLED.has(state))
  const hasFeeds = venues.some((venue) => venue.feeds.length > 0)
  const status = hasFeeds ? statusOf(feeds, venues) : 'disabled'
  const wanted = venues.reduce((sum, venue) => sum + venue.socketsWanted, 0)
  const open = venues.reduce((sum, venue) => sum + venue.socketsOpen, 0)
  const rest = venues.flatMap((venue) => venue.isRestAvailable ?? [])
  const times = venues.flatMap((venue) => venue.lastMessageUs ?? [])
  return {
    exchange,
    enabled: venues.length > 0,
    websocketConnected: wanted > 0 && open === wanted,
    restApiAvailable: rest.length === 0 ? null : rest.every((isAvailable) => isAvailable),
    lastMessageUs: times.length === 0 ? undefined : Math.max(...times),
    status,
    reason: hasFeeds && status !== 'active' ? reasonOf(feeds, venues) : undefined,
  }
}

/**
 * `active`: data flow and nothing is wrong beyond feeds on their way. `degraded`: some feeds live, others not.
 * Without any live feed: `banned`, `stale`, `connecting` or `down`, by what the feeds say.
 */
function statusOf(feeds: VenueFacts['feeds'], venues: readonly VenueFacts[]): ExchangeStatus {
  const count = (...states: FeedState[]) => feeds.filter(({ state }) => states.includes(state)).length
  const hasData = venues.some(({ lastMessageUs }) => lastMessageUs !== undefined)
  if (count('live') > 0) {
    const isEverySocketOpen = venues.every((venue) => venue.socketsOpen === venue.socketsWanted)
    const isFine = feeds.every(({ state }) => state === 'live' || state === 'subscribing')
    return hasData && isEverySocketOpen && isFine ? 'active' : 'degraded'
  }
  if (count('banned') > 0 || (venues.some((v) => v.bannedUntilUs !== undefined) && feeds.length > 0)) return 'banned'
  if (count('stale') > 0) return 'stale'
  return feeds.some(({ state }) => ON_THE_WAY.has(state)) && count('down') < feeds.length ? 'connecting' : 'down'
}

/** The commonest reason among the feeds that are not live. */
function reasonOf(feeds: VenueFacts['feeds'], venues: readonly VenueFacts[]): string {
  // Where all have settled, that is the reason.
  const told = feeds.length > 0 ? feeds : venues.flatMap((venue) => venue.feeds)
  const others = told.filter(({ state }) => state !== 'live')
  const [first] = others
  const isBanned = venues.some(({ bannedUntilUs }) => bannedUntilUs !== undefined)
  const ban = isBanned ? 'REST is banned; ' : ''
  if (first === undefined) return `${ban}a connection is not open`
  const more = others.length > 1 ? ` (and ${others.length - 1} more feeds)` : ''
  return `${ban}${first.symbol} ${first.state}${first.reason === '' ? '' : `: ${first.reason}`}${more}`
}

export const factsOf = ({ feed, rest }: Collected): VenueFacts => ({
  feeds: [...feed.feeds],
  socketsOpen: feed.socketsOpen,
  socketsWanted: feed.socketsWanted,
  isRestAvailable: rest.isAvailable,
  bannedUntilUs: rest.bannedUntilUs,
  lastMessageUs: feed.lastMessageUs,
})
