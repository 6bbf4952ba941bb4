/** `GET /api/v1/completeness`: shares that never flatter, sums that keep the unverifiable apart, bounded buckets. */

import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { bucketCount, bucketsOf, completenessSum, share } from '../../src/api/completeness.ts'
import { completenessResponse } from '../../src/api/routes/completeness.ts'
import { pauses, turns } from '../../src/api/turns.ts'
import type { CompletenessView } from '../../src/api/view.ts'
import { systemClock } from '../../src/platform/clock.ts'
import { fakeGap } from './helpers/fake-collector.ts'
import { ask, bodyOf, errorProblems } from './helpers/http.ts'
import { type RunningApi, startApi } from './helpers/start-api.ts'

const HOUR_US = 3600e6
const NOW_US = Date.UTC(2026, 10, 23, 12) * 1000
const ago = (seconds: number): number => NOW_US - seconds * 1e6

let running: RunningApi
beforeAll(async () => {
  running = await startApi({ clock: { ...systemClock(), nowUs: () => NOW_US } })
})
afterAll(() => running.api.stop())
beforeEach(() => {
  const { collector } = running
  collector.completenessCalls = 0
  collector.firstUs = ({ symbol }) => (symbol === 'SOLUSDT' ? ago(90) : 0)
  collector.ledger = [
    fakeGap({ gap_id: 'open', start_time_us: ago(30), state: 'open' }),
    fakeGap({ gap_id: 'healed', start_time_us: ago(600), end_time_us: ago(500), state: 'healed', lost: 4, healed: 4 }),
    fakeGap({ gap_id: 'final', start_time_us: ago(1800), end_time_us: ago(1794), state: 'final', lost: 7, healed: 5 }),
    fakeGap({ gap_id: 'quote', channel: 'quote', start_time_us: ago(720), end_time_us: ago(360) }),
  ]
})

const get = (query: string) => ask(running.url, `/api/v1/completeness?${query}`)
const dataOf = async (query: string) => bodyOf(await get(query)).data

test('the default window is the last day, for every feed', async () => {
  const data = await dataOf('')
  expect(completenessResponse.safeParse(data).error?.issues ?? []).toEqual([])
  expect(data.query_parameters).toEqual({
    venue: 'all',
    symbol: null,
    type: 'all',
    since: '2026-11-22T12:00:00.000000+00:00',
    until: '2026-11-23T12:00:00.000000+00:00',
    step_seconds: null,
  })
  expect(data.count).toBe(40)
  expect(data.feeds[0]).toEqual({
    exchange: 'binance',
    venue: 'binance',
    channel: 'trade',
    symbol: 'BTCUSDT',
    proof: 'counter',
    verifiable: true,
    start: '2026-11-22T12:00:00.000000+00:00',
    end: '2026-11-23T12:00:00.000000+00:00',
    covered_share: 0.999583,
    seconds: 86_400,
    seconds_lost: 36,
    ids_lost: 2,
    ids_healed: 9,
    gaps: 3,
    open_gaps: 1,
  })
})

test('a feed collected only lately is measured from its start', async () => {
  const { feeds } = await dataOf('since=1h&symbol=solusdt&type=book')
  expect(feeds).toHaveLength(1)
  expect(feeds[0]).toMatchObject({
    start: '2026-11-23T11:58:30.000000+00:00',
    covered_share: 1,
    ids_lost: null,
    ids_healed: null,
    verifiable: true,
  })
  expect(await dataOf('since=1h&until=30m&symbol=SOLUSDT')).toMatchObject({
    count: 0,
    feeds: [],
    summary: { verifiable: { feeds: 0, covered_share: null, seconds: 0, ids_lost: null } },
  })
})

test('feeds without a proof have a total of their own, whatever they show', async () => {
  const { summary, feeds } = await dataOf('since=1h&symbol=BTCUSDT&venue=binance')
  expect(feeds.map(({ channel, verifiable }: Record<string, unknown>) => [channel, verifiable])).toEqual([
    ['trade', true],
    ['ticker', false],
    ['quote', false],
    ['book', true],
  ])
  expect(summary).toEqual({
    verifiable: {
      feeds: 2,
      incomplete: 1,
      covered_share: 0.995,
      seconds: 7200,
      seconds_lost: 36,
      ids_lost: 2,
      ids_healed: 9,
      gaps: 3,
      open_gaps: 1,
    },
    unverifiable: {
      feeds: 2,
      incomplete: 1,
      covered_share: 0.95,
      seconds: 7200,
      seconds_lost: 360,
      ids_lost: null,
      ids_healed: null,
      gaps: 1,
      open_gaps: 0,
    },
  })
})

test('the future is not covered: the window ends now at the latest', async () => {
  const { query_parameters } = await dataOf('since=1h&until=2099-01-01T00:00:00Z')
  expect(query_parameters.until).toBe('2026-11-23T12:00:00.000000+00:00')
  const { query_parameters: past } = await dataOf('until=1h')
  expect(past.since).toBe('2026-11-22T11:00:00.000000+00:00')
})

