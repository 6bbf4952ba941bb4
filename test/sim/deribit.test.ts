import { describe, expect, test } from 'vitest'
import { deribitSim } from '../../src/sim/deribit.ts'
import { encode, float, floatText } from '../../src/sim/deribit-json.ts'
import {
  BOOK,
  type BookData,
  BTC,
  ClientBook,
  call,
  errorOf,
  expectTruth,
  notifications,
  PATH,
  subscribe,
} from './deribit-client.ts'
import { type Message, stage } from './fake-peer.ts'

describe('deribit JSON', () => {
  test.each([
    [42500, '42500.0'],
    [0, '0.0'],
    [0.1, '0.1'],
    [-2.5, '-2.5'],
    [0.0001, '0.0001'],
    [0.0000211, '2.11e-05'],
    [1.742e-5, '1.742e-05'],
    [1e-10, '1e-10'],
    [1_132_329_370, '1132329370.0'],
    [1e16, '1e+16'],
  ])('writes the float %d as %s', (value, text) => {
    expect(floatText(value)).toBe(text)
    expect(Number(text)).toBe(value)
  })

  test('keeps whole numbers whole, and leaves out what is undefined', () => {
    expect(encode({ a: 1, b: float('30'), c: undefined, d: [null, true, 'x"y'] })).toBe(
      '{"a":1,"b":30.0,"d":[null,true,"x\\"y"]}',
    )
  })
})

describe('deribit JSON-RPC', () => {
  test('answers with the id, the result, and the times in microseconds', () => {
    const client = stage(deribitSim).connect(PATH)
    client.say('{"jsonrpc":"2.0","id":42,"method":"public/get_time"}')
    expect(client.frames).toEqual([
      '{"jsonrpc":"2.0","id":42,"result":1790000000000,"usIn":1790000000000000,"usOut":1790000000000000,"usDiff":0,"testnet":false}',
    ])
    expect(call(client, 'public/test', {}, 'me')).toMatchObject({ id: 'me', result: { version: '1.2.26' } })
    const params = { client_name: 'prism', client_version: '1' }
    expect(call(client, 'public/hello', params).result).toEqual({ version: '1.2.26' })
    expect(call(client, 'public/status').result).toEqual({ locked: false, locked_currencies: [] })
  })

  test.each([
    ['{"jsonrpc":"2.0","method":"public/test"}', -32600, null],
    ['{"jsonrpc":"2.0","id":null,"method":"public/test"}', -32600, null],
    ['{"jsonrpc":"2.0","id":3}', -32600, null],
    ['[{"jsonrpc":"2.0","id":3,"method":"public/test"}]', -32600, null],
    ['{"jsonrpc"', -32700, null],
    ['{"jsonrpc":"2.0","id":3,"method":"public/dance"}', -32601, 3],
    ['{"jsonrpc":"2.0","id":3,"method":"constructor"}', -32601, 3],
    ['{"jsonrpc":"2.0","id":3,"method":"private/buy"}', 13009, 3],
    ['{"jsonrpc":"2.0","id":3,"method":"public/ticker","params":["BTC-PERPETUAL"]}', -32602, 3],
  ])('refuses %s with %i', (frame, code, id) => {
    const client = stage(deribitSim).connect(PATH)
    client.say(frame)
    const [message] = client.take()
    expect(message).toMatchObject({ jsonrpc: '2.0', id, error: { code }, testnet: false })
    expect(message).not.toHaveProperty('result')
    expect(client.closed).toBeUndefined()
  })

  test('names the parameter that is missing or wrong', () => {
    const client = stage(deribitSim).connect(PATH)
    const data = (method: string, params: unknown) => errorOf(call(client, method, params))
    expect(data('public/ticker', {})).toEqual({
      code: -32602,
      message: 'Invalid params',
      data: { reason: 'value required', param: 'instrument_name' },
    })
    expect(data('public/ticker', { instrument_name: 'no such' }).data).toEqual({
      reason: 'wrong format',
      param: 'instrument_name',
    })
    expect(data('public/ticker', { instrument_name: 'NOPE-PERPETUAL' })).toEqual({
      code: 13020,
      message: 'not_found',
      data: null,
    })
    expect(data('public/get_order_book', { instrument_name: BTC, depth: 7 })).toMatchObject({
      data: { param: 'depth' },
    })
    expect(data('public/subscribe', {})).toMatchObject({ code: -32602, data: { param: 'channels' } })
    expect(data('public/set_heartbeat', { interval: 9 })).toMatchObject({ code: -32602, data: { param: 'interval' } })
  })

  test('refuses frames above 32 kB', () => {
    const venue = stage(deribitSim)
    const client = venue.connect(PATH)
    const answer = call(client, 'public/subscribe', { channels: ['x'.repeat(33_000)] })
    expect(errorOf(answer)).toMatchObject({ code: -32600, message: 'request entity too large' })
    expect(venue.violations).toEqual(['frame-size'])
  })
})

