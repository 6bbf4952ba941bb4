/** The whole API over real HTTP on a free port, with a fake collector behind it. */

import { type Api, type ApiOptions, createApi } from '../../../src/api/server.ts'
import type { Lifecycle } from '../../../src/api/view.ts'
import { RecentWarnings } from '../../../src/ops/recent-warnings.ts'
import { systemClock } from '../../../src/platform/clock.ts'
import type { ApiConfig, HttpMetrics, LogFields, Logger } from '../../../src/service/ports.ts'
import { type FakeCollector, fakeCollector, VENUES } from './fake-collector.ts'

export interface LogLine {
  readonly level: keyof Logger
  readonly event: string
  readonly message: string
  readonly fields: LogFields
}

export interface RunningApi {
  readonly url: string
  readonly port: number
  readonly api: Api
  readonly collector: FakeCollector
  readonly log: LogLine[]
  readonly metrics: FakeMetrics
  readonly warnings: RecentWarnings
  /** What the rest of the service says that it is doing. */
  state: { lifecycle: Lifecycle; lagSeconds: number }
}

export interface FakeMetrics extends HttpMetrics {
  readonly answers: { route: string; status: number }[]
  readonly rejections: number[]
  readonly drops: string[]
  streamCount: number
}

export interface StartOptions
  extends Partial<Pick<ApiOptions, 'clock' | 'dashboard' | 'limits' | 'streamLimits' | 'venues'>> {
  readonly config?: Partial<ApiConfig>
  readonly environment?: string
}

/** Ample, so that only the tests of the rate limit meet it. */
const REQUESTS_PER_SECOND = 1_000_000

export async function startApi(options: StartOptions = {}): Promise<RunningApi> {
  const clock = options.clock ?? systemClock()
  const collector = fakeCollector(clock)
  const log: LogLine[] = []
  const metrics = fakeMetrics()
  const warnings = new RecentWarnings()
  const state: RunningApi['state'] = { lifecycle: 'running', lagSeconds: 0.001 }
  const api = createApi({
    config: {
      host: '127.0.0.1',
      port: 0,
      connections_max: 512,
      requests_per_second: REQUESTS_PER_SECOND,
      cors_origins: [],
      ...options.config,
    },
    service: {
      name: 'data-collector',
      version: '1.2.3',
      environment: options.environment ?? 'simulation',
      startUs: clock.nowUs(),
      processId: process.pid,
    },
    venues: options.venues ?? VENUES,
    view: collector,
    clock,
    logger: recordingLogger(log),
    metrics,
    warnings,
    process: { residentBytes: () => process.memoryUsage.rss(), eventLoopLagSeconds: () => state.lagSeconds },
    dashboard: options.dashboard ?? new Map(),
    lifecycle: () => state.lifecycle,
    ...(options.limits ? { limits: options.limits } : {}),
    ...(options.streamLimits ? { streamLimits: options.streamLimits } : {}),
  })
  for (let i = 0; i < 30; i++) collector.step()
  const { url, port } = await api.listen()
  return { url, port, api, collector, log, metrics, warnings, state }
}

function recordingLogger(lines: LogLine[]): Logger {
  const at =
    (level: keyof Logger) =>
    (event: string, message: string, fields: LogFields = {}) => {
      lines.push({ level, event, message, fields })
    }
  return { debug: at('debug'), info: at('info'), warning: at('warning'), error: at('error') }
}

function fakeMetrics(): FakeMetrics {
  const answers: FakeMetrics['answers'] = []
  const rejections: number[] = []
  const drops: string[] = []
  return {
    answers,
    rejections,
    drops,
    streamCount: 0,
    answered: (route, status) => {
      answers.push({ route, status })
    },
    rejected: (status) => {
      rejections.push(status)
    },
    streamClients(count) {
      this.streamCount = count
    },
    streamClientDropped: (reason) => {
      drops.push(reason)
    },
    text: () => exposition(answers.length),
  }
}

const exposition = (count: number): string =>
  [
    ['http_requests_total', 'counter', count],
    ['http_errors_total', 'counter', 0],
    ['uptime_seconds', 'gauge', 1],
    ['resident_memory_bytes', 'gauge', 1e8],
    ['feeds', 'gauge', 40],
  ]
    .map(([name, type, value]) => {
      const full = `marketprism_${name}`
      return `# HELP ${full} A number of the test.\n# TYPE ${full} ${type}\n${full} ${value}\n`
    })
    .join('')
