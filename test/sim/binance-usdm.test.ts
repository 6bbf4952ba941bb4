import { afterEach, describe, expect, test } from 'vitest'
import type { Level } from '../../src/model/event.ts'
import { binanceUsdmSim } from '../../src/sim/binance-usdm.ts'
import { type Simulator, type SimulatorOptions, startSimulator } from '../../src/sim/server.ts'
import { createTextBook } from '../../src/sim/text-book.ts'
import { type Client, clock, connect, get, until } from './helpers.ts'

let server: Simulator
let clients: Client[] = []

const start = async (options: Partial<SimulatorOptions> = {}): Promise<void> => {
  server = await startSimulator({ clock, venues: [binanceUsdmSim], seed: 9, rate: 4, ...options })
}
async function open(path: string): Promise<Client> {
  const client = await connect(`${server.url.replace('http', 'ws')}/binance-usdm${path}`)
  clients.push(client)
  return client
}
const rest = (path: string) => get(`${server.url}/binance-usdm${path}`)

afterEach(async () => {
  for (const client of clients) client.socket.terminate()
  clients = []
  await server.stop()
})

interface Depth {
  readonly U: number
  readonly u: number
  readonly pu: number
  readonly T: number
  readonly E: number
  readonly b: readonly Level[]
  readonly a: readonly Level[]
}

interface Snapshot {
  readonly lastUpdateId: number
  readonly bids: readonly Level[]
  readonly asks: readonly Level[]
}

const depths = (client: Client) => client.frames.map((frame) => JSON.parse(frame) as Depth)

describe('the path split', () => {
  test.each([
    ['/public/ws', 'btcusdt@depth@100ms', true],
    ['/public/ws', 'btcusdt@bookTicker', true],
    ['/public/ws', 'btcusdt@trade', true],
    ['/public/ws', 'btcusdt@aggTrade', false],
    ['/market/ws', 'btcusdt@aggTrade', true],
    ['/market/ws', 'btcusdt@ticker', true],
    ['/market/ws', 'btcusdt@depth@100ms', false],
    ['/market/ws', 'btcusdt@trade', false],
    ['/ws', 'btcusdt@depth@100ms', false],
    ['/stream', 'btcusdt@aggTrade', false],
  ])('%s carries %s: %s', async (path, stream, isCarried) => {
    await start({ timeScale: 3600 })
    const client = await open(path)
    client.send({ method: 'SUBSCRIBE', params: [stream], id: 1 })
    await until('the ack and pings', () => client.frames.length > 0 && client.pings.length > 2)
    expect(client.frames[0]).toBe('{"result":null,"id":1}')
    if (isCarried) await until('data', () => client.frames.length > 1)
    else expect(client.frames).toHaveLength(1)
    expect(server.violations().map(({ rule }) => rule)).toEqual(isCarried ? [] : ['wrong-path'])
  })

  test('ids of requests are unsigned integers', async () => {
    await start()
    const client = await open('/public/ws')
    for (const id of [1, 'a', -1]) client.send({ method: 'LIST_SUBSCRIPTIONS', id })
    await until('three answers', () => client.frames.length === 3)
    const error = '{"code":2,"msg":"Invalid request: request ID must be an unsigned integer"}'
    expect(client.frames).toEqual(['{"result":[],"id":1}', error, error])
  })

  test('where trades live can be ordered', async () => {
    await start()
    server.control('order?venue=binance-usdm&name=trade-path&path=market')
    const client = await open('/market/ws/btcusdt@trade')
    await until('trades', () => client.frames.length > 2)
    expect(client.json()[0]).toMatchObject({ e: 'trade', s: 'BTCUSDT', X: 'MARKET' })
  })
})