describe('shares', () => {
  const view = (facts: Partial<CompletenessView>): CompletenessView => ({
    exchange: 'x',
    venue: 'x',
    channel: 'trade',
    symbol: 'X',
    proof: 'counter',
    startUs: 0,
    endUs: 24 * HOUR_US,
    secondsCollected: 24 * 3600,
    coveredShare: 1,
    secondsLost: 0,
    hasMomentaryLoss: false,
    idsLost: 0,
    idsHealed: 0,
    gaps: 0,
    openGaps: 0,
    ...facts,
  })

  test.each([
    [1, false, 1],
    [0.999_999_999, true, 0.999_999],
    [1, true, 0.999_999],
    [0.123_456_9, true, 0.123_456],
    [0.7, true, 0.7],
    [1 - 0.9, true, 0.1],
    [0.999_999_999, false, 0.999_999],
    [0, true, 0],
    [-1e-9, true, 0],
    [1.000_001, false, 1],
  ])('%d, loss %s: %d', (covered, hasLoss, expected) => {
    expect(share(covered, hasLoss)).toBe(expected)
  })

  test('one id lost in ten thousand whole feeds keeps the total below 1', () => {
    const views = Array.from({ length: 10_000 }, () => view({}))
    expect(completenessSum(views)).toMatchObject({ covered_share: 1, incomplete: 0, feeds: 10_000 })
    expect(completenessSum([...views, view({ idsLost: 1 })])).toMatchObject({ covered_share: 0.999_999, ids_lost: 1 })
    expect(completenessSum([...views, view({ openGaps: 1 })])).toMatchObject({ covered_share: 0.999_999, open_gaps: 1 })
  })

  test('what was collected for long weighs more than what was for short', () => {
    const short = view({ secondsCollected: 3600, coveredShare: 0, secondsLost: 3600 })
    expect(completenessSum([view({ secondsCollected: 3 * 3600 }), short])).toMatchObject({
      covered_share: 0.75,
      seconds: 14_400,
    })
  })

  test('sums of seconds carry no dust', () => {
    const lost = (secondsLost: number) => view({ secondsLost, coveredShare: 0.5 })
    expect(completenessSum([lost(0.1), lost(0.2)]).seconds_lost).toBe(0.3)
  })
})

describe('with a step', () => {
  const buckets = async (query: string) => (await dataOf(query)).feeds[0].buckets

  test('each minute of the symbol says what it has', async () => {
    const rows = await buckets('venue=binance&symbol=BTCUSDT&type=trade&since=31m&step=60s')
    expect(rows).toHaveLength(31)
    expect(rows[0]).toEqual({
      start: '2026-11-23T11:29:00.000000+00:00',
      end: '2026-11-23T11:30:00.000000+00:00',
      covered_share: 1,
      seconds: 60,
      seconds_lost: 0,
      ids_lost: 0,
      ids_healed: 0,
      gaps: 0,
      open_gaps: 0,
    })
    expect(rows[1]).toMatchObject({ covered_share: 0.9, seconds_lost: 6, ids_lost: 2, ids_healed: 5, gaps: 1 })
    expect(rows[30]).toMatchObject({ covered_share: 0.5, seconds_lost: 30, open_gaps: 1 })
    expect(rows.filter(({ gaps }: { gaps: number }) => gaps > 0)).toHaveLength(4)
  })

  test('buckets begin at multiples of the step, the first and the last may be shorter', async () => {
    const rows = await buckets('symbol=ETHUSDT&type=book&since=2026-11-23T10:20:30Z&until=2026-11-23T11:40:00Z&step=1h')
    expect(
      rows.map(({ start, end }: { start: string; end: string }) => [start.slice(11, 19), end.slice(11, 19)]),
    ).toEqual([
      ['10:20:30', '11:00:00'],
      ['11:00:00', '11:40:00'],
    ])
  })

  test('there are none from before the feed was collected', async () => {
    const rows = await buckets('symbol=SOLUSDT&type=book&since=5m&step=1m')
    expect(rows.map(({ start }: { start: string }) => start.slice(11, 19))).toEqual(['11:58:30', '11:59:00'])
  })

  test('one that only touches the time of collection is none', async () => {
    running.collector.firstUs = () => ago(60)
    expect(await buckets('symbol=SOLUSDT&type=book&since=2m&step=1m')).toHaveLength(1)
    expect((await dataOf('since=2m&until=1m')).count).toBe(0)
  })

  test('cutting covers the window, once', () => {
    for (const [sinceUs, untilUs, stepUs] of [
      [0, 10, 3],
      [1, 10, 3],
      [3, 9, 3],
      [4, 5, 3],
      [2, 4, 3],
    ] as const) {
      const cut = bucketsOf(sinceUs, untilUs, stepUs)
      expect(cut).toHaveLength(bucketCount(sinceUs, untilUs, stepUs))
      expect([cut[0]?.startUs, cut.at(-1)?.endUs]).toEqual([sinceUs, untilUs])
      for (const [index, { startUs, endUs }] of cut.entries()) {
        expect(endUs).toBeGreaterThan(startUs)
        if (index > 0) expect(startUs).toBe(cut[index - 1]?.endUs)
      }
    }
  })

  test('a day of one symbol by the minute is answered', async () => {
    const { feeds } = await dataOf('venue=okx&symbol=BTC-USDT&step=1m')
    expect(feeds.map(({ buckets: rows }: { buckets: unknown[] }) => rows.length)).toEqual([1440, 1440, 1440, 1440])
  })

  test('too many buckets or rows are refused before they are computed', async () => {
    const tooFine = await get('symbol=BTCUSDT&step=1s')
    expect(
      errorProblems(
        tooFine,
        'INVALID_PARAMETERS',
        'step cuts the window into 86400 buckets; at most 1500 are answered. Ask for a shorter window or a longer step.',
      ),
    ).toEqual([])
    const tooWide = await get('step=1m')
    expect(
      errorProblems(
        tooWide,
        'INVALID_PARAMETERS',
        '1440 buckets of 40 feeds are 57600 rows; at most 20000 are answered. Name a venue, symbol or type, a shorter window or a longer step.',
      ),
    ).toEqual([])
    expect(running.collector.completenessCalls).toBe(2)
    expect((await get('since=500m&step=1m')).status).toBe(200)
    expect((await get('since=501m&step=1m')).status).toBe(400)
    expect((await get('symbol=ETHUSDT&since=1500m&step=1m')).status).toBe(200)
    expect((await get('symbol=ETHUSDT&since=1501m&step=1m')).status).toBe(400)
  })
})

