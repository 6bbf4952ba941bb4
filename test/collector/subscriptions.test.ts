/** What is collected is changed while the service runs, against simulated exchanges. */

import { afterEach, describe, expect, test } from 'vitest'
import type { SubscriptionEntry } from '../../src/api/view.ts'
import { CHANNELS, type Channel, type MarketEvent } from '../../src/model/event.ts'
import { systemClock } from '../../src/platform/clock.ts'
import { binanceSim } from '../../src/sim/binance.ts'
import type { SimInstrument } from '../../src/sim/exchange.ts'
import { simVenues } from '../../src/sim/index.ts'
import { type Simulator, type SimulatorOptions, startSimulator } from '../../src/sim/server.ts'
import { venues } from '../../src/venues/index.ts'
import { type RunningService, startService, until } from '../helpers/service.ts'

let simulator: Simulator | undefined
let running: RunningService | undefined

afterEach(async () => {
  await running?.stop()
  expect(simulator?.violations() ?? []).toEqual([])
  await simulator?.stop()
})

async function start(
  symbols: Readonly<Record<string, readonly string[]>>,
  overrides: Readonly<Record<string, unknown>> = {},
  options: Partial<SimulatorOptions> = {},
): Promise<RunningService> {
  simulator = await startSimulator({ clock: systemClock(), venues: simVenues, seed: 5, ...options })
  running = await startService(simulator, symbols, overrides)
  return running
}

const entry = (venue: string, symbol: string, channels?: readonly Channel[]): SubscriptionEntry => ({
  venue,
  symbol,
  channels,
})

const feedsOf = ({ service }: RunningService, venue: string, symbol: string) =>
  service.collector.feeds().filter((feed) => feed.venue === venue && feed.symbol === symbol)

const isEveryLive = (service: RunningService, venue: string, symbol: string) => () =>
  feedsOf(service, venue, symbol).length === CHANNELS.length &&
  feedsOf(service, venue, symbol).every(({ state }) => state === 'live')

/** The first place where the books' chain or the trades' numbers of a symbol break, in words. */
function firstBreak(events: readonly MarketEvent[], venue: string, symbol: string): string | undefined {
  let sequence: number | undefined
  let trade: number | undefined
  const spanOf = venues.find(({ id }) => id === venue)?.tradeSpan
  for (const event of events) {
    if (event.venue !== venue || event.symbol !== symbol) continue
    if (event.type === 'book_delta') {
      const { previous_sequence: previous, first_sequence: first } = event
      // The first delta need not touch the snapshot that it joins.
      const isJoined = previous === undefined ? first === (sequence ?? 0) + 1 : previous === sequence
      if (sequence !== undefined && !isJoined) return `delta ${first} after ${sequence} names ${previous}`
      sequence = event.last_sequence
    }
    if (event.type === 'book_state' && event.state === 'stale') return `book stale: ${event.reason}`
    if (event.type === 'gap') return `gap of ${event.channel}: ${event.cause}`
    const span = event.type === 'trade' ? spanOf?.(event) : undefined
    if (span === undefined) continue
    if (trade !== undefined && span.first !== trade + 1) return `trade ${span.first} after ${trade}`
    trade = span.last
  }
  return undefined
}

const ADDED: Readonly<Record<string, readonly [there: string, added: string]>> = {
  binance: ['BTCUSDT', 'ETHUSDT'],
  'binance-usdm': ['BTCUSDT', 'ETHUSDT'],
  okx: ['BTC-USDT', 'ETH-USDT-SWAP'],
  deribit: ['BTC-PERPETUAL', 'ETH-PERPETUAL'],
}
const VENUES = Object.entries(ADDED)

