import { describe, expect, test } from 'vitest'
import { Books } from '../../src/book/books.ts'
import type { OrderBook } from '../../src/book/order-book.ts'
import type { BookRules } from '../../src/book/rules.ts'
import { chained, contiguous, previousChained } from '../../src/book/sequence.ts'
import { BookSync } from '../../src/book/sync.ts'
import type { BookDelta, BookSnapshot } from '../../src/model/event.ts'
import { delta, levels, snapshot } from './builders.ts'
import { narrate } from './narrate.ts'

const FETCHED: BookRules = { rule: contiguous, snapshotFrom: 'rest' }
const FETCHED_CHAIN: BookRules = { rule: previousChained, snapshotFrom: 'rest' }
const STREAMED: BookRules = { rule: chained, snapshotFrom: 'stream' }

/** A book and its diary. */
function start(rules: BookRules) {
  const sync = new BookSync(rules)
  const feed = (event: BookSnapshot | BookDelta, checksum?: number) =>
    narrate(event.type === 'book_snapshot' ? sync.onSnapshot(event, checksum) : sync.onDelta(event, checksum))
  return { sync, feed, top: () => ({ bids: sync.book.bids.top(9), asks: sync.book.asks.top(9) }) }
}

const manyLevels = (count: number) => Array.from({ length: count }, (_, i) => [String(i + 1), '0'] as const)

