import { describe, expect, test } from 'vitest'
import type { Level } from '../../src/model/event.ts'
import { okxSim } from '../../src/sim/okx.ts'
import { aggregateTrades, bookChecksum } from '../../src/sim/okx-rows.ts'
import { startSimulator } from '../../src/sim/server.ts'
import { type FakeClient, type Message, type Stage, stage } from './fake-peer.ts'
import { connect, get, clock as realClock, until } from './helpers.ts'

const PUBLIC = '/ws/v5/public'
const BUSINESS = '/ws/v5/business'
const BTC = 'BTC-USDT'

type Row = [price: string, quantity: string, deprecated: string, orders: string]
interface BookData {
  asks: Row[]
  bids: Row[]
  ts: string
  checksum?: number
  prevSeqId: number
  seqId: number
}

const subscription = (channel: string, instId: string, id = 'a1', op = 'subscribe') => ({
  id,
  op,
  args: [{ channel, instId }],
})
const channelOf = (message: Message) => (message.arg as { channel?: string } | undefined)?.channel
const dataOf = <Data>(message: Message | undefined) => (message as { data: Data[] }).data[0] as Data
const pushes = (messages: Message[], channel: string) =>
  messages.filter((message) => channelOf(message) === channel && message.data !== undefined)

/** What a client keeps of channel `books`, by the venue's published steps. */
class ClientBook {
  bids = new Map<string, string>()
  asks = new Map<string, string>()
  last = Number.NaN

  apply(message: Message): void {
    const data = dataOf<BookData>(message)
    if (message.action === 'snapshot') {
      this.bids.clear()
      this.asks.clear()
      expect(data.prevSeqId).toBe(-1)
    } else expect(data.prevSeqId).toBe(this.last)
    this.last = data.seqId
    for (const side of ['bids', 'asks'] as const) {
      for (const [price, quantity] of data[side]) {
        if (quantity === '0') this[side].delete(price)
        else this[side].set(price, quantity)
      }
      const trimmed = this.sorted(side).slice(0, 400)
      this[side] = new Map(trimmed)
    }
  }

  sorted(side: 'bids' | 'asks'): [string, string][] {
    const sign = side === 'bids' ? -1 : 1
    return [...this[side]].sort(([a], [b]) => sign * (Number(a) - Number(b)))
  }
}

const plainLevels = (levels: readonly Level[]) =>
  levels.slice(0, 400).map(([price, quantity]) => [String(Number(price)), Number(quantity)])
const expectTruth = (book: ClientBook, { market }: Stage, symbol: string) => {
  const truth = market.book(symbol)
  for (const side of ['bids', 'asks'] as const) {
    expect(book.sorted(side).map(([price, quantity]) => [price, Number(quantity)])).toEqual(plainLevels(truth[side]))
  }
}

function subscribed(venue: Stage, channel: string, symbol = BTC, path = PUBLIC): FakeClient {
  const client = venue.connect(path)
  client.say(subscription(channel, symbol))
  return client
}

