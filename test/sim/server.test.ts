import { afterEach, expect, test } from 'vitest'
import type { SimVenue } from '../../src/sim/exchange.ts'
import { type Simulator, type SimulatorOptions, startSimulator } from '../../src/sim/server.ts'
import { clock, connect, get, until } from './helpers.ts'

/** The least of an exchange: every step of its only instrument is a frame, and every request an answer. */
const echoVenue: SimVenue = {
  id: 'echo',
  title: 'Echo',
  instruments: [
    {
      symbol: 'AB',
      market: 'spot',
      base: 'A',
      quote: 'B',
      priceDecimals: 2,
      quantityDecimals: 3,
      tickUnits: 1,
      startPriceUnits: 10_000,
      bookLevels: 20,
      stepsPerSecond: 200,
    },
  ],
  options: { rest_url: '', websocket_url: '/ws' },
  create: ({ market, violation }) => {
    const stops = new Set<() => void>()
    return {
      rest: ({ path, query }) => ({ status: 200, body: JSON.stringify({ path, query: Object.fromEntries(query) }) }),
      connect(peer) {
        if (peer.path !== '/ws') return undefined
        peer.sendControl('hello')
        const stop = market.onStep(({ lastUpdateId }) =>
          peer.send({ channel: 'book', symbol: 'AB' }, JSON.stringify({ p: '1', u: lastUpdateId })),
        )
        stops.add(stop)
        return {
          text: (frame) => violation('text', frame),
          ping: () => violation('ping', ''),
          pong: () => {},
          closed: stop,
        }
      },
      order: (name) => (name === 'known' ? 'done' : undefined),
      stop: () => {
        for (const stop of stops) stop()
      },
    }
  },
}

let simulator: Simulator | undefined
const start = async (options: Partial<SimulatorOptions> = {}): Promise<Simulator> => {
  simulator = await startSimulator({ clock, venues: [echoVenue], ...options })
  return simulator
}
afterEach(() => simulator?.stop())

/** Update ids of the frames that are whole. */
const ids = (frames: readonly string[]): number[] =>
  frames.slice(1).map((frame) => (JSON.parse(frame) as { u: number }).u)

const wsUrl = (server: Simulator) => server.options('echo').websocket_url ?? ''

test('serves venues below their prefix, on one port', async () => {
  const server = await start()
  expect(server.options('echo')).toEqual({
    rest_url: `${server.url}/echo`,
    websocket_url: `${server.url.replace('http', 'ws')}/echo/ws`,
  })
  expect((await get(`${server.url}/echo/api/x?y=1`)).body).toEqual({ path: '/api/x', query: { y: '1' } })
  expect((await get(`${server.url}/nowhere/x`)).status).toBe(404)
  await expect(connect(wsUrl(server).replace('/ws', '/other'))).rejects.toThrow('404')
  const client = await connect(wsUrl(server))
  await until('ten frames', () => client.frames.length > 10)
  expect(client.frames[0]).toBe('hello')
  client.send('hi')
  client.socket.ping('abc')
  await until('both noticed', () => server.violations().length === 2)
  expect(server.violations().map(({ rule, detail }) => [rule, detail])).toEqual([
    ['text', 'hi'],
    ['ping', ''],
  ])
  const [count] = server.sent()
  expect(count).toMatchObject({ venue: 'echo', channel: 'book', symbol: 'AB' })
  expect(count?.count).toBeGreaterThanOrEqual(10)
})

test('control tells the state and the truth, and steers connections', async () => {
  const server = await start()
  const client = await connect(wsUrl(server))
  await until('frames', () => client.frames.length > 3)
  const book = server.market('echo').book('AB', 1)
  expect((await get(`${server.url}/control/book?venue=echo&symbol=AB&depth=5`)).body).toMatchObject({ symbol: 'AB' })
  expect(book.bids).toHaveLength(1)
  expect((await get(`${server.url}/control/book?venue=echo&symbol=XX`)).body).toEqual({
    error: 'symbol= must be one of: AB',
  })
  expect((await get(`${server.url}/control/nonsense`)).status).toBe(404)
  expect((await get(`${server.url}/control/order?venue=echo&name=known`)).body).toEqual({ done: 'done' })
  expect((await get(`${server.url}/control/order?venue=echo&name=unknown`)).status).toBe(400)
  const state = (await get(`${server.url}/control/state`)).body as { venues: { connections: { id: number }[] }[] }
  const [connection] = state.venues[0]?.connections ?? []
  expect(connection?.id).toBe(1)

  server.control('freeze?venue=echo&pongs=false')
  let pongs = 0
  client.socket.on('pong', () => pongs++)
  const sent = server.connections()[0]?.framesSent ?? 0
  client.socket.ping()
  await until('the ping noticed', () => server.violations().some(({ rule }) => rule === 'ping'))
  expect(pongs).toBe(0)
  expect(server.connections()[0]?.framesSent).toBe(sent)
  const seen = client.frames.length
  expect(seen).toBeLessThanOrEqual(sent + 1)
  server.control('thaw')
  client.socket.ping()
  await until('frames and pong again', () => client.frames.length > seen + 3 && pongs === 1)

  expect(server.control('kill?venue=echo')).toEqual({ connections: [1] })
  await until('the reset', () => client.closed)
  expect(client.closed?.code).toBe(1006)
  await until('nobody left', () => server.connections().length === 0)
})

