/** `GET` and `POST /api/v1/subscriptions`: what is collected, and who may change it, over real HTTP. */

import { afterEach, describe, expect, test } from 'vitest'
import type { SubscriptionChange } from '../../src/api/view.ts'
import { PrismError } from '../../src/model/errors.ts'
import { type Ask, ask, bodyOf, errorProblems, raw } from './helpers/http.ts'
import { type RunningApi, type StartOptions, startApi } from './helpers/start-api.ts'

const PATH = '/api/v1/subscriptions'
const TOKEN = 's3cret-token'
const AUTHORIZED = { authorization: `Bearer ${TOKEN}` }
const JSON_BODY = { ...AUTHORIZED, 'content-type': 'application/json' }
const BTC = { venue: 'binance', symbol: 'BTCUSDT' }

let running: RunningApi
const start = async (options: StartOptions = {}) => {
  running = await startApi({ config: { token: TOKEN, ...options.config }, ...options })
  return running
}
afterEach(() => running.api.stop())

const post = (body: unknown, headers: Ask['headers'] = JSON_BODY) =>
  ask(running.url, PATH, { method: 'POST', headers, body: typeof body === 'string' ? body : JSON.stringify(body) })

describe('what is collected', () => {
  test('is listed by instrument, without what is disabled or delisted', async () => {
    running = await startApi()
    running.collector.feedState = (venue, symbol) =>
      venue === 'okx' ? 'disabled' : symbol === 'ETHUSDT' ? 'delisted' : 'down'
    const { data } = bodyOf(await ask(running.url, PATH))
    expect(data).toMatchObject({ can_change: false, count: 5 })
    expect(data.subscriptions[0]).toEqual({
      exchange: 'binance',
      venue: 'binance',
      symbol: 'BTCUSDT',
      channels: ['trade', 'ticker', 'quote', 'book'],
    })
    expect(bodyOf(await ask(running.url, `${PATH}?venue=binance-usdm`)).data.count).toBe(1)
  })
})

describe('without a token in the configuration', () => {
  test('nothing can be changed, whoever asks', async () => {
    running = await startApi()
    for (const headers of [JSON_BODY, { 'content-type': 'application/json' }]) {
      const answer = await post({ add: [BTC] }, headers)
      expect(errorProblems(answer, 'METHOD_NOT_ALLOWED', 'Only GET and HEAD are allowed.')).toEqual([])
      expect(answer.headers.allow).toBe('GET, HEAD')
    }
    expect(running.collector.changes).toEqual([])
  })
})

describe('who may change', () => {
  test('only who sends the token; the body is not read before', async () => {
    const { collector } = await start()
    for (const authorization of ['', 'Bearer', `Bearer ${TOKEN}x`, `Basic ${TOKEN}`]) {
      const answer = await post('no json', { authorization, 'content-type': 'application/json' })
      expect(errorProblems(answer, 'UNAUTHORIZED'), authorization).toEqual([])
      expect(answer.headers['www-authenticate']).toBe('Bearer')
    }
    expect(collector.changes).toEqual([])
    expect(bodyOf(await ask(running.url, PATH, { headers: AUTHORIZED })).data.can_change).toBe(true)
  })

  test('no page of another origin, not even a listed one: its preflight gets no POST', async () => {
    await start({ config: { token: TOKEN, cors_origins: ['https://desk.example'] } })
    const preflight = { method: 'OPTIONS', headers: { 'access-control-request-method': 'POST' } }
    for (const origin of ['https://desk.example', 'https://evil.example']) {
      const { headers } = await ask(running.url, PATH, { ...preflight, headers: { ...preflight.headers, origin } })
      expect(headers['access-control-allow-methods'] ?? '').not.toContain('POST')
    }
  })

  test('nobody by way of another host name, or a form', async () => {
    const { collector } = await start()
    expect(
      errorProblems(await post({ add: [BTC] }, { ...JSON_BODY, host: 'evil.example' }), 'INVALID_PARAMETERS'),
    ).toEqual([])
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x', '']) {
      const headers = type === '' ? AUTHORIZED : { ...AUTHORIZED, 'content-type': type }
      const answer = await post({ add: [BTC] }, headers)
      expect(answer.status, type).toBe(415)
      expect(bodyOf(answer)).toMatchObject({
        error_code: 'INVALID_PARAMETERS',
        message: 'The body must be JSON, sent as Content-Type: application/json.',
      })
    }
    expect(collector.changes).toEqual([])
  })
})