describe('deribit limits', () => {
  test('ends the session of a client without credits, after saying so; credits refill', () => {
    const venue = stage(deribitSim)
    const client = venue.connect(PATH)
    for (let i = 0; i < 100; i++) expect(call(client, 'public/get_time')).toHaveProperty('result')
    expect(errorOf(call(client, 'public/get_time'))).toEqual({ code: 10028, message: 'too_many_requests', data: null })
    expect(client.closed?.reason).toBe('too_many_requests')
    expect(venue.violations).toEqual(['credits'])
    client.session.closed()
    venue.clock.advance(100)
    const again = venue.connect(PATH)
    for (let i = 0; i < 2; i++) expect(call(again, 'public/get_time')).toHaveProperty('result')
    expect(errorOf(call(again, 'public/get_time')).code).toBe(10028)
  })

  test('subscribe and get_instruments have pools of their own', () => {
    const venue = stage(deribitSim)
    const client = venue.connect(PATH)
    for (let i = 0; i < 50; i++) call(client, 'public/get_instruments', { currency: 'any' })
    expect(client.closed).toBeUndefined()
    for (let i = 0; i < 10; i++) call(client, 'public/subscribe', { channels: [BOOK] })
    expect(client.closed).toBeUndefined()
    expect(errorOf(call(client, 'public/subscribe', { channels: [BOOK] })).code).toBe(10028)
    const other = venue.connect(PATH)
    expect(errorOf(call(other, 'public/get_instruments', { currency: 'any' })).code).toBe(10028)
    expect(call(venue.connect(PATH), 'public/test')).toHaveProperty('result')
  })

  test('closes the 33rd connection of one client', () => {
    const venue = stage(deribitSim)
    const clients = Array.from({ length: 33 }, () => venue.connect(PATH))
    expect(clients.map(({ closed }) => closed !== undefined)).toEqual([...Array(32).fill(false), true])
    expect(venue.connect(PATH, 'somebody else').closed).toBeUndefined()
    clients[0]?.session.closed()
    clients[32]?.session.closed()
    expect(venue.connect(PATH).closed).toBeUndefined()
    expect(venue.violations).toEqual(['connections'])
  })

  test('gives up on a client that does not read', () => {
    const venue = stage(deribitSim)
    const client = venue.connect(PATH)
    subscribe(client, BOOK)
    client.bufferedBytes = 9 * 2 ** 20
    venue.step(BTC)
    expect(client.closed?.reason).toBe('connection_too_slow')
  })
})

describe('deribit heartbeat', () => {
  const types = (messages: Message[]) =>
    messages.filter(({ method }) => method === 'heartbeat').map(({ params }) => (params as { type: string }).type)

  test('alternates heartbeats and test requests, and closes if a test is not answered', () => {
    const venue = stage(deribitSim)
    const client = venue.connect(PATH)
    expect(call(client, 'public/set_heartbeat', { interval: 30 }).result).toBe('ok')
    venue.clock.advance(60_000)
    expect(types(client.take())).toEqual(['heartbeat', 'test_request'])
    expect(call(client, 'public/test')).toHaveProperty('result')
    venue.clock.advance(60_000)
    expect(types(client.take())).toEqual(['heartbeat', 'test_request'])
    expect(client.closed).toBeUndefined()
    venue.clock.advance(30_000)
    expect(client.closed?.reason).toBe('test_request not answered')
    expect(venue.violations).toEqual(['heartbeat'])
  })

  test('divides the interval by the time scale, and stops when told', () => {
    const venue = stage(deribitSim, { timeScale: 10 })
    const client = venue.connect(PATH)
    call(client, 'public/set_heartbeat', { interval: 10 })
    venue.clock.advance(2000)
    expect(types(client.take())).toEqual(['heartbeat', 'test_request'])
    expect(call(client, 'public/disable_heartbeat').result).toBe('ok')
    venue.clock.advance(60_000)
    expect(types(client.take())).toEqual([])
    expect(client.closed).toBeUndefined()
  })
})