describe('okx session', () => {
  test('answers text ping with text pong', () => {
    const client = stage(okxSim).connect(PUBLIC)
    client.say('ping')
    expect(client.frames).toEqual(['pong'])
  })

  test('acks each arg on its own, with the id and the connection', () => {
    const client = stage(okxSim).connect(PUBLIC)
    const args = [
      { channel: 'trades', instId: BTC },
      { channel: 'trades', instId: 'ETH-USDT' },
    ]
    client.say({ id: '1512', op: 'subscribe', args })
    const connId = '80000000'
    expect(client.take()).toEqual(args.map((arg) => ({ id: '1512', event: 'subscribe', arg, connId })))
    client.say({ op: 'unsubscribe', args: [args[0]] })
    expect(client.take()).toEqual([{ event: 'unsubscribe', arg: args[0], connId }])
  })

  test('refuses an unknown instrument with the id and no arg', () => {
    const client = stage(okxSim).connect(PUBLIC)
    client.say(subscription('books', 'NOPE-USDT', 'ob1'))
    expect(client.frames).toEqual([
      '{"event":"error","msg":"Subscribe failed, wrong URL or channel:books,instId:NOPE-USDT doesn\'t exist.","code":"60018","connId":"80000000","id":"ob1"}',
    ])
  })

  test.each([
    ['not JSON', '60012', false],
    [{ op: 'subscribe', argss: [] }, '60012', false],
    [{ op: 'subscribe', args: [{ channel: 'trades', instId: BTC }], id: 'x'.repeat(33) }, '60012', false],
    [{ op: 'dance', args: [] }, '60019', false],
    [{ id: 'i', op: 'subscribe', args: [{ instId: BTC }] }, '60013', true],
    [{ id: 'i', op: 'subscribe', args: 'trades' }, '60013', true],
    [{ id: 'i', op: 'subscribe', args: [] }, '60013', true],
  ])('refuses %j with %s', (request, code, hasId) => {
    const venue = stage(okxSim)
    const client = venue.connect(PUBLIC)
    client.say(request)
    const [error] = client.take()
    expect(error).toMatchObject({ event: 'error', code, connId: '80000000' })
    expect(error?.id).toBe(hasId ? 'i' : undefined)
    expect(venue.violations).toHaveLength(1)
  })

  test.each([
    [PUBLIC, 'books-l2-tbt', '64003'],
    [PUBLIC, 'books50-l2-tbt', '64003'],
    [PUBLIC, 'candle1m', '64001'],
    [PUBLIC, 'mark-price-candle1m', '64001'],
    [PUBLIC, 'trades-all', '60018'],
    [PUBLIC, 'nonsense', '60018'],
    [BUSINESS, 'tickers', '64002'],
    [BUSINESS, 'books', '64002'],
    [BUSINESS, 'nonsense', '60018'],
  ])('on %s refuses %s with %s', (path, channel, code) => {
    const client = stage(okxSim).connect(path)
    client.say(subscription(channel, BTC))
    expect(client.take()).toMatchObject([{ event: 'error', code, id: 'a1' }])
  })

  test('closes with 4004 after 30 s without data in either direction', () => {
    const venue = stage(okxSim)
    const client = venue.connect(PUBLIC)
    venue.clock.advance(29_000)
    client.say('ping')
    venue.clock.advance(29_999)
    expect(client.closed).toBeUndefined()
    venue.clock.advance(1)
    expect(client.closed).toEqual({ code: 4004, reason: 'No data received in 30s.' })
  })

  test('pushed data keeps a silent client, and the wire’s own pings do not', () => {
    const venue = stage(okxSim)
    const listener = subscribed(venue, 'trades')
    const pinger = venue.connect(PUBLIC)
    for (let i = 0; i < 100; i++) {
      pinger.session.ping()
      venue.step(BTC, 1000)
    }
    expect(listener.closed).toBeUndefined()
    expect(pinger.closed?.code).toBe(4004)
  })

  test('refuses the 481st request of an hour with 60014', () => {
    const venue = stage(okxSim)
    const client = venue.connect(PUBLIC)
    for (let i = 0; i < 240; i++) {
      client.say(subscription('trades', BTC))
      client.say(subscription('trades', BTC, 'a2', 'unsubscribe'))
    }
    expect(venue.violations).toEqual([])
    client.take()
    client.say(subscription('trades', BTC, 'late'))
    expect(client.take()).toMatchObject([{ event: 'error', code: '60014', id: 'late' }])
    expect(venue.violations).toEqual(['requests-per-hour'])
  })

  test('closes the fourth connection of a second, and frames above 64 KB', () => {
    const venue = stage(okxSim)
    const clients = [1, 2, 3, 4].map(() => venue.connect(PUBLIC))
    expect(clients.map(({ closed }) => closed?.code)).toEqual([undefined, undefined, undefined, 1008])
    venue.clock.advance(1000)
    const client = venue.connect(PUBLIC)
    expect(client.closed).toBeUndefined()
    client.say({ op: 'subscribe', args: [{ channel: 'x'.repeat(65_536), instId: BTC }] })
    expect(client.closed?.code).toBe(1009)
    expect(venue.violations).toEqual(['connects', 'request-size'])
  })

  test('gives notice, and closes 60 s later, divided by the time scale', () => {
    const venue = stage(okxSim, { timeScale: 10 })
    const client = venue.connect(BUSINESS)
    client.say(subscription('trades-all', BTC))
    client.take()
    venue.exchange.order('notice', new URLSearchParams())
    const msg = 'The connection will soon be closed for a service upgrade. Please reconnect.'
    expect(client.take()).toEqual([{ event: 'notice', code: '64008', msg, connId: '80000000' }])
    for (let i = 0; i < 5; i++) {
      client.say('ping')
      venue.clock.advance(1199)
    }
    expect(client.closed).toBeUndefined()
    venue.clock.advance(10)
    expect(client.closed).toBeDefined()
  })

  test('gives up on a client that does not read', () => {
    const venue = stage(okxSim)
    const client = subscribed(venue, 'books')
    client.bufferedBytes = 9 * 2 ** 20
    venue.step(BTC)
    expect(client.closed).toEqual({ code: 4005, reason: 'Buffer full' })
  })

  test('knows no other paths and no unknown orders', () => {
    const venue = stage(okxSim)
    expect(() => venue.connect('/ws/v5/private').session).toThrow(RangeError)
    expect(venue.exchange.order('dance', new URLSearchParams())).toBeUndefined()
  })
})

