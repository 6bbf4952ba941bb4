/** Every endpoint of the API. To add one: a file beside this one, and a line here. */

import type { RouteDeps } from '../deps.ts'
import type { Route } from '../route.ts'
import { activity } from './activity.ts'
import { changeSubscriptions } from './change-subscriptions.ts'
import { collectorData } from './collector-data.ts'
import { collectorExchanges } from './collector-exchanges.ts'
import { collectorStats } from './collector-stats.ts'
import { collectorStatus } from './collector-status.ts'
import { completeness } from './completeness.ts'
import { feeds } from './feeds.ts'
import { gaps } from './gaps.ts'
import { health } from './health.ts'
import { healthLive } from './health-live.ts'
import { healthReady } from './health-ready.ts'
import { instruments } from './instruments.ts'
import { metrics } from './metrics.ts'
import { orderbook } from './orderbook.ts'
import { sinks } from './sinks.ts'
import { status } from './status.ts'
import { subscriptions } from './subscriptions.ts'
import { trades } from './trades.ts'
import { warnings } from './warnings.ts'

/** Makes one endpoint of what it answers from. */
export type RouteMaker = (deps: RouteDeps) => Route

export const routes: readonly RouteMaker[] = [
  status,
  collectorStats,
  collectorStatus,
  collectorExchanges,
  collectorData,
  feeds,
  subscriptions,
  changeSubscriptions,
  activity,
  sinks,
  warnings,
  instruments,
  orderbook,
  trades,
  gaps,
  completeness,
  health,
  healthLive,
  healthReady,
  metrics,
]