test('drop, duplicate and reorder strike exactly the frames they name', async () => {
  const server = await start()
  const client = await connect(wsUrl(server))
  await until('frames', () => client.frames.length > 5)
  const truth: number[] = []
  server.market('echo').onStep(({ lastUpdateId }) => truth.push(lastUpdateId))
  await until('steps', () => truth.length > 3)
  server.control('fault?kind=drop&venue=echo&channel=book&symbol=AB&count=2')
  server.control('fault?kind=drop&venue=other')
  server.control('fault?kind=drop&symbol=OTHER')
  await until('drops', () => server.faults.counts().drop === 2)
  server.control('fault?kind=duplicate')
  await until('a duplicate', () => server.faults.counts().duplicate === 1)
  server.control('fault?kind=reorder')
  await until('a reorder', () => server.faults.counts().reorder === 1)
  const end = truth.length + 10
  await until('frames after it', () => truth.length > end && client.frames.length > end)
  const got = ids(client.frames)
  const last = got.at(-1) ?? 0
  const wanted = truth.filter((id) => id <= last)
  const received = got.filter((id) => id >= (truth[0] ?? 0))
  expect(wanted.filter((id) => !received.includes(id))).toHaveLength(2)
  expect(received.length - new Set(received).size).toBe(1)
  const steps = received.map((id, index) => id - (received[index - 1] ?? 0))
  expect(steps.filter((step) => step < 0)).toHaveLength(1)
})

test('malformed, delay, silence, close and reset', async () => {
  const server = await start()
  const client = await connect(wsUrl(server))
  server.control('fault?kind=malformed')
  server.control('fault?kind=malformed&how=type')
  await until('both', () => server.faults.counts().malformed === 2 && client.frames.length > 6)
  const broken = client.frames.slice(1).filter((frame) => !frame.endsWith('}'))
  expect(broken).toHaveLength(1)
  expect(client.frames.filter((frame) => frame.startsWith('{"p":{},"spoilt":"1"'))).toHaveLength(1)

  const before = client.frames.length
  const started = performance.now()
  server.control('fault?kind=delay&ms=200')
  await until('the delay', () => server.faults.counts().delay === 1)
  await until('frames', () => client.frames.length > before + 5)
  expect(performance.now() - started).toBeGreaterThan(150)
  const whole = ids(client.frames.filter((frame) => frame.endsWith('}') && !frame.includes('spoilt')))
  expect(whole).toEqual([...whole].sort((a, b) => a - b))

  server.control('fault?kind=close&code=4005')
  await until('the close', () => client.closed)
  expect(client.closed).toEqual({ code: 4005, reason: 'injected fault' })
  const second = await connect(wsUrl(server))
  server.control('fault?kind=reset')
  await until('the reset', () => second.closed)
  expect(second.closed?.code).toBe(1006)
  const third = await connect(wsUrl(server))
  server.control('fault?kind=silence')
  await until('the silence', () => server.connections()[0]?.isFrozen)
  expect(third.closed).toBeUndefined()
  expect(server.faults.fired().at(-1)).toMatchObject({ kind: 'silence', venue: 'echo', target: 'book AB #3' })
})

test('faults of REST answers', async () => {
  const server = await start({ faults: [{ kind: 'rest-status', status: 418, retry_after: 7, path: 'depth' }] })
  const url = `${server.url}/echo`
  expect((await get(`${url}/trades`)).status).toBe(200)
  const banned = await get(`${url}/depth`)
  expect([banned.status, banned.headers.get('retry-after')]).toEqual([418, '7'])
  expect((await get(`${url}/depth`)).status).toBe(200)
  server.control('fault?kind=rest-reset')
  await expect(get(`${url}/x`)).rejects.toThrow()
  server.control('fault?kind=rest-malformed')
  expect((await get(`${url}/x`)).body).toBeUndefined()
  server.control('fault?kind=rest-timeout')
  await expect(fetch(`${url}/x`, { signal: AbortSignal.timeout(100) })).rejects.toThrow()
  expect(() => server.control('fault?kind=nonsense')).toThrow('not a fault: kind')
  expect(() => server.control('fault?kind=drop&sybol=X')).toThrow('sybol')
})

test('the same seed strikes the same frames', async () => {
  const server = await start()
  const strikes = (): string => {
    const plan = server.faults
    plan.clear()
    plan.add({ kind: 'drop', probability: 0.5, skip: 3 })
    const point = { venue: 'echo', channel: 'other', symbol: 'AB', connection: 1 }
    return Array.from({ length: 40 }, () => (plan.frame(point) ? 'x' : '.')).join('')
  }
  const first = strikes()
  expect(first.startsWith('...')).toBe(true)
  expect(first.split('x').length).toBeGreaterThan(8)
  await server.stop()
  const again = await start()
  expect(again.faults).not.toBe(server.faults)
  again.faults.add({ kind: 'drop', probability: 0.5, skip: 3 })
  const point = { venue: 'echo', channel: 'other', symbol: 'AB', connection: 1 }
  expect(Array.from({ length: 40 }, () => (again.faults.frame(point) ? 'x' : '.')).join('')).toBe(first)
})
