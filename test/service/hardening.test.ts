/** What a hostile or broken client meets: bounds on time, size, number and reach. */

import type http from 'node:http'
import net from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import { systemClock } from '../../src/platform/clock.ts'
import { until } from '../api/helpers/condition.ts'
import { ask, bodyOf, errorProblems, raw } from '../api/helpers/http.ts'
import { type RunningApi, type StartOptions, startApi } from '../api/helpers/start-api.ts'

const STATUS = '/api/v1/status'

let running: RunningApi
const start = async (options: StartOptions = {}) => {
  running = await startApi(options)
  return running
}
afterEach(() => running.api.stop())

const get = (path: string, headers: http.OutgoingHttpHeaders = {}) => ask(running.url, path, { headers })

/** The status line's code and the envelope of a raw answer. */
function parts(text: string) {
  const [head = '', body = ''] = text.split('\r\n\r\n')
  return { status: Number(head.split(' ')[1]), head: head.toLowerCase(), body: JSON.parse(body || '{}') }
}

/** An answer to what was no request: in the envelope, with the headers of every answer, and the connection closed. */
function expectRefused(text: string, status: number) {
  const { status: got, head, body } = parts(text)
  expect(got).toBe(status)
  expect(body).toMatchObject({ status: 'error', error_code: 'INVALID_PARAMETERS', data: null })
  for (const line of ['nosniff', 'x-frame-options: deny', 'cache-control: no-store', 'connection: close']) {
    expect(head).toContain(line)
  }
}

describe('too slow', () => {
  const limits = { headersTimeoutMs: 200, requestTimeoutMs: 400, connectionsCheckMs: 50, lingerMs: 100 }

  test('headers that trickle in are answered 408 and closed', async () => {
    const { port } = await start({ limits: { ...limits, requestTimeoutMs: 60_000 } })
    const socket = net.connect(port, '127.0.0.1')
    socket.write('GET /api/v1/status HTTP/1.1\r\n')
    const drip = setInterval(() => socket.write('x-drip: 1\r\n'), 20)
    const text = await new Promise<string>((resolve) => {
      let all = ''
      socket.on('data', (part) => {
        all += part
      })
      socket.on('error', () => undefined)
      socket.on('close', () => resolve(all))
    })
    clearInterval(drip)
    expectRefused(text, 408)
  })

  test('a connection that never says anything is closed', async () => {
    const { port } = await start({ limits })
    expectRefused(await raw(port), 408)
  })

  test('a body that is not there is not waited for: one answer, and the connection ends', async () => {
    const { port } = await start({ limits })
    for (const [path, status] of [
      [STATUS, 200],
      ['/nope', 404],
      ['/%zz', 400],
    ]) {
      const text = await raw(port, `GET ${path} HTTP/1.1\r\nhost: localhost\r\ncontent-length: 1000\r\n\r\n{`)
      expect(parts(text).status).toBe(status)
      expect(parts(text).head).toContain('connection: close')
    }
  })

  test('a kept connection is closed when nothing more comes', async () => {
    const { port } = await start({ limits: { ...limits, keepAliveTimeoutMs: 100 } })
    expect(parts(await raw(port, `GET ${STATUS} HTTP/1.1\r\nhost: localhost\r\n\r\n`)).status).toBe(200)
  })
})

test('a scraper keeps its connection between two requests, however short others may stand still', async () => {
  const { port } = await start({ limits: { idleTimeoutMs: 50, headersTimeoutMs: 50, connectionsCheckMs: 20 } })
  const request = `GET ${STATUS} HTTP/1.1\r\nhost: localhost\r\n`
  const socket = net.connect(port, '127.0.0.1')
  let text = ''
  socket.on('data', (part) => {
    text += part
  })
  const closed = new Promise((resolve) => socket.on('close', resolve))
  socket.write(`${request}\r\n`)
  await until('the first answer', () => text.includes('"status":"success"'))
  // Node waits a second longer than it is told.
  await new Promise((resolve) => setTimeout(resolve, 1_500))
  socket.write(`${request}connection: close\r\n\r\n`)
  await closed
  expect(text.split('HTTP/1.1 200').length - 1).toBe(2)
})