describe('a change', () => {
  test('is handed on as it was asked for, and answered with what became of it', async () => {
    const { collector } = await start()
    const outcome: SubscriptionChange = {
      added: [{ venue: 'okx', channel: 'trade', symbol: 'SOL-USDT' }],
      removed: [{ ...BTC, channel: 'quote' }],
      unchanged: [{ ...BTC, channel: 'trade' }],
      refused: [
        {
          operation: 'add',
          venue: 'okx',
          symbol: 'NOPE',
          channel: undefined,
          refusal: 'unknown_symbol',
          reason: 'OKX does not list it',
        },
      ],
    }
    collector.change = () => outcome
    const answer = await post({
      add: [
        { venue: 'okx', symbol: 'SOL-USDT', channels: ['trade'] },
        { venue: 'okx', symbol: 'NOPE' },
        { ...BTC, channels: ['trade'] },
      ],
      remove: [{ ...BTC, channels: ['quote'] }],
    })
    expect(answer.status).toBe(200)
    expect(bodyOf(answer)).toMatchObject({
      status: 'success',
      message: 'Subscriptions changed until the process ends; the configuration is as it was',
      data: { ...outcome, refused: [{ refusal: 'unknown_symbol', channel: null }], is_saved: false },
    })
    expect(collector.changes).toEqual([
      {
        add: [
          { venue: 'okx', symbol: 'SOL-USDT', channels: ['trade'] },
          { venue: 'okx', symbol: 'NOPE', channels: undefined },
          { ...BTC, channels: ['trade'] },
        ],
        remove: [{ ...BTC, channels: ['quote'] }],
      },
    ])
  })

  test('may only remove, and may say its character set', async () => {
    const { collector } = await start()
    const headers = { ...AUTHORIZED, 'content-type': 'Application/JSON; charset=utf-8' }
    expect((await post({ remove: [BTC] }, headers)).status).toBe(200)
    expect(collector.changes).toEqual([{ add: [], remove: [{ ...BTC, channels: undefined }] }])
  })

  test('that fails is answered in the envelope, and only the log has why', async () => {
    const { collector, log } = await start()
    collector.broken = 'change'
    expect(errorProblems(await post({ add: [BTC] }), 'INTERNAL_ERROR')).toEqual([])
    expect(log.some(({ message }) => message.startsWith('secret detail of change'))).toBe(true)
    collector.broken = undefined
    collector.change = () => {
      throw new PrismError('SERVICE_UNAVAILABLE', 'The service is stopping.')
    }
    expect(errorProblems(await post({ add: [BTC] }), 'SERVICE_UNAVAILABLE', 'The service is stopping.')).toEqual([])
  })

  test('waits for the collector to be built', async () => {
    const { collector } = await start()
    collector.isInitialized = false
    expect(errorProblems(await post({ add: [BTC] }), 'COLLECTOR_NOT_INITIALIZED')).toEqual([])
  })
})

