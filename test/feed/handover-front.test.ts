import { describe, expect, test } from 'vitest'
import { Feed } from '../../src/feed/feed.ts'
import { createFront } from '../../src/feed/handover-front.ts'
import { Ledger } from '../../src/ledger/ledger.ts'
import type { BookDelta, Channel, MarketEvent, Quote, Trade } from '../../src/model/event.ts'
import { findVenue } from '../../src/venues/index.ts'
import { channelNames, type Venue } from '../../src/venues/venue.ts'
import { createWorld } from '../helpers/world.ts'

const SYMBOL = 'BTC-USDT'

function frontOf(channel: Channel, options: { newestTrade?: Trade; sequence?: number } = {}) {
  const venue = findVenue('okx') as Venue
  const { clock, files } = createWorld()
  const ledger = new Ledger({ folder: 'ledger', files, clock, emit: () => {}, onProblem: () => {} })
  const [name = ''] = channelNames(venue, channel)
  const topic = venue.topic(channel, name, SYMBOL)
  const identity = {
    exchange: 'okx',
    venue: 'okx',
    channel,
    symbol: SYMBOL,
    market: 'spot',
    proof: topic.proof,
  } as const
  const feed = new Feed(venue, topic, ledger.stream(identity), clock)
  return createFront({ venue, feed, sequenceOf: () => options.sequence, newestTrade: options.newestTrade })
}

const base = { exchange: 'okx', venue: 'okx', market: 'spot', symbol: SYMBOL } as const
const trade = (first: number, last: number, timeUs: number): Trade => ({
  ...base,
  type: 'trade',
  id: `t${last} ${timeUs}`,
  trade_id: String(last),
  first_trade_id: String(first),
  last_trade_id: String(last),
  price: '1',
  quantity: '1',
  side: 'buy',
  exchange_time_us: timeUs,
})
const quote = (id: string, timeUs?: number, sequence?: number): Quote => ({
  ...base,
  type: 'quote',
  id,
  exchange_time_us: timeUs,
  sequence,
})
const delta = (previous: number, last: number): BookDelta => ({
  ...base,
  type: 'book_delta',
  id: `d${last}`,
  bids: [['1', '1']],
  asks: [],
  previous_sequence: previous,
  last_sequence: last,
})
const held = (event: MarketEvent, receiveTimeUs = 0) => ({ event, checksum: undefined, receiveTimeUs })
const placesOf = (front: ReturnType<typeof frontOf>, events: readonly MarketEvent[]) => {
  const walk = front.walk()
  return events.map((event) => walk(held(event)))
}

describe('trades', () => {
  test('are placed by their running numbers; an aggregate that begins within the delivered ones continues them', () => {
    const front = frontOf('trade', { newestTrade: trade(9, 10, 100) })
    expect(placesOf(front, [trade(8, 9, 90), trade(9, 10, 100), trade(10, 12, 110), trade(14, 14, 120)])).toEqual([
      'past',
      'past',
      'next',
      'beyond',
    ])
    front.delivered(trade(11, 14, 120), 0)
    expect(front.isEnd(trade(14, 14, 120))).toBe(true)
    expect([front.isRepeated(trade(13, 14, 120)), front.isRepeated(trade(15, 15, 130))]).toEqual([true, false])
  })

  test('an older one does not move the end back; a number that falls while the time goes on is a new numbering', () => {
    const front = frontOf('trade', { newestTrade: trade(10, 10, 100) })
    front.delivered(trade(8, 8, 100), 0)
    expect(placesOf(front, [trade(10, 10, 100), trade(11, 11, 101)])).toEqual(['past', 'next'])
    expect(front.isRepeated(trade(1, 1, 200))).toBe(false)
    front.delivered(trade(1, 1, 200), 0)
    expect(placesOf(front, [trade(2, 2, 201), trade(4, 4, 202)])).toEqual(['next', 'beyond'])
  })

  test('the same number at a later time is another trade, but for what the steps of two clocks make of it', () => {
    const front = frontOf('trade', { newestTrade: trade(10, 10, 5_000) })
    const again = [trade(10, 10, 5_999), trade(10, 10, 6_000)]
    expect(again.map((event) => [front.isEnd(event), front.isRepeated(event)])).toEqual([
      [true, true],
      [false, false],
    ])
    expect(placesOf(front, again)).toEqual(['past', 'next'])
  })

  test('with none delivered before there is no end to join', () => {
    const front = frontOf('trade')
    expect(front.isKnown).toBe(false)
    expect(placesOf(front, [trade(5, 5, 1), trade(6, 6, 1), trade(9, 9, 1)])).toEqual(['next', 'next', 'beyond'])
  })
})

