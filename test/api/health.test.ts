/** Health can fail, says why, and every endpoint that speaks of it says the same. */

import { afterEach, beforeEach, expect, test } from 'vitest'
import type { FeedState } from '../../src/model/feed.ts'
import { ask, bodyOf } from './helpers/http.ts'
import { type RunningApi, startApi } from './helpers/start-api.ts'

let running: RunningApi
beforeEach(async () => {
  running = await startApi()
})
afterEach(() => running.api.stop())

async function health() {
  const answer = await ask(running.url, '/health')
  const detail = bodyOf(await ask(running.url, '/api/v1/collector/status'))
  const body = bodyOf(answer)
  expect(detail.data.health_indicators.overall_health).toBe(body.status)
  return { http: answer.status, ...body, flowing: detail.data.health_indicators.data_flow_active }
}
const ready = async () => (await ask(running.url, '/health/ready')).status
const feedsAre = (state: (venue: string, symbol: string) => FeedState) => {
  running.collector.feedState = state
}

test('healthy: everything passes', async () => {
  const document = await health()
  expect(document).toMatchObject({ http: 200, service: 'data-collector', status: 'healthy', flowing: true })
  expect(document.checks.service_status).toEqual({ status: 'pass', result: 'running' })
  expect(document.checks.feeds).toEqual({ status: 'pass', result: '40 of 40 feeds live' })
  expect(document.checks['feed:binance-usdm:book']).toEqual({ status: 'pass', result: '2 of 2 live' })
  expect(Object.keys(document.checks)).toEqual(
    expect.arrayContaining(['event_loop', 'exchange:binance', 'exchange:okx', 'exchange:deribit', 'sink:memory']),
  )
  expect(await ready()).toBe(200)
})

test('degraded: some feeds are not live', async () => {
  feedsAre((_venue, symbol) => (symbol === 'ETHUSDT' ? 'down' : 'live'))
  const document = await health()
  expect(document).toMatchObject({ http: 200, status: 'degraded', flowing: true })
  expect(document.checks['feed:binance:trade']).toEqual({
    status: 'warn',
    result: '2 of 3 live; ETHUSDT down: connection refused',
  })
  expect(await ready()).toBe(200)
})

test('degraded: a whole exchange is down', async () => {
  feedsAre((venue) => (venue === 'okx' ? 'down' : 'live'))
  const document = await health()
  expect(document).toMatchObject({ http: 200, status: 'degraded' })
  expect(document.checks['exchange:okx']).toEqual({ status: 'fail', result: 'down: connection refused' })
  expect(document.checks['feed:okx:book'].status).toBe('fail')
})

test('unhealthy: no feed is live though some are wanted', async () => {
  feedsAre(() => 'down')
  expect(await health()).toMatchObject({
    http: 503,
    status: 'unhealthy',
    flowing: false,
    checks: { feeds: { status: 'fail', result: '0 of 40 feeds live' } },
  })
  expect(await ready()).toBe(503)
})

test('feeds that nobody wants do not count', async () => {
  feedsAre((venue) => (venue === 'okx' ? 'disabled' : venue === 'deribit' ? 'delisted' : 'live'))
  expect((await health()).checks.feeds).toEqual({ status: 'pass', result: '20 of 20 feeds live' })
})

test('starting up is degraded, not unhealthy, and not ready', async () => {
  running.state.lifecycle = 'initializing'
  feedsAre(() => 'connecting')
  expect(await health()).toMatchObject({ http: 200, status: 'degraded' })
  expect(await ready()).toBe(503)
})

test('stopping is unhealthy at once, whatever else passes', async () => {
  running.state.lifecycle = 'stopping'
  expect(await health()).toMatchObject({ http: 503, status: 'unhealthy' })
  expect(await ready()).toBe(503)
  expect((await ask(running.url, '/health/live')).status).toBe(200)
})

test('a sink that is down is degraded, and ready', async () => {
  running.collector.extraHealth = { 'sink:nats': { status: 'fail', result: 'no connection' } }
  expect(await health()).toMatchObject({ http: 200, status: 'degraded' })
  expect(await ready()).toBe(200)
})

test('a spool that cannot be written is not ready', async () => {
  running.collector.extraHealth = { spool: { status: 'fail', result: 'disk full' } }
  expect(await ready()).toBe(503)
})

test('a slow event loop warns', async () => {
  running.state.lagSeconds = 1.5
  expect(await health()).toMatchObject({
    status: 'degraded',
    checks: { event_loop: { status: 'warn', result: 'longest delay of the last minute: 1500 ms' } },
  })
})
