/** What the service frame needs of the operations side. `ops` provides it; tests pass recorders. */

export type LogFields = Readonly<Record<string, string | number | boolean | null | undefined>>

export interface Logger {
  debug(event: string, message: string, fields?: LogFields): void
  info(event: string, message: string, fields?: LogFields): void
  warning(event: string, message: string, fields?: LogFields): void
  error(event: string, message: string, fields?: LogFields): void
}

/** What the HTTP side counts. Labels come from bounded sets: patterns of routes, never paths that a client sent. */
export interface HttpMetrics {
  /** One answer. `route` is the route's pattern, or `unmatched`. */
  answered(route: string, status: number, seconds: number): void
  /** Bytes that were no HTTP request, or one that came too slowly. */
  rejected(status: number): void
  /** Clients of the stream now. */
  streamClients(count: number): void
  /** A stream client was cut off. `slow`: it read too slowly; `flood`: it sent too much; `dead`: it answered no ping. */
  streamClientDropped(reason: 'slow' | 'flood' | 'dead'): void
  /** The whole exposition in Prometheus' text format. */
  text(): string | Promise<string>
}

/** Facts of this process, fixed at its start. */
export interface ServiceInfo {
  /** `data-collector`. */
  readonly name: string
  readonly version: string
  /** `production`, …; `simulation` when the exchanges are simulated. */
  readonly environment: string
  readonly startUs: number
  readonly processId: number
}

/** The `api` part of the configuration. */
export interface ApiConfig {
  readonly host: string
  readonly port: number
  readonly connections_max: number
  readonly requests_per_second: number
  readonly token?: string | undefined
  readonly cors_origins: readonly string[]
}

export type Lifecycle = 'initializing' | 'running' | 'stopping'
