/** Audits on a platform that stands still: when they ask, what they conclude, what they never do. */

import { describe, expect, test } from 'vitest'
import { BookSync } from '../../src/book/sync.ts'
import { Audit } from '../../src/feed/audit.ts'
import { Bans } from '../../src/feed/bans.ts'
import { RestClient } from '../../src/feed/rest-client.ts'
import type { BookDelta, BookSnapshot, Level } from '../../src/model/event.ts'
import type { FeedState } from '../../src/model/feed.ts'
import { findVenue } from '../../src/venues/index.ts'
import type { Venue } from '../../src/venues/venue.ts'
import { delta, snapshot } from '../book/builders.ts'
import { createWorld, jsonAnswer } from '../helpers/world.ts'

const SETTLED_MS = 31_000

interface Served {
  sequence: number
  bids: [string, string][]
  asks: [string, string][]
}

/** Symbols of one venue whose books are live at 100, and a REST server that says what `served` says. */
async function start(venueId = 'binance', symbols: readonly string[] = ['AAAUSDT']) {
  const world = createWorld()
  const venue = findVenue(venueId) as Venue
  const bans = new Bans('bans.json', world)
  await bans.load()
  const rest = new RestClient({
    venue,
    urls: ['https://rest.example'],
    platform: world,
    bans,
    instruments: new Map(),
    onOutcome: () => {},
  })
  const served: Served = { sequence: 100, bids: [['99', '1']], asks: [['101', '1']] }
  /** The next answers; then `served` again. */
  const next: Partial<Served>[] = []
  world.answer = () => {
    const { sequence, bids, asks } = { ...served, ...next.shift() }
    const rows = (levels: [string, string][]) => levels.map(([price, size]) => [price, size, '0', '1'])
    return jsonAnswer(
      venueId === 'okx'
        ? { code: '0', data: [{ bids: rows(bids), asks: rows(asks), ts: '1795392000000', seqId: sequence }] }
        : { lastUpdateId: sequence, bids, asks },
    )
  }
  const books = new Map<string, BookSync>()
  const feeds = symbols.map((symbol) => {
    const sync = new BookSync(venue.book)
    books.set(symbol, sync)
    if (venue.book.snapshotFrom === 'rest') {
      sync.onSnapshot(snapshot(100, '99:1', '101:1', { depth: 1000 }))
      sync.onSnapshot(snapshot(100, '99:1', '101:1', { depth: 1000 }))
    } else sync.onSnapshot(snapshot(100))
    return { channel: 'book' as const, symbol, state: 'live' as FeedState, sinceUs: world.clock.nowUs() }
  })
  const log: string[] = []
  const audit = new Audit({
    venue,
    rest,
    platform: world,
    feeds: () => feeds,
    book: (symbol) => books.get(symbol),
    accept: (event) => {
      const { emit } = books.get(event.symbol)?.onSnapshot(event) ?? { emit: [] }
      log.push(...emit.map(({ type }) => `${event.symbol} ${type}`))
    },
    broken: (feed, reason) => {
      log.push(`broken ${feed.symbol} ${reason}`)
      books.get(feed.symbol)?.invalidate(reason, world.clock.nowUs())
      feed.state = 'resyncing'
    },
    audited: (feed, outcome, detail) => void log.push(`${feed.symbol} ${outcome} ${detail}`.trimEnd()),
  })
  audit.start()
  const [feed] = feeds as [(typeof feeds)[number]]
  const [sync] = books.values() as unknown as [BookSync]
  const scores = () => Object.fromEntries(audit.scores())
  return { world, audit, rest, served, next, books, feeds, feed, sync, log, scores }
}

const go = (sync: BookSync, event: BookDelta | BookSnapshot) =>
  event.type === 'book_snapshot' ? sync.onSnapshot(event) : sync.onDelta(event)

