import { describe, expect, test } from 'vitest'
import { CHANNELS } from '../../src/model/event.ts'
import { binance, binanceUsdm } from '../../src/venues/binance/index.ts'
import { deribit } from '../../src/venues/deribit/index.ts'
import { venues } from '../../src/venues/index.ts'
import { okx } from '../../src/venues/okx/index.ts'
import type { RestFault, Venue } from '../../src/venues/venue.ts'
import { NO_INSTRUMENTS } from './fixtures.ts'

const AT = 1_672_515_782_200_123
const T = 1_672_515_782_136_000
const asWritten = (value: unknown): unknown => JSON.parse(JSON.stringify(value))

describe('faults', () => {
  const HTML = undefined
  const fault = (venue: Venue, status: number, body: unknown, headers: Record<string, string> = {}) =>
    venue.rest.fault(status, headers, body, AT)
  const limit = (retryAfterMs: number): Partial<RestFault> => ({ kind: 'rate_limited', retryAfterMs })
  const ban = (retryAfterMs: number): Partial<RestFault> => ({ kind: 'banned', retryAfterMs })

  test.each([binance, binanceUsdm])('of $id', (venue) => {
    expect(fault(venue, 200, { lastUpdateId: 1 })).toBeUndefined()
    expect(fault(venue, 200, [])).toBeUndefined()
    const tooMany = { code: -1003, msg: 'Too many requests; current limit is 2400 requests per minute.' }
    expect(fault(venue, 429, tooMany, { 'retry-after': '17' })).toMatchObject(limit(17_000))
    expect(fault(venue, 429, tooMany)).toMatchObject(limit(60_000))
    expect(fault(venue, 429, HTML, { 'retry-after': 'Wed, 21 Oct 2026 07:28:00 GMT' })).toMatchObject(limit(60_000))
    expect(fault(venue, 418, tooMany, { 'retry-after': '600' })).toMatchObject(ban(600_000))
    expect(fault(venue, 418, HTML)).toMatchObject(ban(120_000))
    expect(fault(venue, 418, tooMany, { 'retry-after': '-5' })).toMatchObject(ban(120_000))
    expect(fault(venue, 403, HTML)).toMatchObject(limit(60_000))
    expect(fault(venue, 400, { code: -1121, msg: 'Invalid symbol.' })).toEqual({
      kind: 'unknown_symbol',
      reason: 'HTTP 400 -1121 Invalid symbol.',
    })
    expect(fault(venue, 400, { code: -1100, msg: 'Illegal characters.' })).toMatchObject({ kind: 'failed' })
    expect(fault(venue, 503, HTML)).toEqual({ kind: 'failed', reason: 'HTTP 503' })
    expect(fault(venue, 200, HTML)).toMatchObject({ kind: 'failed', reason: 'the answer is no JSON' })
    expect(fault(venue, 200, { code: -1000, msg: 'unknown' })).toMatchObject({ kind: 'failed' })
  })

  test.each([binance, binanceUsdm])(
    'of $id: a ban ends when its message says so, by the clock of the venue',
    (venue) => {
      const venueMs = Math.floor(AT / 1_000_000) * 1_000
      const until = (ms: number) => ({
        code: -1003,
        msg: `Way too many requests; IP banned until ${venueMs + ms}. Please use the websocket for live updates.`,
      })
      const dated = (ms: number) => ({ date: new Date(venueMs + ms).toUTCString() })
      expect(fault(venue, 418, until(86_400_000), dated(0))).toMatchObject(ban(86_400_000))
      expect(fault(venue, 418, until(86_400_000), dated(3_600_000))).toMatchObject(ban(82_800_000))
      expect(fault(venue, 429, until(86_400_000), dated(0))).toMatchObject(ban(86_400_000))
      const { kind, retryAfterMs } = fault(venue, 418, until(86_400_000)) as { kind: string; retryAfterMs: number }
      expect([kind, Math.round(retryAfterMs)]).toEqual(['banned', 86_400_000 - 200])
      expect(fault(venue, 418, until(86_400_000), { ...dated(0), 'retry-after': '600' })).toMatchObject(ban(600_000))
      expect(fault(venue, 418, until(-1_000), dated(0))).toMatchObject(ban(120_000))
    },
  )

  test('of okx', () => {
    expect(fault(okx, 200, { code: '0', msg: '', data: [] })).toBeUndefined()
    const tooMany = { code: '50011', msg: 'Too Many Requests', data: [] }
    expect(fault(okx, 200, tooMany)).toEqual({
      ...limit(2_000),
      reason: 'HTTP 200 50011 Too Many Requests',
    })
    expect(fault(okx, 429, tooMany)).toMatchObject(limit(2_000))
    expect(fault(okx, 429, HTML)).toMatchObject(limit(2_000))
    expect(fault(okx, 429, { code: '50013', msg: 'Systems are busy.', data: [] })).toMatchObject(limit(2_000))
    const unknown = { code: '51001', msg: "Instrument ID, Instrument ID code or Spread ID doesn't exist.", data: [] }
    expect(fault(okx, 200, unknown)).toMatchObject({ kind: 'unknown_symbol' })
    expect(fault(okx, 503, { code: '50001', msg: 'Service temporarily unavailable.' })).toMatchObject({
      kind: 'failed',
    })
    expect(fault(okx, 200, HTML)).toMatchObject({ kind: 'failed', reason: 'HTTP 200  the answer is no JSON object' })
    expect(fault(okx, 403, HTML)).toMatchObject({ kind: 'failed' })
    expect(fault(okx, 200, { data: [] })).toMatchObject({ kind: 'failed' })
  })

  test('of deribit', () => {
    const error = (code: number, message: string, data?: object) => ({ jsonrpc: '2.0', error: { code, message, data } })
    expect(fault(deribit, 200, { jsonrpc: '2.0', result: [] })).toBeUndefined()
    expect(fault(deribit, 400, error(10028, 'too_many_requests'))).toMatchObject(limit(5_000))
    expect(fault(deribit, 200, error(10028, 'too_many_requests'), { 'retry-after': '3' })).toMatchObject(limit(3_000))
    expect(fault(deribit, 429, HTML)).toMatchObject(limit(5_000))
    const wrongName = error(-32602, 'Invalid params', { reason: 'wrong format', param: 'instrument_name' })
    expect(fault(deribit, 400, wrongName)).toMatchObject({
      kind: 'unknown_symbol',
      reason: 'HTTP 400 -32602 Invalid params',
    })
    expect(fault(deribit, 400, error(-32602, 'Invalid params', { param: 'depth' }))).toMatchObject({ kind: 'failed' })
    expect(fault(deribit, 400, error(13020, 'not_found'))).toMatchObject({ kind: 'unknown_symbol' })
    expect(fault(deribit, 400, error(11051, 'system_maintenance'))).toMatchObject({ kind: 'failed' })
    expect(fault(deribit, 502, HTML)).toMatchObject({ kind: 'failed', reason: 'HTTP 502 the answer is no JSON object' })
    expect(fault(deribit, 200, [])).toMatchObject({ kind: 'failed' })
  })

  test.each(venues)('of $id: whatever the body, a fault and no exception', (venue) => {
    const awkward = { toString: null, valueOf: null }
    let deep: unknown = 1
    for (let i = 0; i < 50_000; i++) deep = [deep]
    for (const odd of [awkward, deep, null, [], 1, 'x', { a: 1 }]) {
      for (const body of [
        odd,
        { code: odd, msg: odd },
        { code: odd, msg: 'x' },
        { error: odd },
        { error: { code: odd, message: odd, data: odd } },
      ]) {
        expect(fault(venue, 500, body)?.reason).toMatch(/^HTTP 500/)
      }
    }
  })
})