describe('snapshot fetched aside', () => {
  test('deltas wait for it, those inside it are dropped, the rest follows', () => {
    const { sync, feed, top } = start(FETCHED)
    expect(feed(delta({ first: 90, last: 95 }, '98:9'))).toEqual(['syncing: subscribed'])
    expect(feed(delta({ first: 96, last: 105 }, '98:2'))).toEqual([])
    expect(feed(delta({ first: 106, last: 110 }, '', '101:0 102:3'))).toEqual([])
    expect(sync.isLive).toBe(false)
    expect(feed(snapshot(100))).toEqual(['snapshot 100', 'delta 105', 'delta 110', 'live: snapshot'])
    expect(top()).toEqual({ bids: levels('99:1 98:2'), asks: levels('102:3') })
    expect([sync.sequence, sync.isLive, sync.state]).toEqual([110, true, 'live'])
    expect(feed(delta({ first: 111, last: 111 }, '99:0'))).toEqual(['delta 111'])
    expect(sync.applied?.type).toBe('book_delta')
  })

  test('before any delta it is only a candidate; the first delta that joins proves it', () => {
    const { sync, feed } = start(FETCHED)
    expect(feed(snapshot(100))).toEqual(['syncing: subscribed'])
    expect(feed(delta({ first: 90, last: 99 }))).toEqual([])
    expect(sync.isLive).toBe(false)
    expect(feed(delta({ first: 100, last: 103 }, '98:2'))).toEqual(['snapshot 100', 'delta 103', 'live: snapshot'])
  })

  test('a delta that ends exactly where it stands proves it, and is not applied again', () => {
    const { sync, feed, top } = start(FETCHED)
    feed(delta({ first: 96, last: 100 }, '98:5'))
    expect(feed(snapshot(100))).toEqual(['snapshot 100', 'live: snapshot'])
    expect(top().bids).toEqual(levels('99:1'))
    expect(sync.sequence).toBe(100)
  })

  test('too old: it is asked for again, and the deltas are kept', () => {
    const { feed } = start(FETCHED)
    feed(delta({ first: 106, last: 110 }, '98:2'))
    expect(feed(snapshot(100))).toEqual(['need snapshot_too_old'])
    expect(feed(delta({ first: 111, last: 112 }))).toEqual([])
    expect(feed(snapshot(105))).toEqual(['snapshot 105', 'delta 110', 'delta 112', 'live: snapshot'])
  })

  test('newer than all deltas: it waits for the next one', () => {
    const { sync, feed } = start(FETCHED)
    feed(delta({ first: 90, last: 95 }))
    feed(delta({ first: 96, last: 98 }))
    expect(feed(snapshot(100))).toEqual([])
    expect(sync.isLive).toBe(false)
    expect(feed(delta({ first: 99, last: 101 }))).toEqual(['snapshot 100', 'delta 101', 'live: snapshot'])
  })

  test('a candidate that the next delta does not join was too old', () => {
    const { feed } = start(FETCHED)
    feed(snapshot(100))
    expect(feed(delta({ first: 102, last: 103 }))).toEqual(['need snapshot_too_old'])
    expect(feed(snapshot(101))).toEqual(['snapshot 101', 'delta 103', 'live: snapshot'])
  })

  test('two at one sequence prove a quiet book', () => {
    const { sync, feed } = start(FETCHED)
    feed(snapshot(100))
    expect(feed(snapshot(100))).toEqual(['snapshot 100', 'live: snapshot'])
    expect(sync.isLive).toBe(true)
  })

  test('two at different sequences prove nothing; the newer one stands', () => {
    const { sync, feed } = start(FETCHED)
    feed(snapshot(100, '99:1'))
    expect(feed(snapshot(101, '98:1'))).toEqual([])
    expect(sync.isLive).toBe(false)
    expect(feed(delta({ first: 102, last: 102 }))).toEqual(['snapshot 101', 'delta 102', 'live: snapshot'])
  })

  test('a quiet futures book, proven by two snapshots, still joins its first delta by the wide rule', () => {
    const { sync, feed } = start(FETCHED_CHAIN)
    feed(snapshot(100))
    feed(snapshot(100))
    expect(feed(delta({ first: 95, last: 105, previous: 90 }, '98:2'))).toEqual(['delta 105'])
    expect(feed(delta({ first: 95, last: 107, previous: 90 }))).toEqual(['stale: sequence_gap', 'need sequence_gap'])
    expect(sync.isLive).toBe(false)
  })

  test('two snapshots apart from each other, and nothing between: the stream is dead', () => {
    const { sync } = start(FETCHED)
    expect(sync.onSnapshot(snapshot(100)).isDeaf).toBe(false)
    expect(sync.candidateSequence).toBe(100)
    expect(sync.onSnapshot(snapshot(99)).isDeaf, 'a node that lags').toBe(false)
    expect(sync.onSnapshot(snapshot(120)).isDeaf).toBe(true)
    sync.onDelta(delta({ first: 110, last: 112 }))
    expect(sync.candidateSequence, 'something came').toBeUndefined()
    expect(sync.onSnapshot(snapshot(130)).isDeaf).toBe(false)
  })

  test('while live, another one changes nothing', () => {
    const { sync, feed, top } = start(FETCHED)
    feed(snapshot(100))
    feed(delta({ first: 101, last: 101 }))
    expect(feed(snapshot(500, '1:1', '2:1'))).toEqual(['ignored'])
    expect(top().bids).toEqual(levels('99:1'))
    expect(sync.sequence).toBe(101)
  })

  test('a gap inside the held deltas: they wait on, all of them, for a snapshot behind the gap', () => {
    const { sync, feed } = start(FETCHED)
    feed(delta({ first: 101, last: 105 }, '98:1'))
    feed(delta({ first: 107, last: 110 }, '97:1'))
    feed(delta({ first: 111, last: 115 }, '96:1'))
    expect(feed(snapshot(100))).toEqual(['stale: sequence_gap', 'need sequence_gap'])
    expect(sync.isLive).toBe(false)
    expect(feed(delta({ first: 116, last: 118 }))).toEqual(['syncing: sequence_gap'])
    expect(feed(snapshot(106))).toEqual(['snapshot 106', 'delta 110', 'delta 115', 'delta 118', 'live: snapshot'])
  })

  test('a gap on the live book: stale, then syncing, then live again from a new snapshot', () => {
    const { sync, feed } = start(FETCHED)
    feed(snapshot(100))
    feed(delta({ first: 101, last: 101 }))
    expect(feed(delta({ first: 103, last: 104 }))).toEqual(['stale: sequence_gap', 'need sequence_gap'])
    expect([sync.state, sync.reason, sync.isLive]).toEqual(['stale', 'sequence_gap', false])
    expect(feed(delta({ first: 105, last: 106 }))).toEqual(['syncing: sequence_gap'])
    expect(feed(snapshot(103))).toEqual(['snapshot 103', 'delta 104', 'delta 106', 'live: snapshot'])
    expect([sync.state, sync.reason]).toEqual(['live', 'snapshot'])
  })

  test('repeated and older deltas change nothing', () => {
    const { sync, feed } = start(FETCHED)
    feed(snapshot(100))
    feed(delta({ first: 101, last: 105 }))
    expect(feed(delta({ first: 101, last: 105 }, '1:1'))).toEqual(['ignored'])
    expect(feed(delta({ first: 96, last: 100 }, '1:1'))).toEqual(['ignored'])
    expect(sync.book.bids.size).toBe(1)
  })

  test('too many deltas without a snapshot: start over', () => {
    const { feed } = start(FETCHED)
    let said: string[] = []
    let held = 0
    for (; !said.includes('need buffer_overflow'); held++) said = feed(delta({ first: held, last: held }))
    expect(said).toEqual(['stale: buffer_overflow', 'need buffer_overflow'])
    expect(held).toBe(10_001)
    expect(feed(delta({ first: held, last: held }))).toEqual(['syncing: buffer_overflow'])
    expect(feed(snapshot(held - 1))).toEqual([`snapshot ${held - 1}`, `delta ${held}`, 'live: snapshot'])
  })

  test('too many levels in them likewise, but levels that were dropped do not count', () => {
    const { feed } = start(FETCHED)
    feed(delta({ first: 90, last: 95 }, '', '', { bids: manyLevels(120_000) }))
    feed(delta({ first: 110, last: 111 }))
    expect(feed(snapshot(100))).toEqual(['need snapshot_too_old'])
    expect(feed(delta({ first: 112, last: 113 }, '', '', { bids: manyLevels(120_000) }))).toEqual([])
    expect(feed(delta({ first: 114, last: 115 }, '', '', { bids: manyLevels(120_000) }))).toEqual([
      'stale: buffer_overflow',
      'need buffer_overflow',
    ])
  })
})

