/** `WS /api/v1/stream` over real sockets: what a client asked for, once, in order, and nothing without bound. */

import net from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import { type RawData, WebSocket } from 'ws'
import type { BookSnapshot, MarketEvent, Trade } from '../../src/model/event.ts'
import { until } from './helpers/condition.ts'
import { fakeGap } from './helpers/fake-collector.ts'
import { ask, errorProblems, raw } from './helpers/http.ts'
import { type RunningApi, type StartOptions, startApi } from './helpers/start-api.ts'

let running: RunningApi
const start = async (options: StartOptions = {}) => {
  running = await startApi(options)
  return running
}
afterEach(() => running.api.stop())

interface Client {
  readonly socket: WebSocket
  readonly messages: Record<string, unknown>[]
  close: { code: number; reason: string } | undefined
  say(message: unknown): void
}

async function connect(headers: Record<string, string> = {}): Promise<Client> {
  const socket = new WebSocket(`ws://127.0.0.1:${running.port}/api/v1/stream`, { headers, perMessageDeflate: false })
  const messages: Client['messages'] = []
  const client: Client = {
    socket,
    messages,
    close: undefined,
    say: (message) => socket.send(typeof message === 'string' ? message : JSON.stringify(message)),
  }
  socket.on('message', (data: RawData) => messages.push(JSON.parse(String(data))))
  socket.on('close', (code, reason) => {
    client.close = { code, reason: String(reason) }
  })
  await new Promise((resolve, reject) => {
    socket.once('open', resolve)
    socket.once('error', reject)
  })
  return client
}

/** The status with which an upgrade is refused. */
const refusal = (headers: Record<string, string> = {}): Promise<number | undefined> =>
  new Promise((resolve, reject) => {
    const socket = new WebSocket(`ws://127.0.0.1:${running.port}/api/v1/stream`, { headers })
    socket.once('unexpected-response', (request, response) => {
      resolve(response.statusCode)
      request.destroy()
    })
    socket.once('open', () => reject(new Error('was not refused')))
    socket.on('error', () => undefined)
  })

const trade = (venue: string, symbol: string, n: number): Trade => ({
  type: 'trade',
  exchange: venue,
  venue,
  market: 'spot',
  symbol,
  id: `${venue}:trade:${symbol}:0:${n}`,
  receive_time_us: 1_751_170_069_066_285,
  trade_id: String(n),
  price: '95234.56',
  quantity: '0.00100',
  side: 'buy',
  source: 'stream',
})

const snapshot = (levels: number): BookSnapshot => ({
  ...trade('binance', 'BTCUSDT', 0),
  type: 'book_snapshot',
  bids: Array.from({ length: levels }, (_, i) => [String(95_000 - i), '1'] as const),
  asks: [],
})

async function subscribed(message: object = {}): Promise<Client> {
  const client = await connect()
  client.say({ op: 'subscribe', ...message })
  await until('the subscription is acknowledged', () => client.messages.length === 1)
  return client
}

