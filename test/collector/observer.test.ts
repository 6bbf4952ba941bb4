import { expect, test } from 'vitest'
import { venueObserver } from '../../src/collector/observer.ts'
import { Stats } from '../../src/collector/stats.ts'
import { Feed } from '../../src/feed/feed.ts'
import type { Observer } from '../../src/feed/ports.ts'
import { Ledger } from '../../src/ledger/ledger.ts'
import type { Logger } from '../../src/ops/log.ts'
import { createMetrics } from '../../src/ops/metrics.ts'
import { createRepeatGuard } from '../../src/ops/repeat-guard.ts'
import { findVenue, venues } from '../../src/venues/index.ts'
import { channelNames, type Venue } from '../../src/venues/venue.ts'
import { createWorld } from '../helpers/world.ts'

const world = createWorld()
const ledger = new Ledger({
  folder: 'ledger',
  files: world.files,
  clock: world.clock,
  emit: () => {},
  onProblem: () => {},
})
const stream = { exchange: 'x', channel: 'trade', symbol: 'BTCUSDT', market: 'spot', proof: 'counter' } as const

function observe(): { lines: string[]; observerOf(venue: string): Observer } {
  const lines: string[] = []
  const write: Logger['info'] = (event, _message, fields) => void lines.push(`${event} ${fields?.venue}`)
  const logger: Logger = { debug: () => {}, info: write, warning: write, error: write, child: () => logger }
  const metrics = createMetrics({ venues: venues.map(({ id }) => id), constLabels: {} })
  const parts = {
    stats: new Stats(metrics, world.clock),
    metrics,
    logger,
    repeats: createRepeatGuard({ logger, clock: world.clock }),
    offlineHint: '',
  }
  return { lines, observerOf: (venue) => venueObserver(venue, parts) }
}

test('the same refusal of two venues is logged for each', () => {
  const { lines, observerOf } = observe()
  for (const id of ['binance', 'binance-usdm', 'binance-usdm']) {
    const venue = findVenue(id) as Venue
    const [name = ''] = channelNames(venue, 'trade')
    const feed = new Feed(
      venue,
      venue.topic('trade', name, 'BTCUSDT'),
      ledger.stream({ ...stream, venue: id }),
      world.clock,
    )
    observerOf(id).rejected(feed, 'no answer', false)
  }
  expect(lines).toEqual(['subscription_rejected binance', 'subscription_rejected binance-usdm'])
})

test('a venue that closes with other words each time does not flood the log', () => {
  const { lines, observerOf } = observe()
  const observer = observerOf('okx')
  for (let i = 0; i < 500; i++) observer.lost(`closed with code 4000: ${i}`, true, 100)
  for (let i = 0; i < 500; i++) observer.lost(`silent for ${i} s, also after subscribing anew`, true, 100)
  expect(lines).toEqual(['socket_lost okx', 'socket_lost okx'])
})