describe('a bad body', () => {
  const shape =
    'The body must be {"add":[{"venue":…,"symbol":…,"channels":[…]}],"remove":[…]}; a list without entries, and channels, may be left out'
  const symbol = 'symbol must be one symbol of 1 to 64 characters without spaces, as the venue writes it'
  const channels = 'channels must be a list, without repetition, of: trade, ticker, quote, book'
  const venue = 'venue must be one of: binance, binance-usdm, okx, deribit'
  const once = 'A channel of a symbol may be named only once, in one of the lists.'
  const many = Array.from({ length: 501 }, (_, n) => ({ venue: 'okx', symbol: `S${n}` }))
  const cases: readonly (readonly [unknown, string])[] = [
    ['', 'The body is empty.'],
    ['{"add":', 'The body is not JSON.'],
    ['null', shape],
    ['[]', shape],
    ['"add"', shape],
    [{}, 'There is nothing to add or to remove.'],
    [{ add: [], remove: [] }, 'There is nothing to add or to remove.'],
    [{ add: [BTC], dryRun: true }, shape],
    [{ add: BTC }, shape],
    [{ add: ['BTCUSDT'] }, shape],
    [{ add: [{ ...BTC, channel: 'trade' }] }, shape],
    [{ add: [{ symbol: 'BTCUSDT' }] }, venue],
    [{ add: [{ ...BTC, venue: 'BINANCE' }] }, venue],
    [{ add: [{ ...BTC, venue: '__proto__' }] }, venue],
    [{ remove: [{ venue: 'okx' }] }, symbol],
    [{ add: [{ ...BTC, symbol: '' }] }, symbol],
    [{ add: [{ ...BTC, symbol: 'BTC USDT' }] }, symbol],
    [{ add: [{ ...BTC, symbol: 'BTC\u0000' }] }, symbol],
    [{ add: [{ ...BTC, symbol: 'A'.repeat(65) }] }, symbol],
    [{ add: [{ ...BTC, symbol: 1 }] }, symbol],
    [{ add: [{ ...BTC, channels: [] }] }, channels],
    [{ add: [{ ...BTC, channels: 'trade' }] }, channels],
    [{ add: [{ ...BTC, channels: null }] }, channels],
    [{ add: [{ ...BTC, channels: ['trades'] }] }, channels],
    [{ add: [{ ...BTC, channels: ['trade', 'trade'] }] }, channels],
    [{ add: [BTC, BTC] }, once],
    [{ add: [BTC], remove: [{ ...BTC, channels: ['book'] }] }, once],
    [{ add: many }, 'At most 500 entries may be added and removed at a time.'],
  ]

  test('is refused with what was expected, and changes nothing', async () => {
    const { collector } = await start()
    for (const [body, message] of cases) {
      expect(errorProblems(await post(body), 'INVALID_PARAMETERS', message), JSON.stringify(body).slice(0, 99)).toEqual(
        [],
      )
    }
    const prototype = await post('{"add":[{"venue":"okx","symbol":"A","__proto__":{"channels":[]}}]}')
    expect(errorProblems(prototype, 'INVALID_PARAMETERS')).toEqual([])
    expect(collector.changes).toEqual([])
    expect((await post({ add: many.slice(1) })).status).toBe(200)
  })

  test('of one channel in each list is good', async () => {
    await start()
    const body = { add: [{ ...BTC, channels: ['trade'] }], remove: [{ ...BTC, channels: ['book', 'quote'] }] }
    expect((await post(body)).status).toBe(200)
  })

  test('that is too long is answered 413, announced or not', async () => {
    const { port } = await start()
    const long = await post(`{"add":[]${' '.repeat(65_536)}}`)
    expect(long.status).toBe(413)
    expect(bodyOf(long)).toMatchObject({ error_code: 'INVALID_PARAMETERS', message: 'The body is too long.' })
    const head = `POST ${PATH} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer ${TOKEN}\r\ncontent-type: application/json\r\n`
    const chunk = `${(40_000).toString(16)}\r\n${' '.repeat(40_000)}\r\n`
    const text = await raw(port, `${head}transfer-encoding: chunked\r\n\r\n${chunk}${chunk}`)
    expect(text.split(' ')[1]).toBe('413')
    expect(await raw(port, `${head}content-length: 100000\r\n\r\n{`)).toMatch(/^HTTP\/1\.1 413 /)
  })

  test('that does not come is given up', async () => {
    const { port } = await start({
      limits: { headersTimeoutMs: 200, requestTimeoutMs: 300, connectionsCheckMs: 50, lingerMs: 50 },
    })
    const head = `POST ${PATH} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer ${TOKEN}\r\ncontent-type: application/json\r\n`
    expect(await raw(port, `${head}content-length: 20\r\n\r\n{`)).toMatch(/^HTTP\/1\.1 408 /)
  })
})

test('other methods are refused with those that are there', async () => {
  await start()
  for (const method of ['PUT', 'DELETE', 'PATCH', 'OPTIONS']) {
    const answer = await ask(running.url, `${PATH}?x=1`, { method, headers: AUTHORIZED })
    expect(errorProblems(answer, 'METHOD_NOT_ALLOWED', 'Only GET, HEAD and POST are allowed.'), method).toEqual([])
    expect(answer.headers.allow).toBe('GET, HEAD, POST')
  }
  for (const path of ['/api/v1/status', '/health', `${PATH}/x`, '/nope']) {
    const answer = await ask(running.url, path, { method: 'POST', headers: JSON_BODY, body: '{}' })
    expect(errorProblems(answer, 'METHOD_NOT_ALLOWED', 'Only GET and HEAD are allowed.'), path).toEqual([])
    expect(answer.headers.allow).toBe('GET, HEAD')
  }
})