describe('snapshot on the stream', () => {
  test('is live at once; what came before belongs to no book', () => {
    const { sync, feed, top } = start(STREAMED)
    expect(feed(delta({ previous: 5, last: 7 }))).toEqual(['syncing: subscribed', 'ignored'])
    expect(feed(delta({ previous: 7, last: 9 }))).toEqual(['ignored'])
    expect(feed(snapshot(9))).toEqual(['snapshot 9', 'live: snapshot'])
    expect(feed(delta({ previous: 9, last: 14 }, '99:0 98:4'))).toEqual(['delta 14'])
    expect(top()).toEqual({ bids: levels('98:4'), asks: levels('101:1') })
    expect(sync.isLive).toBe(true)
  })

  test('the example of the venue’s documentation: heartbeat and reset keep the book', () => {
    const { sync, feed } = start(STREAMED)
    feed(snapshot(10))
    expect(feed(delta({ previous: 10, last: 15 }, '98:1'))).toEqual(['delta 15'])
    expect(feed(delta({ previous: 15, last: 15 }))).toEqual([])
    expect(feed(delta({ previous: 15, last: 3 }, '98:2'))).toEqual(['delta 3'])
    expect(feed(delta({ previous: 3, last: 5 }, '98:3'))).toEqual(['delta 5'])
    expect([sync.isLive, sync.sequence]).toEqual([true, 5])
  })

  test('another snapshot replaces the book, and no state is repeated', () => {
    const { feed, top } = start(STREAMED)
    feed(snapshot(10))
    expect(feed(snapshot(4, '50:1', '51:1'))).toEqual(['snapshot 4'])
    expect(top()).toEqual({ bids: levels('50:1'), asks: levels('51:1') })
    expect(feed(delta({ previous: 4, last: 5 }))).toEqual(['delta 5'])
  })

  test('one that is older than a change before it is none, though older changes came in between', () => {
    const { feed, sync } = start(STREAMED)
    feed(delta({ previous: 20, last: 25 }, '', '', { exchange_time_us: 5_000 }))
    feed(delta({ previous: 8, last: 10 }, '', '', { exchange_time_us: 1_000 }))
    expect(feed(snapshot(15, '99:1', '101:1', { exchange_time_us: 2_000 }))).toEqual(['ignored'])
    expect(sync.isLive).toBe(false)
    expect(feed(snapshot(25, '99:1', '101:1', { exchange_time_us: 5_000 }))).toEqual(['snapshot 25', 'live: snapshot'])
  })

  test('one from the past, sent again, does not take the book back; one that began anew does', () => {
    const { feed, top } = start(STREAMED)
    feed(snapshot(10, '99:1', '101:1', { exchange_time_us: 1_000 }))
    feed(delta({ previous: 10, last: 15 }, '98:1', '', { exchange_time_us: 2_000 }))
    expect(feed(snapshot(10, '99:1', '101:1', { exchange_time_us: 1_000 }))).toEqual(['ignored'])
    expect(top().bids).toEqual(levels('99:1 98:1'))
    expect(feed(delta({ previous: 15, last: 20 }, '98:0', '', { exchange_time_us: 3_000 }))).toEqual(['delta 20'])
    expect(feed(snapshot(4, '50:1', '51:1', { exchange_time_us: 4_000 }))).toEqual(['snapshot 4'])
  })

  test('one that was sent again after a break is none: the change that broke the book is newer', () => {
    const { sync, feed } = start(STREAMED)
    const old = snapshot(10, '99:1', '101:1', { exchange_time_us: 1_000 })
    feed(old)
    // Lost: previous 10, last 15.
    feed(delta({ previous: 15, last: 20 }, '98:1', '', { exchange_time_us: 2_000 }))
    expect(feed(old)).toEqual(['ignored'])
    expect(sync.isLive).toBe(false)
    expect(feed(snapshot(20, '98:1', '', { exchange_time_us: 3_000 }))).toEqual(['snapshot 20', 'live: snapshot'])
  })

  test('one from before deltas that came without theirs is of the past too, but not on a new connection', () => {
    const { sync, feed } = start(STREAMED)
    const old = snapshot(10, '99:1', '101:1', { exchange_time_us: 1_000 })
    feed(delta({ previous: 15, last: 20 }, '98:1', '', { exchange_time_us: 2_000 }))
    expect(feed(old)).toEqual(['ignored'])
    expect(sync.isLive).toBe(false)
    // The node behind the new one may lag; what it sends is whole in itself.
    sync.invalidate('disconnect')
    expect(feed(old)).toEqual(['snapshot 10', 'live: snapshot'])
  })

  test('one that stands where a newer heartbeat does is whole', () => {
    const { feed } = start(STREAMED)
    feed(delta({ previous: 10, last: 10 }, '', '', { exchange_time_us: 2_000 }))
    expect(feed(snapshot(10, '99:1', '101:1', { exchange_time_us: 1_000 }))).toEqual(['snapshot 10', 'live: snapshot'])
  })

  test('a gap needs a new snapshot; deltas until then are ignored', () => {
    const { sync, feed } = start(STREAMED)
    feed(snapshot(10))
    expect(feed(delta({ previous: 11, last: 12 }))).toEqual(['stale: sequence_gap', 'need sequence_gap'])
    expect(feed(delta({ previous: 12, last: 13 }))).toEqual(['syncing: sequence_gap', 'ignored'])
    expect(sync.isLive).toBe(false)
    expect(feed(snapshot(13))).toEqual(['snapshot 13', 'live: snapshot'])
  })

  test('a lost reset is a gap, although the new ids look old', () => {
    const { sync, feed } = start(STREAMED)
    feed(snapshot(15, '99:1', '101:1', { exchange_time_us: 1_000 }))
    // Lost: previous 15, last 3.
    expect(feed(delta({ previous: 3, last: 5 }, '98:1', '', { exchange_time_us: 3_000 }))).toEqual([
      'stale: sequence_gap',
      'need sequence_gap',
    ])
    expect(sync.isLive).toBe(false)
  })

  test('a repeated delta is not newer, and no gap; nor is a heartbeat', () => {
    const { sync, feed } = start(STREAMED)
    feed(snapshot(10, '99:1', '101:1', { exchange_time_us: 1_000 }))
    feed(delta({ previous: 10, last: 15 }, '98:1', '', { exchange_time_us: 2_000 }))
    expect(feed(delta({ previous: 10, last: 15 }, '98:1', '', { exchange_time_us: 2_000 }))).toEqual(['ignored'])
    expect(feed(delta({ previous: 15, last: 15 }, '', '', { exchange_time_us: 62_000 }))).toEqual([])
    expect(sync.isLive).toBe(true)
  })

  test('levels beyond the venue’s depth are cut off, by the depth of the snapshot where that is smaller', () => {
    const { feed, top } = start({ ...STREAMED, depthMax: 3 })
    feed(snapshot(1, '9:1 8:1 7:1 6:1', '11:1 12:1'))
    expect(top().bids).toEqual(levels('9:1 8:1 7:1'))
    feed(delta({ previous: 1, last: 2 }, '10:1', '13:1 14:1'))
    expect(top()).toEqual({ bids: levels('10:1 9:1 8:1'), asks: levels('11:1 12:1 13:1') })
    feed(snapshot(3, '9:1 8:1', '11:1 12:1', { depth: 2 }))
    feed(delta({ previous: 3, last: 4 }, '10:1'))
    expect(top().bids).toEqual(levels('10:1 9:1'))
  })
})

