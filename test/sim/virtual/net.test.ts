import { expect, test } from 'vitest'
import { seededRandom } from '../../../src/platform/random.ts'
import type { SimExchange, SimPeer } from '../../../src/sim/exchange.ts'
import { createFaultPlan } from '../../../src/sim/faults.ts'
import { Scope, VirtualLoop } from '../../../src/sim/virtual/loop.ts'
import { type Host, VirtualNetwork } from '../../../src/sim/virtual/net.ts'

const TOPIC = { channel: 'book', symbol: 'AB' }

/** A venue that echoes what it is told, and a client. */
function stage() {
  const loop = new VirtualLoop()
  const client = new Scope()
  const server = new Scope()
  const peers: SimPeer[] = []
  const heard: string[] = []
  const fates: string[] = []
  const states: string[] = []
  const exchange: SimExchange = {
    rest: ({ path }) => ({ status: 200, headers: { 'X-Path': path }, body: `{"path":"${path}"}` }),
    connect(peer) {
      if (peer.path !== '/ws') return undefined
      peers.push(peer)
      return {
        text: (text) => {
          heard.push(text)
          peer.sendControl(text)
        },
        ping: () => heard.push('ping'),
        pong: (payload) => heard.push(`pong ${payload}`),
        closed: () => heard.push('closed'),
      }
    },
    order: () => undefined,
    stop: () => {},
  }
  const host: Host = { id: 'echo', exchange, dial: undefined, isUnreachable: false }
  const faults = createFaultPlan(seededRandom(2), () => loop.nowMs)
  const network = new VirtualNetwork({
    loop,
    random: seededRandom(1),
    serverScope: server,
    hosts: new Map([['echo', host]]),
    faults,
    onState: (_venue, id, state) => states.push(`${id} ${state}`),
    onFrame: (_venue, _id, channel, symbol, { isDelivered }) =>
      fates.push(`${channel} ${symbol} ${isDelivered ? 'delivered' : 'lost'}`),
    onSubscribed: () => {},
    onRequest: () => {},
    onDial: () => {},
    onForgotten: () => states.push('forgotten'),
  })
  const got: string[] = []
  const connect = (url = 'wss://echo.sim/ws') =>
    network.net(client).connect(
      { url, connectTimeoutMs: 10_000, frameBytesMax: 1_000 },
      {
        open: () => got.push('open'),
        frame: (bytes) => got.push(bytes.toString('utf8')),
        alive: () => got.push('alive'),
        closed: (code, reason) => got.push(`closed ${code} ${reason}`),
      },
    )
  const get = (path: string, timeoutMs = 5_000) =>
    network.http(client).get({ url: `https://echo-2.sim${path}`, timeoutMs, bodyBytesMax: 1_000 })
  return { loop, client, host, faults, network, peers, heard, fates, states, got, connect, get }
}

test('frames arrive in order, whatever their latency; pings are answered in both directions', async () => {
  const { loop, peers, heard, fates, got, connect } = stage()
  const socket = connect()
  await loop.run(1_000)
  for (let i = 0; i < 50; i++) peers[0]?.send(TOPIC, `${i}`)
  socket.send('hello')
  socket.ping()
  peers[0]?.ping('7')
  await loop.run(2_000)
  expect(got.filter((text) => /^\d+$/.test(text))).toEqual(Array.from({ length: 50 }, (_, i) => String(i)))
  expect(got[0]).toBe('open')
  expect(got.slice(51).sort()).toEqual(['alive', 'alive', 'hello'])
  expect([...heard].sort()).toEqual(['hello', 'ping', 'pong 7'])
  expect(fates).toEqual(Array(50).fill('book AB delivered'))
  socket.close(1000, 'bye')
  await loop.run(3_000)
  expect(got.at(-1)).toBe('closed 1000 bye')
  expect(heard.at(-1)).toBe('closed')
})

