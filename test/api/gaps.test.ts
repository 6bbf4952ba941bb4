/** `GET /api/v1/gaps`: what is kept, filtered, summed and cut, over real HTTP. */

import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { gapsResponse } from '../../src/api/routes/gaps.ts'
import { GAP_CAUSES, type Gap } from '../../src/model/event.ts'
import { systemClock } from '../../src/platform/clock.ts'
import { fakeGap } from './helpers/fake-collector.ts'
import { ask, bodyOf, errorProblems } from './helpers/http.ts'
import { type RunningApi, startApi } from './helpers/start-api.ts'

const NOW_US = Date.UTC(2026, 10, 23, 12) * 1000
const ago = (seconds: number): number => NOW_US - seconds * 1e6

/** The newest start first. */
const LEDGER: readonly Gap[] = [
  fakeGap({ gap_id: 'open', start_time_us: ago(30), state: 'open', cause: 'silence', reason: 'no message for 15 s' }),
  fakeGap({
    gap_id: 'healed',
    start_time_us: ago(120),
    end_time_us: ago(110),
    state: 'healed',
    cause: 'sequence_gap',
    last_sequence: 10,
    first_sequence: 15,
    lost: 4,
    healed: 4,
  }),
  fakeGap({
    gap_id: 'final',
    start_time_us: ago(600),
    end_time_us: ago(598.5),
    state: 'final',
    cause: 'sequence_gap',
    lost: 7,
    healed: 5,
  }),
  fakeGap({
    gap_id: 'book',
    channel: 'book',
    exchange: 'okx',
    venue: 'okx',
    symbol: 'BTC-USDT',
    instrument: 'BTC-USDT',
    start_time_us: ago(3600),
    end_time_us: ago(3000),
  }),
  fakeGap({
    gap_id: 'nothing-lost',
    channel: 'quote',
    symbol: 'GONEUSDT',
    start_time_us: ago(90_000),
    end_time_us: ago(89_999),
    lost: 0,
  }),
]

let running: RunningApi
beforeAll(async () => {
  running = await startApi({ clock: { ...systemClock(), nowUs: () => NOW_US } })
})
afterAll(() => running.api.stop())
beforeEach(() => {
  running.collector.ledger = [...LEDGER]
})

const get = (query: string) => ask(running.url, `/api/v1/gaps?${query}`)
const dataOf = async (query: string) => bodyOf(await get(query)).data
const idsOf = async (query: string): Promise<string[]> =>
  (await dataOf(query)).gaps.map(({ gap_id }: { gap_id: string }) => gap_id)

test('a gap says all that is known of it, and null where nothing is', async () => {
  const data = await dataOf('')
  expect(gapsResponse.safeParse(data).error?.issues ?? []).toEqual([])
  expect(data.gaps[0]).toEqual({
    gap_id: 'open',
    exchange: 'binance',
    venue: 'binance',
    market: 'spot',
    symbol: 'BTCUSDT',
    instrument: null,
    channel: 'trade',
    proof: 'counter',
    cause: 'silence',
    state: 'open',
    reason: 'no message for 15 s',
    start_time: '2026-11-23T11:59:30.000000+00:00',
    end_time: null,
    duration_seconds: 30,
    detected_time: '2026-11-23T11:59:31.000000+00:00',
    last_sequence: null,
    first_sequence: null,
    lost: null,
    healed: null,
  })
  expect(data.gaps[2]).toMatchObject({ duration_seconds: 1.5, lost: 7, healed: 5 })
  expect(data.gaps[3]).toMatchObject({ proof: 'range', instrument: 'BTC-USDT', reason: null })
})

test('the stream’s proof is null where nobody knows it', async () => {
  const { proofOf } = running.collector
  running.collector.proofOf = () => undefined
  expect((await dataOf('limit=1')).gaps[0].proof).toBeNull()
  running.collector.proofOf = proofOf
})

test('the summary counts all that match, whatever the limit', async () => {
  const { summary, count, has_more, gaps } = await dataOf('limit=2')
  expect([count, has_more, gaps.length]).toEqual([2, true, 2])
  expect(summary).toEqual({
    total: 5,
    states: { open: 1, healed: 1, final: 1, closed: 2 },
    causes: { silence: 1, sequence_gap: 2, disconnect: 2 },
    incomplete: 3,
    seconds: 30 + 10 + 1.5 + 600 + 1,
    lost: 11,
    healed: 9,
    uncounted: 2,
  })
  expect((await dataOf('limit=5')).has_more).toBe(false)
  expect((await dataOf('state=healed')).summary).toMatchObject({ total: 1, incomplete: 0, uncounted: 0 })
  expect((await dataOf('venue=deribit')).summary).toEqual({
    total: 0,
    states: {},
    causes: {},
    incomplete: 0,
    seconds: 0,
    lost: 0,
    healed: 0,
    uncounted: 0,
  })
})

describe('page by page', () => {
  const pages = async (query: string): Promise<string[][]> => {
    const found: string[][] = []
    for (let after = ''; found.length < 10; ) {
      const { gaps, has_more, summary } = await dataOf(`${query}${after}`)
      found.push(gaps.map(({ gap_id }: { gap_id: string }) => gap_id))
      expect(summary.total).toBe(running.collector.ledger.length)
      if (!has_more) return found
      after = `&after=${gaps.at(-1).gap_id}`
    }
    return found
  }

  test('every gap comes once, also where all began at one moment', async () => {
    const all = Array.from({ length: 7 }, (_, index) => `down-${index}`)
    running.collector.ledger = all.map((gap_id) =>
      fakeGap({ gap_id, symbol: `S${gap_id}USDT`, start_time_us: ago(60), end_time_us: ago(1), cause: 'process_down' }),
    )
    expect(await pages('limit=3')).toEqual([all.slice(0, 3), all.slice(3, 6), all.slice(6)])
  })

  test('the gap that was the last may have changed since', async () => {
    expect(await idsOf('state=closed&after=open')).toEqual(['book', 'nothing-lost'])
    expect(await idsOf('state=closed&after=nothing-lost')).toEqual([])
  })

  test('a gap that nobody knows is told', async () => {
    const { error_code, message } = await bodyOf(await get('after=forgotten'))
    expect([error_code, message]).toEqual([
      'INVALID_PARAMETERS',
      'after parameter must be the gap_id of a gap that is kept; begin anew without it',
    ])
  })
})

