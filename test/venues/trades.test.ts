import { describe, expect, test } from 'vitest'
import type { Trade } from '../../src/model/event.ts'
import { simVenues } from '../../src/sim/index.ts'
import { binance, binanceUsdm } from '../../src/venues/binance/index.ts'
import { deribit } from '../../src/venues/deribit/index.ts'
import { venues } from '../../src/venues/index.ts'
import { okx } from '../../src/venues/okx/index.ts'
import { backfill, firstPart } from '../../src/venues/trades.ts'
import { channelNames, type RestRequest, type Span, type Topic, type Venue } from '../../src/venues/venue.ts'
import { type Stage, stage } from '../sim/fake-peer.ts'
import { bytes, NO_INSTRUMENTS } from './fixtures.ts'
import { counter } from './topics.ts'

const AT = 1_790_000_000_000_123
const T = 1_672_515_782_136

/** `trades.raw` needs a login, which no simulator gives. */
const STREAMS = venues.flatMap((venue) =>
  channelNames(venue, 'trade')
    .filter((name) => name !== 'trades.raw')
    .map((name) => [venue.id, name, venue] as const),
)

const asWritten = (value: unknown): Record<string, unknown> => JSON.parse(JSON.stringify(value))
const numbers = ({ first, last }: Span): number[] => Array.from({ length: last - first + 1 }, (_, i) => first + i)

/** Every number that trades cover, in their order. */
const covered = (venue: Venue, trades: readonly Trade[]): number[] =>
  trades.flatMap((trade) => numbers(venue.tradeSpan(trade) as Span))

const topicOf = (venue: Venue, name: string): Topic => venue.topic('trade', name, venue.defaultSymbols[0] as string)

function stageOf(venue: Venue): Stage {
  const sim = simVenues.find(({ id }) => id === venue.id)
  if (sim === undefined) throw new Error(`no simulator of ${venue.id}`)
  return stage(sim)
}

/** What the simulator streams on a topic while its market makes about `count` trades. */
function listen(venue: Venue, at: Stage, topic: Topic, count: number): Trade[] {
  const option = venue.endpoints[topic.endpoint]?.option ?? ''
  const client = at.connect(simVenues.find(({ id }) => id === venue.id)?.options[option] ?? '')
  for (const { text } of venue.subscribe([topic], counter())) client.say(text)
  for (let made = 0; made < count; ) made += at.step(topic.symbol, 5).trades.length
  at.clock.advance(2_500)
  return client.frames.flatMap((frame) => {
    const decoded = venue.decode(bytes(frame), AT, NO_INSTRUMENTS)
    return decoded.kind === 'events' ? decoded.events.filter((event): event is Trade => event.type === 'trade') : []
  })
}

/** Asks the simulator, which must find nothing wrong with the question; and weighs it as the venue does. */
function ask<Result>(venue: Venue, at: Stage, { path, weight, parse }: RestRequest<Result>): Result {
  const send = (target: string) => {
    const { pathname, searchParams } = new URL(target, 'http://test')
    const answer = at.exchange.rest({ method: 'GET', path: pathname, query: searchParams, headers: {}, client: 'a' })
    if (answer instanceof Promise) throw new TypeError('expected an answer at once')
    const headers = Object.entries(answer.headers ?? {}).map(([name, value]) => [name.toLowerCase(), value])
    const body: unknown = JSON.parse(answer.body)
    return { status: answer.status, headers: Object.fromEntries(headers) as Record<string, string>, body }
  }
  const usedBefore = venue.restLimits.used?.(send('/api/v3/ping').headers)?.weight
  const { status, headers, body } = send(path)
  expect(venue.rest.fault(status, headers, body, AT), path).toBeUndefined()
  const used = venue.restLimits.used?.(headers)?.weight
  if (used !== undefined) expect(used - (usedBefore ?? 0), path).toBe(weight)
  return parse(body, AT, NO_INSTRUMENTS)
}

/** Page after page until the span is exhausted. */
function fetchAll(venue: Venue, at: Stage, topic: Topic, span: Span): Trade[] {
  const fetched: Trade[] = []
  for (let first = span.first; first <= span.last; ) {
    const page = venue.rest.trades(topic, { first, last: span.last })
    expect(page.span.first).toBe(first)
    expect(page.span.last).toBeLessThanOrEqual(span.last)
    expect(page.request.weight).toBeLessThanOrEqual(venue.restLimits.budgets[page.request.budget]?.limit ?? 0)
    const trades = ask(venue, at, page.request)
    for (const number of covered(venue, trades)) expect(numbers(page.span)).toContain(number)
    fetched.push(...trades)
    first = page.span.last + 1
  }
  return fetched
}

