import { describe, expect, test } from 'vitest'
import type { Level } from '../../src/model/event.ts'
import { deribitSim } from '../../src/sim/deribit.ts'
import { encode, float, floatText } from '../../src/sim/deribit-json.ts'
import { tickDirection } from '../../src/sim/deribit-rows.ts'
import { startSimulator } from '../../src/sim/server.ts'
import { type FakeClient, type Message, type Stage, stage } from './fake-peer.ts'
import { connect, get, clock as realClock, until } from './helpers.ts'

const PATH = '/ws/api/v2'
const BTC = 'BTC-PERPETUAL'
const BOOK = `book.${BTC}.100ms`

type Row = [kind: string, price: number, amount: number]
interface BookData {
  type: string
  change_id: number
  prev_change_id?: number
  bids: Row[]
  asks: Row[]
}

const call = (client: FakeClient, method: string, params?: unknown, id: unknown = 1): Message => {
  client.take()
  client.say({ jsonrpc: '2.0', id, method, params })
  return client.take()[0] ?? {}
}
const subscribe = (client: FakeClient, ...channels: string[]) =>
  client.say({ jsonrpc: '2.0', id: 1, method: 'public/subscribe', params: { channels } })
const errorOf = (message: Message) => message.error as { code: number; message: string; data: unknown }
const notifications = <Data>(messages: Message[], channel: string) =>
  messages
    .filter((message) => message.method === 'subscription')
    .map((message) => message.params as { channel: string; data: Data })
    .filter((params) => params.channel === channel)
    .map(({ data }) => data)

/** What a client keeps of a book channel, by the venue's published steps. Strict: it refuses rows that make no sense. */
class ClientBook {
  bids = new Map<number, number>()
  asks = new Map<number, number>()
  last = Number.NaN

  apply(data: BookData): void {
    if (data.type === 'snapshot') {
      this.bids.clear()
      this.asks.clear()
      expect(data).not.toHaveProperty('prev_change_id')
    } else expect(data.prev_change_id).toBe(this.last)
    this.last = data.change_id
    for (const side of ['bids', 'asks'] as const) {
      for (const [kind, price, amount] of data[side]) {
        expect(this[side].has(price)).toBe(kind !== 'new')
        if (kind === 'delete') {
          expect(amount).toBe(0)
          this[side].delete(price)
        } else this[side].set(price, amount)
      }
    }
  }

  sorted(side: 'bids' | 'asks'): [number, number][] {
    return [...this[side]].sort(([a], [b]) => (side === 'bids' ? b - a : a - b))
  }
}

const numbers = (levels: readonly Level[]) => levels.map(([price, amount]) => [Number(price), Number(amount)])
const expectTruth = (book: ClientBook, { market }: Stage) => {
  expect(book.sorted('bids')).toEqual(numbers(market.book(BTC).bids))
  expect(book.sorted('asks')).toEqual(numbers(market.book(BTC).asks))
}

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

