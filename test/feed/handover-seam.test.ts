import { expect, test } from 'vitest'
import { Feed } from '../../src/feed/feed.ts'
import { createFront } from '../../src/feed/handover-front.ts'
import { haveJoined, type Lag, OVERLAP_MS, Seam } from '../../src/feed/handover-seam.ts'
import { Ledger } from '../../src/ledger/ledger.ts'
import type { Channel, MarketEvent } from '../../src/model/event.ts'
import { findVenue } from '../../src/venues/index.ts'
import type { Venue } from '../../src/venues/venue.ts'
import { createWorld } from '../helpers/world.ts'

const SYMBOL = 'BTCUSDT'
const base = { exchange: 'binance', venue: 'binance', market: 'spot', symbol: SYMBOL } as const

function seamOf(channel: Channel, lag: Lag = { ms: 0, newestMs: 0 }, heldMax = 100): Seam {
  const venue = findVenue('binance') as Venue
  const { clock, files } = createWorld()
  const ledger = new Ledger({ folder: 'ledger', files, clock, emit: () => {}, onProblem: () => {} })
  const topic = venue.topic(channel, channel === 'trade' ? 'trade' : 'bookTicker', SYMBOL)
  const feed = new Feed(venue, topic, ledger.stream({ ...base, channel, proof: topic.proof }), clock)
  const front = createFront({ venue, feed, sequenceOf: () => undefined, newestTrade: undefined })
  return new Seam(feed, front, heldMax, lag)
}

const MAKE: Readonly<Partial<Record<Channel, (number: number) => MarketEvent>>> = {
  trade: (number) => ({
    ...base,
    type: 'trade',
    id: `t${number}`,
    trade_id: String(number),
    price: '1',
    quantity: '1',
    side: 'buy',
    exchange_time_us: number,
  }),
  quote: (number) => ({ ...base, type: 'quote', id: `q${number}`, sequence: number }),
}

/** What the second link brings at once, the first brings `lagMs` later; the second ends with `last`. */
function brought(channel: 'trade' | 'quote', lagMs: number, last: number): { seam: Seam; nowMs: number } {
  const seam = seamOf(channel)
  const make = MAKE[channel] as (number: number) => MarketEvent
  seam.acked(0)
  const steps = Array.from({ length: 5 }, (_, i) => i + 1)
  for (const number of steps.filter((each) => each <= last))
    seam.hold({ event: make(number), checksum: undefined, receiveTimeUs: 0 }, number * 100)
  for (const number of steps) seam.delivered(make(number), 0, number * 100 + lagMs)
  return { seam, nowMs: Math.max(OVERLAP_MS, 500 + lagMs) }
}

test.each(['trade', 'quote'] as const)('%s: a first link that is seconds behind the second is joined', (channel) => {
  const { seam, nowMs } = brought(channel, 2_500, 5)
  expect(seam.joins(nowMs)).toBe(true)
  expect(seam.take()).toEqual([])
})

test.each(['trade', 'quote'] as const)('%s: a second link that stopped saying anything is not', (channel) => {
  const { seam, nowMs } = brought(channel, 2_500, 3)
  expect(seam.joins(nowMs)).toBe(false)
})

test('what was said before the second link joined may come late on the first, by as much as other feeds show', () => {
  const lag = { ms: 0, newestMs: 0 }
  const [busy, quiet] = [seamOf('trade', lag), seamOf('trade', lag)]
  const make = MAKE.trade as (number: number) => MarketEvent
  for (const seam of [busy, quiet]) seam.acked(0)
  quiet.delivered(make(1), 0, 2_300)
  expect(quiet.joins(4_600)).toBe(false)
  busy.hold({ event: make(7), checksum: undefined, receiveTimeUs: 0 }, 100)
  busy.delivered(make(7), 0, 2_400)
  expect([busy.joins(4_600), quiet.joins(4_600)]).toEqual([true, true])
})

