/** The running service: log, metrics, API and collector, started and stopped in the order in which the data flow. */

import { type Api, createApi } from '../api/server.ts'
import { errorText, PrismError } from '../model/errors.ts'
import type { LoadedConfig } from '../ops/config.ts'
import { diffConfig, withApplicable } from '../ops/config-diff.ts'
import type { Config } from '../ops/config-schema.ts'
import { watchDisk } from '../ops/disk-watch.ts'
import { createLogger, type LogOutput, type RootLogger } from '../ops/log.ts'
import { createMetrics } from '../ops/metrics.ts'
import { type EventLoopWatch, exposeProcess, watchEventLoop } from '../ops/process-metrics.ts'
import { RecentWarnings } from '../ops/recent-warnings.ts'
import { secretsOf } from '../ops/secrets.ts'
import type { Platform } from '../platform/platform.ts'
import { VERSION } from '../platform/version.ts'
import { readWebFiles } from '../platform/web-files.ts'
import { httpMetrics } from '../service/http-metrics.ts'
import type { HttpMetrics, Lifecycle } from '../service/ports.ts'
import type { Venue } from '../venues/venue.ts'
import { Collector } from './collector.ts'
import { planOf, requireWithinLimits } from './plan.ts'
import { type Registries, registries } from './registries.ts'

const SERVICE_NAME = 'data-collector'

export interface ServiceParts {
  readonly loaded: LoadedConfig
  readonly platform: Platform
  /** Where log lines go: `process.stdout`. */
  readonly output: LogOutput
  /** The venues, sinks and endpoints that there are; those of the program unless said. */
  readonly registries?: Registries
}

export class DataCollectorService {
  readonly collector: Collector
  readonly logger: RootLogger
  readonly #parts: ServiceParts
  readonly #venues: readonly Venue[]
  readonly #api: Api
  readonly #loop: EventLoopWatch
  readonly #unwatchDisk: () => void
  #lifecycle: Lifecycle = 'initializing'
  /** Settled: the start is over, or there is none. */
  #starting: Promise<unknown> = Promise.resolve()
  #stopping: Promise<void> | undefined
  /** What was loaded last; not all of it counts before a restart. */
  #config: Config

  /** Builds everything; nothing is opened yet. Errors: CONFIG_INVALID for what would break a venue's limits. */
  constructor(parts: ServiceParts) {
    const { platform, output } = parts
    const { config } = parts.loaded
    const { venues, sinks, routes } = parts.registries ?? registries
    requireWithinLimits(config, venues)
    const { clock } = platform
    const { environment } = config
    this.#parts = parts
    this.#venues = venues
    this.#config = config
    const warnings = new RecentWarnings()
    const onLine = (line: string) => warnings.add(line)
    const secrets = secretsOf(config, venues)
    this.logger = createLogger({ service: SERVICE_NAME, environment, log: config.log, clock, output, secrets, onLine })
    const metrics = createMetrics({ venues: venues.map(({ id }) => id), constLabels: { environment } })
    this.#loop = watchEventLoop(clock)
    exposeProcess({ metrics, clock, version: VERSION, loop: this.#loop, logger: this.logger })
    this.#unwatchDisk = watchDisk({ metrics, clock, files: platform.files, folder: config.data_dir })
    const factories = sinks.flatMap((make) => make(config) ?? [])
    this.collector = new Collector({ config, venues, platform, metrics, logger: this.logger, sinks: factories })
    this.#api = createApi({
      config: config.api,
      service: { name: SERVICE_NAME, version: VERSION, environment, startUs: clock.nowUs(), processId: process.pid },
      venues,
      routes,
      view: this.collector,
      clock,
      logger: this.logger,
      metrics: this.#countedHttp(httpMetrics(metrics)),
      warnings,
      process: {
        residentBytes: () => process.memoryUsage.rss(),
        eventLoopLagSeconds: () => this.#loop.lagMaxMs() / 1000,
      },
      dashboard: readWebFiles(),
      lifecycle: () => this.#lifecycle,
    })
  }