describe('not reading', () => {
  /** More than the kernel's buffers take. */
  const HUGE = 32 * 1024 * 1024

  /** Asks for a huge answer, reads nothing until `isOver`, then what there is. Resolves with its length. */
  async function askWithoutReading(more: string, isOver: () => boolean): Promise<number> {
    running.metrics.text = () => 'x'.repeat(HUGE)
    const socket = net.connect(running.port, '127.0.0.1')
    socket.on('error', () => undefined)
    socket.write(`GET /metrics HTTP/1.1\r\nhost: localhost\r\n${more}\r\n`)
    await until('the server gives up', isOver)
    let length = 0
    socket.on('data', (part) => {
      length += part.length
    })
    await new Promise((resolve) => socket.on('close', resolve))
    return length
  }

  test('a client that does not read its answer is cut', async () => {
    await start({ limits: { idleTimeoutMs: 100 } })
    const isOver = () => running.log.some(({ fields }) => fields.is_aborted === true)
    expect(await askWithoutReading('', isOver)).toBeLessThan(HUGE)
  })

  test('so is one that asked for an upgrade', async () => {
    const clock = systemClock()
    const idleTimeoutMs = 123_456
    let cut: (() => void) | undefined
    const after = (delayMs: number, action: () => void) => {
      if (delayMs === idleTimeoutMs) cut = action
      return clock.after(delayMs, action)
    }
    await start({ clock: { ...clock, after }, limits: { idleTimeoutMs } })
    const length = await askWithoutReading('connection: upgrade\r\nupgrade: websocket\r\n', () => {
      cut?.()
      return cut !== undefined
    })
    expect(length).toBeLessThan(HUGE)
  })
})

describe('too large', () => {
  test('9 kB of headers are answered 431', async () => {
    const { port } = await start({ limits: { lingerMs: 100 } })
    const big = 'a'.repeat(9 * 1024)
    expectRefused(await raw(port, `GET ${STATUS} HTTP/1.1\r\nhost: localhost\r\nx-big: ${big}\r\n\r\n`), 431)
    expectRefused(await raw(port, `GET ${STATUS}?x=${big} HTTP/1.1\r\nhost: localhost\r\n\r\n`), 431)
    expect(running.metrics.rejections).toEqual([431, 431])
  })

  test('a query of 10 MB costs no memory', async () => {
    const { port } = await start({ limits: { lingerMs: 100 } })
    const query = Buffer.alloc(10 * 1024 * 1024, 'a')
    await raw(port, `GET ${STATUS}?x=`, query)
    const before = process.memoryUsage.rss()
    for (let i = 0; i < 10; i++) await raw(port, `GET ${STATUS}?x=`, query)
    expect(process.memoryUsage.rss() - before).toBeLessThan(64 * 1024 * 1024)
    expect((await get(STATUS)).status).toBe(200)
  })
})

