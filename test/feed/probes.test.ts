/** A silent book or connection, and a venue that is asked about it. */

import { beforeEach, describe, expect, test } from 'vitest'
import { Books } from '../../src/book/books.ts'
import { Bans } from '../../src/feed/bans.ts'
import type { Feed } from '../../src/feed/feed.ts'
import { Probes } from '../../src/feed/probes.ts'
import { RestClient } from '../../src/feed/rest-client.ts'
import { RestLag } from '../../src/feed/rest-lag.ts'
import { Tally } from '../../src/ledger/tally.ts'
import { findVenue } from '../../src/venues/index.ts'
import { channelNames, type Venue } from '../../src/venues/venue.ts'
import { snapshot } from '../book/builders.ts'
import { createWorld, jsonAnswer, type World } from '../helpers/world.ts'

const SYMBOL = 'BTCUSDT'
const venue = findVenue('binance') as Venue

let world: World
let books: Books
let bans: Bans
let probes: Probes
let log: string[]
/** What the venue's book stands at. */
let theirs: number

/** A feed as far as it is asked about. */
const feedOf = (channel: 'book' | 'trade', more: Partial<Record<keyof Feed, unknown>> = {}): Feed =>
  ({
    channel,
    symbol: SYMBOL,
    topic: venue.topic(channel, channelNames(venue, channel)[0] ?? '', SYMBOL),
    events: 7,
    isGivenUp: false,
    tally: new Tally(50),
    silence: { limitMs: 10_000 },
    restLag: new RestLag(),
    quiet: () => void log.push('quiet'),
    ...more,
  }) as unknown as Feed

/** The book stands at `sequence`, proven. */
function ours(sequence: number): void {
  for (let i = 0; i < 2; i++) books.accept({ ...snapshot(sequence), venue: 'binance', symbol: SYMBOL })
}

beforeEach(async () => {
  world = createWorld()
  log = []
  theirs = 100
  world.answer = ({ url }) =>
    jsonAnswer(
      url.includes('/depth') ? { lastUpdateId: theirs, bids: [['1', '1']], asks: [['2', '1']] } : { lastId: theirs },
    )
  books = new Books(new Map([['binance', venue.book]]))
  bans = new Bans('bans.json', world)
  await bans.load()
  const instruments = new Map()
  const rest = new RestClient({
    venue,
    urls: ['https://a.example'],
    platform: world,
    bans,
    instruments,
    onOutcome: () => {},
  })
  const dead = (_: Feed, reason: string) => void log.push(`dead: ${reason}`)
  const unproven = () => void log.push('unproven')
  probes = new Probes({ venue, rest, platform: world, books, dead, unproven })
})

describe('a silent book', () => {
  test('that stands where the venue stands is quiet; the smallest snapshot tells', async () => {
    ours(100)
    await probes.ask(feedOf('book'))
    expect(log).toEqual(['quiet'])
    expect(world.requests.map(({ url }) => new URL(url).search)).toEqual([`?symbol=${SYMBOL}&limit=100`])
  })

  test('is dead when the venue has come further, and nothing came in two seconds', async () => {
    ours(99)
    const feed = feedOf('book')
    void probes.ask(feed)
    await world.clock.advance(1_900)
    expect([log, probes.isAsking(feed)]).toEqual([[], true])
    await world.clock.advance(200)
    expect([log, probes.isAsking(feed)]).toEqual([["dead: the venue's book is at 100"], false])
  })

  test('whose venue is behind it is quiet, for as long as REST may lag; a venue that counts anew does not tell', async () => {
    ours(100)
    theirs = 99
    const feed = feedOf('book')
    for (let seconds = 0; seconds <= 30; seconds += 10) {
      await probes.ask(feed)
      await world.clock.advance(10_000)
    }
    expect(log).toEqual(['quiet', 'quiet', 'quiet', 'quiet'])
    await probes.ask(feed)
    expect(log.slice(4)).toEqual(["dead: the venue's book is at 99"])
  })

  test('whose REST nodes lag now and then is quiet', async () => {
    ours(100)
    const feed = feedOf('book')
    for (let i = 0; i < 20; i++) {
      theirs = 100 - (i % 3)
      await probes.ask(feed)
      await world.clock.advance(14_000)
    }
    expect(new Set(log)).toEqual(new Set(['quiet']))
  })

  test('is what it was when it has spoken meanwhile, or is asked about no more', async () => {
    ours(99)
    const feed = feedOf('book')
    void probes.ask(feed)
    await world.clock.advance(1_000)
    feed.events++
    await world.clock.advance(2_000)
    void probes.ask(feed)
    probes.stop()
    await world.clock.advance(3_000)
    expect(log).toEqual([])
  })

  test('is not called live while its only snapshot is unproven: that wait goes on', async () => {
    books.accept({ ...snapshot(100), venue: 'binance', symbol: SYMBOL })
    await probes.ask(feedOf('book'))
    expect(log).toEqual(['unproven'])
  })

  test('is dead when the venue cannot be asked', async () => {
    ours(100)
    world.answer = () => jsonAnswer({ code: -1000, msg: 'busy' }, 500)
    await probes.ask(feedOf('book'))
    expect(log).toEqual(['dead: HTTP 500 -1000 busy'])
  })

  test('nor can a venue be asked during a ban, however long, or that answers too late', async () => {
    ours(100)
    await bans.set('binance a.example pause', 60_000)
    void probes.ask(feedOf('book'))
    await world.clock.advance(31_000)
    expect(log).toEqual(['dead: no answer in time'])
    await bans.set('binance a.example', 3_600_000)
    await probes.ask(feedOf('book'))
    expect(log.slice(1)).toEqual(['dead: the venue cannot be asked during a ban'])
    expect(world.requests).toEqual([])
  })
})