describe('snapshots', () => {
  const who = (venue: Venue, market: string, symbol: string) => ({
    type: 'book_snapshot',
    exchange: venue.exchange,
    venue: venue.id,
    market,
    symbol,
    receive_time_us: AT,
  })

  test('of binance have no time; of USD-M that of matching', () => {
    const body = {
      lastUpdateId: 1027024,
      bids: [['4.00000000', '431.00000000']],
      asks: [['4.00000200', '12.00000000']],
    }
    const spot = binance.rest.snapshot('BTCUSDT')
    expect([spot.path, spot.budget, spot.weight]).toEqual(['/api/v3/depth?symbol=BTCUSDT&limit=1000', 'weight', 50])
    const levels = { bids: body.bids, asks: body.asks, sequence: 1027024, depth: 1000 }
    expect(asWritten(spot.parse(body, AT, NO_INSTRUMENTS))).toEqual({
      ...who(binance, 'spot', 'BTCUSDT'),
      id: 'binance:book_snapshot:BTCUSDT:0:1027024',
      ...levels,
    })
    const futures = binanceUsdm.rest.snapshot('BTCUSDT')
    expect([futures.path, futures.weight]).toEqual(['/fapi/v1/depth?symbol=BTCUSDT&limit=1000', 20])
    expect(asWritten(futures.parse({ ...body, E: T / 1000 + 4, T: T / 1000 }, AT, NO_INSTRUMENTS))).toEqual({
      ...who(binanceUsdm, 'perpetual', 'BTCUSDT'),
      exchange_time_us: T,
      id: 'binance-usdm:book_snapshot:BTCUSDT:0:1027024',
      ...levels,
    })
  })

  test('of binance come in the sizes that the venue weighs apart', () => {
    const asked = (venue: Venue) =>
      venue.rest.snapshotSizes.map((size) => {
        const { path, weight } = venue.rest.snapshot('BTCUSDT', size)
        return `${path.split('&')[1]} ${weight}`
      })
    expect(asked(binance)).toEqual(['limit=100 5', 'limit=500 25', 'limit=1000 50'])
    expect(asked(binanceUsdm)).toEqual(['limit=100 5', 'limit=500 10', 'limit=1000 20'])
    const small = binance.rest.snapshot('BTCUSDT', binance.rest.snapshotSizes[0])
    const { depth, id } = small.parse({ lastUpdateId: 1, bids: [], asks: [] }, AT, NO_INSTRUMENTS)
    expect([depth, id], 'not the id of the whole at the same number').toEqual([
      100,
      'binance:book_snapshot:BTCUSDT:0:1/100',
    ])
  })

  test.each([
    [binance, 'https://api.binance.com/api/v3/depth?symbol=BTCUSDT&limit=20', 20, '/20'],
    [binance, 'https://api.binance.com/api/v3/depth?symbol=BTCUSDT', 100, '/100'],
    [binance, 'https://api.binance.com/api/v3/depth?symbol=BTCUSDT&limit=x', 100, '/100'],
    [binance, 'https://api.binance.com/api/v3/depth?symbol=BTCUSDT&limit=1000', 1000, ''],
    [binance, 'https://api.binance.com/api/v3/depth?symbol=BTCUSDT&limit=5000', 5000, '/5000'],
    [binanceUsdm, 'https://fapi.binance.com/fapi/v1/depth?symbol=BTCUSDT', 500, '/500'],
  ])('of %# recorded by others are known as far as they were asked for', (venue, url, depth, tail) => {
    const recorded = venue.rest.recorded?.(new URL(url))
    if (recorded?.kind !== 'snapshot') throw new Error('no snapshot')
    const snapshot = recorded.request.parse({ lastUpdateId: 1, bids: [], asks: [] }, AT, NO_INSTRUMENTS)
    expect([snapshot.depth, snapshot.id]).toEqual([depth, `${venue.id}:book_snapshot:BTCUSDT:0:1${tail}`])
  })

  test('of okx leave out order counts', () => {
    const request = okx.rest.snapshot('BTC-USDT-SWAP')
    expect(request.path).toBe('/api/v5/market/books?instId=BTC-USDT-SWAP&sz=400')
    const row = { asks: [['41006.8', '0.60038921', '0', '1']], bids: [], ts: String(T / 1000), seqId: 3235851742 }
    expect(asWritten(request.parse({ code: '0', data: [row] }, AT, NO_INSTRUMENTS))).toEqual({
      ...who(okx, 'perpetual', 'BTC-USDT-SWAP'),
      exchange_time_us: T,
      id: `okx:book_snapshot:BTC-USDT-SWAP:${T}:3235851742`,
      bids: [],
      asks: [['41006.8', '0.60038921']],
      sequence: 3235851742,
      depth: 400,
    })
    expect(() => request.parse({ code: '0', data: [] }, AT, NO_INSTRUMENTS)).toThrow('data: expected an object')
  })

  test('of deribit are numbers as text', () => {
    const request = deribit.rest.snapshot('BTC-PERPETUAL')
    expect(request.path).toBe('/api/v2/public/get_order_book?instrument_name=BTC-PERPETUAL&depth=1000')
    const result = { timestamp: T / 1000, change_id: 77, bids: [[42500.0, 2.11e-5]], asks: [[42500.5, 10]] }
    expect(asWritten(request.parse({ result }, AT, NO_INSTRUMENTS))).toEqual({
      ...who(deribit, 'perpetual', 'BTC-PERPETUAL'),
      exchange_time_us: T,
      id: `deribit:book_snapshot:BTC-PERPETUAL:${T}:77`,
      bids: [['42500', '0.0000211']],
      asks: [['42500.5', '10']],
      sequence: 77,
      depth: 1000,
    })
  })
})