describe('an audit', () => {
  test('finds a right book right, once in ten minutes', async () => {
    const { world, log, scores } = await start()
    await world.clock.advance(SETTLED_MS)
    expect(world.requests, 'the past begins before the question').toHaveLength(0)
    await world.clock.advance(4_000)
    expect(log).toEqual(['AAAUSDT match'])
    await world.clock.advance(590_000)
    expect(world.requests).toHaveLength(1)
    await world.clock.advance(15_000)
    expect(log).toEqual(['AAAUSDT match', 'AAAUSDT match'])
    expect(scores()).toEqual({ AAAUSDT: 1 })
  })

  test('finds a level that the stream never deleted, asks again, and has only that book rebuilt', async () => {
    const { world, books, log, scores } = await start('binance', ['AAAUSDT', 'BBBUSDT'])
    books.get('AAAUSDT')?.book.bids.set(['98.5', '7'])
    await world.clock.advance(SETTLED_MS + 8_000)
    expect(log).toEqual([
      'BBBUSDT match',
      'AAAUSDT mismatch bids 98.5: ours 7, theirs none; levels that differ: 1',
      'broken AAAUSDT audit_mismatch',
    ])
    expect([...books.values()].map((sync) => sync.isLive)).toEqual([false, true])
    expect(scores()).toEqual({ AAAUSDT: 0, BBBUSDT: 1 })
  })

  test('forgives one wrong snapshot', async () => {
    const { world, next, log, sync } = await start()
    next.push({ bids: [['99', '2']] })
    await world.clock.advance(SETTLED_MS + 8_000)
    expect(log).toEqual(['AAAUSDT match the first snapshot differed, the second did not'])
    expect(sync.isLive).toBe(true)
  })

  test('two snapshots that are wrong in different ways prove nothing', async () => {
    const { world, next, log, sync, scores } = await start()
    next.push({ bids: [['99', '2']] }, { asks: [['101', '2']] })
    await world.clock.advance(SETTLED_MS + 8_000)
    expect(log).toEqual(['AAAUSDT not_aligned two snapshots differ at different levels'])
    expect(sync.isLive).toBe(true)
    expect(scores()).toEqual({})
  })

  test('compares with the state that the snapshot is of, while the stream goes on', async () => {
    const { world, served, sync, log } = await start()
    await world.clock.advance(SETTLED_MS)
    go(sync, delta({ first: 101, last: 105 }, '99:5'))
    go(sync, delta({ first: 106, last: 110 }, '99:6'))
    Object.assign(served, { sequence: 105, bids: [['99.00', '5.0']] })
    await world.clock.advance(4_000)
    expect(log).toEqual(['AAAUSDT match'])
  })

  test('waits for the stream to come as far as the snapshot', async () => {
    const { world, served, sync, log } = await start()
    Object.assign(served, { sequence: 105, bids: [['99', '5']] })
    await world.clock.advance(SETTLED_MS + 8_000)
    expect(log).toEqual([])
    go(sync, delta({ first: 101, last: 105 }, '99:5'))
    await world.clock.advance(500)
    expect(log).toEqual(['AAAUSDT match'])
  })

  test('a stream that never comes as far has lost its end: the book is wrong, though no message says so', async () => {
    const { world, served, log } = await start()
    Object.assign(served, { sequence: 105, bids: [['99', '5']] })
    await world.clock.advance(SETTLED_MS + 30_000)
    expect(log).toEqual([
      'AAAUSDT mismatch bids 99: ours 1, theirs 5; levels that differ: 1',
      'broken AAAUSDT audit_mismatch',
    ])
  })

  test('a number that went on without a change is no difference', async () => {
    const { world, served, log } = await start()
    served.sequence = 105
    await world.clock.advance(SETTLED_MS + 15_000)
    expect(log).toEqual(['AAAUSDT match'])
  })

  test('a snapshot older than the kept past is asked for again, a few times', async () => {
    const { world, served, next, log } = await start()
    next.push({ sequence: 90, bids: [['99', '9']] })
    await world.clock.advance(SETTLED_MS + 12_000)
    expect(log).toEqual(['AAAUSDT match'])
    served.sequence = 90
    await world.clock.advance(640_000)
    expect(log.slice(1)).toEqual(['AAAUSDT not_aligned the snapshots are too old'])
    expect(world.requests).toHaveLength(2 + 4)
  })

  test('of a book that is rebuilt meanwhile says nothing of it', async () => {
    const { world, sync, log } = await start()
    await world.clock.advance(SETTLED_MS)
    sync.invalidate('disconnect')
    await world.clock.advance(5_000)
    expect(log).toEqual(['AAAUSDT not_aligned the book was rebuilt'])
  })

  test('that told nothing is made again after a minute', async () => {
    const { world, sync, log } = await start()
    await world.clock.advance(SETTLED_MS)
    sync.invalidate('disconnect')
    for (let i = 0; i < 2; i++) sync.onSnapshot(snapshot(100, '99:1', '101:1', { depth: 1000 }))
    await world.clock.advance(55_000)
    expect(log).toEqual(['AAAUSDT not_aligned the book was rebuilt'])
    await world.clock.advance(10_000)
    expect(log.slice(1)).toEqual(['AAAUSDT match'])
    await world.clock.advance(500_000)
    expect(world.requests).toHaveLength(2)
  })

  test('of a book that falls silent meanwhile says nothing of it', async () => {
    const { world, sync, log } = await start()
    await world.clock.advance(SETTLED_MS)
    sync.suspend(world.clock.nowUs())
    await world.clock.advance(5_000)
    expect(log).toEqual(['AAAUSDT not_aligned the book is not live any more'])
  })

  test('keeps the past of the book no longer than it needs it', async () => {
    const { world, sync, log } = await start()
    await world.clock.advance(SETTLED_MS + 5_000)
    expect(log).toEqual(['AAAUSDT match'])
    sync.book.asks.knownTo = '101'
    expect(sync.onSnapshot(snapshot(100, '99:1', '101:1 102:1')).isIgnored).toBe(true)
  })

  test('that gets no snapshot has failed', async () => {
    const { world, log } = await start()
    world.answer = () => jsonAnswer({ code: -1000, msg: 'busy' }, 500)
    await world.clock.advance(SETTLED_MS + 5_000)
    expect(log).toEqual(['AAAUSDT failed failed: HTTP 500 -1000 busy'])
  })

  test('works for books whose snapshots come on the stream', async () => {
    const { world, log } = await start('okx', ['AAA-USDT'])
    await world.clock.advance(SETTLED_MS + 5_000)
    expect(log).toEqual(['AAA-USDT match'])
  })
})