  /** An answer that failed because of us is an error like any other. */
  #countedHttp(http: HttpMetrics): HttpMetrics {
    return {
      ...http,
      answered: (route, status, seconds) => {
        http.answered(route, status, seconds)
        if (status === 500) this.collector.countApiError()
      },
    }
  }

  /** Opens the API, the log, then the feeds. Resolves with the API's URL. Errors: PORT_IN_USE, SPOOL_LOCKED, CONFIG_INVALID. */
  start(): Promise<string> {
    const starting = this.#start()
    this.#starting = starting
    return starting
  }

  async #start(): Promise<string> {
    const { config, warnings, folder } = this.#parts.loaded
    const { url } = await this.#listen()
    const enabled = this.#venues.filter(({ id }) => config.exchanges[id]?.enabled === true)
    this.logger.info('service_started', `MarketPrism ${VERSION} answers at ${url}`, {
      url,
      config: folder ?? 'defaults',
      venues: enabled.map(({ id }) => id).join(', '),
    })
    for (const warning of warnings) this.logger.warning('config_incomplete', warning)
    for (const { text } of planOf(config, this.#venues).flatMap(({ problems }) => problems))
      this.logger.warning('polling_too_often', text)
    await this.#open()
    if (this.#stopping === undefined) void this.#startCollector()
    return url
  }

  /** Without its log the collector would lose what it receives. */
  async #open(): Promise<void> {
    try {
      await this.collector.open()
    } catch (error) {
      await Promise.all([this.collector.stop(), this.#api.stop()])
      this.#stopWatching()
      throw error
    }
  }

  /**
   * Takes over what can be of a new configuration, and says what was and what needs a restart. Resolves when everything
   * is asked for. `load` reads it; with one that is invalid everything goes on as it is.
   */
  async reload(load: () => LoadedConfig): Promise<void> {
    const loaded = this.#stopping === undefined ? this.#read(load) : undefined
    if (loaded === undefined) return
    const { config, warnings } = loaded
    const changes = diffConfig(this.#config, config, this.#venues)
    this.#config = config
    this.logger.setLevel(config.log.level)
    for (const warning of warnings) this.logger.warning('config_incomplete', warning)
    for (const { path, before, after, isApplied } of changes) {
      const outcome = isApplied ? 'applied' : 'needs a restart'
      this.logger.info('config_changed', `${path}: ${before} -> ${after} (${outcome})`, { option: path, outcome })
    }
    await this.collector.reload(withApplicable(this.#parts.loaded.config, config))
    this.logger.info('config_reloaded', 'the configuration was read again', { changes: changes.length })
  }

  /** `undefined`: it is invalid, and every mistake is in the log. */
  #read(load: () => LoadedConfig): LoadedConfig | undefined {
    try {
      const loaded = load()
      requireWithinLimits(loaded.config, this.#venues)
      this.#requireNowWithinLimits(loaded.config)
      return loaded
    } catch (error) {
      for (const line of errorText(error).split('\n')) this.logger.error('config_invalid', line)
      this.logger.error('config_kept', 'the new configuration was not taken over; everything goes on as it is')
      return undefined
    }
  }

  /** Without what counts only after a restart, such as polling, the rest can be too much. */
  #requireNowWithinLimits(config: Config): void {
    try {
      requireWithinLimits(withApplicable(this.#parts.loaded.config, config), this.#venues)
    } catch (error) {
      const hint = 'That is so until a restart: some of what has changed counts only then. Restart to take it over'
      throw new PrismError('CONFIG_INVALID', `${errorText(error)}\n${hint}`)
    }
  }

  /**
   * Stops everything, after a start that is not over yet; later calls wait for the first. Resolves when done, or after
   * the configured time.
   */
  stop(reason: string): Promise<void> {
    this.#stopping ??= this.#stop(reason)
    return this.#stopping
  }

  /** Without an address nothing may go on running: timers would keep the process alive. */
  async #listen() {
    try {
      return await this.#api.listen()
    } catch (error) {
      await this.collector.stop()
      this.#stopWatching()
      throw error
    }
  }

  async #startCollector(): Promise<void> {
    try {
      await this.collector.start()
      if (this.#lifecycle === 'initializing') this.#lifecycle = 'running'
    } catch (error) {
      this.logger.error('collector_failed', `the collector could not start: ${errorText(error)}`)
    }
  }

  async #stop(reason: string): Promise<void> {
    const { clock } = this.#parts.platform
    this.#lifecycle = 'stopping'
    this.logger.info('service_stopping', 'stopping: sockets close, running requests finish', { reason })
    const stopped = this.#starting.then(
      () => Promise.all([this.collector.stop(), this.#api.stop()]),
      // One that failed has closed what it had opened.
      () => {},
    )
    await new Promise<void>((resolve) => {
      const cancel = clock.after(this.#parts.loaded.config.shutdown_timeout_ms, () => {
        this.logger.warning('stop_timed_out', 'requests or sinks were still busy; stopping all the same')
        resolve()
      })
      void stopped.finally(() => {
        cancel()
        resolve()
      })
    })
    this.#stopWatching()
    this.logger.info('service_stopped', 'stopped')
  }

  #stopWatching(): void {
    this.#loop.stop()
    this.#unwatchDisk()
  }
}
