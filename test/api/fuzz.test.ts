/**
 * Whatever is asked, the answer is a documented one: no 500, no crash, no leak.
 * `FUZZ_QUERIES=100000 FUZZ_SEED=7 npx vitest run test/api/fuzz.test.ts` for a long run; a failure names its request.
 */

import http from 'node:http'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { API_CODES, statusOf } from '../../src/service/envelope.ts'
import { type Answer, ask, raw } from './helpers/http.ts'
import { type RunningApi, startApi } from './helpers/start-api.ts'

const QUERIES = Number(process.env.FUZZ_QUERIES ?? 3_000)
const SEED = Number(process.env.FUZZ_SEED ?? 1)
const AT_ONCE = 16
/** One in so many requests is written byte by byte, past any client's own checks. */
const RAW_SHARE = 20

let running: RunningApi
beforeAll(async () => {
  running = await startApi({
    limits: { lingerMs: 20, keepAliveTimeoutMs: 200, headersTimeoutMs: 500, connectionsCheckMs: 50 },
  })
})
afterAll(() => running.api.stop())

/** Mulberry32: the same numbers for the same seed, everywhere. */
function randomOf(seed: number) {
  let state = seed >>> 0
  return (below: number): number => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = state
    t = Math.imul(t ^ (t >>> 15), t | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 2 ** 32) * below)
  }
}

const PATHS = [
  '/api/v1/status',
  '/api/v1/collector/stats',
  '/api/v1/collector/status',
  '/api/v1/collector/exchanges',
  '/api/v1/collector/data',
  '/api/v1/collector/data',
  '/api/v1/feeds',
  '/api/v1/instruments',
  '/api/v1/gaps',
  '/api/v1/completeness',
  '/api/v1/subscriptions',
  '/api/v1/orderbook/binance/BTCUSDT',
  '/api/v1/orderbook/okx/BTC-USDT-SWAP',
  '/api/v1/trades/binance-usdm/ETHUSDT',
  '/api/v1/stream',
  '/health',
  '/health/live',
  '/health/ready',
  '/metrics',
  '/openapi.json',
  '/docs/json',
  '/docs/static/nope',
  '/',
]
const NAMES = [
  'limit',
  'exchange',
  'type',
  'depth',
  'venue',
  'state',
  'channel',
  'market',
  'symbol',
  'cause',
  'since',
  'until',
  'step',
  'Limit',
  '__proto__',
  'constructor',
  'x',
  '',
]
const VALUES = [
  ...[
    '0',
    '1',
    '5',
    '100',
    '101',
    '400',
    '401',
    '-1',
    '1.5',
    '1e2',
    '0x10',
    '00',
    '+5',
    '9'.repeat(30),
    'NaN',
    'Infinity',
    '١',
  ],
  ...[
    'all',
    'ALL',
    'okx',
    'Binance',
    'kraken',
    'tickers',
    'trades',
    'orderbooks',
    'live',
    'open',
    'shed',
    'BTCUSDT',
    '15m',
    '60s',
    '0s',
    '999999d',
    '2025-06-29T04:07:49Z',
    '2025-02-30T00:00:00Z',
    '9999-12-31T23:59:59.999999+00:00',
    'book',
    'spot',
    'true',
    'null',
  ],
  ...[
    '__proto__',
    'constructor',
    'toString',
    '../..',
    '%00',
    '%',
    '%zz',
    '%E0%A4%A',
    '%f0%9f%98%80',
    '{}',
    '[]',
    '<script>',
    "'--",
  ],
]
const GLUE = [
  '&',
  '=',
  ';',
  '#',
  '?',
  '/',
  '//',
  '%2f',
  '%5c',
  '[',
  ']',
  '+',
  '%20',
  '%0d%0a',
  '\\',
  '|',
  '~',
  ':',
  '@',
  ',',
]
const METHODS = ['GET', 'GET', 'GET', 'GET', 'GET', 'GET', 'HEAD', 'POST', 'OPTIONS', 'PUT', 'TRACE']
const HEADERS: readonly http.OutgoingHttpHeaders[] = [
  {},
  {},
  {},
  { 'user-agent': 'a'.repeat(2_000) },
  { origin: 'https://evil.example' },
  { accept: 'text/html;q=0.1, */*' },
  { 'accept-version': '9.9.9' },
  { 'content-type': 'application/json', 'content-length': '2' },
  { 'if-none-match': '*', range: 'bytes=0-1' },
  { 'x-forwarded-for': '1.2.3.4', 'x-http-method-override': 'DELETE' },
]