describe('deribit books', () => {
  test.each([
    ['100ms', 100],
    ['agg2', 2000],
  ])('snapshot and changes of %s make the true book', (interval, ms) => {
    const venue = stage(deribitSim)
    const client = venue.connect(PATH)
    const channel = `book.${BTC}.${interval}`
    subscribe(client, channel)
    const book = new ClientBook()
    for (let i = 0; i < 200; i++) venue.step(BTC, i % 3 === 0 ? ms : ms / 3)
    venue.clock.advance(ms)
    const messages = notifications<BookData>(client.take(), channel)
    for (const data of messages) book.apply(data)
    expect(messages.length).toBeGreaterThan(100)
    expectTruth(book, venue)
    const kinds = new Set(messages.slice(1).flatMap(({ bids, asks }) => [...bids, ...asks].map(([kind]) => kind)))
    expect([...kinds].sort()).toEqual(['change', 'delete', 'new'])
    expect(messages.slice(1).every((data) => data.change_id - (data.prev_change_id ?? 0) > 1)).toBe(true)
  })

  test('frames have the documented form, with floats', () => {
    const venue = stage(deribitSim)
    const client = venue.connect(PATH)
    subscribe(client, BOOK)
    venue.step(BTC)
    const [snapshot, change] = client.frames.slice(1)
    const head =
      '{"jsonrpc":"2.0","method":"subscription","params":{"channel":"book.BTC-PERPETUAL.100ms","data":{"type":'
    expect(
      snapshot?.startsWith(
        `${head}"snapshot","timestamp":1790000000000,"instrument_name":"BTC-PERPETUAL","change_id":`,
      ),
    ).toBe(true)
    expect(snapshot).toMatch(/"bids":\[\["new",\d+\.[05],\d+0\.0\],/)
    expect(change).toMatch(
      /"type":"change","timestamp":1790000000100,"prev_change_id":\d+,"instrument_name":"BTC-PERPETUAL","change_id":\d+,"bids":\[/,
    )
    expect(client.topics).toEqual([
      { channel: 'book', symbol: BTC },
      { channel: 'book', symbol: BTC },
    ])
  })

  test('a late client continues from its snapshot, and all see the same changes', () => {
    const venue = stage(deribitSim)
    const early = venue.connect(PATH)
    subscribe(early, BOOK)
    venue.step(BTC)
    venue.market.step(BTC)
    const late = venue.connect(PATH)
    subscribe(late, BOOK)
    early.take()
    for (let i = 0; i < 5; i++) venue.step(BTC)
    const seen = notifications<BookData>(late.take(), BOOK)
    const book = new ClientBook()
    for (const data of seen) book.apply(data)
    expectTruth(book, venue)
    expect(seen.slice(1)).toEqual(notifications(early.take(), BOOK))
  })

  test('grouped books show their depth in full, on change only', () => {
    const venue = stage(deribitSim)
    const client = venue.connect(PATH)
    const channels = [1, 10, 20].map((depth) => `book.${BTC}.none.${depth}.100ms`)
    subscribe(client, ...channels)
    for (let i = 0; i < 30; i++) venue.step(BTC)
    const messages = client.take()
    const counts = channels.map((channel) => notifications(messages, channel).length)
    expect(counts[0]).toBeLessThan(counts[2] ?? 0)
    for (const [i, depth] of [1, 10, 20].entries()) {
      const last = notifications<{ bids: number[][]; asks: number[][] }>(messages, channels[i] ?? '').at(-1)
      expect(last?.bids).toEqual(numbers(venue.market.book(BTC).bids.slice(0, depth)))
      expect(last?.asks).toEqual(numbers(venue.market.book(BTC).asks.slice(0, depth)))
    }
  })
})

describe('deribit trades, tickers and quotes', () => {
  test('trades come in arrays, every fill once, the same as from REST', () => {
    const venue = stage(deribitSim)
    const client = venue.connect(PATH)
    const channel = `trades.${BTC}.100ms`
    subscribe(client, channel)
    const fills = Array.from({ length: 40 }, () => [venue.market.step(BTC), venue.step(BTC)])
      .flat()
      .flatMap(({ trades }) => trades)
    const batches = notifications<Message[]>(client.take(), channel)
    expect(batches.length).toBeLessThanOrEqual(40)
    expect(batches.flat()).toMatchObject(
      fills.map(({ id, price, quantity, side, timeMs }) => ({
        trade_seq: id,
        price: Number(price),
        amount: Number(quantity),
        contracts: Number(quantity) / 10,
        direction: side,
        timestamp: timeMs,
      })),
    )
    expect(batches.flat().every(({ trade_id, trade_seq }) => trade_id !== String(trade_seq))).toBe(true)
    const query = `start_seq=${fills[0]?.id}&count=1000&sorting=asc`
    const answer = venue.get(`/api/v2/public/get_last_trades_by_instrument?instrument_name=${BTC}&${query}`)
    expect(answer.body.result).toEqual({ trades: batches.flat(), has_more: false })
  })

  test('tick direction: 0 up, 1 and 3 unchanged, 2 down', () => {
    const prices = ['5', '6', '6', '5', '5', '6']
    let before: Parameters<typeof tickDirection>[1]
    const directions = prices.map((price) => {
      before = { price, direction: tickDirection(price, before) }
      return before.direction
    })
    expect(directions).toEqual([1, 0, 1, 2, 3, 0])
  })

  test('tickers and quotes show the true best levels; options have greeks', () => {
    const venue = stage(deribitSim)
    const client = venue.connect(PATH)
    const option = 'BTC-25JUN27-100000-C'
    subscribe(client, `ticker.${BTC}.100ms`, `quote.${BTC}`, `ticker.${option}.100ms`)
    for (let i = 0; i < 10; i++) venue.step(BTC, 0)
    const quotes = notifications<Message>(client.take(), `quote.${BTC}`)
    venue.clock.advance(100)
    const tickers = notifications<Message>(client.take(), `ticker.${BTC}.100ms`)
    const { bids, asks } = venue.market.book(BTC)
    const best = { best_bid_price: Number(bids[0]?.[0]), best_ask_price: Number(asks[0]?.[0]) }
    expect(quotes.length).toBeGreaterThan(3)
    expect(quotes.at(-1)).toMatchObject(best)
    expect(tickers).toHaveLength(1)
    expect(tickers[0]).toMatchObject({ ...best, state: 'open', last_price: Number(venue.market.stats(BTC).last) })
    expect(tickers[0]).not.toHaveProperty('greeks')
    expect(client.frames.find((frame) => frame.includes(`"channel":"ticker.${option}`))).toContain('"gamma":2.11e-05,')
  })
})

describe('deribit REST', () => {
  const target = (method: string, query = '') => `/api/v2/public/${method}?${query}`

  test('has no id, and errors with HTTP 400', () => {
    const venue = stage(deribitSim)
    expect(venue.get(target('get_time')).text).toBe(
      '{"jsonrpc":"2.0","result":1790000000000,"usIn":1790000000000000,"usOut":1790000000000000,"usDiff":0,"testnet":false}',
    )
    expect(venue.get(target('dance'))).toMatchObject({ status: 400, body: { error: { code: -32601 } } })
    expect(venue.get(target('subscribe'))).toMatchObject({ status: 400, body: { error: { code: -32601 } } })
    expect(venue.get(target('ticker', 'instrument_name=NOPE'))).toMatchObject({
      status: 400,
      body: { error: { code: 13020 } },
    })
    expect(
      venue.exchange.rest({ method: 'GET', path: '/x', query: new URLSearchParams(), headers: {}, client: '' }),
    ).toEqual({
      status: 404,
      body: '',
    })
  })

  test('lists instruments by currency and kind', () => {
    const venue = stage(deribitSim)
    const rows = (query: string) => venue.get(target('get_instruments', query)).body.result as Message[]
    const names = (query: string) => rows(query).map((row) => row.instrument_name)
    expect(names('currency=any')).toHaveLength(6)
    expect(names('currency=BTC&kind=future')).toEqual([BTC, 'BTC-25JUN27'])
    expect(names('currency=BTC&kind=option')).toEqual(['BTC-25JUN27-100000-C'])
    expect(names('currency=USDC&kind=spot')).toEqual(['BTC_USDC'])
    expect(names('currency=ETH')).toEqual(['ETH-PERPETUAL'])
    expect(names('currency=any&expired=true')).toEqual([])
    expect(venue.get(target('get_instruments', 'currency=DOGE')).status).toBe(400)
    const text = venue.get(target('get_instruments', 'currency=BTC')).text
    expect(text).toContain('"instrument_type":"reversed","expiration_timestamp":32503708800000,')
    expect(text).toContain('"tick_size":0.5,"contract_size":10.0,')
    expect(text).toContain('"option_type":"call","strike":100000.0,')
  })

  test('the order book of the moment has the truth, and a lagging one what the stream had', () => {
    const now = stage(deribitSim)
    now.step(BTC)
    const ask = (venue: Stage, depth: number) =>
      venue.get(target('get_order_book', `instrument_name=${BTC}&depth=${depth}`)).body.result as unknown as BookData
    const answer = ask(now, 10_000)
    expect(answer.bids).toEqual(numbers(now.market.book(BTC).bids))
    expect(ask(now, 5).bids).toHaveLength(5)

    const lagging = stage(deribitSim, { snapshotLagMsMax: 400 })
    const client = lagging.connect(PATH)
    subscribe(client, BOOK)
    const book = new ClientBook()
    for (let i = 0; i < 10; i++) lagging.step(BTC)
    // The fake draws 0.5: 200 ms, two changes ago.
    for (const data of notifications<BookData>(client.take(), BOOK).slice(0, -2)) book.apply(data)
    const past = ask(lagging, 10_000)
    expect(past.change_id).toBe(book.last)
    expect(past.bids).toEqual(book.sorted('bids'))
  })

  test('pages trades by sequence, count and order', () => {
    const venue = stage(deribitSim)
    for (let i = 0; i < 50; i++) venue.step(BTC)
    const truth = venue.market.trades(BTC).map(({ id }) => id)
    const page = (query: string) => {
      const answer = venue.get(target('get_last_trades_by_instrument', `instrument_name=${BTC}&${query}`))
      const { trades, has_more } = answer.body.result as { trades: { trade_seq: number }[]; has_more: boolean }
      return [trades.map(({ trade_seq }) => trade_seq), has_more]
    }
    expect(page('')).toEqual([truth.slice(-10).toReversed(), true])
    const [start = 0, end = 0] = [truth[5], truth[24]]
    expect(page(`start_seq=${start}&end_seq=${end}&count=100&sorting=asc`)).toEqual([truth.slice(5, 25), false])
    expect(page(`start_seq=${start}&end_seq=${end}&count=7&sorting=asc`)).toEqual([truth.slice(5, 12), true])
    expect(page(`start_seq=${start}&end_seq=${end}&count=7`)).toEqual([truth.slice(18, 25).toReversed(), true])
    expect(venue.get(target('get_last_trades_by_instrument', `instrument_name=${BTC}&count=1001`)).status).toBe(400)
  })
})

test('deribit maintenance: notified, locked for a while, then on with the truth', () => {
  const venue = stage(deribitSim, { timeScale: 10 })
  const client = venue.connect(PATH)
  subscribe(client, BOOK, 'platform_state')
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
  venue.step(BTC)
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

test('deribit over real sockets: snapshot, changes and REST', async () => {
  const simulator = await startSimulator({ clock: realClock, venues: [deribitSim], rate: 2 })
  try {
    const { rest_url = '', websocket_url = '' } = simulator.options('deribit')
    const client = await connect(websocket_url)
    client.send({ jsonrpc: '2.0', id: 1, method: 'public/subscribe', params: { channels: [BOOK] } })
    const books = () => notifications<BookData>(client.json(), BOOK)
    await until('ten changes', () => books().length > 10)
    const book = new ClientBook()
    for (const data of books()) book.apply(data)
    const answer = await get(`${rest_url}/api/v2/public/get_order_book?instrument_name=${BTC}&depth=1`)
    expect(answer.body).toMatchObject({ result: { change_id: expect.any(Number), state: 'open' }, testnet: false })
    expect((await get(`${rest_url}/api/v2/public/dance`)).status).toBe(400)
    await expect(connect(`${websocket_url}/other`)).rejects.toThrow('404')
    expect(simulator.violations()).toEqual([])
    client.socket.close()
  } finally {
    await simulator.stop()
  }
})