describe('filters', () => {
  test.each([
    ['', ['open', 'healed', 'final', 'book', 'nothing-lost']],
    ['venue=OKX', ['book']],
    ['symbol=btcusdt', ['open', 'healed', 'final']],
    ['symbol=GONEUSDT', ['nothing-lost']],
    ['type=trade', ['open', 'healed', 'final']],
    ['type=Trades', ['open', 'healed', 'final']],
    ['type=orderbooks', ['book']],
    ['type=quotes', ['nothing-lost']],
    ['type=tickers', []],
    ['state=closed', ['book', 'nothing-lost']],
    ['cause=sequence_gap&state=final', ['final']],
    ['venue=binance&type=book', []],
    ['unknown=1&State=open', ['open', 'healed', 'final', 'book', 'nothing-lost']],
  ])('?%s', async (query, expected) => {
    expect(await idsOf(query)).toEqual(expected)
  })

  test.each([
    ['since=115s', ['open', 'healed']],
    ['since=110s', ['open', 'healed']],
    ['since=109s', ['open']],
    ['since=1s', ['open']],
    ['until=30s', ['open', 'healed', 'final', 'book', 'nothing-lost']],
    ['until=31s', ['healed', 'final', 'book', 'nothing-lost']],
    ['since=2026-11-23T11:00:00Z&until=2026-11-23T11:50:00Z', ['final', 'book']],
    ['since=2026-11-23T12:05:00%2B01:00&until=2026-11-23T11:49:00.5+00:00', ['book']],
    ['since=2d&until=1d', ['nothing-lost']],
  ])('?%s keeps the gaps that touch the window', async (query, expected) => {
    expect(await idsOf(query)).toEqual(expected)
  })

  test('are repeated as they were understood', async () => {
    const { query_parameters } = await dataOf('venue=BINANCE&type=trades&since=1h&limit=7')
    expect(query_parameters).toEqual({
      venue: 'binance',
      symbol: null,
      type: 'trade',
      state: 'all',
      cause: 'all',
      since: '2026-11-23T11:00:00.000000+00:00',
      until: null,
      after: null,
      limit: 7,
    })
  })
})

test('a misspelt symbol is not found, rather than without gaps; one without gaps is', async () => {
  for (const query of ['symbol=BTCUSTD', 'symbol=BTCUSDT&venue=okx', 'symbol=__proto__', 'symbol=%00']) {
    expect(errorProblems(await get(query), 'NOT_FOUND'), query).toEqual([])
  }
  expect((await dataOf('symbol=SOLUSDT')).count).toBe(0)
  expect((await dataOf('symbol=BTCUSDT&state=closed')).count).toBe(0)
})

describe('bad parameters', () => {
  const since =
    'since parameter must be an ISO-8601 time with its offset (2025-06-29T04:07:49Z) or how long ago (90s, 15m, 1h, 2d)'
  test.each([
    ['venue=kraken', 'Invalid venue parameter. Valid values: all, binance, binance-usdm, okx, deribit'],
    ['type=kline', 'Invalid type parameter. Valid values: all, trade, ticker, quote, book'],
    ['type=constructor', 'Invalid type parameter. Valid values: all, trade, ticker, quote, book'],
    ['state=lost', 'Invalid state parameter. Valid values: all, open, closed, healed, final'],
    ['cause=x', `Invalid cause parameter. Valid values: all, ${GAP_CAUSES.join(', ')}`],
    ['limit=0', 'Limit parameter must be between 1 and 1000'],
    ['limit=1001', 'Limit parameter must be between 1 and 1000'],
    ['limit=1e2', 'Limit parameter must be a valid integer'],
    ['symbol=', 'symbol parameter must be one symbol of 1 to 64 characters'],
    [`symbol=${'A'.repeat(65)}`, 'symbol parameter must be one symbol of 1 to 64 characters'],
    ['symbol=A&symbol=B', 'symbol parameter must be one symbol of 1 to 64 characters'],
    ['since=', since],
    ['since=yesterday', since],
    ['since=1751170069066285', since],
    ['since=2025-02-30T00:00:00Z', since],
    ['since=1h&since=1h', since],
    ['until=1w', since.replace('since', 'until')],
    ['since=1h&until=2h', 'since parameter must be before until'],
    ['since=1h&until=1h', 'since parameter must be before until'],
    ['since=2027-01-01T00:00:00Z', 'since parameter must be before now'],
    ['limit=x&venue=x', 'Invalid venue parameter. Valid values: all, binance, binance-usdm, okx, deribit'],
  ])('?%s', async (query, message) => {
    expect(errorProblems(await get(query), 'INVALID_PARAMETERS', message)).toEqual([])
  })
})

test('a feed tells its proof, and the gap that is open', async () => {
  const { feeds } = bodyOf(await ask(running.url, '/api/v1/feeds?venue=binance&channel=trades')).data
  expect(feeds[0]).toMatchObject({ symbol: 'BTCUSDT', proof: 'counter', open_gap: { gap_id: 'open', lost: null } })
  expect(feeds[1]).toMatchObject({ symbol: 'ETHUSDT', proof: 'counter', open_gap: null })
})
