/** Every endpoint answers exactly what it says of itself, with values that agree with each other. */

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { RouteDeps } from '../../src/api/deps.ts'
import { venueNames } from '../../src/api/names.ts'
import { routes } from '../../src/api/routes/index.ts'
import { successSchema } from '../../src/api/schemas.ts'
import { VENUES } from './helpers/fake-collector.ts'
import { ask, bodyOf, errorProblems } from './helpers/http.ts'
import { type RunningApi, startApi } from './helpers/start-api.ts'

const DEPS = { names: venueNames(VENUES) } as RouteDeps
const ROUTES = routes.map((make) => make(DEPS)).filter(({ method }) => method === 'GET')

let running: RunningApi
beforeAll(async () => {
  running = await startApi()
})
afterAll(() => running.api.stop())

const get = (path: string) => ask(running.url, path)
const dataOf = async (path: string) => bodyOf(await get(path)).data

describe('each endpoint', () => {
  for (const route of ROUTES) {
    const path = route.path.replace('{venue}', 'binance').replace('{symbol}', 'BTCUSDT')
    test(`GET ${route.path} answers its schema`, async () => {
      const answer = await get(path)
      expect(answer.status).toBe(200)
      const schema = route.kind === 'data' ? successSchema(route.message, route.response) : route.response
      const isJson = answer.headers['content-type']?.startsWith('application/json')
      expect(schema.safeParse(isJson ? bodyOf(answer) : answer.text).error?.issues ?? []).toEqual([])
    })

    test(`HEAD ${route.path} is GET without a body`, async () => {
      const head = await ask(running.url, path, { method: 'HEAD' })
      expect(head).toMatchObject({ status: 200, text: '' })
      expect(head.headers['content-type']).toBe((await get(path)).headers['content-type'])
    })

    test(`POST ${route.path} is refused with the methods that are allowed`, async () => {
      const answer = await ask(running.url, path, { method: 'POST' })
      expect(errorProblems(answer, 'METHOD_NOT_ALLOWED', 'Only GET and HEAD are allowed.')).toEqual([])
      expect(answer.headers.allow).toBe('GET, HEAD')
    })
  }
})

test('status says that the exchanges are simulated', async () => {
  expect(await dataOf('/api/v1/status')).toMatchObject({
    environment: 'simulation',
    status: 'running',
    version: '1.2.3',
  })
})

test('the three states of the service', async () => {
  for (const lifecycle of ['initializing', 'stopping', 'running'] as const) {
    running.state.lifecycle = lifecycle
    expect((await dataOf('/api/v1/status')).status).toBe(lifecycle)
  }
})

describe('collector/data', () => {
  const data = (query: string) => dataOf(`/api/v1/collector/data?${query}`)

  test('filters first, then sorts newest first, then cuts', async () => {
    running.collector.step()
    const all = await data('limit=100')
    expect(Object.keys(all.recent_data.tickers)).toHaveLength(10)
    const times = Object.values<{ timestamp: string }>(all.recent_data.tickers).map(({ timestamp }) => timestamp)
    expect(times).toEqual([...times].sort().reverse())
    const okx = Object.keys(all.recent_data.tickers).filter((key) => key.startsWith('okx:'))
    const newest = await data('exchange=OKX&type=Tickers&limit=1')
    expect(Object.keys(newest.recent_data.tickers)).toEqual(okx.slice(0, 1))
    expect(Object.keys(newest.recent_data)).toEqual(['tickers'])
    expect(newest.query_parameters).toEqual({ exchange: 'okx', type: 'tickers', limit: 1, depth: 20 })
    expect(newest.summary).toEqual(all.summary)
  })

  test('an exchange is all its venues, and only those', async () => {
    const { recent_data } = await data('exchange=binance&limit=100')
    const venues = new Set(
      Object.values(recent_data)
        .flatMap((map) => Object.keys(map as object))
        .map((key) => key.split(':')[0]),
    )
    expect([...venues].sort()).toEqual(['binance', 'binance-usdm'])
  })

  test('each trade is the newest of its instrument', async () => {
    const shown = Object.entries<{ trade_id: string }>((await data('type=trades&limit=100')).recent_data.trades)
    expect(shown).toHaveLength(10)
    for (const [key, { trade_id }] of shown) {
      const [venue, symbol] = key.split(':')
      const { trades } = await dataOf(`/api/v1/trades/${venue}/${symbol}?limit=100`)
      expect(trades[0].trade_id).toBe(trade_id)
      const times = trades.map(({ timestamp }: { timestamp: string }) => timestamp)
      expect(times).toEqual([...times].sort().reverse())
      expect(times.length).toBeGreaterThan(1)
    }
  })

  test('books have the depth that was asked for, and only live ones are shown', async () => {
    const { bids, asks } = (await data('type=orderbooks&depth=400&exchange=deribit')).recent_data.orderbooks[
      'deribit:BTC-PERPETUAL'
    ]
    expect([bids.length, asks.length]).toEqual([400, 400])
    running.collector.feedState = (venue) => (venue === 'deribit' ? 'stale' : 'live')
    const after = await data('exchange=deribit')
    expect(after.recent_data).not.toHaveProperty('orderbooks')
    expect(after.recent_data).toHaveProperty('tickers')
    expect(await dataOf('/api/v1/orderbook/deribit/BTC-PERPETUAL')).toMatchObject({
      state: 'stale',
      reason: 'disconnect',
    })
    running.collector.feedState = () => 'live'
  })

  test('a time that the venue does not send is null, not made up', async () => {
    const book = await dataOf('/api/v1/orderbook/binance/BTCUSDT')
    expect(book.exchange_time).toBeNull()
    expect(book.timestamp).toMatch(/^20/)
    const { exchange_time, timestamp } = Object.values<{ exchange_time: string; timestamp: string }>(
      (await data('type=tickers&limit=1')).recent_data.tickers,
    )[0] ?? { exchange_time: '', timestamp: '' }
    expect(exchange_time < timestamp).toBe(true)
  })
})

