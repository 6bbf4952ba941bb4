/** A test bed: the real collector on the real platform, collecting from a simulator over real sockets in one process. */

import { join } from 'node:path'
import { Collector } from '../../collector/collector.ts'
import type { MarketEvent } from '../../model/event.ts'
import { loadConfig } from '../../ops/config.ts'
import type { Config } from '../../ops/config-schema.ts'
import { silentLogger } from '../../ops/log.ts'
import { createMetrics, type Metrics } from '../../ops/metrics.ts'
import { systemPlatform } from '../../platform/system.ts'
import type { SimVenue } from '../../sim/exchange.ts'
import { type Simulator, type SimulatorOptions, startSimulator } from '../../sim/server.ts'
import { venues as allVenues } from '../../venues/index.ts'
import type { Venue } from '../../venues/venue.ts'
import { until } from './wait.ts'

export interface BedOptions extends Omit<SimulatorOptions, 'clock' | 'venues'> {
  readonly folder: string
  /** Every instrument of them is collected. */
  readonly simulated: readonly SimVenue[]
  /** The registry, where it differs from the usual. */
  readonly venues?: readonly Venue[]
}

type Listener = (event: MarketEvent) => void

export interface Bed {
  readonly simulator: Simulator
  readonly collector: Collector
  readonly metrics: Metrics
  readonly simulated: readonly SimVenue[]
  /** `times`: how often each WebSocket URL is listed. Another number is another list, so the endpoints have moved. */
  config(times?: number): Config
  on(listener: Listener): void
  /** Milliseconds that only grow. */
  nowMs(): number
  stop(): Promise<void>
}

/** All feeds are asked for when it resolves; {@link live} waits until they are live. */
export async function openBed(options: BedOptions): Promise<Bed> {
  const { folder, simulated, venues = allVenues, ...rest } = options
  const platform = systemPlatform()
  const simulator = await startSimulator({ ...rest, clock: platform.clock, venues: simulated })
  const metrics = createMetrics({ venues: allVenues.map(({ id }) => id), constLabels: {} })
  const config = (times = 1) => configOf({ folder, simulated, simulator, times })
  const collector = new Collector({ config: config(), venues, platform, metrics, logger: silentLogger })
  return {
    simulator,
    collector,
    metrics,
    simulated,
    config,
    on: (listener) => void collector.subscribe(listener),
    nowMs: () => platform.clock.monotonicMs(),
    async stop() {
      collector.stop()
      await simulator.stop()
    },
  }
}

/** Starts collecting, and waits until every feed is live. Errors: rejects when that takes longer than `deadlineMs`. */
export async function live({ collector }: Bed, deadlineMs = 60_000): Promise<void> {
  const { clock } = systemPlatform()
  void collector.start()
  await until(clock, 'every feed to be live', () => isLive(collector), deadlineMs)
}

export function isLive(collector: Collector): boolean {
  const feeds = collector.feeds()
  return feeds.length > 0 && feeds.every(({ state }) => state === 'live')
}

/** Configuration with which exactly the simulated venues are collected from the simulator, by key path. */
function optionsOf({ simulated, simulator, times }: ConfigParts): Record<string, unknown> {
  const values: Record<string, unknown> = { environment: 'simulation' }
  for (const { id } of allVenues) values[`exchanges.${id}.enabled`] = simulated.some((venue) => venue.id === id)
  for (const { id, instruments } of simulated) {
    values[`exchanges.${id}.symbols`] = instruments.map(({ symbol }) => symbol)
    for (const [key, url] of Object.entries(simulator.options(id)))
      values[`exchanges.${id}.${key}`] = Array(key.startsWith('websocket') ? times : 1).fill(url)
  }
  return values
}

interface ConfigParts {
  readonly folder: string
  readonly simulated: readonly SimVenue[]
  readonly simulator: Simulator
  readonly times: number
}

function configOf(parts: ConfigParts): Config {
  const { folder } = parts
  const values = { ...optionsOf(parts), data_dir: join(folder, 'data') }
  const overrides = Object.entries(values).map(([path, value]) => ({ path, value, origin: 'proof' }))
  return loadConfig({ venues: allVenues, environment: {}, cwd: folder, overrides }).config
}