describe('bad parameters', () => {
  const step = 'step parameter must be a length of time above zero: 60s, 5m, 1h or 1d'
  const since =
    'since parameter must be an ISO-8601 time with its offset (2025-06-29T04:07:49Z) or how long ago (90s, 15m, 1h, 2d)'
  test.each([
    ['step=0s', step],
    ['step=', step],
    ['step=60', step],
    ['step=1m&step=1m', step],
    ['since=24', since],
    ['since=0s', 'since parameter must be before now'],
    ['until=1970-01-01T00:00:00Z', 'since parameter must be before now'],
    ['since=2027-01-01T00:00:00Z&until=2028-01-01T00:00:00Z', 'since parameter must be before now'],
    ['since=1h&until=1h', 'since parameter must be before until'],
    ['type=orderbook', 'Invalid type parameter. Valid values: all, trade, ticker, quote, book'],
  ])('?%s', async (query, message) => {
    expect(errorProblems(await get(query), 'INVALID_PARAMETERS', message)).toEqual([])
  })

  test('a symbol that nobody collects is not found, rather than complete', async () => {
    expect(errorProblems(await get('symbol=NOPE'), 'NOT_FOUND')).toEqual([])
    expect(errorProblems(await get('symbol=BTCUSDT&venue=okx&step=1h'), 'NOT_FOUND')).toEqual([])
  })
})

describe('large answers', () => {
  test('are made a few at a time, one after the other, and in slices', async () => {
    const answers = await Promise.all(Array.from({ length: 12 }, () => get('since=450m&step=1m')))
    const statuses = answers.map(({ status }) => status)
    expect(new Set(statuses)).toEqual(new Set([200, 503]))
    expect(statuses.filter((status) => status === 200).length).toBeGreaterThanOrEqual(4)
    const refused = answers.find(({ status }) => status === 503)
    const message = 'Too many large answers are being made. Ask again in a moment.'
    expect(refused && errorProblems(refused, 'SERVICE_UNAVAILABLE', message)).toEqual([])
    expect((await get('since=1h&step=1h')).status).toBe(200)
  })

  test('one that fails leaves the turn to the next', async () => {
    const inTurn = turns(2)
    const order: string[] = []
    const failing = inTurn(async () => {
      order.push('first')
      throw new Error('broken')
    })
    const next = inTurn(async () => order.push('second'))
    await expect(inTurn(async () => 0)).rejects.toMatchObject({ code: 'SERVICE_UNAVAILABLE' })
    await expect(failing).rejects.toThrow('broken')
    await next
    expect(order).toEqual(['first', 'second'])
    expect(await inTurn(async () => 'third')).toBe('third')
  })

  test('a pause is made only when the slice is over', async () => {
    const world = { ms: 0, waits: 0 }
    const clock = {
      ...systemClock(),
      monotonicMs: () => world.ms,
      after(_delayMs: number, action: () => void) {
        world.waits++
        queueMicrotask(action)
        return () => undefined
      },
    }
    const pause = pauses(clock, 10)
    for (world.ms = 0; world.ms < 40; world.ms += 4) await pause()
    expect(world.waits).toBe(3)
  })
})
