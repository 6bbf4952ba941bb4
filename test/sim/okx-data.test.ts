import { describe, expect, test } from 'vitest'
import { okxSim } from '../../src/sim/okx.ts'
import { aggregateTrades } from '../../src/sim/okx-rows.ts'
import { type Message, type Stage, stage } from './fake-peer.ts'
import { type BookData, BTC, BUSINESS, ClientBook, dataOf, pushes, subscribed } from './okx-client.ts'

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