describe('subscribing', () => {
  test('yields exactly the events that match, in order, as they are', async () => {
    const { collector } = await start()
    const client = await subscribed({ types: ['trade'], venues: ['okx'], symbols: ['BTC-USDT'] })
    expect(client.messages[0]).toEqual({ op: 'subscribed', types: ['trade'], venues: ['okx'], symbols: ['BTC-USDT'] })
    const events: MarketEvent[] = [
      trade('okx', 'BTC-USDT', 1),
      trade('binance', 'BTC-USDT', 2),
      trade('okx', 'ETH-USDT', 3),
      snapshot(1),
      trade('okx', 'BTC-USDT', 4),
    ]
    for (const event of events) collector.publish(event)
    await until('two events arrive', () => client.messages.length >= 3)
    expect(client.messages.slice(1)).toEqual([events[0], events[4]])
  })

  test('yields gaps, as they are, by their own type', async () => {
    const { collector } = await start()
    const client = await subscribed({ types: ['gap'], symbols: ['BTCUSDT'] })
    const gap = fakeGap({ gap_id: 'g1', start_time_us: 1_751_170_069_066_285, state: 'open' })
    collector.publish(trade('binance', 'BTCUSDT', 1))
    collector.publish(gap)
    collector.publish({ ...gap, symbol: 'ETHUSDT' })
    collector.publish({ ...gap, state: 'healed', lost: 3, healed: 3 })
    await until('both states of the gap arrive', () => client.messages.length >= 3)
    expect(client.messages.slice(1)).toEqual([gap, { ...gap, state: 'healed', lost: 3, healed: 3 }])
  })

  test('without lists yields everything; again replaces; unsubscribing ends it', async () => {
    const { collector } = await start()
    const client = await subscribed()
    expect(client.messages[0]).toEqual({ op: 'subscribed', types: null, venues: null, symbols: null })
    expect(collector.subscribers).toBe(1)
    collector.publish(trade('okx', 'A', 1))
    client.say({ op: 'subscribe', venues: ['deribit'] })
    await until('the new subscription is acknowledged', () => client.messages.length === 3)
    collector.publish(trade('okx', 'A', 2))
    collector.publish(trade('deribit', 'B', 3))
    client.say({ op: 'unsubscribe' })
    await until('the end is acknowledged', () => client.messages.some(({ op }) => op === 'unsubscribed'))
    collector.publish(trade('deribit', 'B', 4))
    expect(client.messages.map(({ op, trade_id }) => op ?? trade_id)).toEqual([
      'subscribed',
      '1',
      'subscribed',
      '3',
      'unsubscribed',
    ])
    expect(collector.subscribers).toBe(0)
  })

  test('nobody there: the collector is not asked for events', async () => {
    const { collector, metrics } = await start()
    const [a, b] = await Promise.all([subscribed(), subscribed()])
    expect([collector.subscribers, metrics.streamCount]).toEqual([1, 2])
    a.socket.close()
    b.socket.terminate()
    await until('both have left', () => metrics.streamCount === 0)
    expect(collector.subscribers).toBe(0)
  })

  test('an event is encoded once, however many clients want it', async () => {
    const { collector } = await start()
    const clients = await Promise.all(Array.from({ length: 5 }, () => subscribed()))
    let encodings = 0
    const event = Object.defineProperty({ ...trade('okx', 'A', 1) }, 'toJSON', {
      value() {
        encodings++
        return { n: 1 }
      },
    })
    collector.publish(event)
    await until('all have it', () => clients.every(({ messages }) => messages.length === 2))
    expect(encodings).toBe(1)
  })
})

describe('a bad message', () => {
  const expected = 'Expected {"op":"subscribe","types":[…],"venues":[…],"symbols":[…]} or {"op":"unsubscribe"}'
  const types = 'types must be a list of: trade, ticker, quote, book_snapshot, book_delta, book_state, instrument, gap'
  const venues = 'venues must be a list of: binance, binance-usdm, okx, deribit'
  const symbols = 'symbols must be a list of at most 1000 symbols of 1 to 64 characters'
  const cases: readonly (readonly [unknown, string])[] = [
    ['hello', expected],
    ['', expected],
    ['null', expected],
    ['[]', expected],
    [{}, expected],
    [{ op: 'SUBSCRIBE' }, expected],
    [{ op: 'unsubscribe', more: 1 }, expected],
    [{ op: 'subscribe', channel: 'trade' }, expected],
    [{ op: 'subscribe', types: 'trade' }, types],
    [{ op: 'subscribe', types: ['trades'] }, types],
    [{ op: 'subscribe', types: ['__proto__'] }, types],
    [{ op: 'subscribe', venues: ['kraken'] }, venues],
    [{ op: 'subscribe', venues: { 0: 'okx' } }, venues],
    [{ op: 'subscribe', symbols: [1] }, symbols],
    [{ op: 'subscribe', symbols: [''] }, symbols],
    [{ op: 'subscribe', symbols: ['A'.repeat(65)] }, symbols],
    [{ op: 'subscribe', symbols: Array(1001).fill('A') }, symbols],
  ]
  for (const [message, answer] of cases) {
    test(`${JSON.stringify(message).slice(0, 60)} is answered with what was expected`, async () => {
      const { collector } = await start()
      const client = await connect()
      client.say(message)
      await until('an answer comes', () => client.messages.length === 1)
      expect(client.messages[0]).toEqual({ op: 'error', error_code: 'INVALID_PARAMETERS', message: answer })
      expect(collector.subscribers).toBe(0)
    })
  }

  test('keeps the subscription that there was', async () => {
    const { collector } = await start()
    const client = await subscribed()
    client.say('what')
    await until('the error comes', () => client.messages.length === 2)
    collector.publish(trade('okx', 'A', 1))
    await until('the event comes', () => client.messages.length === 3)
  })

  test('that is too long ends the connection', async () => {
    await start({ streamLimits: { messageBytesMax: 1000 } })
    const client = await connect()
    client.say('x'.repeat(1001))
    await until('it is closed', () => client.close !== undefined)
    expect(client.close?.code).toBe(1009)
  })

  test('too many of them end the connection', async () => {
    const { metrics } = await start({ streamLimits: { messagesPerSecondMax: 5 } })
    const client = await connect()
    for (let i = 0; i < 6; i++) client.say('{}')
    await until('it is closed', () => client.close !== undefined)
    expect(client.close).toEqual({ code: 1008, reason: 'too many messages' })
    expect(metrics.drops).toEqual(['flood'])
  })

  test('binary ones are answered as well', async () => {
    await start()
    const client = await connect()
    client.socket.send(Buffer.from([1, 2, 3]))
    await until('an answer comes', () => client.messages.length === 1)
    expect(client.messages[0]).toMatchObject({ op: 'error', message: expected })
  })
})

