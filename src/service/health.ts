/** The health document. Which things can fail is told by the caller; what the whole is worth is decided here. */

import type { EpochUs } from '../model/event.ts'
import { isoTime } from '../model/time.ts'
import type { Lifecycle, ServiceInfo } from './ports.ts'

export interface HealthCheck {
  readonly status: 'pass' | 'warn' | 'fail'
  /** In words. */
  readonly result: string
  /** When it fails, the service does not do its job at all. */
  readonly isCritical?: boolean | undefined
}

export type Checks = Readonly<Record<string, HealthCheck>>
export type Health = 'healthy' | 'degraded' | 'unhealthy'

/** Unhealthy: a critical check fails. Degraded: any other check does not pass. */
export function overallHealth(checks: Checks): Health {
  let health: Health = 'healthy'
  for (const { status, isCritical = false } of Object.values(checks)) {
    if (status === 'fail' && isCritical) return 'unhealthy'
    if (status !== 'pass') health = 'degraded'
  }
  return health
}

const SERVICE_STATUS = {
  initializing: { status: 'warn', result: 'initializing' },
  running: { status: 'pass', result: 'running' },
  stopping: { status: 'fail', result: 'stopping', isCritical: true },
} as const satisfies Record<Lifecycle, HealthCheck>

/** Longest stall of the event loop in the last minute that is still called normal, and still called slow. */
const LAG_PASS_SECONDS = 1
const LAG_WARN_SECONDS = 5

/** The checks that every service has. */
export function serviceChecks(lifecycle: Lifecycle, eventLoopLagSeconds: number): Checks {
  const isNormal = eventLoopLagSeconds <= LAG_PASS_SECONDS
  const status = isNormal ? 'pass' : eventLoopLagSeconds <= LAG_WARN_SECONDS ? 'warn' : 'fail'
  const result = `longest delay of the last minute: ${Math.round(eventLoopLagSeconds * 1000)} ms`
  return { service_status: SERVICE_STATUS[lifecycle], event_loop: { status, result } }
}

export interface HealthDocument {
  readonly service: string
  readonly status: Health
  readonly timestamp: string
  readonly uptime_seconds: number
  readonly checks: Readonly<Record<string, { readonly status: HealthCheck['status']; readonly result: string }>>
}

export function healthDocument(service: ServiceInfo, checks: Checks, nowUs: EpochUs): HealthDocument {
  return {
    service: service.name,
    status: overallHealth(checks),
    timestamp: isoTime(nowUs),
    uptime_seconds: (nowUs - service.startUs) / 1e6,
    checks: Object.fromEntries(
      Object.entries(checks).map(([name, { status, result }]) => [name, { status, result }] as const),
    ),
  }
}