test('all have joined only if what the last one shows of the lag leaves the first one joined too', () => {
  const lag = { ms: 0, newestMs: 0 }
  const [quiet, busy] = [seamOf('trade', lag), seamOf('trade', lag)]
  const make = MAKE.trade as (number: number) => MarketEvent
  for (const seam of [quiet, busy]) seam.acked(0)
  busy.hold({ event: make(7), checksum: undefined, receiveTimeUs: 0 }, 100)
  busy.delivered(make(7), 0, 1_100)
  expect(haveJoined([quiet, busy], 2_100)).toBe(false)
  expect(haveJoined([quiet, busy], 3_100)).toBe(true)
})

test.each([
  ['made before the second link joined', 900_000, true],
  ['made long behind that', 4_000_000, false],
])('a trade that the first link alone brings, %s', (_name, madeUs, isRight) => {
  const seam = seamOf('trade')
  const joinedUs = 1_000_000
  seam.feed.lag.heard(joinedUs - 500_000, joinedUs - 450_000)
  seam.acked(0)
  seam.delivered(
    { ...(MAKE.trade as (number: number) => MarketEvent)(1), exchange_time_us: madeUs },
    joinedUs + 3_200_000,
    3_200,
  )
  expect(seam.joins(6_000)).toBe(isRight)
})

test('a feed of which nothing comes has not joined while the first link may still bring what was said before', () => {
  const lag = { ms: 0, newestMs: 0 }
  const [busy, quiet] = [seamOf('trade', lag), seamOf('trade', lag)]
  busy.feed.lag.heard(500_000, 550_000)
  quiet.acked(0)
  expect(quiet.joins(OVERLAP_MS)).toBe(true)
  const trade = (MAKE.trade as (number: number) => MarketEvent)(1)
  busy.delivered({ ...trade, exchange_time_us: 600_000 }, 3_050_000, 1_500)
  expect([quiet.joins(OVERLAP_MS), quiet.joins(OVERLAP_MS + 2_400)]).toEqual([false, true])
})

test.each(['trade', 'quote'] as const)(
  '%s: what there was no room for is missing until the first link brings it',
  (channel) => {
    const seam = seamOf(channel, undefined, 3)
    const make = MAKE[channel] as (number: number) => MarketEvent
    const hold = (number: number) =>
      seam.hold({ event: make(number), checksum: undefined, receiveTimeUs: 0 }, number * 100)
    seam.acked(0)
    hold(1)
    seam.delivered(make(1), 0, 110)
    expect(seam.joins(120)).toBe(true)
    for (const number of [2, 3, 4, 5]) hold(number)
    expect(seam.joins(OVERLAP_MS)).toBe(false)
    seam.delivered(make(2), 0, OVERLAP_MS)
    expect(seam.joins(OVERLAP_MS)).toBe(true)
    expect(seam.take().map(({ event }) => event.id)).toEqual([3, 4, 5].map((number) => make(number).id))
  },
)

test('a venue that goes back a few numbers meanwhile: trades with numbers of before are held and taken', () => {
  const seam = seamOf('trade')
  const make = MAKE.trade as (number: number) => MarketEvent
  for (const number of [8, 9, 10]) seam.delivered(make(number), 0, 100)
  const anew = [8, 9, 10, 11].map((number) => ({ ...make(number), exchange_time_us: 60_000_000 + number }))
  seam.acked(0)
  for (const event of anew) seam.hold({ event, checksum: undefined, receiveTimeUs: 0 }, 3_000)
  expect(seam.joins(4_000)).toBe(true)
  expect(seam.take().map(({ event }) => event)).toEqual(anew)
  expect(anew.map((event) => seam.isRepeated(event))).toEqual([false, false, false, false])
})

test('behind a break the very last event, brought again, tells that nothing is missing', () => {
  const seam = seamOf('quote')
  const make = MAKE.quote as (number: number) => MarketEvent
  for (const number of [1, 2]) seam.delivered(make(number), 0, number * 100)
  const areRepeated = () => [1, 2].map((number) => seam.isRepeated(make(number)))
  expect(areRepeated()).toEqual([true, true])
  seam.feed.ledger.begin({ cause: 'maintenance' })
  expect(areRepeated()).toEqual([true, false])
})
