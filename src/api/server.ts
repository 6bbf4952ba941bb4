/** The collector's HTTP API: the routes, their documentation and the stream, on the service's HTTP server. */

import { errorText } from '../model/errors.ts'
import type { Clock } from '../platform/platform.ts'
import { type HealthCheck, serviceChecks } from '../service/health.ts'
import { createHttpServer } from '../service/http-server.ts'
import type { HttpLimits } from '../service/limits.ts'
import type { Address } from '../service/listen.ts'
import type { ApiConfig, HttpMetrics, Lifecycle, Logger, ServiceInfo } from '../service/ports.ts'
import { mountDashboard } from './dashboard.ts'
import type { RouteDeps } from './deps.ts'
import { mountDocs } from './docs-page.ts'
import { collectorChecks } from './health.ts'
import { mountRoutes } from './mount.ts'
import { venueNames } from './names.ts'
import { openapiDocument } from './openapi.ts'
import type { RecentWarnings } from './operations-view.ts'
import { type RouteMaker, routes as registry } from './routes/index.ts'
import { STREAM_LIMITS, type StreamLimits } from './stream/hub.ts'
import { mountStream, streamRoute } from './stream/route.ts'
import type { CollectorView } from './view.ts'

/** Facts of the running process that only the platform can read. */
export interface ProcessFacts {
  residentBytes(): number
  /** Longest delay of the event loop in the last minute. */
  eventLoopLagSeconds(): number
}

export interface ApiOptions {
  readonly config: ApiConfig
  readonly service: ServiceInfo
  /** The endpoints; those of the registry unless said. */
  readonly routes?: readonly RouteMaker[]
  /** The registry of venues: what may be asked for. */
  readonly venues: readonly { readonly id: string; readonly exchange: string }[]
  readonly view: CollectorView
  readonly clock: Clock
  readonly logger: Logger
  readonly metrics: HttpMetrics
  readonly warnings: RecentWarnings
  readonly process: ProcessFacts
  /** The dashboard's files, by path. */
  readonly dashboard: ReadonlyMap<string, Buffer>
  lifecycle(): Lifecycle
  readonly limits?: Partial<HttpLimits>
  readonly streamLimits?: Partial<StreamLimits>
}

export interface Api {
  /** Errors: PORT_IN_USE; CONFIG_INVALID for an address that cannot be used. */
  listen(): Promise<Address>
  /** From now on health is unhealthy and new work is refused; running requests finish, streams close with 1001. */
  stop(): Promise<void>
}

/** Health is asked for when things go wrong, so it answers also when the collector cannot. */
const UNREADABLE: HealthCheck = { status: 'fail', result: 'its state cannot be read; see the log', isCritical: true }

export function createApi(options: ApiOptions): Api {
  const { config, service, view, clock, logger, metrics, process, routes: makers = registry, limits = {} } = options
  const server = createHttpServer({ config, clock, logger, metrics, startUs: service.startUs, limits })
  const lifecycle = (): Lifecycle => (server.isStopping() ? 'stopping' : options.lifecycle())
  const deps: RouteDeps = {
    view,
    clock,
    service,
    names: venueNames(options.venues),
    metrics,
    warnings: options.warnings,
    hasToken: config.token !== undefined,
    residentBytes: () => process.residentBytes(),
    lifecycle,
    checks() {
      const state = lifecycle()
      const own = serviceChecks(state, process.eventLoopLagSeconds())
      try {
        return { ...own, ...collectorChecks(view, state) }
      } catch (error) {
        logger.error('health_unreadable', errorText(error))
        return { ...own, collector: UNREADABLE }
      }
    },
  }
  const routes = makers.map((make) => make(deps))
  mountStream({ server, deps, logger, limits: { ...STREAM_LIMITS, ...options.streamLimits } })
  mountRoutes(server.app, routes, deps)
  mountDocs(server.app, openapiDocument(service.version, [...routes, streamRoute]))
  mountDashboard(server.app, options.dashboard)
  return { listen: () => server.listen(), stop: () => server.stop() }
}