describe('adding and removing', () => {
  test('what is added goes live on the sockets that are there, what is removed is gone, and others lose nothing', {
    timeout: 60_000,
  }, async () => {
    const service = await start(Object.fromEntries(VENUES.map(([venue, [there]]) => [venue, [there]])))
    const { collector } = service.service
    await until('a start', () => collector.feeds().every(({ state }) => state === 'live'), 20_000)
    const sockets = collector.stats().websocketConnections
    const change = await collector.changeSubscriptions({
      add: VENUES.map(([venue, [, added]]) => entry(venue, added)),
      remove: [],
    })
    expect(change.added).toHaveLength(VENUES.length * CHANNELS.length)
    expect([change.removed, change.unchanged, change.refused]).toEqual([[], [], []])
    for (const [venue, [, added]] of VENUES) {
      expect(feedsOf(service, venue, added)).toHaveLength(CHANNELS.length)
      await until(`${venue} ${added}`, isEveryLive(service, venue, added), 20_000)
      const types = new Set(
        service.events.filter((e) => e.venue === venue && e.symbol === added).map(({ type }) => type),
      )
      expect([...types].sort(), venue).toEqual(expect.arrayContaining(['book_snapshot', 'instrument']))
      const book = await service.get(`/api/v1/orderbook/${venue}/${added}`)
      expect(book.data.state, venue).toBe('live')
      expect(book.data.instrument, venue).toBeTruthy()
    }
    expect(collector.stats().websocketConnections).toBe(sockets)

    const removed = await collector.changeSubscriptions({
      add: [],
      remove: VENUES.map(([venue, [, added]]) => entry(venue, added)),
    })
    expect(removed.removed).toHaveLength(VENUES.length * CHANNELS.length)
    const from = service.events.length
    for (const [venue, [, added]] of VENUES) {
      expect(feedsOf(service, venue, added)).toEqual([])
      expect((await service.get(`/api/v1/orderbook/${venue}/${added}`)).status).toBe('error')
      expect([...collector.instruments()].some((i) => i.venue === venue && i.symbol === added)).toBe(false)
      expect([...collector.store.tickers()].some((t) => t.venue === venue && t.symbol === added)).toBe(false)
      for (const gap of [...collector.gaps()].filter((g) => g.venue === venue && g.symbol === added))
        expect(gap.state, JSON.stringify(gap)).not.toBe('open')
    }
    await new Promise((resolve) => setTimeout(resolve, 500))
    for (const [venue, [there, added]] of VENUES) {
      const late = service.events.slice(from).filter((e) => e.venue === venue && e.symbol === added)
      expect(
        late.filter(({ type }) => type !== 'gap'),
        venue,
      ).toEqual([])
      expect(firstBreak(service.events, venue, there), venue).toBeUndefined()
    }
    expect(collector.stats().websocketConnections).toBe(sockets)
  })

  test('single channels; what is collected already is unchanged', { timeout: 30_000 }, async () => {
    const service = await start({ okx: ['BTC-USDT'] })
    const { collector } = service.service
    await until('a start', () => collector.feeds().every(({ state }) => state === 'live'))
    const removed = await collector.changeSubscriptions({ add: [], remove: [entry('okx', 'BTC-USDT', ['book'])] })
    expect(removed.removed).toEqual([{ venue: 'okx', channel: 'book', symbol: 'BTC-USDT' }])
    expect(collector.book('okx', 'BTC-USDT', 1)).toMatchObject({ bids: [], asks: [] })
    const gap = [...collector.gaps()].find(({ channel }) => channel === 'book')
    expect(gap).toMatchObject({ state: 'final', cause: 'shutdown', reason: 'removed by a client' })
    const back = await collector.changeSubscriptions({ add: [entry('okx', 'BTC-USDT')], remove: [] })
    expect(back.added.map(({ channel }) => channel)).toEqual(['book'])
    expect(back.unchanged.map(({ channel }) => channel)).toEqual(['trade', 'ticker', 'quote'])
    await until('the book', isEveryLive(service, 'okx', 'BTC-USDT'))
  })

  test('what is removed and added again is counted as collected again', { timeout: 30_000 }, async () => {
    const service = await start({ binance: ['BTCUSDT', 'ETHUSDT'] })
    const { collector } = service.service
    await until('a start', () => collector.feeds().every(({ state }) => state === 'live'))
    await collector.changeSubscriptions({ add: [], remove: [entry('binance', 'ETHUSDT')] })
    await new Promise((resolve) => setTimeout(resolve, 300))
    const fromUs = systemClock().nowUs()
    await collector.changeSubscriptions({ add: [entry('binance', 'ETHUSDT')], remove: [] })
    await until('life', isEveryLive(service, 'binance', 'ETHUSDT'))
    const coverage = () => collector.completeness(fromUs, systemClock().nowUs(), (f) => f.symbol === 'ETHUSDT')
    await until('all four', () => coverage().length === CHANNELS.length)
    for (const { coveredShare, openGaps } of coverage()) expect([coveredShare, openGaps]).toEqual([1, 0])
    const gaps = [...collector.gaps()].filter(({ symbol, cause }) => symbol === 'ETHUSDT' && cause !== 'shutdown')
    expect(gaps).toEqual([])
  })
})

