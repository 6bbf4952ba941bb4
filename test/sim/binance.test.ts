import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Level } from '../../src/model/event.ts'
import { binanceSim } from '../../src/sim/binance.ts'
import type { SimTrade } from '../../src/sim/exchange.ts'
import { type Simulator, type SimulatorOptions, startSimulator } from '../../src/sim/server.ts'
import { createTextBook } from '../../src/sim/text-book.ts'
import { type Client, clock, connect, get, until } from './helpers.ts'

let server: Simulator
let clients: Client[] = []

const start = async (options: Partial<SimulatorOptions> = {}): Promise<void> => {
  server = await startSimulator({ clock, venues: [binanceSim], seed: 4, rate: 4, ...options })
}
/** `path` below the venue: `/ws`, `/stream?streams=…`. */
async function open(path: string, options?: { isDeaf?: boolean }): Promise<Client> {
  const client = await connect(`${server.url.replace('http', 'ws')}/binance${path}`, options)
  clients.push(client)
  return client
}
const rest = (path: string) => get(`${server.url}/binance${path}`)
const rules = () => server.violations().map(({ rule }) => rule)

afterEach(async () => {
  for (const client of clients) client.socket.terminate()
  clients = []
  await server.stop()
})

interface Depth {
  readonly U: number
  readonly u: number
  readonly b: readonly Level[]
  readonly a: readonly Level[]
}

const VARIANTS = '`SUBSCRIBE`, `UNSUBSCRIBE`, `LIST_SUBSCRIPTIONS`, `SET_PROPERTY`, `GET_PROPERTY`'

describe('requests over the stream connection', () => {
  beforeEach(() => start())

  test.each([
    ['{"method":"SUBSCRIBE","params":["btcusdt@depth"],"id":1}', '{"result":null,"id":1}'],
    ['{"method":"SUBSCRIBE","params":["nopeusdt@depth"],"id":"abc"}', '{"result":null,"id":"abc"}'],
    ['{"method":"LIST_SUBSCRIPTIONS","id":null}', '{"result":[],"id":null}'],
    ['{"method":"GET_PROPERTY","params":["combined"],"id":2}', '{"result":false,"id":2}'],
    ['{"method":"SET_PROPERTY","params":["combined",true],"id":3}', '{"result":null,"id":3}'],
    ['{"method":"SET_PROPERTY","params":["other",true],"id":1}', '{"code":0,"msg":"Unknown property","id":1}'],
    [
      '{"method":"SET_PROPERTY","params":["combined",1],"id":1}',
      '{"code":1,"msg":"Invalid value type: expected Boolean"}',
    ],
    [
      '{"method":"SET_PROPERTY","params":[1,1],"id":1}',
      '{"code":2,"msg":"Invalid request: property name must be a string"}',
    ],
    [
      '{"method":"SET_PROPERTY","params":["combined",true,1],"id":1}',
      '{"code":2,"msg":"Invalid request: too many parameters"}',
    ],
    [
      '{"method":"SUBSCRIBE","params":[],"id":"a b"}',
      '{"code":2,"msg":"Invalid request: request ID must be an unsigned integer"}',
    ],
    ['{"params":[],"id":1}', '{"code":2,"msg":"Invalid request: missing field `method` at line 1 column 20"}'],
    [
      '{"method":"JOIN","id":1}',
      `{"code":2,"msg":"Invalid request: unknown variant \`JOIN\`, expected one of ${VARIANTS} at line 1 column 16"}`,
    ],
    ['hello', '{"code":3,"msg":"Invalid JSON: expected value at line 1 column 1"}'],
  ])('%s', async (request, answer) => {
    const client = await open('/ws')
    client.send(request)
    await until('the answer', () => client.frames.length > 0)
    expect(client.frames[0]).toBe(answer)
    expect(rules()).toEqual(answer.startsWith('{"code"') ? ['bad-request'] : [])
  })

  test('an unknown or upper-case stream is acknowledged, listed, and silent', async () => {
    const client = await open('/ws')
    client.send({ method: 'SUBSCRIBE', params: ['nopeusdt@trade', 'BTCUSDT@bookTicker', 'ethusdt@bookTicker'], id: 1 })
    client.send({ method: 'LIST_SUBSCRIPTIONS', id: 2 })
    await until('quotes', () => client.frames.length > 10)
    expect(client.json()[0]).toEqual({ result: null, id: 1 })
    expect(client.json(({ id }) => id === 2)[0]?.result).toEqual([
      'nopeusdt@trade',
      'BTCUSDT@bookTicker',
      'ethusdt@bookTicker',
    ])
    expect(new Set(client.json(({ s }) => s !== undefined).map(({ s }) => s))).toEqual(new Set(['ETHUSDT']))
    client.send({ method: 'UNSUBSCRIBE', params: ['ethusdt@bookTicker'], id: 3 })
    await until('the ack', () => client.json(({ id }) => id === 3).length === 1)
    expect(client.json().at(-1)).toEqual({ result: null, id: 3 })
  })
})