describe('checksum', () => {
  /** The number of levels: wrong as soon as one is lost. */
  const checksum = (book: OrderBook): number => book.bids.size + book.asks.size
  const CHECKED: BookRules = { ...STREAMED, checksum }

  test('right: live, and silent about it', () => {
    const { feed } = start(CHECKED)
    expect(feed(snapshot(10), 2)).toEqual(['snapshot 10', 'live: snapshot'])
    expect(feed(delta({ previous: 10, last: 11 }, '98:1'), 3)).toEqual(['delta 11'])
  })

  test('wrong on a delta: nothing of it is emitted, and the book is stale', () => {
    const { sync, feed } = start(CHECKED)
    feed(snapshot(10), 2)
    expect(feed(delta({ previous: 10, last: 11 }, '98:1'), 2)).toEqual(['stale: checksum', 'need checksum'])
    expect(sync.isLive).toBe(false)
    expect(feed(delta({ previous: 11, last: 12 }), 3)).toEqual(['syncing: checksum', 'ignored'])
  })

  test('wrong on a snapshot: never live', () => {
    const { sync, feed } = start(CHECKED)
    expect(feed(snapshot(10), 7)).toEqual(['stale: checksum', 'need checksum'])
    expect(sync.isLive).toBe(false)
  })

  test('without a sequence it is the only proof', () => {
    const { sync, feed } = start(CHECKED)
    expect(feed(snapshot(undefined), 2)).toEqual(['snapshot undefined', 'live: snapshot'])
    expect(feed(delta({}, '98:1'), 3)).toEqual(['delta undefined'])
    expect(feed(delta({}, '97:1'))).toEqual(['stale: checksum', 'need checksum'])
    expect(sync.isLive).toBe(false)
  })

  test('neither sequence nor checksum: never live', () => {
    const { sync, feed } = start(CHECKED)
    expect(feed(snapshot(undefined))).toEqual(['stale: checksum', 'need checksum'])
    expect(feed(delta({}, '98:1'))).toEqual(['syncing: checksum', 'ignored'])
    expect(sync.isLive).toBe(false)
  })

  test('a delta whose sequence is missing breaks a book that has one, and the other way round', () => {
    const { feed } = start(CHECKED)
    feed(snapshot(10), 2)
    expect(feed(delta({}, '98:1'), 3)).toEqual(['stale: sequence_gap', 'need sequence_gap'])
    feed(snapshot(undefined), 2)
    expect(feed(delta({ previous: 10, last: 11 }, '98:1'), 3)).toEqual(['stale: sequence_gap', 'need sequence_gap'])
  })
})