describe('refusals', () => {
  test('each with its reason, and none stops another feed', { timeout: 30_000 }, async () => {
    const service = await start({ binance: ['BTCUSDT'] }, { 'collect.ticker': false })
    const { collector } = service.service
    await until('a start', () => collector.feeds().every(({ state }) => state === 'live'))
    const startMs = performance.now()
    const { added, refused } = await collector.changeSubscriptions({
      add: [
        entry('binance', 'NOPEUSDT'),
        entry('binance', 'NOPE2USDT', ['trade']),
        entry('okx', 'BTC-USDT'),
        entry('binance', 'ETHUSDT', ['ticker', 'trade']),
      ],
      remove: [entry('binance', 'XRPUSDT'), entry('deribit', 'BTC-PERPETUAL'), entry('binance', 'BTCUSDT', ['ticker'])],
    })
    expect(performance.now() - startMs).toBeLessThan(1_000)
    expect(added).toEqual([{ venue: 'binance', channel: 'trade', symbol: 'ETHUSDT' }])
    expect(refused.map((r) => [r.operation, r.venue, r.symbol, r.channel, r.refusal])).toEqual([
      ['remove', 'binance', 'XRPUSDT', undefined, 'not_collected'],
      ['remove', 'deribit', 'BTC-PERPETUAL', undefined, 'not_collected'],
      ['remove', 'binance', 'BTCUSDT', undefined, 'not_collected'],
      ['add', 'binance', 'ETHUSDT', 'ticker', 'channel_disabled'],
      ['add', 'okx', 'BTC-USDT', undefined, 'venue_disabled'],
      ['add', 'binance', 'NOPEUSDT', undefined, 'unknown_symbol'],
      ['add', 'binance', 'NOPE2USDT', undefined, 'unknown_symbol'],
    ])
    expect(collector.knows('binance', 'NOPEUSDT')).toBe(false)
  })

  test('a venue whose list cannot be had, and a collector that stops', { timeout: 30_000 }, async () => {
    const service = await start(
      { binance: ['BTCUSDT'] },
      {},
      { faults: [{ kind: 'rest-status', path: 'exchangeInfo', status: 500, count: 1_000 }] },
    )
    const { collector } = service.service
    await until('trades', () => service.events.some(({ type }) => type === 'trade'))
    const asked = () => collector.changeSubscriptions({ add: [entry('binance', 'ETHUSDT')], remove: [] })
    expect((await asked()).refused).toMatchObject([{ refusal: 'unavailable' }])
    collector.stop()
    expect((await asked()).refused).toMatchObject([{ refusal: 'unavailable', reason: 'the collector is stopping' }])
  })
})

describe('by HTTP', () => {
  test('POST with the token changes what GET shows', { timeout: 30_000 }, async () => {
    const token = 'token-of-the-test'
    const service = await start({ binance: ['BTCUSDT'] }, { 'api.token': token })
    await until('a collector', () => service.service.collector.isInitialized)
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
    const url = `${service.url}/api/v1/subscriptions`
    const post = (body: unknown, sent: Record<string, string> = headers) =>
      fetch(url, { method: 'POST', headers: sent, body: JSON.stringify(body) })
    const body = { add: [{ venue: 'binance', symbol: 'ETHUSDT' }], remove: [{ venue: 'binance', symbol: 'BTCUSDT' }] }
    expect((await post(body, { 'content-type': 'application/json' })).status).toBe(401)
    const answer = await post(body)
    expect(answer.status).toBe(200)
    expect((await answer.json()) as object).toMatchObject({ data: { refused: [], unchanged: [], is_saved: false } })
    await until('life', isEveryLive(service, 'binance', 'ETHUSDT'))
    const shown = (await (await fetch(url, { headers })).json()) as { data: { subscriptions: unknown[] } }
    expect(shown.data.subscriptions).toEqual([
      { exchange: 'binance', venue: 'binance', symbol: 'ETHUSDT', channels: [...CHANNELS] },
    ])
    expect(service.service.collector.exchanges().find(({ exchange }) => exchange === 'binance')?.status).toBe('active')
  })
})