describe('streams', () => {
  test('depth events chain, and with the snapshot rebuild the true book', async () => {
    await start({ snapshotLagMsMax: 300 })
    const client = await open('/ws/btcusdt@depth@100ms')
    await until('events', () => client.frames.length > 3)
    const snapshot = (await rest('/api/v3/depth?symbol=BTCUSDT&limit=5000')).body as { lastUpdateId: number } & Record<
      'bids' | 'asks',
      Level[]
    >
    await until('more events', () => client.frames.length > 15)
    const market = server.market('binance')
    market.stop()
    const truth = market.book('BTCUSDT')
    const events = () => client.frames.map((frame) => JSON.parse(frame) as Depth)
    await until('the last event', () => events().at(-1)?.u === truth.lastUpdateId)

    const book = createTextBook()
    book.replace(snapshot.bids, snapshot.asks)
    let id = snapshot.lastUpdateId
    for (const { U, u, b, a } of events()) {
      // Each id is one changed level: a level that changed twice leaves a hole, none is repeated.
      expect(b.length + a.length).toBeLessThanOrEqual(u - U + 1)
      if (u <= id) continue
      expect(U).toBeLessThanOrEqual(id + 1)
      if (id !== snapshot.lastUpdateId) expect(U).toBe(id + 1)
      book.apply(b, a)
      id = u
    }
    expect(book.top(5000)).toEqual({ bids: truth.bids, asks: truth.asks })
    expect(rules()).toEqual([])
  })

  test('the snapshot lags: sometimes it ends before the first event begins', async () => {
    await start({ snapshotLagMsMax: 1500 })
    const client = await open('/ws/btcusdt@depth@100ms')
    await until('an event', () => client.frames.length > 0)
    const first = JSON.parse(client.frames[0] ?? '') as Depth
    const snapshot = (await rest('/api/v3/depth?symbol=BTCUSDT&limit=5000')).body as { lastUpdateId: number }
    expect(snapshot.lastUpdateId).toBeLessThan(first.U)
  })

  test('every trade comes once, as trade and within an aggregate', async () => {
    await start()
    const client = await open('/stream?streams=ethusdt@trade/ethusdt@aggTrade')
    const truth: SimTrade[] = []
    const market = server.market('binance')
    market.onStep(({ instrument, trades }) => {
      if (instrument.symbol === 'ETHUSDT') truth.push(...trades)
    })
    await until('trades', () => truth.length > 100)
    market.stop()
    const data = (stream: string) =>
      client.json((frame) => frame.stream === stream).map((frame) => frame.data as Record<string, unknown>)
    await until('the last one', () => data('ethusdt@aggTrade').at(-1)?.l === truth.at(-1)?.id)
    const trades = data('ethusdt@trade')
    const from = trades.findIndex(({ t }) => t === truth[0]?.id)
    expect(from).toBeGreaterThanOrEqual(0)
    expect(trades.slice(from).map(({ t, p, q, m, T }) => [t, p, q, m, T])).toEqual(
      truth.map(({ id, price, quantity, side, timeMs }) => [id, price, quantity, side === 'sell', timeMs]),
    )
    expect(Object.keys(trades[0] ?? {})).toEqual(['e', 'E', 's', 't', 'p', 'q', 'T', 'm', 'M'])
    const aggregates = data('ethusdt@aggTrade')
    for (const [index, { a, f, l }] of aggregates.entries()) {
      expect(Number(l)).toBeGreaterThanOrEqual(Number(f))
      if (index === 0) continue
      expect(a).toBe(Number(aggregates[index - 1]?.a) + 1)
      expect(f).toBe(Number(aggregates[index - 1]?.l) + 1)
    }
  })

  test('bookTicker, ticker, miniTicker and partial depth have the documented fields', async () => {
    await start()
    const names = ['bookTicker', 'ticker', 'miniTicker', 'depth5@100ms', 'depth20']
    const client = await open(`/stream?streams=${names.map((name) => `btcusdt@${name}`).join('/')}`)
    const payload = (name: string) =>
      client.json(({ stream }) => stream === `btcusdt@${name}`)[0]?.data as Record<string, unknown> | undefined
    await until('all of them', () => names.every(payload))
    expect(Object.keys(payload('bookTicker') ?? {})).toEqual(['u', 's', 'b', 'B', 'a', 'A'])
    expect(Object.keys(payload('ticker') ?? {}).join()).toBe('e,E,s,p,P,w,x,c,Q,b,B,a,A,o,h,l,v,q,O,C,F,L,n')
    expect(Object.keys(payload('miniTicker') ?? {}).join()).toBe('e,E,s,c,o,h,l,v,q')
    expect(payload('depth5@100ms')).toMatchObject({ lastUpdateId: expect.any(Number) })
    expect((payload('depth20') as { bids: Level[] }).bids).toHaveLength(20)
    const { p, c, o, P, w } = payload('ticker') as Record<string, string>
    expect(Number(p)).toBeCloseTo(Number(c) - Number(o), 6)
    expect(Number(P)).toBeCloseTo((Number(p) / Number(o)) * 100, 2)
    expect(Number(w)).toBeGreaterThan(0.5 * Number(c))
  })

  test('times are microseconds where the URL asks for them', async () => {
    await start()
    const [ms, us] = await Promise.all([open('/ws/btcusdt@trade'), open('/ws/btcusdt@trade?timeUnit=MICROSECOND')])
    const common = () => {
      const other = new Map(us.json().map((trade) => [trade.t, Number(trade.T)]))
      return ms.json().find(({ t }) => other.has(t))
    }
    await until('a trade on both', common)
    const trade = common()
    const micros = us.json(({ t }) => t === trade?.t)[0]
    expect(Math.floor(Number(micros?.T) / 1000)).toBe(trade?.T)
  })

  test('shutdown is told in the form of the connection, then the connection closes', async () => {
    await start()
    const [raw, combined] = await Promise.all([open('/ws'), open('/stream')])
    server.control('order?venue=binance&name=shutdown-notice&delay_ms=50')
    await until('both closed', () => raw.closed && combined.closed)
    expect(raw.json()).toEqual([{ e: 'serverShutdown', E: expect.any(Number) }])
    expect(combined.json()).toEqual([
      { stream: '!serverShutdown', data: { e: 'serverShutdown', E: expect.any(Number) } },
    ])
    expect(raw.closed?.code).toBe(1001)
  })
})

