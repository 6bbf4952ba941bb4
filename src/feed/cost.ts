/** What collecting asks of a venue: connections, subscriptions, weight of requests. Told beforehand, by the rules that the feed itself follows. Pure. */

import type { Topic, Venue } from '../venues/venue.ts'
import { AUDIT_INTERVAL_MS, AUDIT_SHARE } from './audit.ts'
import { BUDGET_SHARE } from './budget.ts'
import { METADATA_REFRESH_MS } from './metadata.ts'
import { planConnections, topicsMax, type WantedFeed } from './plan.ts'
import { polledTopic } from './poller.ts'
import { snapshotSize } from './snapshot-size.ts'
import { TRADE_CHECK_MS, TRADE_CHECK_SHARE } from './trade-checks.ts'

export interface ConnectionCost {
  readonly endpoint: string
  readonly topics: number
  /** Frames that subscribe them all. */
  readonly requests: number
}

export interface BudgetCost {
  readonly name: string
  /** The venue's own limit, in any `windowMs`; of it `allowed` is spent at most. */
  readonly limit: number
  readonly windowMs: number
  readonly allowed: number
  /** Weight that the start needs, once. */
  readonly start: number
  /** Weight in each window from then on, at most. */
  readonly later: number
}

export interface VenueCost {
  readonly topics: number
  /** Topics that the venue's limit of connections allows; infinite where it has none. */
  readonly topicsMax: number
  readonly connections: readonly ConnectionCost[]
  /** Those that anything is asked of. */
  readonly budgets: readonly BudgetCost[]
  /** From the first connect until everything is asked for, in milliseconds, where the network takes no time. */
  readonly startMs: number
}

interface Spending {
  readonly start: number
  readonly later: number
}

/** `pollIntervalMs`: as in `VenueFeedOptions`. */
export function venueCost(venue: Venue, feeds: readonly WantedFeed[], pollIntervalMs: number | undefined): VenueCost {
  const isPolled = pollIntervalMs !== undefined
  const topics = feeds.map(({ channel, name, symbol }) =>
    isPolled ? polledTopic(venue, channel, name, symbol) : venue.topic(channel, name, symbol),
  )
  const connections = isPolled ? [] : connectionCosts(venue, topics)
  const budgets = budgetCosts(venue, topics, pollIntervalMs)
  return {
    topics: isPolled ? 0 : topics.length,
    topicsMax: topicsMax(venue),
    connections,
    budgets,
    startMs: Math.max(connectMs(venue, connections), ...budgets.map(spendMs)),
  }
}

function connectionCosts(venue: Venue, topics: readonly Topic[]): ConnectionCost[] {
  const planned = planConnections(
    venue,
    topics.map((topic) => ({ topic })),
  )
  return planned.map(({ endpoint, feeds }) => {
    const own = feeds.map(({ topic }) => topic)
    let id = 0
    const requests = venue.subscribe(own, () => String(++id)).length
    return { endpoint, topics: own.length, requests }
  })
}

function budgetCosts(venue: Venue, topics: readonly Topic[], pollIntervalMs: number | undefined): BudgetCost[] {
  const costs = new Map<string, Spending>()
  const add = (name: string, { start, later }: Spending) => {
    const sum = costs.get(name) ?? { start: 0, later: 0 }
    costs.set(name, { start: sum.start + start, later: sum.later + later })
  }
  const symbols = [...new Set(topics.map(({ symbol }) => symbol))]
  for (const { budget, weight } of symbols.length === 0 ? [] : venue.rest.instruments(symbols))
    add(budget, { start: weight, later: (weight * windowOf(venue, budget)) / METADATA_REFRESH_MS })
  if (pollIntervalMs === undefined) {
    addSnapshots(venue, topics, add)
    addTradeChecks(venue, topics, add)
  } else {
    for (const { channel, symbol } of topics)
      for (const { budget, weight } of venue.rest.poll(channel, [symbol]))
        add(budget, { start: weight, later: (weight * windowOf(venue, budget)) / pollIntervalMs })
  }
  return [...costs].map(([name, { start, later }]) => {
    const { limit = 0, windowMs = 0 } = venue.restLimits.budgets[name] ?? {}
    return { name, limit, windowMs, allowed: Math.floor(limit * BUDGET_SHARE), start, later: Math.ceil(later) }
  })
}

/** Snapshots where the stream brings none, as deep as all books at once can have them; audits of every book. */
function addSnapshots(venue: Venue, topics: readonly Topic[], add: (name: string, cost: Spending) => void): void {
  const books = topics.filter(({ channel }) => channel === 'book')
  const [first] = books
  if (first === undefined) return
  const { rest, book } = venue
  const deepest = rest.snapshot(first.symbol)
  const { limit = 0, windowMs = 0 } = venue.restLimits.budgets[deepest.budget] ?? {}
  const each = snapshotSize(rest.snapshotSizes, books.length, Math.floor(limit * BUDGET_SHARE)).weight
  const audits = (books.length * deepest.weight * windowMs) / AUDIT_INTERVAL_MS
  add(deepest.budget, {
    start: book.snapshotFrom === 'rest' ? books.length * each : 0,
    later: Math.min(audits, limit * AUDIT_SHARE),
  })
}

/** Every stream of trades asked about each minute, as if all were quiet. */
function addTradeChecks(venue: Venue, topics: readonly Topic[], add: (name: string, cost: Spending) => void): void {
  const trades = topics.filter(({ channel }) => channel === 'trade')
  const [first] = trades
  if (first === undefined) return
  const { budget, weight } = venue.rest.newestTrade(first)
  const { limit = 0, windowMs = 0 } = venue.restLimits.budgets[budget] ?? {}
  const later = (trades.length * weight * windowMs) / TRADE_CHECK_MS
  add(budget, { start: 0, later: Math.min(later, limit * TRADE_CHECK_SHARE) })
}

const windowOf = ({ restLimits }: Venue, budget: string): number => restLimits.budgets[budget]?.windowMs ?? 0

/** All connections opened as fast as the venue allows, and the last of them subscribed. */
function connectMs({ socketLimits }: Venue, connections: readonly ConnectionCost[]): number {
  const { connects, sendsPerSecondMax } = socketLimits
  const windows = Math.max(0, Math.ceil(connections.length / connects.count) - 1)
  const frames = Math.max(0, ...connections.map(({ requests }) => requests))
  return windows * connects.windowMs + Math.floor(frames / sendsPerSecondMax) * 1000
}

/** How long a full window after the other takes until the start's weight is spent. */
const spendMs = ({ start, allowed, windowMs }: BudgetCost): number =>
  Math.max(0, Math.ceil(start / Math.max(1, allowed)) - 1) * windowMs
