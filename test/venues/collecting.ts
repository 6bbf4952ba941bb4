/** The whole service with one venue against its simulator: what it collects is the truth, and what is lost is found. */

import { describe, expect, test } from 'vitest'
import { type Registries, registries } from '../../src/collector/registries.ts'
import { CHANNELS } from '../../src/model/event.ts'
import { systemClock } from '../../src/platform/clock.ts'
import type { SimVenue } from '../../src/sim/exchange.ts'
import { startSimulator } from '../../src/sim/server.ts'
import type { Venue } from '../../src/venues/venue.ts'
import { type RunningService, startService, until } from '../helpers/service.ts'

/** Registers the tests. The service knows no other venue. */
export function collects(venue: Venue, simVenue: SimVenue): void {
  const [first = '', second = ''] = simVenue.instruments.map(({ symbol }) => symbol)
  const only: Registries = { ...registries, venues: [venue] }

  describe(`${venue.id} against its simulator`, () => {
    test('every feed is live, a lost update rebuilds one book, lost trades are fetched, and the books are true', async () => {
      const simulator = await startSimulator({ clock: systemClock(), venues: [simVenue], seed: 5, rate: 2 })
      const running = await startService(simulator, { [venue.id]: [first, second] }, {}, only)
      try {
        const channels = CHANNELS.filter((channel) => venue.channels[channel] !== undefined)
        const feeds = () => running.service.collector.feeds()
        expect(feeds().length).toBe(channels.length * 2)
        await until('every feed to be live', () => feeds().every(({ state }) => state === 'live'), 20_000)

        // What came before its first message a stream does not tell.
        await until('a trade', () => running.events.some(({ type, symbol }) => type === 'trade' && symbol === first))
        for (const channel of ['book', 'trade'].filter((name) => channels.some((channel) => channel === name)))
          simulator.control(`fault?kind=drop&venue=${venue.id}&channel=${channel}&symbol=${first}&count=1`)
        await until('the losses to be healed', () => areHealed(running, first), 20_000)
        await until('every feed to be live again', () => feeds().every(({ state }) => state === 'live'), 20_000)
        for (const feed of feeds().filter(({ symbol }) => symbol === second)) expect(feed.resyncs).toBe(0)

        simulator.market(venue.id).stop()
        for (const symbol of [first, second]) {
          const wanted = digits(simulator.market(venue.id).book(symbol))
          const found = () => digits(running.service.collector.book(venue.id, symbol, 20))
          await until(`the book of ${symbol} to be true`, () => JSON.stringify(found()) === JSON.stringify(wanted))
        }
        const metrics = await running.text('/metrics')
        expect(metrics).not.toMatch(/marketprism_frames_(unknown|malformed)_total\{[^}]*\} [1-9]/)
        expect(running.log.filter(({ level }) => level === 'ERROR')).toEqual([])
        expect(simulator.violations()).toEqual([])
      } finally {
        await running.stop()
        await simulator.stop()
      }
    })
  })
}

/** The trades that were lost have come as backfill, in a gap that says so; the book has been proven again. */
function areHealed({ events, service }: RunningService, symbol: string): boolean {
  const book = service.collector.feeds().find((feed) => feed.channel === 'book' && feed.symbol === symbol)
  const healed = events.find((event) => event.type === 'gap' && event.channel === 'trade' && event.state === 'healed')
  const fetched = events.find((event) => event.type === 'trade' && event.source === 'backfill')
  return book?.resyncs === 1 && healed?.symbol === symbol && fetched?.symbol === symbol
}

type Sides = Readonly<Record<'bids' | 'asks', readonly (readonly [string, string])[]>>

/** The best levels as numbers: how a venue writes them is its own matter. */
const digits = (book: Sides | undefined) =>
  [book?.bids, book?.asks].map((side) => side?.slice(0, 20).map(([price, size]) => [Number(price), Number(size)]))