describe('limits of a connection', () => {
  test('the sixth message in a second closes it', async () => {
    await start()
    const client = await open('/ws')
    for (let id = 1; id <= 5; id++) client.send({ method: 'LIST_SUBSCRIPTIONS', id })
    await until('five answers', () => client.frames.length === 5)
    expect(client.closed).toBeUndefined()
    client.socket.ping()
    await until('the close', () => client.closed)
    expect(client.closed?.code).toBe(1008)
    expect(rules()).toEqual(['no-room-for-pong', 'messages'])
  })

  test('who answers pings stays, who does not is closed', async () => {
    await start({ timeScale: 400 })
    const [good, deaf] = await Promise.all([open('/ws'), open('/ws', { isDeaf: true })])
    await until('the close', () => deaf.closed)
    await until('several pings', () => good.pings.length > 5)
    expect(good.closed).toBeUndefined()
    expect(good.pings[0]).toMatch(/^\d{13}$/)
    expect(rules()).toEqual(['pong'])
  })

  test('more than 1024 streams', async () => {
    await start()
    const client = await open('/ws')
    client.send({ method: 'SUBSCRIBE', params: Array.from({ length: 1025 }, (_, i) => `s${i}usdt@trade`), id: 1 })
    await until('the close', () => client.closed)
    expect(rules()).toEqual(['streams'])
  })

  test('the 301st connection in five minutes is refused', async () => {
    await start()
    for (let i = 0; i < 300; i++) (await open('/ws')).socket.terminate()
    await expect(open('/ws')).rejects.toThrow('404')
    expect(rules()).toEqual(['connects'])
  })

  test('a day is the longest life', async () => {
    await start({ timeScale: 86_400 })
    const client = await open('/ws')
    await until('the close', () => client.closed, 3000)
    expect(client.closed?.reason).toBe('disconnected after 24 hours')
    expect(rules()).toEqual([])
  })
})