function makeRequest(random: (below: number) => number) {
  const pick = <Item>(items: readonly Item[]): Item => items[random(items.length)] as Item
  const noise = () => Array.from({ length: random(4) }, () => pick(random(2) ? GLUE : VALUES)).join('')
  const path = random(4) ? pick(PATHS) : pick(PATHS) + noise()
  const pairs = Array.from(
    { length: random(5) },
    () => `${pick(NAMES)}${pick(['=', '=', '=', '', '[]='])}${pick(VALUES)}${random(6) ? '' : noise()}`,
  )
  const query = pairs.length > 0 ? `?${pairs.join(pick(['&', '&', '&', ';', '&&']))}` : ''
  return { method: pick(METHODS), path: path + query, headers: pick(HEADERS) }
}

const LEAK =
  /node_modules|\.(?:ts|mjs|js):\d+|(?:Type|Range|Reference|Syntax)Error|\/(?:home|root|usr|work|tmp)\/|ECONN/i
const STATUSES = new Set([200, 400, 404, 405, 431, 408])

/** What is wrong with an answer; `undefined` for a good one. */
function problem(answer: Answer, method: string): string | undefined {
  if (!STATUSES.has(answer.status)) return `status ${answer.status}`
  if (answer.headers['x-content-type-options'] !== 'nosniff') return 'no security headers'
  if (method === 'HEAD') return answer.text === '' ? undefined : 'HEAD with a body'
  if (answer.status === 200) return undefined
  const body = JSON.parse(answer.text)
  const code = API_CODES.find((known) => known === body.error_code)
  if (!code || body.status !== 'error' || body.data !== null) return 'no envelope'
  const isProtocol = answer.status === 431 || answer.status === 408
  if (!isProtocol && statusOf(code) !== answer.status) return `${code} with ${answer.status}`
  return LEAK.test(body.message) ? `leak: ${body.message}` : undefined
}

test(`${QUERIES} random requests get documented answers`, { timeout: 60_000 + QUERIES * 5 }, async () => {
  const random = randomOf(SEED)
  const agent = new http.Agent({ keepAlive: true, maxSockets: AT_ONCE })
  const problems: string[] = []
  const seen = new Map<number, number>()
  let left = QUERIES
  const worker = async () => {
    while (left-- > 0 && problems.length < 10) {
      const request = makeRequest(random)
      const path = request.path.replaceAll(/[^!-~]/g, encodeURIComponent)
      const answer = await ask(running.url, path, { ...request, agent }).catch((error: Error) => error)
      if (answer instanceof Error) problems.push(`${request.method} ${path}: ${answer.message}`)
      else {
        seen.set(answer.status, (seen.get(answer.status) ?? 0) + 1)
        const wrong = problem(answer, request.method)
        if (wrong) problems.push(`${request.method} ${path} ${JSON.stringify(request.headers)}: ${wrong}`)
      }
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, worker))
  agent.destroy()
  expect(problems).toEqual([])
  expect([...seen.keys()].sort()).toEqual(expect.arrayContaining([200, 400, 404, 405]))
  expect(running.log.filter(({ level }) => level === 'error')).toEqual([])
})

const STREAMS = Math.ceil(QUERIES / RAW_SHARE)

test(`${STREAMS} random byte streams get an answer or a closed connection`, {
  timeout: 60_000 + QUERIES * 5,
}, async () => {
  const random = randomOf(SEED + 1)
  const problems: string[] = []
  let left = STREAMS
  const worker = async () => {
    while (left-- > 0) {
      const { method, path } = makeRequest(random)
      const bytes = Buffer.from(`${method} ${path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n`)
      for (let n = random(4); n > 0; n--) bytes[random(bytes.length)] = random(256)
      const text = await raw(running.port, bytes)
      const statuses = [...text.matchAll(/^HTTP\/1\.1 (\d+) /gm)].map(([, status]) => Number(status))
      if (!statuses.every((status) => STATUSES.has(status))) {
        problems.push(`${JSON.stringify(bytes.toString('latin1'))}: ${text}`)
      }
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, worker))
  expect(problems).toEqual([])
  expect((await ask(running.url, '/health')).status).toBe(200)
  expect(running.log.filter(({ level }) => level === 'error')).toEqual([])
})