test('connecting fails in each of its ways', async () => {
  const outcome = async (dial: Host['dial'], url?: string) => {
    const { loop, host, got, connect } = stage()
    host.dial = dial
    connect(url)
    await loop.run(20_000)
    return got
  }
  expect(await outcome({ kind: 'refused' })).toEqual(['closed 1006 connect ECONNREFUSED'])
  expect(await outcome({ kind: 'status', status: 451 })).toEqual(['closed 1006 Unexpected server response: 451'])
  expect(await outcome({ kind: 'blackhole' })).toEqual(['closed 1006 Opening handshake has timed out'])
  expect(await outcome({ kind: 'slow', ms: 3_000 })).toEqual(['open'])
  expect(await outcome({ kind: 'slow', ms: 15_000 })).toEqual(['closed 1006 Opening handshake has timed out'])
  expect(await outcome({ kind: 'flapping', ms: 100 })).toEqual(['open', 'closed 1006 '])
  expect(await outcome(undefined, 'wss://echo.sim/other')).toEqual(['closed 1006 Unexpected server response: 404'])
  expect(await outcome(undefined, 'wss://nobody.sim/ws')).toEqual(['closed 1006 getaddrinfo ENOTFOUND'])
})

test('a cut connection loses what passes, or holds it back', async () => {
  for (const isHeld of [false, true]) {
    const { loop, network, peers, fates, got, connect } = stage()
    connect()
    await loop.run(1_000)
    const [open] = network.connections('echo')
    const mend = open?.link.cut(isHeld)
    peers[0]?.send(TOPIC, 'x')
    await loop.run(2_000)
    expect(got).toEqual(['open'])
    expect(fates).toEqual(isHeld ? [] : ['book AB lost'])
    mend?.()
    await loop.run(3_000)
    expect(got).toEqual(isHeld ? ['open', 'x'] : ['open'])
    expect(open?.link.isClientOpen).toBe(true)
  }
})

test('what waits until nothing is held comes behind it', async () => {
  const { loop, network, peers, got, connect } = stage()
  connect()
  await loop.run(1_000)
  const [open] = network.connections('echo')
  const say = (word: string) => open?.link.behindHeld(() => got.push(word))
  say('at once')
  const mends = [open?.link.cut(true), open?.link.cut(true)]
  peers[0]?.send(TOPIC, 'x')
  say('then')
  for (const mend of mends) {
    expect(got).toEqual(['open', 'at once'])
    mend?.()
  }
  expect(got).toEqual(['open', 'at once', 'then'])
})

test('a reset loses what comes behind it, an end by the venue does not lose what came before', async () => {
  const { loop, network, peers, heard, got, connect } = stage()
  connect()
  await loop.run(1_000)
  peers[0]?.send(TOPIC, 'before')
  peers[0]?.close(4005, 'why')
  peers[0]?.send(TOPIC, 'after')
  await loop.run(2_000)
  expect(got).toEqual(['open', 'before', 'closed 4005 why'])
  connect()
  await loop.run(3_000)
  network.connections('echo')[0]?.link.reset()
  peers[1]?.send(TOPIC, 'after')
  await loop.run(4_000)
  expect(got.slice(3)).toEqual(['open', 'closed 1006 '])
  expect(heard).toEqual(['closed', 'closed'])
})

test('frames that no client can read end the connection', async () => {
  for (const how of ['utf8', 'huge'] as const) {
    const { loop, faults, peers, fates, got, connect } = stage()
    connect()
    await loop.run(1_000)
    faults.add({ kind: 'malformed', how })
    peers[0]?.send(TOPIC, '{"a":"b"}')
    await loop.run(2_000)
    expect(got[1]).toMatch(how === 'utf8' ? /1006 .*UTF-8/ : /1006 .*size/)
    expect(fates).toEqual(['book AB lost'])
  }
})