describe.each(STREAMS)('%s, channel %s', (_id, name, venue) => {
  const topic = topicOf(venue, name)

  test('a span that is asked for is a span that comes, the facts that the stream tells', () => {
    const at = stageOf(venue)
    const streamed = listen(venue, at, topic, 400)
    const told = covered(venue, streamed)
    expect(told).toEqual(numbers({ first: told[0] as number, last: told.at(-1) as number }))
    const span = { first: told[10] as number, last: told.at(-10) as number }
    const fetched = fetchAll(venue, at, topic, span)
    expect(covered(venue, fetched)).toEqual(numbers(span))
    const byId = new Map(streamed.map((trade) => [trade.id, trade]))
    let others = 0
    for (const trade of fetched) {
      expect(trade.source).toBe('backfill')
      const same = byId.get(trade.id)
      if (same === undefined) others++
      else expect(asWritten({ ...trade, source: 'stream' })).toEqual(asWritten(same))
    }
    // Fills that the stream joins are other facts than the single ones of their numbers.
    expect(others > 0).toBe(name === 'trades')
    expect(others).toBeLessThan(fetched.length)
    expect(at.violations).toEqual([])
  })

  test('the newest number is the last of the stream', () => {
    const at = stageOf(venue)
    const last = covered(venue, listen(venue, at, topic, 20)).at(-1)
    expect(ask(venue, at, venue.rest.newestTrade(topic))).toBe(last)
    expect(venue.rest.newestTrade(topic).weight).toBeLessThanOrEqual(500)
  })

  test('what the venue does not have is missing, and nothing else comes instead', () => {
    const at = stageOf(venue)
    const told = covered(venue, listen(venue, at, topic, 20))
    const newest = told.at(-1) as number
    expect(fetchAll(venue, at, topic, { first: 10, last: 20 })).toEqual([])
    expect(fetchAll(venue, at, topic, { first: newest + 1, last: newest + 20 })).toEqual([])
    expect(covered(venue, fetchAll(venue, at, topic, { first: newest, last: newest + 1 }))).toEqual([newest])
  })

  test('asks by GET for its own symbol, with the rest escaped', () => {
    const odd = venue.topic('trade', name, 'A&B=1 Ⓢ')
    for (const { path } of [venue.rest.newestTrade(odd), venue.rest.trades(odd, { first: 1, last: 9 }).request]) {
      expect(path).toMatch(/=A%26B%3D1(%20|\+)%E2%93%88/)
    }
  })
})

describe('requests', () => {
  const pageOf = (venue: Venue, name: string, first: number, last: number) => {
    const { span, request } = venue.rest.trades(venue.topic('trade', name, 'X'), { first, last })
    return [span.last, request.path, request.budget, request.weight]
  }

  test('fetch at most one page, from the first number on', () => {
    expect(pageOf(binance, 'trade', 5, 2_000)).toEqual([
      1_004,
      '/api/v3/historicalTrades?symbol=X&limit=1000&fromId=5',
      'weight',
      25,
    ])
    expect(pageOf(binance, 'aggTrade', 5, 6)).toEqual([6, '/api/v3/aggTrades?symbol=X&limit=2&fromId=5', 'weight', 4])
    expect(pageOf(binanceUsdm, 'aggTrade', 5, 2_000)).toEqual([
      1_004,
      '/fapi/v1/aggTrades?symbol=X&limit=1000&fromId=5',
      'weight',
      20,
    ])
    // Without a key there are only the newest: one request for whatever the span.
    expect(pageOf(binanceUsdm, 'trade', 5, 2_000)).toEqual([2_000, '/fapi/v1/trades?symbol=X&limit=1000', 'weight', 5])
    expect(pageOf(okx, 'trades', 5, 200)).toEqual([
      104,
      '/api/v5/market/history-trades?instId=X&type=1&after=105&limit=100',
      'history-trades',
      1,
    ])
    expect(pageOf(deribit, 'trades.100ms', 5, 2_000)).toEqual([
      1_004,
      '/api/v2/public/get_last_trades_by_instrument?instrument_name=X&count=1000&start_seq=5&end_seq=1004&sorting=asc',
      'credits',
      500,
    ])
  })

  test('know when there is no trade at all', () => {
    const newest = (venue: Venue, name: string, body: unknown) =>
      venue.rest.newestTrade(venue.topic('trade', name, 'X')).parse(body, AT, NO_INSTRUMENTS)
    expect(newest(binance, 'trade', { lastId: -1 })).toBeUndefined()
    expect(newest(binance, 'trade', { lastId: 0 })).toBe(0)
    expect(newest(binanceUsdm, 'aggTrade', [])).toBeUndefined()
    expect(newest(okx, 'trades', { code: '0', data: [] })).toBeUndefined()
    expect(newest(deribit, 'trades.100ms', { result: { trades: [], has_more: false } })).toBeUndefined()
    expect(() => newest(binance, 'trade', {})).toThrow('lastId: expected an integer')
    expect(() => newest(okx, 'trades', { code: '0' })).toThrow('data: expected a list')
  })

  test('an aggregate of the history is that of the stream', () => {
    // As https://developers.binance.com/docs/binance-spot-api-docs/rest-api/market-data-endpoints shows it.
    const row = { a: 26129, p: '0.01633102', q: '4.70443515', f: 27781, l: 27783, T, m: true, M: true }
    const { request } = binance.rest.trades(binance.topic('trade', 'aggTrade', 'BNBBTC'), { first: 26129, last: 26129 })
    expect(asWritten(request.parse([row, { ...row, a: 26130 }], AT, NO_INSTRUMENTS))).toEqual([
      {
        type: 'trade',
        exchange: 'binance',
        venue: 'binance',
        market: 'spot',
        symbol: 'BNBBTC',
        exchange_time_us: T * 1000,
        receive_time_us: AT,
        id: 'binance:trade:BNBBTC:agg:26129',
        trade_id: '26129',
        price: '0.01633102',
        quantity: '4.70443515',
        side: 'sell',
        first_trade_id: '27781',
        last_trade_id: '27783',
        source: 'backfill',
      },
    ])
    expect(() => request.parse([{ ...row, p: 'x' }], AT, NO_INSTRUMENTS)).toThrow('p: expected a decimal')
  })
})