describe('polling', () => {
  const polled = (venue: Venue, channel: (typeof CHANNELS)[number], symbol: string, body: unknown) =>
    asWritten(venue.rest.poll(channel, [symbol])[0]?.parse(body, AT, NO_INSTRUMENTS))

  test('trades: the ids of the stream’s single trades, without a source', () => {
    const binanceTrade = {
      id: 28457,
      price: '4.00000100',
      qty: '12.00000000',
      quoteQty: '48',
      time: T / 1000,
      isBuyerMaker: true,
    }
    expect(polled(binance, 'trade', 'BNBBTC', [binanceTrade])).toMatchObject([
      {
        id: 'binance:trade:BNBBTC:0:28457',
        trade_id: '28457',
        price: '4.00000100',
        quantity: '12.00000000',
        side: 'sell',
      },
    ])
    const okxTrade = {
      instId: 'BTC-USDT',
      side: 'sell',
      sz: '0.00001',
      source: '0',
      px: '29963.2',
      tradeId: '242720720',
      ts: String(T / 1000),
    }
    const [trade] = polled(okx, 'trade', 'BTC-USDT', { code: '0', data: [okxTrade] }) as [object]
    expect(trade).toMatchObject({ id: 'okx:trade:BTC-USDT:0:242720720', exchange_time_us: T, side: 'sell' })
    expect(trade).not.toHaveProperty('source')
    const row = {
      trade_id: '1',
      timestamp: T / 1000,
      price: 1,
      amount: 10,
      direction: 'buy',
      instrument_name: 'BTC-PERPETUAL',
    }
    const [deribitTrade] = polled(deribit, 'trade', 'BTC-PERPETUAL', { result: { trades: [row], has_more: true } }) as [
      object,
    ]
    expect(deribitTrade).toMatchObject({ id: 'deribit:trade:BTC-PERPETUAL:0:1', quantity: '10', side: 'buy' })
    expect(deribitTrade).not.toHaveProperty('source')
  })

  test('tickers: what the venue says, nothing more', () => {
    const spot = {
      symbol: 'BNBBTC',
      priceChange: '-94.99999800',
      priceChangePercent: '-95.960',
      lastPrice: '4.00000200',
      lastQty: '200.00000000',
      bidPrice: '4.00000000',
      bidQty: '100.00000000',
      askPrice: '4.00000200',
      askQty: '100.00000000',
      openPrice: '99.00000000',
      highPrice: '100.00000000',
      lowPrice: '0.10000000',
      volume: '8913.30000000',
      quoteVolume: '15.30000000',
      openTime: 1,
      closeTime: T / 1000,
    }
    expect(polled(binance, 'ticker', 'BNBBTC', spot)).toMatchObject([
      {
        exchange_time_us: T,
        last_price: '4.00000200',
        volume_24h: '8913.30000000',
        quote_volume_24h: '15.30000000',
        price_change_24h: '-94.99999800',
        price_change_percent_24h: '-95.960',
      },
    ])
    const { bidPrice, bidQty, askPrice, askQty, ...futures } = spot
    expect(polled(binanceUsdm, 'ticker', 'BNBBTC', futures)).not.toHaveProperty('0.bid_price')
    expect(
      polled(okx, 'ticker', 'BTC-USD-SWAP', {
        code: '0',
        data: [
          { instType: 'SWAP', instId: 'BTC-USD-SWAP', last: '1', vol24h: '22', volCcy24h: '3', ts: String(T / 1000) },
        ],
      }),
    ).toMatchObject([{ market: 'perpetual', last_price: '1', volume_24h: '3' }])
    expect(
      polled(deribit, 'ticker', 'BTC-PERPETUAL', {
        result: { instrument_name: 'BTC-PERPETUAL', timestamp: T / 1000, last_price: 5.5, stats: { volume: 2 } },
      }),
    ).toMatchObject([{ last_price: '5.5', volume_24h: '2' }])
  })

  test.each(venues)('$id asks for each symbol of each channel within its budgets', (venue) => {
    for (const channel of CHANNELS) {
      const requests = venue.rest.poll(channel, ['AAA', 'BBB'])
      expect(requests.length === 0 || requests.length === 2, channel).toBe(true)
      for (const { budget, weight, path } of requests) {
        expect(path).toMatch(/^\/[\w/.-]+\?[\w=&%.-]+$/)
        expect(weight).toBeLessThanOrEqual(venue.restLimits.budgets[budget]?.limit ?? 0)
      }
    }
    expect(venue.rest.poll('quote', ['AAA'])).toEqual([])
  })

  test.each(venues)('$id escapes symbols', (venue) => {
    for (const channel of CHANNELS) {
      for (const { path } of venue.rest.poll(channel, ['A&B=1 Ⓢ'])) expect(path).toMatch(/=A%26B%3D1(%20|\+)%E2%93%88/)
    }
  })
})