describe('what audits use', () => {
  test('one request a second, and a tenth of the limit: 12 of weight 50 in a minute', async () => {
    const symbols = Array.from({ length: 40 }, (_, i) => `S${i}USDT`)
    const { world, log } = await start('binance', symbols)
    await world.clock.advance(SETTLED_MS + 10 * 60_000)
    const times = world.requests.map(({ atMs }) => atMs)
    for (const [i, atMs] of times.entries()) {
      expect(atMs - (times[i - 1] ?? -1_000)).toBeGreaterThanOrEqual(1_000)
      expect(atMs - (times[i - 12] ?? -60_000)).toBeGreaterThanOrEqual(60_000)
    }
    expect(new Set(log), 'each has had its turn').toEqual(new Set(symbols.map((symbol) => `${symbol} match`)))
    expect(log).toHaveLength(40)
  })

  test('nothing during a ban', async () => {
    const { world, log } = await start()
    world.answer = () => jsonAnswer({ code: -1003, msg: 'banned' }, 418, { 'retry-after': '3600' })
    await world.clock.advance(SETTLED_MS + 5_000)
    expect(log).toEqual(['AAAUSDT failed banned: HTTP 418 -1003 banned'])
    await world.clock.advance(3_000_000)
    expect(world.requests).toHaveLength(1)
    expect(log, 'none was begun').toHaveLength(1)
  })

  test('nothing while other requests wait', async () => {
    const { world, rest } = await start()
    const venue = findVenue('binance') as Venue
    const answer = world.answer
    await rest.get(venue.rest.snapshot('BBBUSDT'))
    world.answer = () => new Promise(() => {})
    for (let i = 0; i < 9; i++) void rest.get(venue.rest.snapshot('BBBUSDT'))
    await world.clock.advance(SETTLED_MS + 5_000)
    expect(rest.waiting).toBe(1)
    expect(world.requests.filter(({ url }) => url.includes('AAAUSDT'))).toEqual([])
    world.answer = answer
  })

  test('nothing of books that are not live, or only just', async () => {
    const { world, feed, log } = await start()
    feed.state = 'stale'
    await world.clock.advance(120_000)
    Object.assign(feed, { state: 'live', sinceUs: world.clock.nowUs() })
    await world.clock.advance(29_000)
    expect(world.requests).toEqual([])
    await world.clock.advance(6_000)
    expect(log).toEqual(['AAAUSDT match'])
  })

  test('an answer that never comes is not waited for', async () => {
    const { world, log } = await start()
    world.answer = () => new Promise(() => {})
    await world.clock.advance(SETTLED_MS + 40_000)
    expect(log).toEqual(['AAAUSDT failed failed: no answer in time'])
  })

  test('no timer after it stopped, and nothing is told', async () => {
    const { world, audit, log } = await start()
    await world.clock.advance(SETTLED_MS)
    audit.stop()
    expect(world.clock.pending).toBe(0)
    await world.clock.advance(60_000)
    expect([log, world.requests]).toEqual([[], []])
  })
})

