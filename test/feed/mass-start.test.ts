/** Many books at once on a platform that stands still: how soon they are there, what they cost, how they grow. */

import { beforeEach, describe, expect, test } from 'vitest'
import { bookView } from '../../src/collector/book-view.ts'
import type { BookSnapshot } from '../../src/model/event.ts'
import { findVenue } from '../../src/venues/index.ts'
import type { Venue } from '../../src/venues/venue.ts'
import { jsonAnswer, type Peer } from '../helpers/world.ts'
import { createRig, exchangeInfo, type Rig, type Started } from './rig.ts'

const SYMBOLS = Array.from({ length: 200 }, (_, i) => `S${i}USDT`)
/** The venue has more levels than any snapshot tells. */
const DEEP = 1_500
const ANSWER_MS = 200

let rig: Rig
/** Where the venue's books stand. */
let sequence: number

const limitOf = (url: string) => Number(new URL(url).searchParams.get('limit'))
const levelsFrom = (first: number, step: number, count: number) =>
  Array.from({ length: count }, (_, i) => [String(first + step * i), '1'])

beforeEach(() => {
  rig = createRig()
  sequence = 100
  const { world } = rig
  world.answer = async ({ url }) => {
    if (url.includes('exchangeInfo')) return exchangeInfo(...SYMBOLS)
    await new Promise<void>((resolve) => void world.clock.after(ANSWER_MS, resolve))
    const count = Math.min(DEEP, limitOf(url))
    return jsonAnswer({
      lastUpdateId: sequence,
      bids: levelsFrom(10_000, -1, count),
      asks: levelsFrom(10_001, 1, count),
    })
  }
})

/** Every connection opens, its subscriptions are confirmed, and each book says one word that joins its snapshot. */
async function open(): Promise<void> {
  const { world } = rig
  await world.clock.advance(1_000)
  sequence = 101
  for (const peer of world.peers) {
    peer.open()
    await world.clock.advance(2_000)
    for (const { id, params } of peer.frames) {
      peer.message({ result: null, id })
      for (const stream of params as string[]) say(peer, stream.split('@')[0]?.toUpperCase() ?? '', 101)
    }
  }
}

const say = (peer: Peer, symbol: string, u: number, b: string[][] = [], a: string[][] = []) =>
  peer.message({
    stream: `${symbol.toLowerCase()}@depth@100ms`,
    data: { e: 'depthUpdate', E: 1795392000100, T: 1795392000100, s: symbol, U: u, u, pu: u - 1, b, a },
  })

/** Errors: rejects when it takes more than two minutes. */
async function allLive({ feed }: Started): Promise<void> {
  for (let waitedMs = 0; waitedMs < 120_000; waitedMs += 100) {
    const waiting = [...feed.feeds].filter(({ state }) => state !== 'live')
    if (waiting.length === 0) return
    if (waitedMs === 119_900) throw new Error(`${waiting.length} wait: ${waiting[0]?.state} ${waiting[0]?.reason}`)
    for (const peer of rig.world.peers) peer.pong()
    await rig.world.clock.advance(100)
  }
}

const depthRequests = () => rig.world.requests.filter(({ url }) => url.includes('/depth'))
const knownLevels = ({ books }: Started, venue: string) =>
  SYMBOLS.map((symbol) => books.find(venue, symbol)?.book.bids.known(DEEP).length ?? 0)

