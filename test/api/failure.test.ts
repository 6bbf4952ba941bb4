/** What clients see when something is wrong inside, and what they do not see. */

import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { PUBLIC_MESSAGES } from '../../src/service/envelope.ts'
import { ask, bodyOf, errorProblems } from './helpers/http.ts'
import { type RunningApi, startApi } from './helpers/start-api.ts'

let running: RunningApi
beforeEach(async () => {
  running = await startApi()
})
afterEach(() => running.api.stop())

const get = (path: string) => ask(running.url, path)

describe('an exception', () => {
  const cases = [
    ['/api/v1/collector/stats', 'stats', 'STATS_UNAVAILABLE'],
    ['/api/v1/collector/exchanges', 'exchanges', 'EXCHANGE_STATUS_ERROR'],
    ['/api/v1/collector/data', 'store', 'DATA_RETRIEVAL_ERROR'],
    ['/api/v1/gaps', 'gaps', 'DATA_RETRIEVAL_ERROR'],
    ['/api/v1/completeness', 'completeness', 'DATA_RETRIEVAL_ERROR'],
    ['/api/v1/subscriptions', 'feeds', 'DATA_RETRIEVAL_ERROR'],
    ['/api/v1/status', 'stats', 'INTERNAL_ERROR'],
    ['/api/v1/collector/status', 'feeds', 'INTERNAL_ERROR'],
  ] as const
  for (const [path, part, code] of cases) {
    test(`in ${path} is answered ${code}, and only the log has its text`, async () => {
      running.collector.broken = part
      const answer = await get(path)
      expect(errorProblems(answer, code, PUBLIC_MESSAGES[code])).toEqual([])
      const line = running.log.find(({ event }) => event === 'request_failed')
      expect(line).toMatchObject({ level: 'error', message: `secret detail of ${part} in /root/app/main.ts:12` })
      expect(line?.fields).toMatchObject({ error_id: bodyOf(answer).error_id, error_code: code, route: path })
      running.collector.broken = undefined
      expect((await get(path)).status).toBe(200)
    })
  }

  test('while health is read makes the service unhealthy, in words', async () => {
    running.collector.broken = 'feeds'
    const answer = await get('/health')
    expect(answer.status).toBe(503)
    expect(bodyOf(answer)).toMatchObject({ status: 'unhealthy', checks: { collector: { status: 'fail' } } })
    expect(answer.text).not.toContain('secret')
    expect((await get('/health/ready')).status).toBe(503)
    expect((await get('/health/live')).status).toBe(200)
  })

  test('in the metrics leaves the rest alone', async () => {
    running.metrics.text = () => Promise.reject(new Error('secret'))
    expect(errorProblems(await get('/metrics'), 'INTERNAL_ERROR')).toEqual([])
  })
})

test('data routes say that the collector has not initialised; the others answer', async () => {
  running.collector.isInitialized = false
  running.state.lifecycle = 'initializing'
  const message = 'Data collector not initialized. Service is running in degraded mode.'
  for (const path of [
    'collector/stats',
    'collector/data',
    'orderbook/binance/BTCUSDT',
    'trades/binance/BTCUSDT',
    'instruments',
    'gaps',
    'completeness',
    'subscriptions',
    'stream',
  ]) {
    expect(errorProblems(await get(`/api/v1/${path}`), 'COLLECTOR_NOT_INITIALIZED', message)).toEqual([])
  }
  for (const path of [
    '/api/v1/status',
    '/api/v1/collector/status',
    '/api/v1/collector/exchanges',
    '/api/v1/feeds',
    '/health',
    '/metrics',
  ]) {
    expect((await get(path)).status, path).toBe(200)
  }
})

describe('paths', () => {
  const unknown = [
    '/',
    '/nope',
    '/api/v1/nope',
    '/API/V1/STATUS',
    '/api/v1/status/',
    '//api/v1/status',
    '/%2e%2e/%2e%2e/etc/passwd',
    '/..%2f..%2fpackage.json',
    '/..%5c..%5cpackage.json',
    '/docs/static/..%2f..%2fpackage.json',
    '/docs/static/%2e%2e/%2e%2e/package.json',
    '/docs/nope',
    '/api/v1/%00',
    `/${'a'.repeat(4000)}`,
    '/api/v1/orderbook/binance/NOPE',
    '/api/v1/orderbook/binance/btcusdt',
    '/api/v1/orderbook/nope/BTCUSDT',
    '/api/v1/orderbook/__proto__/constructor',
    '/api/v1/orderbook/binance/%00',
    `/api/v1/orderbook/binance/${'A'.repeat(101)}`,
    `/api/v1/trades/binance/${'A'.repeat(4000)}`,
    '/api/v1/trades/binance/__proto__',
  ]
  for (const path of unknown) {
    test(`${path.slice(0, 60)} is not found`, async () => {
      expect(errorProblems(await get(path), 'NOT_FOUND')).toEqual([])
    })
  }
  for (const path of ['/%zz', '/%E0%A4%A', '/api/v1/orderbook/binance/%']) {
    test(`${path} is no path`, async () => {
      expect(errorProblems(await get(path), 'INVALID_PARAMETERS')).toEqual([])
    })
  }
})

test('every method but GET and HEAD is refused, on every path', async () => {
  for (const path of ['/health', '/api/v1/status', '/api/v1/subscriptions', '/docs', '/nope']) {
    for (const method of ['POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'TRACE', 'PROPFIND']) {
      const answer = await ask(running.url, path, { method })
      expect(errorProblems(answer, 'METHOD_NOT_ALLOWED'), `${method} ${path}`).toEqual([])
      expect(answer.headers.allow).toBe('GET, HEAD')
    }
  }
})

test('one line a request: the pattern, not the path; probes and scrapes at DEBUG', async () => {
  await get('/api/v1/orderbook/binance/BTCUSDT?depth=5&x=%0d%0ainjected')
  await get('/no%0d%0asuch')
  await get('/health')
  await get('/metrics')
  const lines = running.log.filter(({ event }) => event === 'request_answered')
  expect(lines.map(({ level, message }) => [level, message])).toEqual([
    ['info', 'GET /api/v1/orderbook/:venue/:symbol 200'],
    ['info', 'GET unmatched 404'],
    ['debug', 'GET /health 200'],
    ['debug', 'GET /metrics 200'],
  ])
  expect(lines[0]?.fields).toMatchObject({ method: 'GET', status: 200, client: '127.0.0.1' })
  expect(lines[0]?.fields.duration_ms).toBeGreaterThan(0)
  expect(lines.filter(({ fields }) => 'is_aborted' in fields)).toEqual([])
  expect(running.metrics.answers.map(({ route }) => route)).toContain('unmatched')
})