describe('crossed book', () => {
  test('for a moment is let pass', () => {
    const { sync, feed } = start(STREAMED)
    feed(snapshot(1))
    expect(feed(delta({ previous: 1, last: 2 }, '102:1'))).toEqual(['delta 2'])
    expect(feed(delta({ previous: 2, last: 3 }, '103:1'))).toEqual(['delta 3'])
    expect(feed(delta({ previous: 3, last: 4 }, '102:0 103:0'))).toEqual(['delta 4'])
    expect(feed(delta({ previous: 4, last: 5 }, '102:1'))).toEqual(['delta 5'])
    expect(sync.isLive).toBe(true)
  })

  test('three messages long is wrong', () => {
    const { sync, feed } = start(STREAMED)
    feed(snapshot(1))
    feed(delta({ previous: 1, last: 2 }, '102:1'))
    feed(delta({ previous: 2, last: 3 }, '98:1'))
    expect(feed(delta({ previous: 3, last: 4 }, '97:1'))).toEqual([
      'delta 4',
      'stale: crossed_book',
      'need crossed_book',
    ])
    expect(sync.isLive).toBe(false)
    feed(snapshot(9))
    expect(feed(delta({ previous: 9, last: 10 }, '102:1'))).toEqual(['delta 10'])
  })
})