describe('okx books', () => {
  test('snapshot and updates make the true top 400, whatever enters and leaves the window', () => {
    const venue = stage(okxSim)
    const symbol =
      venue.market.instruments.find(({ symbol }) => venue.market.book(symbol).bids.length > 420)?.symbol ?? ''
    const client = subscribed(venue, 'books', symbol)
    const book = new ClientBook()
    let updates = 0
    for (let i = 0; i < 300; i++) {
      venue.step(symbol, i % 3 === 0 ? 40 : 100)
      for (const message of pushes(client.take(), 'books')) {
        book.apply(message)
        updates += 1
      }
    }
    venue.clock.advance(100)
    for (const message of pushes(client.take(), 'books')) book.apply(message)
    expect(updates).toBeGreaterThan(150)
    expect(book.bids.size).toBe(400)
    expectTruth(book, venue, symbol)
  })

  test('frames have the documented form, and no checksum', () => {
    const venue = stage(okxSim)
    const client = subscribed(venue, 'books')
    venue.step(BTC)
    const [snapshot, update] = pushes(client.take(), 'books')
    expect(Object.keys(snapshot ?? {})).toEqual(['arg', 'action', 'data'])
    expect(Object.keys(dataOf<BookData>(update))).toEqual(['asks', 'bids', 'ts', 'prevSeqId', 'seqId'])
    expect([snapshot?.action, update?.action]).toEqual(['snapshot', 'update'])
    for (const row of dataOf<BookData>(snapshot).bids) {
      expect(row).toEqual([
        expect.stringMatching(/^\d+(\.\d*[1-9])?$/),
        expect.stringMatching(/^\d+(\.\d*[1-9])?$/),
        '0',
        expect.stringMatching(/^[1-9]\d*$/),
      ])
    }
    const { prevSeqId, seqId } = dataOf<BookData>(update)
    expect(seqId - prevSeqId).toBeGreaterThan(1)
    expect(client.topics).toEqual([
      { channel: 'book', symbol: BTC },
      { channel: 'book', symbol: BTC },
    ])
  })

  test('carries the checksum that is ordered', () => {
    const venue = stage(okxSim)
    const client = subscribed(venue, 'books')
    const book = new ClientBook()
    const query = new URLSearchParams('mode=zero')
    expect(venue.exchange.order('checksum', query)).toBe('zero')
    venue.step(BTC)
    venue.exchange.order('checksum', new URLSearchParams('mode=crc'))
    venue.step(BTC)
    const messages = pushes(client.take(), 'books')
    for (const message of messages) book.apply(message)
    const sums = messages.map((message) => dataOf<BookData>(message).checksum)
    expect(sums).toEqual([undefined, 0, bookChecksum(book.sorted('bids'), book.sorted('asks'))])
  })

  test('computes the checksums of the documentation’s examples', () => {
    // Values from protocols: computed with an independent CRC-32 over the documented strings.
    const two = bookChecksum([['3366.1', '7'], ['3366', '6']], [['3366.8', '9'], ['3368', '8']]) // biome-ignore format: two sides
    expect(two).toBe(-1_881_014_294)
    expect(bookChecksum([['3366.1', '7']], [['3366.8', '9'], ['3368', '8'], ['3372', '8']])).toBe(831_078_360) // biome-ignore format: two sides
  })

  test('confirms an idle book after 60 s with an empty update of the same sequence', () => {
    const venue = stage(okxSim, { timeScale: 10 })
    const client = subscribed(venue, 'books')
    venue.step(BTC)
    const last = dataOf<BookData>(pushes(client.take(), 'books').at(-1)).seqId
    venue.clock.advance(2900)
    client.say('ping')
    venue.clock.advance(2900)
    expect(pushes(client.take(), 'books')).toEqual([])
    client.say('ping')
    venue.clock.advance(300)
    const beats = pushes(client.take(), 'books')
    expect(beats.map(({ action }) => action)).toEqual(['update'])
    expect(dataOf<BookData>(beats[0])).toMatchObject({ asks: [], bids: [], prevSeqId: last, seqId: last })
    venue.step(BTC)
    expect(dataOf<BookData>(pushes(client.take(), 'books')[0]).prevSeqId).toBe(last)
  })

  test('resets its sequence once, and goes on from the smaller number', () => {
    const venue = stage(okxSim)
    const client = subscribed(venue, 'books')
    const book = new ClientBook()
    venue.step(BTC)
    venue.exchange.order('sequence-reset', new URLSearchParams(`symbol=${BTC}`))
    for (let i = 0; i < 3; i++) venue.step(BTC)
    const messages = pushes(client.take(), 'books')
    for (const message of messages) book.apply(message)
    const steps = messages
      .slice(1)
      .map((message) => dataOf<BookData>(message).seqId > dataOf<BookData>(message).prevSeqId)
    expect(steps).toEqual([true, false, true, true])
    expect(book.last).toBeGreaterThanOrEqual(0)
    expectTruth(book, venue, BTC)
  })

  test('every connection sees the same sequences, and a late one continues from its snapshot', () => {
    const venue = stage(okxSim)
    const early = subscribed(venue, 'books')
    venue.step(BTC)
    venue.market.step(BTC)
    const late = subscribed(venue, 'books')
    const book = new ClientBook()
    early.take()
    for (let i = 0; i < 5; i++) venue.step(BTC)
    const lateMessages = pushes(late.take(), 'books')
    for (const message of lateMessages) book.apply(message)
    expectTruth(book, venue, BTC)
    expect(lateMessages.slice(1)).toEqual(pushes(early.take(), 'books'))
  })

  test('after unsubscribe nothing comes; subscribing again brings a fresh snapshot', () => {
    const venue = stage(okxSim)
    const client = subscribed(venue, 'books')
    client.say(subscription('books', BTC, 'a2', 'unsubscribe'))
    client.take()
    venue.step(BTC)
    expect(client.take()).toEqual([])
    client.say(subscription('books', BTC, 'a3'))
    const [ack, snapshot] = client.take()
    expect(ack).toMatchObject({ event: 'subscribe', id: 'a3' })
    expect(snapshot).toMatchObject({ action: 'snapshot', data: [{ prevSeqId: -1 }] })
    const book = new ClientBook()
    book.apply(snapshot as Message)
    expectTruth(book, venue, BTC)
  })

  test('is crossed before the opening, and returns to the truth', () => {
    const venue = stage(okxSim)
    const client = subscribed(venue, 'books')
    const book = new ClientBook()
    venue.exchange.order('pre-open', new URLSearchParams(`symbol=${BTC}&ms=1000`))
    venue.step(BTC)
    for (const message of pushes(client.take(), 'books')) book.apply(message)
    expect(Number(book.sorted('asks')[0]?.[0])).toBeLessThan(Number(book.sorted('bids')[0]?.[0]))
    const [row] = venue.get(`/api/v5/public/instruments?instType=SPOT&instId=${BTC}`).body.data as Message[]
    expect(row?.state).toBe('preopen')
    venue.clock.advance(1100)
    for (const message of pushes(client.take(), 'books')) book.apply(message)
    expectTruth(book, venue, BTC)
  })

  test('books5 shows five levels in full, and again after 60 s', () => {
    const venue = stage(okxSim, { timeScale: 100 })
    const client = subscribed(venue, 'books5')
    for (let i = 0; i < 20; i++) venue.step(BTC)
    const messages = pushes(client.take(), 'books5')
    expect(messages.length).toBeGreaterThan(2)
    const last = dataOf<BookData & { instId: string }>(messages.at(-1))
    expect(Object.keys(last)).toEqual(['asks', 'instId', 'bids', 'ts', 'seqId'])
    const truth = venue.market.book(BTC)
    expect(last.bids.map(([price]) => Number(price))).toEqual(truth.bids.slice(0, 5).map(([price]) => Number(price)))
    venue.clock.advance(700)
    const repeated = pushes(client.take(), 'books5')
    expect(dataOf<BookData>(repeated[0])).toEqual(last)
  })
})

