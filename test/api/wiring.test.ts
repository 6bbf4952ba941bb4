/** The API with the real configuration, log, metrics and venues: the parts fit, and what it does can be seen. */

import { expect, test } from 'vitest'
import { createApi } from '../../src/api/server.ts'
import { loadConfig } from '../../src/ops/config.ts'
import { createLogger } from '../../src/ops/log.ts'
import { createMetrics } from '../../src/ops/metrics.ts'
import { RecentWarnings } from '../../src/ops/recent-warnings.ts'
import { systemClock } from '../../src/platform/clock.ts'
import { httpMetrics } from '../../src/service/http-metrics.ts'
import { venues } from '../../src/venues/index.ts'
import { fakeCollector } from './helpers/fake-collector.ts'
import { ask } from './helpers/http.ts'

test('the API runs on the real parts', async () => {
  const clock = systemClock()
  const lines: string[] = []
  const environment = { API_PORT: '0', LOG_FORMAT: 'json', LOG_LEVEL: 'DEBUG' }
  const { config } = loadConfig({ venues, environment, cwd: import.meta.dirname, configDir: '.' })
  const output = { write: (text: string) => lines.push(text), on: () => undefined }
  const logger = createLogger({ service: 'data-collector', environment: 'test', log: config.log, clock, output })
  const metrics = httpMetrics(createMetrics({ venues: venues.map(({ id }) => id), constLabels: {} }))
  const api = createApi({
    config: config.api,
    service: { name: 'data-collector', version: '0.0.0', environment: 'test', startUs: clock.nowUs(), processId: 1 },
    venues,
    view: fakeCollector(clock),
    clock,
    logger,
    metrics,
    warnings: new RecentWarnings(),
    process: { residentBytes: () => 1, eventLoopLagSeconds: () => 0 },
    dashboard: new Map(),
    lifecycle: () => 'running',
  })
  const { url } = await api.listen()
  expect((await ask(url, '/api/v1/orderbook/binance/NOPE')).status).toBe(404)
  expect((await ask(url, '/no%0asuch')).status).toBe(404)
  const { text } = await ask(url, '/metrics')
  expect(text).toContain('marketprism_http_requests_total{route="/api/v1/orderbook/:venue/:symbol",status="404"} 1')
  expect(text).toContain('marketprism_http_requests_total{route="unmatched",status="404"} 1')
  expect(text).toContain('marketprism_http_request_duration_seconds_count{route="unmatched"} 1')
  await api.stop()
  const answered = lines.map((line) => JSON.parse(line)).filter(({ event }) => event === 'request_answered')
  expect(answered.map(({ level, status }) => [level, status])).toEqual([
    ['INFO', 404],
    ['INFO', 404],
    ['DEBUG', 200],
  ])
})
