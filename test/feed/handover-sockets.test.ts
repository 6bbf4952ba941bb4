/** Ends that a venue announces, and the one that everyone knows of, on real sockets against the simulators. */

import { afterEach, describe, expect, test } from 'vitest'
import { Books } from '../../src/book/books.ts'
import { Bans } from '../../src/feed/bans.ts'
import { RestClient } from '../../src/feed/rest-client.ts'
import { VenueFeed } from '../../src/feed/venue-feed.ts'
import { Ledger } from '../../src/ledger/ledger.ts'
import { CHANNELS, type Gap, type Instrument, type MarketEvent, type Trade } from '../../src/model/event.ts'
import { systemClock } from '../../src/platform/clock.ts'
import { systemPlatform } from '../../src/platform/system.ts'
import { simVenues } from '../../src/sim/index.ts'
import { type Simulator, type SimulatorOptions, startSimulator } from '../../src/sim/server.ts'
import { findVenue } from '../../src/venues/index.ts'
import { channelNames, type Venue } from '../../src/venues/venue.ts'
import { until } from '../helpers/service.ts'
import { createWorld } from '../helpers/world.ts'
import { observerOf } from './rig.ts'

const SYMBOLS: Readonly<Record<string, readonly string[]>> = {
  binance: ['BTCUSDT', 'ETHUSDT'],
  'binance-usdm': ['BTCUSDT', 'ETHUSDT'],
  okx: ['BTC-USDT', 'BTC-USDT-SWAP'],
  deribit: ['BTC-PERPETUAL', 'ETH-PERPETUAL'],
}

interface Running {
  readonly venue: Venue
  readonly simulator: Simulator
  readonly feed: VenueFeed
  readonly events: MarketEvent[]
  readonly gaps: Gap[]
  readonly log: string[]
  stop(): Promise<void>
}

let running: Running | undefined

afterEach(() => running?.stop())

/** All four channels of the venue's symbols; every feed is live. */
async function start(venue: Venue, options: Partial<SimulatorOptions>): Promise<Running> {
  const { files } = createWorld()
  const platform = { ...systemPlatform(), files }
  const { clock } = platform
  const venues = simVenues.filter(({ id }) => id === venue.id)
  const simulator = await startSimulator({ clock, venues, seed: 3, rate: 3, ...options })
  const urls = simulator.options(venue.id)
  const books = new Books(new Map([[venue.id, venue.book]]))
  const instruments = new Map<string, Instrument>()
  const events: MarketEvent[] = []
  const gaps: Gap[] = []
  const log: string[] = []
  const ledger = new Ledger({
    folder: 'ledger',
    files,
    clock,
    emit: (gap) => void gaps.push(gap),
    onProblem: (problem) => void log.push(`ledger ${problem}`),
  })
  const shared = { venue, platform, instruments }
  const bans = new Bans('bans.json', platform)
  const rest = new RestClient({ ...shared, urls: [urls.rest_url as string], bans, onOutcome: () => {} })
  const feed = new VenueFeed({
    ...shared,
    symbols: SYMBOLS[venue.id] as readonly string[],
    channels: Object.fromEntries(CHANNELS.map((channel) => [channel, channelNames(venue, channel)[0]])),
    endpoints: Object.fromEntries(
      Object.entries(venue.endpoints).map(([name, { option }]) => [name, [urls[option] as string]]),
    ),
    pollIntervalMs: undefined,
    rest,
    books,
    ledger,
    downstream: { accept: (event) => void events.push(event) },
    observer: observerOf(log),
  })
  await ledger.load()
  feed.open()
  await ledger.start()
  await feed.start()
  const stop = async () => {
    feed.stop()
    rest.stop()
    ledger.stop()
    await simulator.stop()
    running = undefined
  }
  running = { venue, simulator, feed, events, gaps, log, stop }
  await until('every feed to be live', () => [...feed.feeds].every(({ state }) => state === 'live'))
  gaps.length = 0
  return running
}

const done = ({ log }: Running) => log.filter((line) => /^rotated .* done$/.test(line)).length

/** No book left `live`, no trade is missing or double, nothing was told to be lost, and the venue's rules were kept. */
function expectWhole({ venue, simulator, events, gaps, log }: Running): void {
  expect(log.filter((line) => /^(lost|rotated .* (promoted|given_up))/.test(line))).toEqual([])
  const stale = events.filter((event) => event.type === 'book_state' && event.state === 'stale')
  expect(stale).toEqual([])
  for (const symbol of SYMBOLS[venue.id] as readonly string[]) {
    const trades = events.filter((event): event is Trade => event.type === 'trade' && event.symbol === symbol)
    expect(trades.length).toBeGreaterThan(5)
    const spans = trades.map((trade) => venue.tradeSpan(trade))
    const breaks = spans.filter((span, i) => i > 0 && span?.first !== (spans[i - 1]?.last ?? 0) + 1)
    expect(breaks, symbol).toEqual([])
    expect(trades.every(({ source }) => source === 'stream')).toBe(true)
    for (const type of ['ticker', 'quote', 'book_delta']) {
      const ids = events.flatMap((event) => (event.type === type && event.symbol === symbol ? [event.id] : []))
      expect(ids.length - new Set(ids).size, `${type} of ${symbol} double`).toBe(0)
    }
  }
  expect(gaps).toEqual([])
  expect(simulator.violations()).toEqual([])
}

const found = (id: string) => findVenue(id) as Venue

describe('planned ends', () => {
  // The simulator's own clock could be scaled instead, but then its pings want their pongs within 300 ms too.
  test.each(['binance', 'binance-usdm'])(
    '%s: the end of a connection after 24 h, here 12 s',
    { timeout: 60_000 },
    async (id) => {
      const venue = found(id)
      const run = await start({ ...venue, socketLimits: { ...venue.socketLimits, lifetimeMs: 8_000 } }, {})
      const clock = systemClock()
      const stopEnding = clock.every(100, () => {
        for (const peer of run.simulator.connections())
          if (clock.nowUs() / 1_000 - peer.openedMs > 12_000) peer.close(1008, 'disconnected after 24 hours')
      })
      const sockets = run.simulator.connections().length
      await until('two rotations of each connection', () => done(run) >= 2 * sockets, 40_000).finally(stopEnding)
      expectWhole(run)
      await until('the old sockets to be closed', () => run.simulator.connections().length === sockets)
    },
  )

  test.each([
    ['binance', 'shutdown-notice&delay_ms=6000', {}],
    ['okx', 'notice', { timeScale: 10 }],
    ['deribit', 'maintenance&seconds=1', {}],
  ])('%s announces it', { timeout: 60_000 }, async (id, order, options) => {
    const run = await start(found(id), options)
    const before = run.simulator.connections().map((peer) => peer.id)
    run.simulator.control(`order?venue=${id}&name=${order}`)
    await until('the switch', () => done(run) === before.length, 30_000)
    const ids = () => run.simulator.connections().map((peer) => peer.id)
    await until('the old ones to be closed', () => !ids().some((peer) => before.includes(peer)))
    const count = run.events.length
    await until('data of the new connection', () => run.events.length > count + 100)
    expectWhole(run)
  })
})