describe('spans', () => {
  const trade = (fields: Partial<Trade>) => ({ ...fields }) as Trade
  const one = (number: number): Span => ({ first: number, last: number })
  const single = [binance, binanceUsdm, okx]

  test.each(single)('of $id count by trade_id', ({ tradeSpan }) => {
    expect(tradeSpan(trade({ trade_id: '26129' }))).toEqual(one(26129))
    expect(tradeSpan(trade({ trade_id: '0' }))).toEqual(one(0))
    expect(tradeSpan(trade({ trade_id: String(Number.MAX_SAFE_INTEGER) }))).toEqual(one(Number.MAX_SAFE_INTEGER))
    for (const odd of [undefined, '', '9007199254740992', '-1', '1.5', '1e3', ' 1', 'ETH-1', '9'.repeat(400)]) {
      expect(tradeSpan(trade({ trade_id: odd })), odd).toBeUndefined()
    }
  })

  test('of binance aggregates count the aggregates, not the trades in them', () => {
    const aggregate = trade({ trade_id: '5', first_trade_id: '100', last_trade_id: '105' })
    expect(binance.tradeSpan(aggregate)).toEqual(one(5))
    expect(binanceUsdm.tradeSpan(trade({ first_trade_id: '100', last_trade_id: '105' }))).toBeUndefined()
  })

  test('of okx cover all fills that were joined', () => {
    const joined = trade({ trade_id: '105', first_trade_id: '100', last_trade_id: '105' })
    expect(okx.tradeSpan(joined)).toEqual({ first: 100, last: 105 })
    expect(okx.tradeSpan(trade({ trade_id: '105', first_trade_id: '106', last_trade_id: '105' }))).toBeUndefined()
  })

  test('of deribit count by sequence', () => {
    expect(deribit.tradeSpan(trade({ trade_id: '403691824', sequence: 271 }))).toEqual(one(271))
    expect(deribit.tradeSpan(trade({ trade_id: '403691824' }))).toBeUndefined()
    expect(deribit.tradeSpan(trade({ sequence: 2 ** 53 }))).toBeUndefined()
  })

  test('are cut into pages', () => {
    expect(firstPart({ first: 5, last: 7 }, 3)).toEqual({ first: 5, last: 7 })
    expect(firstPart({ first: 5, last: 8 }, 3)).toEqual({ first: 5, last: 7 })
    expect(firstPart({ first: 5, last: 5 }, 100)).toEqual({ first: 5, last: 5 })
  })

  test('keep what lies wholly within, in order', () => {
    const ids = ['9', '7', 'x', '4', '8', '5'].map((id) => trade({ trade_id: id }))
    const joined = trade({ trade_id: '6', first_trade_id: '4', last_trade_id: '6' })
    const kept = backfill([...ids, joined], { first: 5, last: 8 }, okx.tradeSpan)
    expect(kept.map(({ trade_id: id, source }) => [id, source])).toEqual([
      ['5', 'backfill'],
      ['7', 'backfill'],
      ['8', 'backfill'],
    ])
  })
})