describe('bounds', () => {
  test('a client that does not read is cut off and counted; the others lose nothing', async () => {
    const { collector, metrics, log } = await start({ streamLimits: { bufferBytesMax: 100_000 } })
    const [slow, good] = await Promise.all([subscribed(), subscribed()])
    slow.socket.pause()
    const event = snapshot(2_000)
    const size = JSON.stringify(event).length
    let published = 0
    // The kernel's buffers fill first: some megabytes.
    while (metrics.drops.length === 0 && published < 2_000) {
      collector.publish(event)
      published++
      await until('the good client keeps up', () => good.messages.length === published + 1)
    }
    expect(metrics.drops).toEqual(['slow'])
    expect(published * size).toBeLessThan(64 * 1024 * 1024)
    expect(log).toContainEqual(expect.objectContaining({ level: 'warning', event: 'stream_client_cut' }))
    expect(metrics.streamCount).toBe(1)
    collector.publish(trade('okx', 'A', 1))
    await until('the good client goes on', () => good.messages.length === published + 2)
    slow.socket.resume()
    await until('the slow client sees its end', () => slow.close !== undefined)
    expect(slow.close).toEqual({ code: 4008, reason: 'reading too slowly' })
    expect(slow.messages.length).toBeLessThanOrEqual(published + 1)
  })

  test('a client that is cut off and still does not read is gone after the grace', async () => {
    const { collector, metrics } = await start({ streamLimits: { bufferBytesMax: 1_000, closeGraceMs: 50 } })
    const slow = await subscribed()
    slow.socket.pause()
    const event = snapshot(20_000)
    while (metrics.drops.length === 0) {
      collector.publish(event)
      await new Promise((resolve) => setImmediate(resolve))
    }
    await until('the server has ended the connection', () =>
      running.log.some(({ event, fields }) => event === 'stream_client_closed' && fields.code === 1006),
    )
    slow.socket.terminate()
  })

  test('there are only so many clients', async () => {
    await start({ streamLimits: { clientsMax: 2 } })
    const [first] = await Promise.all([connect(), connect()])
    expect(await refusal()).toBe(503)
    first.socket.close()
    await until('one has left', () => running.metrics.streamCount === 1)
    await connect()
  })

  test('a client that answers no ping is dropped, one that does is kept', async () => {
    const { metrics } = await start({ streamLimits: { pingIntervalMs: 40 } })
    const good = await connect()
    let pings = 0
    good.socket.on('ping', () => pings++)
    const key = Buffer.from('0123456789abcdef').toString('base64')
    const upgrade = `GET /api/v1/stream HTTP/1.1\r\nhost: localhost\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: ${key}\r\n\r\n`
    const text = await raw(running.port, upgrade)
    expect(text).toMatch(/^HTTP\/1\.1 101 /)
    expect(metrics.drops).toEqual(['dead'])
    await until('the good client is asked again', () => pings >= 3)
    expect(good.close).toBeUndefined()
  })
})

