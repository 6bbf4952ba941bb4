/** One venue's feed on a platform that stands still, with real books behind it. */

import { Books } from '../../src/book/books.ts'
import { Bans } from '../../src/feed/bans.ts'
import type { Feed } from '../../src/feed/feed.ts'
import type { Observer } from '../../src/feed/ports.ts'
import { RestClient } from '../../src/feed/rest-client.ts'
import { VenueFeed } from '../../src/feed/venue-feed.ts'
import { Ledger } from '../../src/ledger/ledger.ts'
import type { Gap, Instrument, MarketEvent } from '../../src/model/event.ts'
import { findVenue, venues } from '../../src/venues/index.ts'
import { channelNames, type Venue } from '../../src/venues/venue.ts'
import { createWorld, jsonAnswer, type World } from '../helpers/world.ts'

export interface Setup {
  readonly symbols: readonly string[]
  readonly channels?: ConstructorParameters<typeof VenueFeed>[0]['channels']
  readonly urls?: readonly string[]
  readonly pollIntervalMs?: number
  /** The feeds are known by then, and the ledger has written nothing yet. */
  readonly whenOpen?: () => Promise<void> | void
}

export interface Started {
  readonly feed: VenueFeed
  readonly rest: RestClient
  readonly books: Books
  readonly ledger: Ledger
  stateOf(channel: string, symbol: string): Feed | undefined
}

export interface Rig {
  readonly world: World
  readonly events: MarketEvent[]
  /** Every revision of every gap. */
  readonly gaps: Gap[]
  /** What the feed told of itself, in words. */
  readonly log: string[]
  /** Starts a feed of `venueId`; the metadata request has been answered (or refused) by then. */
  start(venueId: string, setup: Setup): Promise<Started>
}

export function createRig(): Rig {
  const world = createWorld()
  const events: MarketEvent[] = []
  const gaps: Gap[] = []
  const log: string[] = []
  return {
    world,
    events,
    gaps,
    log,
    async start(venueId, { symbols, channels, urls = ['wss://a.example/ws'], pollIntervalMs, whenOpen = () => {} }) {
      const venue = findVenue(venueId) as Venue
      const rules = (v: Venue) =>
        pollIntervalMs === undefined ? v.book : { ...v.book, snapshotFrom: 'stream' as const }
      const books = new Books(new Map(venues.map((v) => [v.id, rules(v)])))
      const instruments = new Map<string, Instrument>()
      const bans = new Bans('bans.json', world)
      await bans.load()
      const ledger = new Ledger({
        folder: 'ledger',
        files: world.files,
        clock: world.clock,
        emit: (gap) => void gaps.push(gap),
        onProblem: (problem) => void log.push(`ledger ${problem}`),
      })
      const options = { venue, platform: world, instruments }
      const rest = new RestClient({ ...options, urls: ['https://rest.example'], bans, onOutcome: () => {} })
      const feed = new VenueFeed({
        ...options,
        symbols,
        channels: channels ?? { trade: channelNames(venue, 'trade')[0] as string },
        endpoints: Object.fromEntries(Object.keys(venue.endpoints).map((name) => [name, urls])),
        pollIntervalMs,
        rest,
        books,
        ledger,
        downstream: {
          accept: (event) => {
            ledger.flush()
            events.push(event)
          },
        },
        observer: observerOf(log),
      })
      await ledger.load()
      feed.open()
      await whenOpen()
      await ledger.start()
      void feed.start()
      await world.clock.advance(1)
      const stateOf = (channel: string, symbol: string) =>
        [...feed.feeds].find((f) => f.channel === channel && f.symbol === symbol)
      return { feed, rest, books, ledger, stateOf }
    },
  }
}

export const observerOf = (log: string[]): Observer => ({
  frame: () => {},
  late: () => void log.push('late'),
  odd: (decoded) => void log.push(decoded.kind === 'unknown' ? `unknown ${decoded.what}` : 'malformed'),
  duplicate: () => void log.push('duplicate'),
  opened: (url) => void log.push(`opened ${new URL(url).host}`),
  lost: (reason, wasOpen) => void log.push(`lost ${wasOpen ? '' : 'before opening '}${reason}`),
  closing: (reason) => void log.push(`closing ${reason}`),
  rejected: (feed, reason) => void log.push(`rejected ${feed?.symbol} ${reason}`),
  resync: (feed, reason) => void log.push(`resync ${feed.symbol} ${reason}`),
  rebuilt: (feed) => void log.push(`rebuilt ${feed.symbol}`),
  stale: (feed) => void log.push(`stale ${feed.symbol}`),
  behind: (feed) => void log.push(`behind ${feed.symbol}`),
  audited: (feed, outcome) => void log.push(`audited ${feed.symbol} ${outcome}`),
  rotated: (reason, outcome) => void log.push(`rotated ${reason} ${outcome}`),
  unsteady: () => void log.push('unsteady'),
  unknownSymbols: (symbols) => void log.push(`unknown symbols ${symbols}`),
  metadataFailed: (reason) => void log.push(`metadata failed ${reason}`),
})

export const binanceTrade = (symbol: string, id: number) => ({
  stream: `${symbol.toLowerCase()}@trade`,
  data: { e: 'trade', E: 1795392000100, s: symbol, t: id, p: '1.5', q: '2', T: 1795392000099, m: true, M: true },
})

export const binanceDelta = (symbol: string, first: number, last: number, price = '1.0') => ({
  stream: `${symbol.toLowerCase()}@depth@100ms`,
  data: { e: 'depthUpdate', E: 1795392000100, s: symbol, U: first, u: last, b: [[price, '5']], a: [] },
})

export const snapshotAt = (lastUpdateId: number) =>
  jsonAnswer({ lastUpdateId, bids: [['1.0', '2']], asks: [['1.1', '3']] })

export const exchangeInfo = (...symbols: string[]) =>
  jsonAnswer({
    symbols: symbols.map((symbol) => ({
      symbol,
      status: 'TRADING',
      baseAsset: symbol.slice(0, -4),
      quoteAsset: 'USDT',
      filters: [],
    })),
  })
