/** A new configuration is taken over while the service runs: only what changed is touched. */

import { afterEach, describe, expect, test } from 'vitest'
import { systemClock } from '../../src/platform/clock.ts'
import { simVenues } from '../../src/sim/index.ts'
import { type Simulator, startSimulator } from '../../src/sim/server.ts'
import { type RunningService, startService, until } from '../helpers/service.ts'

const simulators: Simulator[] = []
let running: RunningService | undefined

afterEach(async () => {
  await running?.stop()
  const violations = simulators.flatMap((simulator) => simulator.violations())
  for (const simulator of simulators.splice(0)) await simulator.stop()
  expect(violations).toEqual([])
})

async function simulate(): Promise<Simulator> {
  const simulator = await startSimulator({ clock: systemClock(), venues: simVenues, seed: 5 })
  simulators.push(simulator)
  return simulator
}

async function start(
  symbols: Readonly<Record<string, readonly string[]>>,
  overrides: Readonly<Record<string, unknown>> = {},
): Promise<RunningService> {
  running = await startService(await simulate(), symbols, overrides)
  const { collector } = running.service
  await until('a start', () => collector.isInitialized && collector.feeds().every(({ state }) => state === 'live'))
  return running
}

const live = ({ service }: RunningService) => {
  const feeds = service.collector.feeds()
  return feeds.length > 0 && feeds.every(({ state }) => state === 'live')
}
const names = ({ service }: RunningService) =>
  service.collector.feeds().map(({ venue, channel, symbol }) => `${venue} ${channel} ${symbol}`)
const messages = ({ log }: RunningService, event: string) =>
  log.filter((line) => line.event === event).map(({ message }) => message)
const gapsOf = ({ service }: RunningService, symbol: string) =>
  [...service.collector.gaps()].filter((gap) => gap.symbol === symbol)