describe('tickers and quotes', () => {
  test('that have the same id on both links are known by it', () => {
    const front = frontOf('quote')
    front.delivered(quote('a', 10), 0)
    front.delivered(quote('b', 20), 0)
    expect([front.isEnd(quote('a', 10)), front.isEnd(quote('c', 15))]).toEqual([true, false])
    expect(placesOf(front, [quote('c', 15), quote('d', 30)])).toEqual(['next', 'next'])
    expect([front.isRepeated(quote('b', 20)), front.isRepeated(quote('d', 30))]).toEqual([true, false])
  })

  test.each([
    ["the venue's time", quote('a', 10, 5), [quote('b', 9, 6), quote('c', 10, 7), quote('d', 11, 4)]],
    [
      'its numbers',
      quote('a', undefined, 10),
      [quote('b', undefined, 9), quote('c', undefined, 10), quote('d', undefined, 11)],
    ],
  ])('without a common id they go by %s', (_by, last, later) => {
    const front = frontOf('quote')
    front.delivered(last, 1_000)
    expect(placesOf(front, later)).toEqual(['past', 'past', 'next'])
  })

  test('without either they go by when they came', () => {
    const front = frontOf('quote')
    front.delivered(quote('a'), 1_000)
    const walk = front.walk()
    expect([999, 1_000, 1_001].map((us) => walk(held(quote(`at ${us}`), us)))).toEqual(['past', 'past', 'next'])
  })
})

describe('books', () => {
  test('are placed by their sequences; a snapshot from far below begins a new numbering, of which the changes follow', () => {
    const snapshot = (sequence: number): MarketEvent => ({
      ...base,
      type: 'book_snapshot',
      id: `s${sequence}`,
      bids: [],
      asks: [],
      sequence,
    })
    const front = frontOf('book', { sequence: 50_000_000 })
    expect(
      placesOf(front, [snapshot(49_999_990), delta(49_999_990, 50_000_000), delta(50_000_000, 50_000_003)]),
    ).toEqual(['past', 'past', 'next'])
    expect(placesOf(front, [snapshot(50_000_001)])).toEqual(['beyond'])
    expect(placesOf(front, [snapshot(7), delta(7, 9), delta(9, 12), delta(13, 15)])).toEqual([
      'next',
      'next',
      'next',
      'beyond',
    ])
  })

  test('a sequence that is far behind is no repeated one: the venue counts anew', () => {
    const front = frontOf('book', { sequence: 100_000_000 })
    expect(front.isRepeated(delta(99_999_980, 99_999_990))).toBe(true)
    expect(front.isRepeated(delta(7, 9))).toBe(false)
  })

  test('go by their rule, one delta after another', () => {
    const front = frontOf('book', { sequence: 10 })
    expect(placesOf(front, [delta(5, 10), delta(10, 15), delta(15, 3), delta(3, 5), delta(9, 12)])).toEqual([
      'past',
      'next',
      'next',
      'next',
      'beyond',
    ])
    expect([front.isEnd(delta(5, 10)), front.isEnd(delta(10, 15))]).toEqual([true, false])
  })

  test('one that is not proven has nothing to lose', () => {
    const front = frontOf('book')
    expect(front.isKnown).toBe(false)
    expect(placesOf(front, [delta(10, 15)])).toEqual(['next'])
  })
})
