/** The whole service against simulators that misbehave: what the API says is true, and one fault touches one symbol. */

import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { FeedView } from '../../src/api/view.ts'
import type { MarketEvent } from '../../src/model/event.ts'
import { systemClock } from '../../src/platform/clock.ts'
import { simVenues } from '../../src/sim/index.ts'
import { type Simulator, startSimulator } from '../../src/sim/server.ts'
import { type RunningService, startService, until } from '../helpers/service.ts'

const SYMBOLS: Readonly<Record<string, readonly string[]>> = {
  binance: ['BTCUSDT', 'ETHUSDT', 'SOLUSDT'],
  'binance-usdm': ['BTCUSDT', 'ETHUSDT'],
  okx: ['BTC-USDT', 'ETH-USDT', 'BTC-USDT-SWAP'],
  deribit: ['BTC-PERPETUAL', 'ETH-PERPETUAL'],
}
const VENUES = Object.keys(SYMBOLS)
const BOOK_COUNT = Object.values(SYMBOLS).flat().length

let simulator: Simulator
let running: RunningService

beforeEach(async () => {
  simulator = await startSimulator({ clock: systemClock(), venues: simVenues, seed: 7, rate: 2 })
  running = await startService(simulator, SYMBOLS)
  await until('all books to be live', () => liveBooks() === BOOK_COUNT, 15_000)
})

afterEach(async () => {
  await running.stop()
  await simulator.stop()
})

const feeds = (): readonly FeedView[] => running.service.collector.feeds()
const bookFeed = (venue: string, symbol: string): FeedView =>
  feeds().find((feed) => feed.venue === venue && feed.symbol === symbol && feed.channel === 'book') as FeedView
const liveBooks = () => feeds().filter(({ channel, state }) => channel === 'book' && state === 'live').length
const first = (venue: string): string => SYMBOLS[venue]?.[0] as string

/** Stops the markets and waits until every book equals the truth; fails if one never does. */
async function expectTruth(): Promise<void> {
  for (const venue of VENUES) simulator.market(venue).stop()
  for (const venue of VENUES) {
    for (const symbol of SYMBOLS[venue] ?? []) {
      const truth = simulator.market(venue).book(symbol)
      const digits = ([price, quantity]: readonly [string, string]) => [Number(price), Number(quantity)]
      const wanted = { bids: truth.bids.slice(0, 50).map(digits), asks: truth.asks.slice(0, 50).map(digits) }
      const ours = () => {
        const book = running.service.collector.book(venue, symbol, 50)
        return { state: book?.state, bids: book?.bids.map(digits), asks: book?.asks.map(digits) }
      }
      await until(
        `${venue} ${symbol} to equal the truth`,
        () => JSON.stringify(ours()) === JSON.stringify({ state: 'live', ...wanted }),
        10_000,
      ).catch((error) => expect(ours(), String(error)).toEqual({ state: 'live', ...wanted }))
    }
  }
}

const ofBook = (venue: string, symbol: string) => (event: MarketEvent) =>
  event.venue === venue && event.symbol === symbol && event.type.startsWith('book_')

describe.each(VENUES)('%s', (venue) => {
  test('one lost delta: that symbol is rebuilt, the others lose nothing', async () => {
    const symbol = first(venue)
    simulator.control(`fault?kind=drop&venue=${venue}&channel=book&symbol=${symbol}&count=1`)
    await until('the gap to be found', () => bookFeed(venue, symbol).resyncs === 1)
    await until('the book to be live again', () => bookFeed(venue, symbol).state === 'live')
    const states = running.events
      .filter(ofBook(venue, symbol))
      .flatMap((event) => (event.type === 'book_state' ? [event] : []))
    expect(states.map(({ state }) => state).slice(-2)).toEqual(expect.arrayContaining(['live']))
    expect(states.some(({ state, reason }) => state === 'stale' && reason === 'sequence_gap')).toBe(true)
    for (const feed of feeds()) {
      if (feed.venue === venue && feed.symbol === symbol) continue
      expect([feed.venue, feed.symbol, feed.resyncs]).toEqual([feed.venue, feed.symbol, 0])
    }
    const others = running.events.filter(
      (event) =>
        event.type === 'book_state' && event.state === 'stale' && !(event.venue === venue && event.symbol === symbol),
    )
    expect(others).toEqual([])
    await expectTruth()
    expect(simulator.violations()).toEqual([])
  })

  test('sockets killed by an outage: the API says so at once, and everything comes back', async () => {
    const exchange = venue.split('-')[0] as string
    simulator.control(`outage?venue=${venue}&ms=3000`)
    await until(
      'the loss to be seen',
      () => feeds().some((feed) => feed.venue === venue && feed.state !== 'live'),
      1_000,
    )
    const { data } = await running.get('/api/v1/collector/exchanges')
    expect(data.exchanges[exchange].status).not.toBe('active')
    const stale = running.events.find(
      (event) => event.type === 'book_state' && event.venue === venue && event.state === 'stale',
    )
    expect(stale).toMatchObject({ reason: 'disconnect' })
    // Chance may make the wait after the outage 16 s, or more.
    await until('all feeds to be live again', () => feeds().every(({ state }) => state === 'live'), 40_000)
    await expectTruth()
    expect(simulator.violations()).toEqual([])
  })
})