describe('REST', () => {
  beforeEach(() => start())

  test.each([
    ['/api/v3/ping', 200, '{}'],
    [
      '/api/v3/depth',
      400,
      `{"code":-1102,"msg":"Mandatory parameter 'symbol' was not sent, was empty/null, or malformed."}`,
    ],
    ['/api/v3/depth?symbol=NOPEUSDT', 400, '{"code":-1121,"msg":"Invalid symbol."}'],
    [
      '/api/v3/depth?symbol=btcusdt',
      400,
      `{"code":-1100,"msg":"Illegal characters found in parameter 'symbol'; legal range is '^[\\\\w\\\\-._&&[^a-z]]{1,50}$'."}`,
    ],
    [
      '/api/v3/depth?symbol=BTCUSDT&limit=x',
      400,
      `{"code":-1100,"msg":"Illegal characters found in parameter 'limit'; legal range is '^[0-9]{1,20}$'."}`,
    ],
    ['/api/v3/exchangeInfo?symbols=["BTCUSDT","NOPE"]', 400, '{"code":-1121,"msg":"Invalid symbol."}'],
    ['/api/v1/depth?symbol=BTCUSDT', 404, '{"code":-5000,"msg":"Path /api/v1/depth, Method GET is invalid"}'],
  ])('%s', async (path, status, text) => {
    expect(await rest(path)).toMatchObject({ status, text })
  })

  test('weights are those of the table', async () => {
    const used = async (path: string) => Number((await rest(path)).headers.get('x-mbx-used-weight-1m'))
    const weight = async (path: string) => -(await used('/api/v3/ping')) + (await used(path))
    const weights = new Map<string, number>()
    for (const limit of [100, 500, 1000, 5000]) {
      weights.set(`depth ${limit}`, await weight(`/api/v3/depth?symbol=BTCUSDT&limit=${limit}`))
    }
    weights.set('info', await weight('/api/v3/exchangeInfo'))
    weights.set('trades', await weight('/api/v3/trades?symbol=BTCUSDT'))
    weights.set('24hr one', await weight('/api/v3/ticker/24hr?symbol=BTCUSDT'))
    weights.set('24hr all', await weight('/api/v3/ticker/24hr'))
    expect([...weights.values()]).toEqual([5, 25, 50, 250, 20, 25, 2, 80])
  })

  test('429 with Retry-After, then 418 for who goes on', async () => {
    server.control('order?venue=binance&name=weight-limit&value=20')
    const answers = []
    for (let i = 0; i < 27; i++) answers.push(await rest('/api/v3/ping'))
    const statuses = answers.map(({ status }) => status)
    // A minute may begin in between; then everything is a little later.
    const first = statuses.indexOf(429)
    expect(first).toBeGreaterThanOrEqual(20)
    expect(answers[first]?.body).toMatchObject({ code: -1003 })
    expect(answers[first]?.text).toContain('current limit is 20 request weight per 1 MINUTE')
    expect(Number(answers[first]?.headers.get('retry-after'))).toBeGreaterThan(0)
    expect(Number(answers[first]?.headers.get('retry-after'))).toBeLessThanOrEqual(60)
    expect(statuses.slice(first)).toEqual([429, 429, 429, 429, 429, 418, 418])
    expect(answers.at(-1)?.text).toMatch(/IP banned until \d{13}\./)
    expect(Number(answers.at(-1)?.headers.get('retry-after'))).toBeGreaterThan(60)
    expect(rules()).toContain('weight')
    expect(rules().at(-1)).toBe('request-while-banned')
  })

  test('trades can be asked for by id, and carry the truth', async () => {
    const market = server.market('binance')
    market.stop()
    const truth = market.trades('BTCUSDT')
    expect(truth.length).toBeGreaterThan(5)
    const middle = truth[truth.length - 5]?.id ?? 0
    const rows = (await rest(`/api/v3/historicalTrades?symbol=BTCUSDT&fromId=${middle}&limit=3`)).body as {
      id: number
    }[]
    expect(rows.map(({ id }) => id)).toEqual([middle, middle + 1, middle + 2])
    const aggregates = (await rest('/api/v3/aggTrades?symbol=BTCUSDT&limit=1000')).body as {
      a: number
      f: number
      l: number
    }[]
    expect(aggregates.at(-1)?.l).toBe(truth.at(-1)?.id)
    const after = (aggregates.at(-3)?.a ?? 0) + 1
    expect((await rest(`/api/v3/aggTrades?symbol=BTCUSDT&fromId=${after}`)).body).toEqual(aggregates.slice(-2))
  })

  test('exchangeInfo has limits, filters and statuses', async () => {
    server.control('order?venue=binance&name=status&symbol=POLUSDT&status=HALT')
    const info = (await rest('/api/v3/exchangeInfo')).body as {
      rateLimits: unknown[]
      symbols: Record<string, unknown>[]
    }
    expect(info.rateLimits[0]).toEqual({
      rateLimitType: 'REQUEST_WEIGHT',
      interval: 'MINUTE',
      intervalNum: 1,
      limit: 6000,
    })
    expect(info.symbols).toHaveLength(10)
    expect(info.symbols[0]).toMatchObject({
      symbol: 'BTCUSDT',
      status: 'TRADING',
      baseAsset: 'BTC',
      quoteAsset: 'USDT',
      filters: expect.arrayContaining([
        { filterType: 'PRICE_FILTER', minPrice: '0.01000000', maxPrice: '1000000.00000000', tickSize: '0.01000000' },
        expect.objectContaining({ filterType: 'LOT_SIZE', stepSize: '0.00001000' }),
      ]),
    })
    expect(info.symbols.at(-1)).toMatchObject({ symbol: 'POLUSDT', status: 'HALT' })
    const quotes = (await rest('/api/v3/ticker/bookTicker')).body as unknown[]
    expect(quotes).toHaveLength(10)
    expect((await rest('/api/v3/ticker/price?symbol=BTCUSDT')).body).toEqual({
      symbol: 'BTCUSDT',
      price: expect.any(String),
    })
  })
})