describe.each(['binance', 'binance-usdm'])('200 books of %s', (id) => {
  const venue = findVenue(id) as Venue
  const weightOf = (url: string) =>
    venue.rest.snapshotSizes.find(({ levels }) => levels === limitOf(url))?.weight ?? Number.NaN
  const channels = { book: 'depth@100ms' }

  test('are live well within a minute of starting, and leave the budget to others as well', async () => {
    const started = await rig.start(id, { symbols: SYMBOLS, channels })
    await open()
    await allLive(started)
    expect(rig.world.clock.monotonicMs()).toBeLessThan(30_000)
    const limit = venue.restLimits.budgets.weight?.limit ?? 0
    const weight = depthRequests().reduce((sum, { url }) => sum + weightOf(url), 0)
    expect(weight).toBeLessThan(0.7 * limit)
  })

  test('are widened by the audits, with a tenth of the budget: the last after 17 minutes', async () => {
    const started = await rig.start(id, { symbols: SYMBOLS, channels })
    await open()
    await allLive(started)
    expect(Math.min(...knownLevels(started, id))).toBe(100)
    const [liveMs, atStart] = [rig.world.clock.monotonicMs(), depthRequests().length]
    for (let second = 0; Math.min(...knownLevels(started, id)) < 1000; second++) {
      for (const peer of rig.world.peers) peer.pong()
      if (second % 5 === 0) sayAll()
      await rig.world.clock.advance(1_000)
      if (second > 2_000) break
    }
    const tookMs = rig.world.clock.monotonicMs() - liveMs
    expect(tookMs).toBeGreaterThan(10 * 60_000)
    expect(tookMs).toBeLessThan(18 * 60_000)
    const limit = venue.restLimits.budgets.weight?.limit ?? 0
    for (const { atMs } of depthRequests().slice(atStart)) {
      const inMinute = depthRequests()
        .slice(atStart)
        .filter((other) => other.atMs > atMs - 60_000 && other.atMs <= atMs)
      expect(inMinute.reduce((sum, { url }) => sum + weightOf(url), 0)).toBeLessThanOrEqual(limit / 10)
    }
    expect(rig.log.filter((line) => line.includes('mismatch'))).toEqual([])
  })

  test('and a single one that breaks later is rebuilt with all levels', async () => {
    const started = await rig.start(id, { symbols: SYMBOLS, channels })
    await open()
    await allLive(started)
    await pass(61)
    const before = depthRequests().length
    say(carrierOf('S7USDT'), 'S7USDT', 105)
    await rig.world.clock.advance(ANSWER_MS)
    expect(
      depthRequests()
        .slice(before)
        .map(({ url }) => new URL(url).search),
    ).toEqual(['?symbol=S7USDT&limit=1000'])
  })
})

/** The connection that carries the book of `symbol`. */
const carrierOf = (symbol: string) =>
  rig.world.peers.find(({ sent }) => sent.some((text) => text.includes(`"${symbol.toLowerCase()}@`))) as Peer

/** One empty update of each book. */
function sayAll(): void {
  sequence++
  for (const symbol of SYMBOLS) say(carrierOf(symbol), symbol, sequence)
}

async function pass(seconds: number): Promise<void> {
  for (let second = 0; second < seconds; second++) {
    for (const peer of rig.world.peers) peer.pong()
    await rig.world.clock.advance(1_000)
  }
}

test('a book that began small never serves levels between which others may be', async () => {
  const started = await rig.start('binance', { symbols: SYMBOLS, channels: { book: 'depth@100ms' } })
  await open()
  await allLive(started)
  const first = rig.events.find((event): event is BookSnapshot => event.type === 'book_snapshot')
  const { symbol } = first as BookSnapshot
  expect([first?.depth, first?.bids.length]).toEqual([100, 100])
  // Far behind the hundredth bid, with nothing known of what lies between; and one of the known ones goes.
  say(carrierOf(symbol), symbol, 102, [
    ['9500', '3'],
    ['9990', '0'],
  ])
  const feed = started.stateOf('book', symbol)
  const asked = { venue: 'binance', symbol, instrument: undefined, depth: 400 }
  const { state, bids, asks, bidsKnownTo } = bookView(started.books.find('binance', symbol), feed, asked)
  expect([state, bids.length, bids.at(-1)?.[0], asks.length, bidsKnownTo]).toEqual(['live', 99, '9901', 100, '9901'])
})
