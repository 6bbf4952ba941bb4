/** The health of the market data, from the same facts that the other endpoints show. */

import type { FeedState } from '../model/feed.ts'
import type { Checks, HealthCheck } from '../service/health.ts'
import type { CollectorView, ExchangeStatus, ExchangeView, FeedView, Lifecycle } from './view.ts'

const NOT_WANTED: ReadonlySet<FeedState> = new Set(['disabled', 'delisted'])
/** States that a healthy feed passes through. */
const ON_THE_WAY: ReadonlySet<FeedState> = new Set(['connecting', 'subscribing', 'syncing', 'resyncing'])
/** Feeds named in a check's words; there may be hundreds. */
const NAMED_MAX = 3

const EXCHANGE_CHECK = {
  active: 'pass',
  connecting: 'warn',
  degraded: 'warn',
  stale: 'fail',
  down: 'fail',
  banned: 'fail',
  disabled: 'pass',
} as const satisfies Record<ExchangeStatus, HealthCheck['status']>

/** One check for all feeds, one an enabled exchange, one a venue and channel, and what the collector adds. */
export function collectorChecks(view: CollectorView, lifecycle: Lifecycle): Checks {
  const exchanges = view.exchanges().filter(({ enabled }) => enabled)
  const wanted = view.feeds().filter(({ state }) => !NOT_WANTED.has(state))
  return {
    feeds: allFeeds(exchanges, wanted, lifecycle),
    ...Object.fromEntries(exchanges.map((exchange) => [`exchange:${exchange.exchange}`, exchangeCheck(exchange)])),
    ...Object.fromEntries([...groups(wanted)].map(([name, feeds]) => [`feed:${name}`, groupCheck(feeds)])),
    ...view.health(),
  }
}

const isLive = ({ state }: FeedView): boolean => state === 'live'

function allFeeds(exchanges: readonly ExchangeView[], wanted: readonly FeedView[], lifecycle: Lifecycle): HealthCheck {
  if (exchanges.length === 0) return { status: 'warn', result: 'no exchange is enabled: nothing is collected' }
  if (wanted.length === 0) return { status: 'warn', result: 'no feed is wanted: nothing is collected' }
  const live = wanted.filter(isLive).length
  const result = `${live} of ${wanted.length} feeds live`
  if (live > 0) return { status: live === wanted.length ? 'pass' : 'warn', result }
  return lifecycle === 'initializing' ? { status: 'warn', result } : { status: 'fail', result, isCritical: true }
}

function exchangeCheck({ status, reason }: ExchangeView): HealthCheck {
  return { status: EXCHANGE_CHECK[status], result: reason ? `${status}: ${reason}` : status }
}

function groups(feeds: readonly FeedView[]): Map<string, FeedView[]> {
  const byName = new Map<string, FeedView[]>()
  for (const feed of feeds) {
    const name = `${feed.venue}:${feed.channel}`
    const group = byName.get(name)
    if (group) group.push(feed)
    else byName.set(name, [feed])
  }
  return byName
}

function groupCheck(feeds: readonly FeedView[]): HealthCheck {
  const others = feeds.filter((feed) => !isLive(feed))
  const result = `${feeds.length - others.length} of ${feeds.length} live`
  if (others.length === 0) return { status: 'pass', result }
  const isFailing = others.length === feeds.length && others.some(({ state }) => !ON_THE_WAY.has(state))
  const named = others
    .slice(0, NAMED_MAX)
    .map(({ symbol, state, reason }) => `${symbol} ${state}${reason && `: ${reason}`}`)
  const more = others.length > NAMED_MAX ? [`${others.length - NAMED_MAX} more`] : []
  return { status: isFailing ? 'fail' : 'warn', result: `${result}; ${[...named, ...more].join('; ')}` }
}
