/** The service in its other modes: polling, many symbols at once, venues out of reach. */

import { afterEach, describe, expect, test } from 'vitest'
import { systemClock } from '../../src/platform/clock.ts'
import { binanceSim } from '../../src/sim/binance.ts'
import type { SimInstrument } from '../../src/sim/exchange.ts'
import { simVenues } from '../../src/sim/index.ts'
import { type Simulator, type SimulatorOptions, startSimulator } from '../../src/sim/server.ts'
import { type RunningService, startService, until } from '../helpers/service.ts'

let simulator: Simulator | undefined
let running: RunningService | undefined

afterEach(async () => {
  await running?.stop()
  await simulator?.stop()
})

async function start(
  symbols: Readonly<Record<string, readonly string[]>>,
  overrides: Readonly<Record<string, unknown>> = {},
  options: Partial<SimulatorOptions> = {},
): Promise<RunningService> {
  simulator = await startSimulator({ clock: systemClock(), venues: simVenues, seed: 3, ...options })
  running = await startService(simulator, symbols, overrides)
  return running
}

describe('polling', () => {
  const symbols = {
    binance: ['BTCUSDT'],
    'binance-usdm': ['BTCUSDT'],
    okx: ['BTC-USDT', 'BTC-USDT-SWAP'],
    deribit: ['BTC-PERPETUAL'],
  }

  test('without WebSocket tickers, books and trades come by REST every interval', { timeout: 30_000 }, async () => {
    const service = await start(symbols, { enable_websocket: false, collection_interval_seconds: 1 })
    const feeds = () => service.service.collector.feeds()
    await until('all polled feeds to be live', () =>
      feeds().every(({ channel, state }) => state === (channel === 'quote' ? 'disabled' : 'live')),
    )
    const { data } = await service.get('/api/v1/status')
    expect(data.features.websocket_enabled).toBe(false)
    expect(data.collection_stats.data_counts).toMatchObject({ tickers: 5, orderbooks: 5 })
    const before = (await service.get('/api/v1/collector/stats')).data
    expect(before.collection_stats.websocket_messages).toBe(0)
    expect(before.collection_stats.websocket_connections).toBe(0)
    await until('the next round', async () => {
      const { collection_stats } = (await service.get('/api/v1/collector/stats')).data
      return collection_stats.rest_requests >= before.collection_stats.rest_requests + 15
    })
    for (const [venue, list] of Object.entries(symbols)) {
      for (const symbol of list) {
        const book = (await service.get(`/api/v1/orderbook/${venue}/${symbol}?depth=5`)).data
        expect([venue, symbol, book.state, book.bids.length]).toEqual([venue, symbol, 'live', 5])
      }
    }
    const trades = service.events.flatMap((event) => (event.type === 'trade' ? [event] : []))
    expect(new Set(trades.map(({ id }) => id)).size).toBe(trades.length)
    expect(trades.every(({ source }) => source === undefined)).toBe(true)
    expect(simulator?.violations()).toEqual([])
    expect(
      service.log.filter(({ level }) => level !== 'INFO' && level !== 'DEBUG').map(({ event }) => event),
    ).not.toContain('rest_failed')
  })
})

describe('many symbols', () => {
  const instruments: SimInstrument[] = Array.from({ length: 200 }, (_, i) => ({
    ...(binanceSim.instruments[0] as SimInstrument),
    symbol: `S${i}USDT`,
    base: `S${i}`,
    stepsPerSecond: 0.5,
  }))

  test('200 books starting together are all proven, and no limit of the venue is broken', {
    timeout: 90_000,
  }, async () => {
    // 200 snapshots weigh more than one minute allows, so only the first minute's worth can be live early.
    const service = await start(
      { binance: instruments.map(({ symbol }) => symbol) },
      { 'collect.ticker': false, 'collect.quote': false },
      { venues: [{ ...binanceSim, instruments }] },
    )
    const live = () =>
      service.service.collector.feeds().filter(({ channel, state }) => channel === 'book' && state === 'live').length
    await until('the first minute’s worth of books', () => live() >= 90, 60_000)
    expect(simulator?.violations()).toEqual([])
    const usage = /rest_weight_used_ratio\{venue="binance"[^}]*\} ([\d.]+)/.exec(await service.text('/metrics'))?.[1]
    expect(Number(usage)).toBeLessThanOrEqual(0.8)
    expect(service.log.filter(({ event }) => event === 'socket_lost' || event === 'subscription_rejected')).toEqual([])
  })
})

describe('out of reach', () => {
  test('it stays up, says why everywhere, names the demo, and goes on when the venue is there', {
    timeout: 60_000,
  }, async () => {
    simulator = await startSimulator({ clock: systemClock(), venues: simVenues, seed: 3 })
    const port = Number(new URL(simulator.url).port)
    await simulator.stop()
    const service = await startService(simulator, { binance: ['BTCUSDT'], okx: ['BTC-USDT'] })
    running = service
    await until('the first attempts', () => service.service.collector.feeds().every(({ state }) => state === 'down'))
    const health = await fetch(`${service.url}/health`)
    expect(health.status).toBe(503)
    const document = (await health.json()) as { status: string; checks: Record<string, { result: string }> }
    expect(document.status).toBe('unhealthy')
    expect(document.checks.network?.result).toContain('npm run demo')
    const { data } = await service.get('/api/v1/collector/exchanges')
    expect(data.exchanges.binance).toMatchObject({
      status: 'down',
      websocket_connected: false,
      rest_api_available: false,
      last_update: null,
    })
    expect(data.exchanges.binance.reason).toContain('ECONNREFUSED')
    expect(data.exchanges.deribit.status).toBe('disabled')
    expect(JSON.stringify(service.log)).toContain('npm run demo')
    simulator = await startSimulator({ clock: systemClock(), venues: simVenues, seed: 3, port })
    await until('data', () => service.service.collector.feeds().every(({ state }) => state === 'live'), 45_000)
    expect((await service.get('/api/v1/collector/exchanges')).data.exchanges.binance.status).toBe('active')
  })
})

test('symbols that a venue does not know are told by name and leave the others alone', async () => {
  const service = await start({
    binance: ['BTCUSDT', 'NOPEUSDT'],
    okx: ['BTC-USDT', 'NOPE-USDT'],
    deribit: ['BTC-PERPETUAL', 'NOPE-PERPETUAL'],
  })
  const feeds = () => service.service.collector.feeds()
  await until('the known ones', () =>
    feeds().every(({ symbol, state }) => state === (symbol.startsWith('NOPE') ? 'down' : 'live')),
  )
  const told = service.log.filter(({ event }) => event === 'symbols_unknown').map(({ symbols }) => symbols)
  expect(told.sort()).toEqual(['NOPE-PERPETUAL', 'NOPE-USDT', 'NOPEUSDT'])
  const answer = await service.get('/api/v1/orderbook/binance/NOPEUSDT')
  expect(answer.status).toBe('error')
})

test('books off: no book feed, no book in the API', async () => {
  const service = await start({ okx: ['BTC-USDT'] }, { enable_orderbook: false })
  await until('data', () => service.service.collector.feeds().every(({ state }) => state === 'live'))
  expect(service.service.collector.feeds().map(({ channel }) => channel)).toEqual(['trade', 'ticker', 'quote'])
  expect((await service.get('/api/v1/status')).data.features.orderbook_enabled).toBe(false)
  expect((await service.get('/api/v1/orderbook/okx/BTC-USDT')).status).toBe('error')
})