describe('frozen sockets', () => {
  test.each([true, false])(
    'open and silent, pongs %s: found within 15 s, and other venues lose nothing',
    { timeout: 60_000 },
    async (pongs) => {
      const before = feeds()
        .filter(({ venue }) => venue !== 'okx')
        .map(({ events }) => events)
      simulator.control(`freeze?venue=okx&pongs=${pongs}`)
      const start = performance.now()
      await until(
        'the silence to be told',
        () => feeds().every((feed) => feed.venue !== 'okx' || feed.state !== 'live'),
        15_000,
      )
      const { data } = await running.get('/api/v1/collector/exchanges')
      expect(data.exchanges.okx.status).not.toBe('active')
      expect(data.exchanges.binance.status).toBe('active')
      for (const symbol of SYMBOLS.okx ?? []) {
        const book = await running.get(`/api/v1/orderbook/okx/${symbol}`)
        expect(book.data.state).not.toBe('live')
      }
      await until('a new socket with data', () => feeds().every(({ state }) => state === 'live'), 15_000)
      expect(performance.now() - start).toBeLessThan(20_000)
      const after = feeds().filter(({ venue }) => venue !== 'okx')
      for (const [i, feed] of after.entries()) {
        expect(feed.events, `${feed.venue} ${feed.channel} ${feed.symbol}`).toBeGreaterThan(before[i] ?? 0)
      }
      expect(after.every(({ resyncs }) => resyncs === 0)).toBe(true)
      await expectTruth()
    },
  )
})

test('malformed frames, duplicates and reordering: counted, rebuilt where needed, never a wrong book', async () => {
  for (const venue of VENUES) {
    simulator.control(`fault?kind=malformed&venue=${venue}&channel=book&symbol=${first(venue)}&count=1`)
    simulator.control(`fault?kind=duplicate&venue=${venue}&channel=book&probability=0.2`)
    simulator.control(`fault?kind=reorder&venue=${venue}&channel=book&symbol=${first(venue)}&count=2&skip=5`)
    simulator.control(`fault?kind=malformed&how=type&venue=${venue}&channel=trade&count=2`)
  }
  await until(
    'every first symbol to be rebuilt',
    () => VENUES.every((venue) => bookFeed(venue, first(venue)).resyncs > 0),
    15_000,
  )
  const isCounted = (metrics: string, name: string, venue: string) =>
    new RegExp(`${name}\\{venue="${venue}"[^}]*\\} [1-9]`).test(metrics)
  await until('every venue to have counted what came', async () => {
    const metrics = await running.text('/metrics')
    const names = ['frames_malformed_total', 'events_duplicate_total']
    return VENUES.every((venue) => names.every((name) => isCounted(metrics, name, venue)))
  })
  simulator.control('clear')
  // A frame that waits to change places goes out with the next one, so the markets must not stop before that.
  const before = VENUES.map((venue) => bookFeed(venue, first(venue)).events)
  await until('frames that were held back to be sent', () =>
    VENUES.every((venue, i) => bookFeed(venue, first(venue)).events >= (before[i] ?? 0) + 5),
  )
  await until('all books to be live', () => liveBooks() === BOOK_COUNT, 15_000)
  await expectTruth()
  expect(running.log.filter(({ level }) => level === 'ERROR')).toEqual([])
})

test('a REST ban: no request while it lasts, streams go on, and the API says banned', async () => {
  simulator.control('fault?kind=rest-status&venue=binance&status=418&retry_after=3&count=1')
  simulator.control('fault?kind=drop&venue=binance&channel=book&symbol=BTCUSDT&count=1')
  await until('the ban', () => bookFeed('binance', 'BTCUSDT').state === 'banned')
  const requests = () =>
    running.get('/api/v1/collector/stats').then(({ data }) => data.collection_stats.rest_requests as number)
  const { data } = await running.get('/api/v1/collector/exchanges')
  expect(data.exchanges.binance.reason).toContain('REST is banned')
  const during = await requests()
  const trades = feeds().find((feed) => feed.venue === 'binance' && feed.channel === 'trade')?.events ?? 0
  const isBanned = async () =>
    !/ban_until_timestamp_seconds\{venue="binance"[^}]*\} 0/.test(await running.text('/metrics'))
  await until('the ban to end', async () => {
    const count = await requests()
    if (!(await isBanned())) return true
    expect(count).toBe(during)
    return false
  })
  expect(feeds().find((feed) => feed.venue === 'binance' && feed.channel === 'trade')?.events).toBeGreaterThan(trades)
  await until('the book', () => bookFeed('binance', 'BTCUSDT').state === 'live')
  await expectTruth()
})