describe('invalidate', () => {
  test('before any event there is nothing to say', () => {
    const { sync } = start(FETCHED)
    expect(narrate(sync.invalidate('disconnect'))).toEqual([])
    expect(sync.state).toBe('syncing')
  })

  test('says it once, with the time it was noticed, and starts over', () => {
    const { sync, feed } = start(FETCHED)
    feed(snapshot(100))
    feed(delta({ first: 101, last: 101 }))
    const { emit } = sync.invalidate('disconnect', 7_000)
    expect(emit).toEqual([
      {
        type: 'book_state',
        exchange: 'toy',
        venue: 'toy',
        market: 'spot',
        symbol: 'BTC-USDT',
        receive_time_us: 7_000,
        id: expect.stringMatching(/^toy:book_state:BTC-USDT:7000:[0-9a-z]+$/),
        state: 'stale',
        reason: 'disconnect',
        sequence: 101,
      },
    ])
    expect(narrate(sync.invalidate('silence'))).toEqual([])
    expect(feed(delta({ first: 102, last: 103 }))).toEqual(['syncing: silence'])
    expect(feed(snapshot(102))).toEqual(['snapshot 102', 'delta 103', 'live: snapshot'])
  })

  test('a candidate of the old stream proves nothing on the new one', () => {
    const { sync, feed } = start(FETCHED)
    feed(snapshot(100))
    sync.invalidate('disconnect')
    feed(snapshot(100))
    expect(sync.isLive).toBe(false)
  })
})

describe('books', () => {
  test('what breaks one does not touch another, of the same symbol elsewhere either', () => {
    const books = new Books(
      new Map([
        ['toy', STREAMED],
        ['other', STREAMED],
      ]),
    )
    const others = [{ symbol: 'ETH-USDT' }, { venue: 'other' }]
    for (const other of [{}, ...others]) books.accept(snapshot(10, '99:1', '101:1', other))
    expect(books.accept(delta({ previous: 11, last: 12 })).need).toBe('sequence_gap')
    expect([...books].map(([venue, symbol, sync]) => [venue, symbol, sync.isLive])).toEqual([
      ['toy', 'BTC-USDT', false],
      ['toy', 'ETH-USDT', true],
      ['other', 'BTC-USDT', true],
    ])
    expect(books.find('toy', 'XRP-USDT')).toBeUndefined()
    expect(books.find('toy', 'ETH-USDT')?.invalidate('silence').emit).toHaveLength(1)
    expect(books.find('other', 'BTC-USDT')?.isLive).toBe(true)
    expect(() => books.accept(snapshot(1, '', '', { venue: 'unheard' }))).toThrow('unheard')
  })
})