describe('many', () => {
  const instruments: SimInstrument[] = Array.from({ length: 60 }, (_, i) => ({
    ...(binanceSim.instruments[0] as SimInstrument),
    symbol: `S${i}USDT`,
    base: `S${i}`,
    stepsPerSecond: 1,
  }))

  test('50 symbols in one request, and away again, within the limits of the venue', { timeout: 90_000 }, async () => {
    const first = instruments.slice(0, 5).map(({ symbol }) => symbol)
    const more = instruments.slice(5, 55).map(({ symbol }) => entry('binance', symbol))
    const service = await start({ binance: first }, {}, { venues: [{ ...binanceSim, instruments }] })
    const { collector } = service.service
    await until('a start', () => collector.feeds().every(({ state }) => state === 'live'), 20_000)
    const { added } = await collector.changeSubscriptions({ add: more, remove: [] })
    expect(added).toHaveLength(200)
    expect(collector.stats().websocketConnections).toBe(1)
    await until('all of them', () => collector.feeds().every(({ state }) => state === 'live'), 60_000)
    expect(collector.stats().websocketConnections).toBe(2)
    await collector.changeSubscriptions({ add: [], remove: more })
    expect(collector.feeds()).toHaveLength(20)
    await until('one socket less', () => collector.stats().websocketConnections === 1)
    for (const symbol of first) expect(firstBreak(service.events, 'binance', symbol), symbol).toBeUndefined()
    expect(service.log.filter(({ event }) => event === 'subscription_rejected')).toEqual([])
  })
})

describe('everything removed', () => {
  test('the exchange is disabled, not down, and can be had again', { timeout: 30_000 }, async () => {
    const service = await start({ binance: ['BTCUSDT'] })
    const { collector } = service.service
    await until('a start', () => collector.feeds().every(({ state }) => state === 'live'))
    await collector.changeSubscriptions({ add: [], remove: [entry('binance', 'BTCUSDT')] })
    const exchange = () => collector.exchanges().find((each) => each.exchange === 'binance')
    expect([exchange()?.status, collector.stats().websocketConnections]).toEqual(['disabled', 0])
    const health = await fetch(`${service.url}/health`)
    expect([health.status, ((await health.json()) as { status: string }).status]).toEqual([200, 'degraded'])
    expect(await service.text('/metrics')).not.toMatch(/marketprism_feeds\{/)
    await collector.changeSubscriptions({ add: [entry('binance', 'BTCUSDT')], remove: [] })
    await until('life', isEveryLive(service, 'binance', 'BTCUSDT'))
    expect(exchange()?.status).toBe('active')
  })
})

describe('polling', () => {
  test('what is added is polled at once, what is removed is not asked for again', { timeout: 30_000 }, async () => {
    const polling = { enable_websocket: false, collection_interval_seconds: 1 }
    const service = await start({ binance: ['BTCUSDT'], okx: ['BTC-USDT'] }, polling)
    const { collector } = service.service
    const isSettled = () => collector.feeds().every(({ state }) => state === 'live' || state === 'disabled')
    await until('a start', isSettled)
    const { added, refused } = await collector.changeSubscriptions({
      add: [entry('binance', 'ETHUSDT'), entry('okx', 'ETH-USDT', ['quote', 'trade'])],
      remove: [entry('okx', 'BTC-USDT')],
    })
    expect(added.map(({ venue, channel }) => `${venue} ${channel}`)).toEqual([
      'binance trade',
      'binance ticker',
      'binance book',
      'okx trade',
    ])
    expect(refused).toMatchObject([{ channel: 'quote', refusal: 'channel_disabled' }])
    await until('life', isSettled)
    const from = service.events.length
    await until('another round', () => service.events.slice(from).filter(({ type }) => type === 'ticker').length >= 4)
    const symbols = new Set(service.events.slice(from).map(({ venue, symbol }) => `${venue} ${symbol}`))
    expect([...symbols].sort()).toEqual(['binance BTCUSDT', 'binance ETHUSDT', 'okx ETH-USDT'])
  })
})