test('the score is that of the last 20', async () => {
  const { world, served, log, scores } = await start()
  for (let i = 0; i < 25; i++) await world.clock.advance(610_000)
  expect(scores()).toEqual({ AAAUSDT: 1 })
  served.bids = [['99', '2']]
  await world.clock.advance(610_000)
  expect(log.at(-1)).toBe('broken AAAUSDT audit_mismatch')
  expect(scores()).toEqual({ AAAUSDT: 0.95 })
})

test('a book whose market has left what is known is audited soon, and widened by a snapshot that matched', async () => {
  const { world, served, sync, log } = await start()
  const rows = (from: number, count: number): [string, string][] =>
    Array.from({ length: count }, (_, i) => [String(from + i), '1'])
  await world.clock.advance(SETTLED_MS + 5_000)
  sync.book.asks.knownTo = '101'
  go(sync, delta({ first: 101, last: 102 }, '', '101:0 105:3'))
  expect(sync.book.asks.known(9)).toEqual([])
  Object.assign(served, { sequence: 102, asks: [...rows(103, 2), ['105', '3'], ...rows(106, 5)] })
  await world.clock.advance(65_000)
  expect(log).toEqual(['AAAUSDT match', 'AAAUSDT match', 'AAAUSDT book_snapshot'])
  expect(sync.book.asks.known(9)).toEqual(served.asks as unknown as Level[])
  expect(sync.book.asks.knownTo).toBeUndefined()
  await world.clock.advance(300_000)
  expect(log).toHaveLength(3)
})

test('a book that began with half of the levels is widened by its first audit, and by no further one', async () => {
  const { world, served, sync, log } = await start()
  const rows = (from: number, step: number, count: number): [string, string][] =>
    Array.from({ length: count }, (_, i) => [String(from + step * i), '1'])
  const [bids, asks] = [rows(2_000, -1, 1_000), rows(2_001, 1, 1_000)]
  sync.book.replace(bids.slice(0, 500), asks.slice(0, 500), 500)
  Object.assign(served, { bids, asks })
  await world.clock.advance(SETTLED_MS + 4_000)
  expect(log).toEqual(['AAAUSDT match', 'AAAUSDT book_snapshot'])
  expect([sync.book.bids.known(9_999).length, sync.book.bids.knownTo]).toEqual([1_000, '1001'])
  await world.clock.advance(600_000)
  expect(log).toEqual(['AAAUSDT match', 'AAAUSDT book_snapshot', 'AAAUSDT match'])
})

test('of books that had no audit yet a thin one comes first', async () => {
  const { world, books } = await start('binance', ['AAAUSDT', 'BBBUSDT', 'CCCUSDT'])
  const thin = books.get('CCCUSDT')?.book
  if (thin !== undefined) thin.asks.knownTo = '101'
  await world.clock.advance(SETTLED_MS + 10_000)
  const symbols = world.requests.map(({ url }) => new URL(url).searchParams.get('symbol'))
  expect(symbols).toEqual(['CCCUSDT', 'AAAUSDT', 'BBBUSDT'])
})

test('thin books that cannot be widened do not keep the others from their audits', async () => {
  const symbols = [...Array.from({ length: 20 }, (_, i) => `S${i}USDT`), 'ZZZUSDT']
  const { world, books, log } = await start('binance', symbols)
  for (const [symbol, { book }] of books) if (symbol !== 'ZZZUSDT') book.asks.knownTo = '101'
  const { answer } = world
  // Older than any past.
  const old = jsonAnswer({ lastUpdateId: 1, bids: [['99', '1']], asks: [['101', '1']] })
  world.answer = (request) => (request.url.includes('ZZZ') ? answer(request) : old)
  await world.clock.advance(SETTLED_MS + 15 * 60_000)
  expect(log).toContain('ZZZUSDT match')
})

test('a book that stays crossed while nothing comes is broken after two seconds', async () => {
  const { world, sync, log } = await start()
  go(sync, delta({ first: 101, last: 101 }, '102:1', '', { receive_time_us: world.clock.nowUs() }))
  await world.clock.advance(2_000)
  expect(log).toEqual([])
  await world.clock.advance(2_000)
  expect(log).toEqual(['broken AAAUSDT crossed_book'])
})