describe('who may connect', () => {
  test('pages of this origin and of listed ones, and programs', async () => {
    await start({ config: { cors_origins: ['https://desk.example'] } })
    for (const origin of ['https://evil.example', 'null', `http://localhost:1`])
      expect(await refusal({ origin })).toBe(400)
    await connect({ origin: `http://127.0.0.1:${running.port}` })
    await connect({ origin: 'https://desk.example' })
    await connect()
    expect(await refusal({ host: 'evil.example' })).toBe(400)
  })

  test('with a token only those who know it', async () => {
    await start({ config: { token: 'abc' } })
    expect(await refusal()).toBe(401)
    await connect({ authorization: 'Bearer abc' })
  })

  test('a browser sends the token as a protocol, and is never answered with it', async () => {
    await start({ config: { token: 'a "long" ütf token' } })
    const protocols = (token: string) => ['marketprism', `bearer.${Buffer.from(token).toString('base64url')}`]
    const open = (offered: string[]): Promise<string> =>
      new Promise((resolve, reject) => {
        const socket = new WebSocket(`ws://127.0.0.1:${running.port}/api/v1/stream`, offered)
        socket.once('open', () => resolve(socket.protocol))
        socket.once('error', reject)
      })
    expect(await open(protocols('a "long" ütf token'))).toBe('marketprism')
    await expect(open(protocols('another'))).rejects.toThrow('401')
    await expect(open(protocols('a "long" ütf token').reverse())).resolves.toBe('marketprism')
  })

  test('nobody before the collector has initialised', async () => {
    const { collector } = await start()
    collector.isInitialized = false
    expect(await refusal()).toBe(503)
  })
})

test('plain HTTP is told what the path speaks', async () => {
  const { url } = await start()
  const message = 'This path speaks WebSocket. Connect with ws:// instead of http://.'
  expect(errorProblems(await ask(url, '/api/v1/stream'), 'INVALID_PARAMETERS', message)).toEqual([])
  expect((await ask(url, '/api/v1/stream', { method: 'HEAD' })).status).toBe(400)
})

describe('an upgrade', () => {
  const upgrade = (path: string, more = '') =>
    `GET ${path} HTTP/1.1\r\nhost: localhost\r\nconnection: upgrade\r\nupgrade: websocket\r\n${more}\r\n`

  test('without a proper handshake is answered in the envelope', async () => {
    const { port } = await start()
    const text = await raw(port, upgrade('/api/v1/stream'))
    expect(text).toMatch(/^HTTP\/1\.1 400 /)
    expect(text).toContain('"error_code":"INVALID_PARAMETERS"')
  })

  const others = [
    ['/nope', 404],
    ['/%zz', 400],
    ['/health', 200],
    ['/api/v1/status', 200],
  ] as const
  for (const [path, status] of others) {
    test(`of ${path} is answered as if nobody had asked, and closed`, async () => {
      const { port } = await start()
      const key = 'sec-websocket-version: 13\r\nsec-websocket-key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n'
      const text = await raw(port, upgrade(path, key))
      expect(text).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `))
      expect(text.toLowerCase()).toContain('connection: close')
    })
  }
})

test('an offer of HTTP/2 is declined by answering', async () => {
  const { port } = await start()
  const offer = 'connection: upgrade, http2-settings\r\nupgrade: h2c\r\nhttp2-settings: AAMAAABkAAQ\r\n'
  const ask = (path: string) => raw(port, `GET ${path} HTTP/1.1\r\nhost: localhost\r\n${offer}\r\n`)
  expect(await ask('/health')).toMatch(/^HTTP\/1\.1 200 /)
  expect(await ask('/api/v1/stream')).toMatch(/^HTTP\/1\.1 400 /)
})

test('stopping closes the stream with 1001', async () => {
  const { api } = await start()
  const client = await subscribed()
  await api.stop()
  await until('it is closed', () => client.close !== undefined)
  expect(client.close).toEqual({ code: 1001, reason: 'the service is stopping' })
})

test('a client that hangs does not keep the service from stopping', async () => {
  const { api, port } = await start({ streamLimits: { closeGraceMs: 50 } })
  const socket = net.connect(port, '127.0.0.1')
  socket.write(
    'GET /api/v1/stream HTTP/1.1\r\nhost: localhost\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n\r\n',
  )
  await until('it is connected', () => running.metrics.streamCount === 1)
  const closed = new Promise((resolve) => socket.once('close', resolve))
  socket.resume()
  await api.stop()
  await closed
})