describe('not HTTP', () => {
  const cases: readonly (readonly [string, string])[] = [
    ['noise', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03'],
    ['an unknown method', 'FETCH / HTTP/1.1\r\nhost: localhost\r\n\r\n'],
    ['two lengths', `GET ${STATUS} HTTP/1.1\r\nhost: localhost\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n`],
    [
      'length and chunks',
      `GET ${STATUS} HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n`,
    ],
    ['no host', `GET ${STATUS} HTTP/1.1\r\n\r\n`],
  ]
  for (const [what, bytes] of cases) {
    test(`${what} is answered 400 in the envelope`, async () => {
      const { port } = await start({ limits: { lingerMs: 50, keepAliveTimeoutMs: 50 } })
      const { status, body } = parts(await raw(port, bytes))
      expect(status).toBe(400)
      expect(body).toMatchObject({ status: 'error', error_code: 'INVALID_PARAMETERS' })
    })
  }

  test('an expectation that nobody knows is ignored', async () => {
    await start()
    expect((await get(STATUS, { expect: 'miracles' })).status).toBe(200)
  })
})

describe('too many', () => {
  test('a connection serves so many requests and closes, however they are pipelined', async () => {
    const { port } = await start({ limits: { requestsPerSocketMax: 10 } })
    const text = await raw(port, `GET /health/live HTTP/1.1\r\nhost: localhost\r\n\r\n`.repeat(50))
    expect(text.match(/HTTP\/1\.1 200 /g)).toHaveLength(10)
  })

  test('requests above the rate are answered 429, probes are not, and other seconds are other seconds', async () => {
    let nowMs = 0
    const clock = { ...systemClock(), monotonicMs: () => nowMs }
    await start({ clock, config: { requests_per_second: 3 } })
    const statuses = []
    for (let i = 0; i < 5; i++) statuses.push((await get(STATUS)).status)
    expect(statuses).toEqual([200, 200, 200, 429, 429])
    const limited = await get('/nope')
    expect(errorProblems(limited, 'RATE_LIMITED')).toEqual([])
    expect(limited.headers['retry-after']).toBe('1')
    for (const path of ['/health', '/health/live', '/health/ready']) expect((await get(path)).status).toBe(200)
    nowMs += 1000
    expect((await get(STATUS)).status).toBe(200)
  })

  const connected = async (port: number, count: number, first = '') => {
    const sockets = Array.from({ length: count }, () => net.connect(port, '127.0.0.1'))
    const isReady = (socket: net.Socket) =>
      new Promise((resolve) => {
        socket.on('error', () => undefined)
        socket.once('connect', () => socket.write(first))
        socket.once(first === '' ? 'connect' : 'data', resolve)
      })
    await Promise.all(sockets.map(isReady))
    return sockets
  }
  /** Clients of the stream use their connections as long as they are there. */
  const UPGRADE = [
    'GET /api/v1/stream HTTP/1.1',
    'host: localhost',
    'connection: upgrade',
    'upgrade: websocket',
    'sec-websocket-version: 13',
    'sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==',
    '\r\n',
  ].join('\r\n')

  test('connections that nobody uses make room for those who ask, the oldest first', async () => {
    const { port } = await start({ config: { connections_max: 5 } })
    const idle = await connected(port, 40)
    expect((await get('/health')).status).toBe(200)
    expect((await get(STATUS)).status).toBe(200)
    await until('the oldest to be closed', () => idle.slice(0, 35).every(({ closed }) => closed))
    expect(idle.slice(37).every(({ closed }) => !closed)).toBe(true)
    for (const socket of idle) socket.destroy()
  })

  test('a connection that has just been used is not the one that makes room', async () => {
    const { port } = await start({ config: { connections_max: 3 } })
    const [used, ...others] = await connected(port, 3)
    used?.write('GET /health/live HTTP/1.1\r\nhost: localhost\r\n\r\n')
    await new Promise((resolve) => used?.once('data', resolve))
    const [newest] = await connected(port, 1)
    await until('another to be closed', () => others.some(({ closed }) => closed))
    expect([used?.closed, newest?.closed]).toEqual([false, false])
    for (const socket of [used, newest, ...others]) socket?.destroy()
  })

  test('with all connections in use requests are answered 503, health still 200', async () => {
    const { port } = await start({ config: { connections_max: 3 } })
    const streams = await connected(port, 3, UPGRADE)
    const refused = await get(STATUS)
    expect(errorProblems(refused, 'SERVICE_UNAVAILABLE')).toEqual([])
    expect(refused.headers.connection).toBe('close')
    expect((await get('/health')).status).toBe(200)
    for (const socket of streams) socket.destroy()
  })

  test('beyond the reserve connections are dropped', async () => {
    const { port } = await start({ config: { connections_max: 2 }, limits: { connectionsReserved: 0 } })
    const streams = await connected(port, 2, UPGRADE)
    expect(await raw(port, `GET /health HTTP/1.1\r\nhost: localhost\r\n\r\n`)).toBe('')
    for (const socket of streams) socket.destroy()
  })
})

describe('from elsewhere', () => {
  test('on a loopback address only local names are served', async () => {
    await start()
    for (const host of ['localhost', 'LOCALHOST:80', '127.0.0.1:8084', '[::1]:8084', '127.1.2.3']) {
      expect((await get(STATUS, { host })).status, host).toBe(200)
    }
    for (const host of [
      'evil.example',
      'localhost.evil.example',
      '127.0.0.1.evil.example',
      '10.0.0.1',
      'localhost:80:80',
    ]) {
      expect(errorProblems(await get(STATUS, { host }), 'INVALID_PARAMETERS'), host).toEqual([])
    }
  })

  test('on other addresses any name is', async () => {
    const { port } = await start({ config: { host: '0.0.0.0' } })
    expect((await ask(`http://127.0.0.1:${port}`, STATUS, { headers: { host: 'collector.example' } })).status).toBe(200)
  })

  test('pages of other origins read nothing unless listed', async () => {
    await start({ config: { cors_origins: ['https://desk.example'] } })
    const foreign = await get(STATUS, { origin: 'https://evil.example' })
    expect(Object.keys(foreign.headers).filter((name) => name.startsWith('access-control'))).toEqual([])
    const listed = await get(STATUS, { origin: 'https://desk.example' })
    expect(listed.headers).toMatchObject({ 'access-control-allow-origin': 'https://desk.example', vary: 'origin' })
    const preflight = { method: 'OPTIONS', headers: { origin: 'https://desk.example' } }
    expect((await ask(running.url, STATUS, preflight)).status).toBe(204)
  })
})

describe('a token', () => {
  const headers = (authorization: string) => ({ authorization })

  test('is wanted for data and metrics, not for health and documentation', async () => {
    await start({ config: { token: 's3cret-token' } })
    for (const path of [STATUS, '/api/v1/collector/data', '/api/v1/feeds', '/api/v1/stream', '/metrics']) {
      const answer = await get(path)
      expect(errorProblems(answer, 'UNAUTHORIZED'), path).toEqual([])
      expect(answer.headers['www-authenticate']).toBe('Bearer')
    }
    for (const path of ['/health', '/health/live', '/health/ready', '/openapi.json', '/docs']) {
      expect((await get(path)).status, path).toBe(200)
    }
  })

  test('must be the right one', async () => {
    await start({ config: { token: 's3cret-token' } })
    for (const wrong of [
      'Bearer',
      'Bearer ',
      'Bearer s3cret-toke',
      'Bearer s3cret-token2',
      'Basic s3cret-token',
      's3cret-token',
    ]) {
      expect((await get(STATUS, headers(wrong))).status, wrong).toBe(401)
    }
    expect((await get(STATUS, headers('Bearer s3cret-token'))).status).toBe(200)
    expect((await get(STATUS, headers('bearer s3cret-token'))).status).toBe(200)
  })
})

test('every answer forbids sniffing, framing and storing, and names no software', async () => {
  await start()
  for (const path of [
    STATUS,
    '/health',
    '/metrics',
    '/openapi.json',
    '/docs',
    '/docs/static/swagger-ui.css',
    '/nope',
    '/%zz',
  ]) {
    const { headers } = await get(path)
    expect(headers, path).toMatchObject({
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
      'cache-control': 'no-store',
      'referrer-policy': 'no-referrer',
    })
    expect(headers['content-security-policy'], path).toContain("frame-ancestors 'none'")
    expect(headers).not.toHaveProperty('server')
    expect(headers).not.toHaveProperty('x-powered-by')
  }
})

describe('stopping', () => {
  /** Metrics that take until `finish` is called, so that a request runs as long as the test wants. */
  function slowMetrics() {
    let finish: ((text: string) => void) | undefined
    running.metrics.text = () =>
      new Promise((resolve) => {
        finish = resolve
      })
    return { isAsked: () => finish !== undefined, finish: (text: string) => finish?.(text) }
  }

  test('refuses new work at once, finishes what runs, then is gone', async () => {
    const { api, url } = await start()
    const { isAsked, finish } = slowMetrics()
    const slow = ask(url, '/metrics')
    await until('the slow request arrives', isAsked)
    const stopped = api.stop()
    await expect(ask(url, STATUS)).rejects.toThrow(/ECONNRE/)
    finish('# EOF\n')
    expect(await slow).toMatchObject({ status: 200, text: '# EOF\n', headers: { connection: 'close' } })
    await stopped
  })

  test('waits for running requests only so long', async () => {
    const { api, url } = await start({ limits: { stopTimeoutMs: 100, idleTimeoutMs: 600_000 } })
    const { isAsked } = slowMetrics()
    const outcome = expect(ask(url, '/metrics')).rejects.toThrow('socket hang up')
    await until('the hanging request arrives', isAsked)
    await api.stop()
    await outcome
  })

  test('may be asked for twice', async () => {
    const { api } = await start()
    await Promise.all([api.stop(), api.stop()])
  })
})

test('a taken port is named, with what to do', async () => {
  const { port } = await start()
  await expect(startApi({ config: { port } })).rejects.toMatchObject({
    code: 'PORT_IN_USE',
    message: `Port ${port} on 127.0.0.1 is in use. Stop the other program, or set API_PORT to a free port.`,
  })
})

test('an address of another machine is a configuration error', async () => {
  await start()
  await expect(startApi({ config: { host: '203.0.113.7' } })).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
})

test('the body of the answer to a bad request says what is wrong', async () => {
  await start()
  expect(bodyOf(await get(STATUS, { host: 'evil.example' })).message).toBe('The Host header names another machine.')
})