describe('okx tickers, trades and best offers', () => {
  test('tickers come at most every 100 ms, and only with something new', () => {
    const venue = stage(okxSim)
    const client = subscribed(venue, 'tickers')
    expect(pushes(client.take(), 'tickers')).toHaveLength(1)
    for (let i = 0; i < 100; i++) venue.step(BTC, 10)
    const messages = pushes(client.take(), 'tickers')
    expect(messages.length).toBeGreaterThan(5)
    expect(messages.length).toBeLessThanOrEqual(11)
    const stats = venue.market.stats(BTC)
    const [row] = venue.get(`/api/v5/market/ticker?instId=${BTC}`).body.data as Message[]
    expect(row).toMatchObject({ instType: 'SPOT', instId: BTC, vol24h: String(Number(stats.volume)) })
    expect(Number(row?.volCcy24h)).toBe(Number(stats.quoteVolume))
    venue.clock.advance(1000)
    client.take()
    venue.clock.advance(10_000)
    expect(client.take()).toEqual([])
  })

  test('derivatives’ currency volume is in base', () => {
    const venue = stage(okxSim)
    const row = (symbol: string) => (venue.get(`/api/v5/market/ticker?instId=${symbol}`).body.data as Message[])[0]
    const linear = row('BTC-USDT-SWAP')
    expect(Number(linear?.volCcy24h)).toBeCloseTo(Number(linear?.vol24h) * 0.01, 6)
    const inverse = row('BTC-USD-SWAP')
    expect(Number(inverse?.volCcy24h)).toBeCloseTo((Number(inverse?.vol24h) * 100) / Number(inverse?.last), 6)
  })

  test('trades joins the fills of one order at one price; trades-all has every fill', () => {
    const venue = stage(okxSim)
    const all = subscribed(venue, 'trades-all', BTC, BUSINESS)
    const joined = subscribed(venue, 'trades')
    const fills = Array.from({ length: 60 }, () => venue.step(BTC).trades).flat()
    const single = pushes(all.take(), 'trades-all').map((message) => dataOf<Record<string, string>>(message))
    expect(single.map(({ tradeId }) => Number(tradeId))).toEqual(fills.map(({ id }) => id))
    expect(Object.keys(single[0] ?? {})).toEqual(['instId', 'tradeId', 'px', 'sz', 'side', 'ts', 'source'])
    const rows = pushes(joined.take(), 'trades').map((message) => dataOf<Record<string, string>>(message))
    expect(Object.keys(rows[0] ?? {})).toEqual([
      'instId',
      'tradeId',
      'px',
      'sz',
      'side',
      'ts',
      'count',
      'source',
      'seqId',
    ])
    expect(rows.length).toBeLessThan(single.length)
    const covered = rows.flatMap(({ tradeId, count }) =>
      Array.from({ length: Number(count) }, (_, i) => Number(tradeId) - Number(count) + 1 + i),
    )
    expect(covered).toEqual(fills.map(({ id }) => id))
  })

  test('joins only neighbours of equal price and side', () => {
    const fill = (id: number, price: string, side: 'buy' | 'sell') => ({ id, price, quantity: '0.10', side, timeMs: 5 })
    const fills = [fill(1, '10.0', 'buy'), fill(2, '10.0', 'buy'), fill(3, '10.1', 'buy'), fill(4, '10.1', 'sell')]
    expect(aggregateTrades(fills, 2)).toEqual([
      { lastId: 2, count: 2, price: '10.0', quantity: '0.20', side: 'buy', timeMs: 5 },
      { lastId: 3, count: 1, price: '10.1', quantity: '0.10', side: 'buy', timeMs: 5 },
      { lastId: 4, count: 1, price: '10.1', quantity: '0.10', side: 'sell', timeMs: 5 },
    ])
  })

  test('bbo-tbt shows the true best levels, at most every 10 ms, and again after 60 s', () => {
    const venue = stage(okxSim, { timeScale: 100 })
    const client = subscribed(venue, 'bbo-tbt')
    for (let i = 0; i < 50; i++) venue.step(BTC, 2)
    venue.clock.advance(10)
    const messages = pushes(client.take(), 'bbo-tbt')
    expect(messages.length).toBeLessThanOrEqual(13)
    const { asks, bids, seqId } = dataOf<BookData>(messages.at(-1))
    const truth = venue.market.book(BTC)
    expect([Number(asks[0]?.[0]), Number(bids[0]?.[0])]).toEqual([
      Number(truth.asks[0]?.[0]),
      Number(truth.bids[0]?.[0]),
    ])
    venue.clock.advance(700)
    expect(dataOf<BookData>(pushes(client.take(), 'bbo-tbt')[0])).toMatchObject({ asks, bids, seqId })
  })
})