test('a process that dies hears nothing more, and its frames under way are lost', async () => {
  const { loop, client, network, peers, heard, fates, states, got, connect, get } = stage()
  connect()
  await loop.run(1_000)
  peers[0]?.send(TOPIC, 'x')
  const answer = get('/a').then(() => got.push('answer'))
  client.isAlive = false
  network.abandon(client)
  await loop.run(5_000)
  void answer
  expect(got).toEqual(['open'])
  expect(fates).toEqual(['book AB lost'])
  expect(states).toEqual(['1 open', '1 closed'])
  expect(heard).toEqual(['closed'])
})

test('a process that dies while it dials leaves nothing at the venue', async () => {
  const { loop, client, network, peers, connect } = stage()
  connect()
  client.isAlive = false
  network.abandon(client)
  await loop.run(5_000)
  expect(peers).toEqual([])
  expect(network.connections()).toEqual([])
})

test('late frames come to a client that has given up, when they shall', async () => {
  const { loop, network, peers, got, connect } = stage()
  const socket = connect()
  await loop.run(1_000)
  const [open] = network.connections('echo')
  if (open) open.link.lateFrames = 1
  for (const text of ['a', 'b']) peers[0]?.send(TOPIC, text)
  socket.terminate()
  await loop.run(2_000)
  expect(got).toEqual(['open', 'a', 'closed 1006 '])
})

test('REST answers, and every way in which it does not', async () => {
  const { loop, faults, host, get } = stage()
  const outcome = async (path: string): Promise<string> => {
    const promise = get(path).then(
      ({ status, headers, body }) => `${status} ${headers['x-path'] ?? ''} ${body.toString('utf8')}`,
      (error: Error) => error.message,
    )
    await loop.run(loop.nowMs + 10_000)
    return promise
  }
  expect(await outcome('/a')).toBe('200 /a {"path":"/a"}')
  faults.add({ kind: 'rest-timeout' })
  expect(await outcome('/a')).toBe('no complete answer within 5000 ms')
  faults.add({ kind: 'rest-delay', ms: 6_000 })
  expect(await outcome('/a')).toBe('no complete answer within 5000 ms')
  faults.add({ kind: 'rest-reset' })
  expect(await outcome('/a')).toBe('read ECONNRESET')
  faults.add({ kind: 'rest-status', status: 418, retry_after: 3 })
  expect(await outcome('/a')).toBe('418  injected fault')
  faults.add({ kind: 'rest-malformed', how: 'empty' })
  expect(await outcome('/a')).toBe('200 /a ')
  host.isUnreachable = true
  expect(await outcome('/a')).toBe('no complete answer within 5000 ms')
})

test('frames that wait for others are lost with their connection', async () => {
  const { loop, peers, faults, fates, connect } = stage()
  faults.add({ kind: 'reorder' })
  const socket = connect()
  await loop.run(1_000)
  peers[0]?.send(TOPIC, 'a')
  socket.terminate()
  await loop.run(2_000)
  expect(fates).toEqual(['book AB lost'])
})

test('of two cuts that overlap each lasts as long as it does', async () => {
  const { loop, network, peers, got, connect } = stage()
  connect()
  await loop.run(1_000)
  const [open] = network.connections()
  const mendFirst = open?.link.cut(false)
  const mendSecond = open?.link.cut(true)
  peers[0]?.send(TOPIC, 'held')
  mendSecond?.()
  await loop.run(2_000)
  peers[0]?.send(TOPIC, 'swallowed')
  await loop.run(3_000)
  mendFirst?.()
  peers[0]?.send(TOPIC, 'behind')
  await loop.run(4_000)
  expect(got).toEqual(['open', 'behind'])
})

test.each([
  ['at once', 500, false],
  ['not for half a minute', 31_000, true],
])('a client that stood still and then speaks %s: forgotten %s', async (_name, silentMs, isForgotten) => {
  const { loop, client, states, connect } = stage()
  const socket = connect()
  await loop.run(1_000)
  loop.stall(client)
  // Just before the connection is looked at.
  await loop.run(59_900)
  loop.wake(client, true)
  await loop.run(59_900 + silentMs)
  socket.ping()
  await loop.run(59_900 + silentMs + 1_000)
  expect(states.includes('forgotten')).toBe(isForgotten)
})