describe('the book', () => {
  test('pu chains the events, U does not; with a snapshot they rebuild the true book', async () => {
    await start({ snapshotLagMsMax: 300 })
    const client = await open('/public/ws/btcusdt@depth@100ms')
    await until('events', () => client.frames.length > 5)
    const snapshot = (await rest('/fapi/v1/depth?symbol=BTCUSDT&limit=1000')).body as Snapshot
    const market = server.market('binance-usdm')
    await until('more events', () => client.frames.length > 15)
    market.stop()
    const truth = market.book('BTCUSDT')
    await until('the last batch', () => depths(client).at(-1)?.T === truth.timeMs)
    const events = depths(client)
    for (const [index, event] of events.entries()) {
      expect(event.E).toBeGreaterThanOrEqual(event.T)
      const previous = events[index - 1]
      if (!previous) continue
      expect(event.pu).toBe(previous.u)
      expect(event.U).toBeGreaterThan(previous.u + 1)
    }
    const book = createTextBook()
    book.replace(snapshot.bids, snapshot.asks)
    const { lastUpdateId } = snapshot
    const later = events.filter(({ u }) => u > lastUpdateId)
    expect(later[0] && (later[0].U <= lastUpdateId || later[0].pu === lastUpdateId)).toBe(true)
    for (const { b, a } of later) book.apply(b, a)
    const top = book.top(100)
    expect(top.bids).toEqual(truth.bids.slice(0, 100))
    expect(top.asks).toEqual(truth.asks.slice(0, 100))
  })

  test('some snapshots lie within an event, some exactly between two', async () => {
    await start({ snapshotLagMsMax: 0, rate: 1 })
    const client = await open('/public/ws/ethusdt@depth@100ms')
    await until('events', () => client.frames.length > 2)
    const joins = new Set<string>()
    const look = async () => {
      const { lastUpdateId } = (await rest('/fapi/v1/depth?symbol=ETHUSDT&limit=5')).body as Snapshot
      await until('the event behind', () => (depths(client).at(-1)?.u ?? 0) > lastUpdateId)
      const first = depths(client).find(({ u }) => u > lastUpdateId)
      if (!first) return
      if (first.pu === lastUpdateId) joins.add('between')
      else if (first.U <= lastUpdateId) joins.add('within')
      else joins.add('impossible')
    }
    for (let i = 0; i < 60 && joins.size < 2; i++) await look()
    expect([...joins].sort()).toEqual(['between', 'within'])
  })

  test('ids are shared by all symbols', async () => {
    await start()
    const [btc, eth] = await Promise.all([open('/public/ws/btcusdt@bookTicker'), open('/public/ws/ethusdt@bookTicker')])
    await until('quotes', () => btc.frames.length > 10 && eth.frames.length > 10)
    const ids = [btc, eth].flatMap((client) => client.json().map(({ u }) => Number(u)))
    expect(new Set(ids).size).toBe(ids.length)
    const span = (client: Client) => client.json().map(({ u }) => Number(u))
    expect(Math.max(...span(eth))).toBeGreaterThan(Math.min(...span(btc)))
    expect(Math.max(...span(btc))).toBeGreaterThan(Math.min(...span(eth)))
  })
})

describe('REST', () => {
  test('depth takes listed limits only, and costs what the table says', async () => {
    await start()
    expect(await rest('/fapi/v1/depth?symbol=BTCUSDT&limit=7')).toMatchObject({ status: 400, body: { code: -4021 } })
    const used = async (path: string) => Number((await rest(path)).headers.get('x-mbx-used-weight-1m'))
    const weights = []
    for (const limit of [5, 50, 100, 500, 1000]) {
      weights.push(-(await used('/fapi/v1/ping')) + (await used(`/fapi/v1/depth?symbol=BTCUSDT&limit=${limit}`)))
    }
    expect(weights).toEqual([2, 2, 5, 10, 20])
    expect((await rest('/fapi/v1/depth?symbol=BTCUSDT')).body).toMatchObject({
      E: expect.any(Number),
      T: expect.any(Number),
    })
  })

  test('exchangeInfo tells perpetuals from quarterly contracts', async () => {
    await start()
    const info = (await rest('/fapi/v1/exchangeInfo')).body as { symbols: Record<string, unknown>[] }
    expect(info.symbols.map(({ symbol, contractType, marginAsset }) => [symbol, contractType, marginAsset])).toEqual([
      ['BTCUSDT', 'PERPETUAL', 'USDT'],
      ['ETHUSDT', 'PERPETUAL', 'USDT'],
      ['BTCUSDT_261225', 'CURRENT_QUARTER', 'USDT'],
    ])
    expect(info.symbols[2]).toMatchObject({ deliveryDate: Date.UTC(2026, 11, 25, 8), pair: 'BTCUSDT' })
  })
})