describe('okx REST', () => {
  const data = (venue: Stage, target: string) => venue.get(target).body.data as Record<string, string>[]

  test('tells the time and lists instruments', () => {
    const venue = stage(okxSim)
    expect(venue.get('/api/v5/public/time').text).toBe('{"code":"0","msg":"","data":[{"ts":"1790000000000"}]}')
    const names = (type: string) =>
      data(venue, `/api/v5/public/instruments?instType=${type}`).map(({ instId }) => instId)
    expect(names('SPOT')).toHaveLength(10)
    expect(names('SWAP')).toEqual(['BTC-USDT-SWAP', 'ETH-USDT-SWAP', 'BTC-USD-SWAP'])
    expect(names('FUTURES')).toEqual(['BTC-USDT-270625'])
    expect(data(venue, '/api/v5/public/instruments?instType=OPTION&instFamily=BTC-USD')).toEqual([])
    const [inverse] = data(venue, '/api/v5/public/instruments?instType=SWAP&instId=BTC-USD-SWAP')
    expect(inverse).toMatchObject({
      uly: 'BTC-USD',
      instFamily: 'BTC-USD',
      settleCcy: 'BTC',
      ctVal: '100',
      ctValCcy: 'USD',
      ctType: 'inverse',
      tickSz: '0.1',
      lotSz: '1',
      state: 'live',
    })
    const [spot] = data(venue, `/api/v5/public/instruments?instType=SPOT&instId=${BTC}`)
    expect(spot).toMatchObject({ baseCcy: 'BTC', quoteCcy: 'USDT', ctVal: '', expTime: '', lotSz: '0.00000001' })
  })

  test.each([
    ['/api/v5/public/instruments', 400, '50014'],
    ['/api/v5/public/instruments?instType=CASH', 400, '51000'],
    ['/api/v5/public/instruments?instType=OPTION', 400, '50014'],
    ['/api/v5/public/instruments?instType=SPOT&instId=NOPE', 200, '51001'],
    ['/api/v5/market/books?instId=NOPE', 200, '51001'],
    ['/api/v5/market/books', 400, '50014'],
    ['/api/v5/market/books?instId=BTC-USDT&sz=401', 400, '51000'],
    ['/api/v5/market/history-trades?instId=BTC-USDT&limit=101', 400, '51000'],
    ['/api/v5/market/nothing', 404, '404'],
  ])('%s answers %i with code %s', (target, status, code) => {
    const answer = stage(okxSim).get(target)
    expect(answer).toMatchObject({ status, body: { code, data: [] } })
    expect(answer.body.msg).not.toBe('')
  })

  test('books has one level unless asked, and the content that the stream had at that sequence', () => {
    const venue = stage(okxSim)
    const client = subscribed(venue, 'books')
    const book = new ClientBook()
    venue.step(BTC)
    venue.market.step(BTC)
    for (const message of pushes(client.take(), 'books')) book.apply(message)
    expect(data(venue, `/api/v5/market/books?instId=${BTC}`)[0]?.asks).toHaveLength(1)
    const [answer] = data(venue, `/api/v5/market/books?instId=${BTC}&sz=400`) as unknown as BookData[]
    expect(answer?.seqId).toBe(book.last)
    expect(answer?.bids.map(([price, quantity]) => [price, quantity])).toEqual(book.sorted('bids'))
  })

  test('books may lag behind the stream, by no more than it is told', () => {
    const venue = stage(okxSim, { snapshotLagMsMax: 400 })
    const client = subscribed(venue, 'books')
    for (let i = 0; i < 10; i++) venue.step(BTC)
    const sequences = pushes(client.take(), 'books').map((message) => dataOf<BookData>(message).seqId)
    // The fake draws 0.5: 200 ms, two publications ago.
    expect(data(venue, `/api/v5/market/books?instId=${BTC}`)[0]?.seqId).toBe(sequences.at(-3))
  })

  test('trades are newest first, and history pages by id and by time', () => {
    const venue = stage(okxSim)
    for (let i = 0; i < 300; i++) venue.step(BTC)
    const truth = venue.market.trades(BTC).map(({ id }) => id)
    const ids = (target: string) => data(venue, target).map(({ tradeId }) => Number(tradeId))
    const newestFirst = truth.toReversed()
    expect(ids(`/api/v5/market/trades?instId=${BTC}`)).toEqual(newestFirst.slice(0, 100))
    const pivot = truth[100] ?? 0
    const history = `/api/v5/market/history-trades?instId=${BTC}`
    expect(ids(`${history}&after=${pivot}`)).toEqual(truth.slice(0, 100).toReversed())
    expect(ids(`${history}&before=${pivot}&limit=10`)).toEqual(newestFirst.slice(0, 10))
    expect(ids(`${history}&after=${pivot + 5}&before=${pivot}`)).toEqual([4, 3, 2, 1].map((i) => pivot + i))
    const timeMs = venue.market.trades(BTC)[100]?.timeMs ?? 0
    const older = venue.market.trades(BTC).filter((trade) => trade.timeMs < timeMs)
    expect(ids(`${history}&type=2&after=${timeMs}`)).toEqual(
      older
        .slice(-100)
        .map(({ id }) => id)
        .toReversed(),
    )
  })

  test('limits each endpoint for itself, and says so with HTTP 429 and 200 in turn', () => {
    const venue = stage(okxSim)
    const ask = () => venue.get('/api/v5/public/time')
    for (let i = 0; i < 10; i++) expect(ask().status).toBe(200)
    expect(ask()).toMatchObject({ status: 429, body: { code: '50011' } })
    expect(ask()).toMatchObject({ status: 200, body: { code: '50011' } })
    expect(venue.violations).toEqual(['rest-limit', 'rest-limit'])
    expect(venue.get(`/api/v5/market/ticker?instId=${BTC}`).body.code).toBe('0')
    venue.clock.advance(2000)
    expect(ask().body.code).toBe('0')
    venue.exchange.order('limit-status', new URLSearchParams('mode=200'))
    for (let i = 0; i < 9; i++) ask()
    expect(ask()).toMatchObject({ status: 200, body: { code: '50011' } })
  })
})

test('okx over real sockets: snapshot, updates and REST agree', async () => {
  const simulator = await startSimulator({ clock: realClock, venues: [okxSim], rate: 5 })
  try {
    const { rest_url = '', websocket_url = '' } = simulator.options('okx')
    const client = await connect(websocket_url)
    client.send(subscription('books', BTC))
    const updates = () => client.json((message) => message.action === 'update')
    await until('ten updates', () => updates().length >= 10)
    const book = new ClientBook()
    for (const message of client.json((each) => each.data !== undefined)) book.apply(message)
    const answer = await get(`${rest_url}/api/v5/market/books?instId=${BTC}&sz=400`)
    expect(answer.body).toMatchObject({ code: '0', data: [{ seqId: expect.any(Number) }] })
    await expect(connect(websocket_url.replace('public', 'private'))).rejects.toThrow('404')
    expect(simulator.violations()).toEqual([])
    client.socket.close()
  } finally {
    await simulator.stop()
  }
})