describe('recorded answers', () => {
  test.each([
    [binance, 'https://www.binance.com/api/v1/depth?symbol=BTCUSDT&limit=1000', 'snapshot'],
    [binance, 'https://api.binance.com/api/v3/exchangeInfo', 'instruments'],
    [binanceUsdm, 'https://fapi.binance.com/fapi/v1/depth?symbol=BTCUSDT', 'snapshot'],
    [okx, 'https://www.okex.com/api/v5/public/instruments?instType=SWAP', 'instruments'],
    [deribit, 'https://www.deribit.com/api/v2/public/get_instruments?currency=BTC', 'instruments'],
    [binance, 'https://api.binance.com/api/v3/depth', undefined],
    [binance, 'https://api.binance.com/api/v3/klines?symbol=BTCUSDT', undefined],
    [okx, 'https://www.okx.com/api/v5/market/candles?instId=BTC-USDT', undefined],
    [deribit, 'https://www.deribit.com/api/v2/public/ticker?instrument_name=BTC-PERPETUAL', undefined],
  ] as const)('$id %s: %s', (venue, url, kind) => expect(venue.rest.recorded?.(new URL(url))?.kind).toBe(kind))
})

test('the weight that Binance says is used', () => {
  for (const venue of [binance, binanceUsdm]) {
    expect(venue.restLimits.used?.({ 'x-mbx-used-weight-1m': '57' })).toEqual({ budget: 'weight', weight: 57 })
    expect(venue.restLimits.used?.({})).toBeUndefined()
    expect(venue.restLimits.used?.({ 'x-mbx-used-weight-1m': 'much' })).toBeUndefined()
  }
})