describe('parameters', () => {
  const notInteger = 'Limit parameter must be a valid integer'
  const range = 'Limit parameter must be between 1 and 100'
  const exchange = 'Invalid exchange parameter. Valid values: all, binance, okx, deribit'
  const type = 'Invalid type parameter. Valid values: all, tickers, orderbooks, trades'
  const depth = 'Depth parameter must be between 1 and 400'
  const cases: readonly (readonly [string, string])[] = [
    ...['', 'abc', '1.5', '1e2', '0x10', '١', 'NaN', '+', '--5', '5%00', '%205', '5abc'].map(
      (v) => [`limit=${v}`, notInteger] as const,
    ),
    ['limit=5&limit=5', notInteger],
    ...['0', '-1', '101', '200', '-0', '99999999999999999999'].map((v) => [`limit=${v}`, range] as const),
    ...['kraken', '__proto__', 'constructor', 'all,okx', '', '%00'].map((v) => [`exchange=${v}`, exchange] as const),
    ['exchange=okx&exchange=okx', exchange],
    ...['ticker', 'hasOwnProperty', ''].map((v) => [`type=${v}`, type] as const),
    ...['0', '401'].map((v) => [`depth=${v}`, depth] as const),
    ['depth=0&type=x&exchange=x&limit=x', notInteger],
    ['depth=0&type=x&exchange=x&limit=0', range],
    ['depth=0&type=x&exchange=x', exchange],
    ['depth=0&type=x', type],
  ]
  for (const [query, message] of cases) {
    test(`?${query}`, async () => {
      const answer = await get(`/api/v1/collector/data?${encodeURI(query).replaceAll('%25', '%')}`)
      expect(errorProblems(answer, 'INVALID_PARAMETERS', message)).toEqual([])
    })
  }

  test('unknown parameters, and known ones in capitals, are ignored', async () => {
    const data = await dataOf('/api/v1/collector/data?LIMIT=0&constructor=1&__proto__=2&limit[]=0&depth[x]=9')
    expect(data.query_parameters).toEqual({ exchange: 'all', type: 'all', limit: 10, depth: 20 })
  })
})

describe('feeds and instruments', () => {
  test('feeds can be asked for by venue, channel and state', async () => {
    running.collector.feedState = (venue) => (venue === 'okx' ? 'down' : 'live')
    const down = await dataOf('/api/v1/feeds?state=down')
    expect(down.count).toBe(12)
    expect(down.summary).toEqual({ total: 40, states: { live: 28, down: 12 } })
    expect(down.feeds[0]).toMatchObject({ venue: 'okx', state: 'down', reason: 'connection refused' })
    expect((await dataOf('/api/v1/feeds?venue=okx&channel=book&state=live')).count).toBe(0)
    running.collector.feedState = () => 'live'
  })

  test('instruments can be asked for by venue', async () => {
    const { instruments, count } = await dataOf('/api/v1/instruments?venue=okx')
    expect(count).toBe(3)
    expect(new Set(instruments.map(({ venue }: { venue: string }) => venue))).toEqual(new Set(['okx']))
    const answer = await get('/api/v1/instruments?venue=kraken')
    const message = 'Invalid venue parameter. Valid values: all, binance, binance-usdm, okx, deribit'
    expect(errorProblems(answer, 'INVALID_PARAMETERS', message)).toEqual([])
  })
})