describe('a new configuration', () => {
  test('that would break a limit of a venue changes nothing, and the log says why', { timeout: 30_000 }, async () => {
    const service = await start({ deribit: ['BTC-PERPETUAL'] })
    const before = names(service)
    await service.reload({ 'exchanges.deribit.symbols': Array.from({ length: 1201 }, (_, n) => `BTC-${n}SEP27`) })
    expect(names(service)).toEqual(before)
    expect(messages(service, 'config_invalid')).toEqual([
      expect.stringMatching(/4804 streams need 13 connections to Deribit/),
    ])
  })

  test('that keeps a limit only by what counts after a restart changes nothing', { timeout: 30_000 }, async () => {
    const service = await start({ deribit: ['BTC-PERPETUAL'] })
    const before = names(service)
    await service.reload({
      enable_websocket: false,
      'exchanges.deribit.symbols': Array.from({ length: 1201 }, (_, n) => `BTC-${n}SEP27`),
    })
    expect(names(service)).toEqual(before)
    expect(messages(service, 'config_invalid')).toEqual([
      expect.stringMatching(/4804 streams need 13 connections to Deribit/),
      expect.stringMatching(/until a restart/),
    ])
  })

  test('with other symbols and channels changes these feeds and no others', { timeout: 30_000 }, async () => {
    const service = await start({ binance: ['BTCUSDT', 'ETHUSDT'] }, { 'collect.quote': false })
    const opened = messages(service, 'socket_opened').length
    await service.reload({
      'exchanges.binance.symbols': ['BTCUSDT', 'SOLUSDT'],
      'collect.quote': true,
      'collect.ticker': false,
    })
    expect(names(service).sort()).toEqual(
      ['BTCUSDT', 'SOLUSDT'].flatMap((s) => [`binance book ${s}`, `binance quote ${s}`, `binance trade ${s}`]).sort(),
    )
    await until('life', () => live(service))
    expect(gapsOf(service, 'BTCUSDT').filter(({ cause }) => cause !== 'shutdown')).toEqual([])
    expect(messages(service, 'socket_opened')).toHaveLength(opened)
    expect(messages(service, 'config_changed')).toEqual([
      'exchanges.binance.symbols: BTCUSDT, ETHUSDT -> BTCUSDT, SOLUSDT (applied)',
      'collect.ticker: true -> false (applied)',
      'collect.quote: false -> true (applied)',
    ])
  })

  test('switches venues on and off', { timeout: 30_000 }, async () => {
    const service = await start({ binance: ['BTCUSDT'], okx: ['BTC-USDT'] })
    const { collector } = service.service
    const status = (name: string) => collector.exchanges().find(({ exchange }) => exchange === name)
    await service.reload({ 'exchanges.okx.enabled': false })
    expect(status('okx')).toMatchObject({ enabled: false, status: 'disabled', reason: undefined })
    expect(names(service).every((name) => name.startsWith('binance '))).toBe(true)
    expect([...collector.store.liveBooks()].map(({ venue }) => venue)).toEqual(['binance'])
    expect(await service.text('/metrics')).not.toMatch(/marketprism_sockets_open\{venue="okx"/)
    await service.reload({ 'exchanges.okx.enabled': true })
    await until('life', () => live(service) && status('okx')?.status === 'active')
    expect(names(service)).toHaveLength(8)
    expect(gapsOf(service, 'BTCUSDT')).toEqual([])
  })

  test('that is the same undoes what clients changed, and says so', { timeout: 30_000 }, async () => {
    const service = await start({ binance: ['BTCUSDT', 'ETHUSDT'] })
    const add = [{ venue: 'binance', symbol: 'SOLUSDT', channels: undefined }]
    const remove = [{ venue: 'binance', symbol: 'ETHUSDT', channels: ['book' as const] }]
    const before = names(service)
    await service.service.collector.changeSubscriptions({ add, remove })
    expect(names(service)).not.toEqual(before)
    await service.reload({})
    expect(names(service).sort()).toEqual([...before].sort())
    expect(service.log.find(({ event }) => event === 'subscriptions_undone')).toMatchObject({
      venue: 'binance',
      added: 'book ETHUSDT',
      removed: 'trade SOLUSDT, ticker SOLUSDT, quote SOLUSDT, book SOLUSDT',
      count: 5,
    })
    expect(messages(service, 'config_changed')).toEqual([])
    await until('life', () => live(service))
  })

  test('with other endpoints moves what is open there, without a break', { timeout: 60_000 }, async () => {
    const service = await start({ okx: ['BTC-USDT'], binance: ['BTCUSDT'] })
    const moved = Object.entries(simulators[0]?.options('okx') ?? {}).map(([key, url]) => [
      `exchanges.okx.${key}`,
      url.replace('127.0.0.1', 'localhost'),
    ])
    await service.reload(Object.fromEntries(moved))
    await until('the new link', () => service.log.some(({ event }) => event === 'socket_replaced'), 45_000)
    const hosts = service.log.filter(({ event }) => event === 'socket_opened').map(({ host }) => String(host))
    expect(hosts.map((host) => host.replace(/:.*/, '')).sort()).toEqual(['127.0.0.1', '127.0.0.1', 'localhost'])
    const from = service.events.length
    await until('data', () => service.events.slice(from).some(({ venue, type }) => venue === 'okx' && type === 'trade'))
    expect([...service.service.collector.gaps()]).toEqual([])
    expect(live(service)).toBe(true)
  })

  test('with other endpoints has what is not open begin there at once', { timeout: 30_000 }, async () => {
    const simulator = await simulate()
    const dead = { 'exchanges.okx.websocket_url': 'ws://127.0.0.1:9/x', 'exchanges.okx.rest_url': 'http://127.0.0.1:9' }
    running = await startService(simulator, { okx: ['BTC-USDT'] }, dead)
    const service = running
    await until('attempts', () => messages(service, 'connect_failed').length > 0)
    const options = Object.entries(simulator.options('okx')).map(([key, url]) => [`exchanges.okx.${key}`, url])
    await service.reload(Object.fromEntries(options))
    await until('life', () => live(service))
  })

  test('that is the same interrupts nothing where WebSocket is off', { timeout: 30_000 }, async () => {
    const polling = { enable_websocket: false, collection_interval_seconds: 1 }
    running = await startService(await simulate(), { okx: ['BTC-USDT'], 'binance-usdm': ['BTCUSDT'] }, polling)
    const service = running
    await until('polled feeds', () =>
      service.service.collector
        .feeds()
        .every(({ channel, state }) => state === (channel === 'quote' ? 'disabled' : 'live')),
    )
    await service.reload({})
    expect([...service.service.collector.gaps()].map(({ channel, cause, reason }) => [channel, cause, reason])).toEqual(
      [],
    )
    expect(service.service.collector.feeds().filter(({ state }) => state === 'connecting')).toEqual([])
  })

  test('with another channel of the venue interrupts only its feeds, and that is a gap', {
    timeout: 30_000,
  }, async () => {
    const service = await start({ binance: ['BTCUSDT'] })
    await service.reload({ 'exchanges.binance.channels.trade': 'aggTrade' })
    await until('life', () => live(service) && gapsOf(service, 'BTCUSDT').every(({ state }) => state !== 'open'))
    expect(gapsOf(service, 'BTCUSDT').map(({ channel, cause, reason }) => [channel, cause, reason])).toEqual([
      ['trade', 'not_subscribed', 'another channel of the venue brings it now'],
    ])
    const from = service.events.length
    await until('joined trades', () => service.events.slice(from).some(({ type }) => type === 'trade'))
  })

  test('names what needs a restart, and keeps it', { timeout: 30_000 }, async () => {
    const service = await start({ binance: ['BTCUSDT'] })
    await service.reload({ enable_websocket: false, 'api.token': 'a-new-secret', 'log.level': 'WARNING' })
    expect(service.service.collector.features.websocket_enabled).toBe(true)
    expect(JSON.stringify(service.log)).not.toContain('a-new-secret')
    expect(messages(service, 'config_reloaded')).toEqual([])
    await service.reload({ 'log.level': 'INFO', 'collect.quote': false, enable_websocket: true })
    expect(messages(service, 'config_changed')).toEqual([
      'log.level: WARNING -> INFO (applied)',
      'collect.quote: true -> false (applied)',
      'enable_websocket: false -> true (needs a restart)',
    ])
    expect(live(service)).toBe(true)
  })

  test('that is invalid changes nothing, and every mistake is told', { timeout: 30_000 }, async () => {
    const service = await start({ binance: ['BTCUSDT'] })
    const before = names(service)
    await service.reload({ 'exchanges.binance.symbols': [], 'api.port': 'many' })
    expect(names(service)).toEqual(before)
    expect(messages(service, 'config_invalid')).toHaveLength(2)
    expect(messages(service, 'config_kept')).toHaveLength(1)
    expect(live(service)).toBe(true)
  })
})