describe('deribit subscriptions', () => {
  test('lists only what was really subscribed', () => {
    const client = stage(deribitSim).connect(PATH)
    const good = [BOOK, `book.${BTC}.agg2`, `book.${BTC}.none.10.100ms`, `trades.${BTC}.100ms`, `ticker.${BTC}.100ms`]
    const more = [`quote.${BTC}`, 'platform_state', 'platform_state.public_methods_state', 'instrument.state.any.any']
    const bad = [
      'book.NOPE.100ms',
      `book.${BTC}.10ms`,
      `book.${BTC}.constructor`,
      `book.${BTC}.none.7.100ms`,
      `dance.${BTC}.100ms`,
      'quote',
      '',
    ]
    const answer = call(client, 'public/subscribe', { channels: [...bad, ...good, ...more] })
    expect(answer.result).toEqual([...good, ...more])
  })

  test.each(['book', 'trades', 'ticker'])('refuses raw %s, and with it the whole request', (channel) => {
    const venue = stage(deribitSim)
    const client = venue.connect(PATH)
    const answer = call(client, 'public/subscribe', { channels: [BOOK, `${channel}.${BTC}.raw`] })
    expect(errorOf(answer)).toEqual({
      code: 13778,
      message: 'raw_subscriptions_not_available_for_unauthorized',
      data: null,
    })
    venue.step(BTC)
    expect(client.take()).toEqual([])
  })

  test('unsubscribe lists what it removed; subscribing again brings a fresh snapshot', () => {
    const venue = stage(deribitSim)
    const client = venue.connect(PATH)
    subscribe(client, BOOK, `ticker.${BTC}.100ms`)
    expect(call(client, 'public/unsubscribe', { channels: [BOOK, 'quote.NOPE'] }).result).toEqual([BOOK])
    venue.step(BTC)
    expect(notifications(client.take(), BOOK)).toEqual([])
    subscribe(client, BOOK)
    const [snapshot] = notifications<BookData>(client.take(), BOOK)
    expect(snapshot?.type).toBe('snapshot')
    const book = new ClientBook()
    book.apply(snapshot as BookData)
    expectTruth(book, venue)
    expect(call(client, 'public/unsubscribe_all').result).toBe('ok')
    venue.step(BTC)
    expect(client.take()).toEqual([])
  })
})

test('deribit maintenance: notified, locked for a while, then on with the truth', () => {
  const venue = stage(deribitSim, { timeScale: 10 })
  const client = venue.connect(PATH)
  subscribe(client, BOOK, `quote.${BTC}`, 'platform_state')
  expect(venue.exchange.order('dance', new URLSearchParams())).toBeUndefined()
  venue.exchange.order('maintenance', new URLSearchParams('seconds=30'))
  venue.step(BTC)
  const during = client.take()
  const states = notifications<Message>(during, 'platform_state')
  expect(states).toContainEqual({ price_index: 'btc_usd', locked: true })
  expect(states.at(-1)).toEqual({ maintenance: true })
  expect(call(client, 'public/status').result).toEqual({ locked: true, locked_currencies: ['BTC', 'ETH'] })
  expect(errorOf(call(client, 'public/ticker', { instrument_name: BTC })).code).toBe(11051)
  expect(errorOf(call(client, 'public/subscribe', { channels: [BOOK] })).code).toBe(11051)
  for (let i = 0; i < 10; i++) venue.step(BTC)
  expect(client.take()).toEqual([])
  venue.clock.advance(3000)
  const after = client.take()
  expect(notifications<Message>(after, 'platform_state').at(-1)).toEqual({ maintenance: false })
  const book = new ClientBook()
  for (const data of notifications<BookData>([...during, ...after], BOOK)) {
    if (book.last || data.type === 'snapshot') book.apply(data)
  }
  expectTruth(book, venue)
  expect(call(client, 'public/status').result).toEqual({ locked: false, locked_currencies: [] })
  venue.exchange.order('maintenance', new URLSearchParams('close=true'))
  expect(client.closed?.reason).toBe('system_maintenance')
})