describe('a silent connection', () => {
  const isQuiet = async (...feeds: Feed[]) => {
    const answer = probes.isQuiet(feeds)
    await world.clock.advance(1_100)
    return answer
  }

  test('is asked about by its trades, before any book', async () => {
    ours(100)
    theirs = 50
    expect(await isQuiet(feedOf('book'), feedOf('trade'))).toBe(true)
    theirs = 51
    expect(await isQuiet(feedOf('book'), feedOf('trade'))).toBe(false)
    expect(world.requests.every(({ url }) => !url.includes('depth'))).toBe(true)
  })

  test('is none when the venue is far behind its trades for longer than REST lags: it counts anew', async () => {
    theirs = 7
    const trade = feedOf('trade')
    expect(await isQuiet(trade)).toBe(true)
    await world.clock.advance(20_000)
    expect(await isQuiet(trade)).toBe(true)
    await world.clock.advance(9_000)
    expect(await isQuiet(trade)).toBe(false)
  })

  test('is not asked about by a stream that had fallen silent long before it', async () => {
    ours(100)
    const [book, trade] = [
      feedOf('book', { lastMessageUs: 90_000_000 }),
      feedOf('trade', { lastMessageUs: 50_000_000 }),
    ]
    expect(await isQuiet(book, trade)).toBe(true)
    expect(world.requests.every(({ url }) => url.includes('depth'))).toBe(true)
  })

  test('of two books alike, the one that spoke last is asked about', async () => {
    const other = 'ETHUSDT'
    for (const symbol of [SYMBOL, other])
      for (let i = 0; i < 2; i++) books.accept({ ...snapshot(100), venue: 'binance', symbol })
    const early = feedOf('book', { lastMessageUs: 88_000_000 })
    const late = feedOf('book', { lastMessageUs: 90_000_000, symbol: other })
    await isQuiet(early, late)
    expect(world.requests.map(({ url }) => new URL(url).searchParams.get('symbol'))).toEqual([other])
  })

  test('is none that can be told of without a stream that stands anywhere', async () => {
    expect(await isQuiet(feedOf('book'), feedOf('trade', { tally: new Tally() }))).toBe(false)
    expect(world.requests).toEqual([])
  })

  test('of books alone by the book; a venue that does not answer says nothing', async () => {
    ours(100)
    expect(await isQuiet(feedOf('book'))).toBe(true)
    world.answer = () => jsonAnswer({ code: -1000, msg: 'busy' }, 500)
    expect(await isQuiet(feedOf('book'))).toBe(false)
  })

  test('a book that is not proven yet is asked about by the snapshot that it has', async () => {
    books.accept({ ...snapshot(100), venue: 'binance', symbol: SYMBOL })
    expect(await isQuiet(feedOf('book'))).toBe(true)
    theirs = 101
    expect(await isQuiet(feedOf('book'))).toBe(false)
  })

  test('a snapshot fetched because an audit found more than the stream had brought does not speak for the stream', async () => {
    ours(100)
    books.find('binance', SYMBOL)?.invalidate('audit_mismatch')
    theirs = 103
    books.accept({ ...snapshot(103), venue: 'binance', symbol: SYMBOL })
    expect(await isQuiet(feedOf('book'))).toBe(false)
    theirs = 100
    expect(await isQuiet(feedOf('book'))).toBe(true)
  })
})
