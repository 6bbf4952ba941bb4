/** The schemas that consumers get: what the model says, and what the events of this program really are. */

import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { beforeAll, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { CHANNEL_OF, type EventType, type MarketEvent } from '../../src/model/event.ts'
import { systemClock } from '../../src/platform/clock.ts'
import { simVenues } from '../../src/sim/index.ts'
import { startSimulator } from '../../src/sim/server.ts'
import { venues } from '../../src/venues/index.ts'
import { startService, until } from '../helpers/service.ts'
import { fixturesOf, NO_INSTRUMENTS } from '../venues/fixtures.ts'

interface Schema {
  readonly $id: string
  readonly properties: Readonly<Record<string, unknown>>
  readonly required: readonly string[]
}

const root = new URL('../../', import.meta.url)
const folder = fileURLToPath(new URL('docs/schemas/', root))
const TYPES = Object.keys(CHANNEL_OF) as EventType[]
const schemaOf = (type: EventType): Schema => JSON.parse(readFileSync(`${folder}${type}.json`, 'utf8'))
const fields = new Map(TYPES.map((type) => [type, new Set(Object.keys(schemaOf(type).properties))]))
const checks = new Map(
  TYPES.map((type) => [type, z.fromJSONSchema(schemaOf(type) as Parameters<typeof z.fromJSONSchema>[0])]),
)

/** What is wrong with the event as JSON; nothing for a good one. */
function faultsOf(event: MarketEvent): string[] {
  const json: object = JSON.parse(JSON.stringify(event))
  const result = checks.get(event.type)?.safeParse(json)
  const unknown = Object.keys(json).filter((key) => !fields.get(event.type)?.has(key))
  return [...(result?.error?.issues ?? []).map(({ path, message }) => `${path.join('.')}: ${message}`), ...unknown]
}

const faulty = (events: readonly MarketEvent[]) =>
  events.flatMap((event) => faultsOf(event).map((fault) => `${event.id}: ${fault}`))

test('docs/schemas is what src/model/event.ts says', async () => {
  const script = new URL('scripts/event-schemas.mjs', root).href
  const { eventSchemaFiles } = (await import(script)) as {
    eventSchemaFiles(): readonly { readonly path: string; readonly text: string }[]
  }
  const files = eventSchemaFiles()
  for (const { path, text } of files) {
    expect(readFileSync(new URL(path, root), 'utf8'), `${path}: run \`npm run docs\``).toBe(text)
  }
  expect(readdirSync(folder).sort()).toEqual(files.map(({ path }) => path.replace('docs/schemas/', '')).sort())
})

test('what a schema says has no hole where the model has a link', () => {
  const texts = readdirSync(folder).flatMap((name) =>
    [...readFileSync(`${folder}${name}`, 'utf8').matchAll(/"description": "(.*)"/g)].map(([, text = '']) => text),
  )
  expect(texts.length).toBeGreaterThan(0)
  expect(texts.filter((text) => / [.,;]| {2}/.test(text))).toEqual([])
})

test('a schema refuses what the model would', () => {
  const check = (event: object) => faultsOf(event as MarketEvent)
  const trade = { type: 'trade', exchange: 'a', venue: 'a', market: 'spot', symbol: 'S', id: 'i', side: 'buy' }
  expect(check({ ...trade, price: '1.5', quantity: '2' })).toEqual([])
  expect(check({ ...trade, price: 1.5, quantity: '2' })).not.toEqual([])
  expect(check({ ...trade, price: '1e5', quantity: '2' })).not.toEqual([])
  expect(check({ ...trade, price: '1' })).not.toEqual([])
  expect(check({ ...trade, price: '1', quantity: '2', side: 'both' })).not.toEqual([])
  expect(check({ ...trade, price: '1', quantity: '2', exchange_time_us: 1.5 })).not.toEqual([])
  expect(check({ ...trade, price: '1', quantity: '2', other: 1 })).toEqual(['other'])
  const book = { ...trade, side: undefined, type: 'book_delta', bids: [['1', '2']], asks: [['1', '2', '3']] }
  expect(check(book)).not.toEqual([])
})

test.each(venues.map(({ id }) => id))('%s: every documented message becomes events that fit', (id) => {
  const venue = venues.find((each) => each.id === id)
  const events = fixturesOf(id).flatMap(({ frame, receive_time_us }) => {
    const decoded = venue?.decode(frame, receive_time_us, NO_INSTRUMENTS)
    return decoded?.kind === 'events' ? decoded.events : []
  })
  expect(events.length).toBeGreaterThan(0)
  expect(faulty(events)).toEqual([])
})

describe('a service that runs', () => {
  const events: MarketEvent[] = []

  beforeAll(async () => {
    const simulator = await startSimulator({ clock: systemClock(), venues: simVenues, seed: 3, rate: 4 })
    const running = await startService(simulator, {
      binance: ['BTCUSDT'],
      'binance-usdm': ['BTCUSDT'],
      okx: ['BTC-USDT', 'BTC-USDT-SWAP'],
      deribit: ['BTC-PERPETUAL'],
    })
    const seen = (type: EventType) => running.events.some((event) => event.type === type)
    try {
      await until('data', () => TYPES.filter((type) => type !== 'gap' && type !== 'instrument').every(seen), 20_000)
      // What a book misses before it is proven is no gap.
      const isLive = (event: MarketEvent) =>
        event.type === 'book_state' && event.venue === 'binance' && event.state === 'live'
      await until('the book', () => running.events.some(isLive), 20_000)
      simulator.control('fault?kind=drop&venue=binance&channel=book&symbol=BTCUSDT&count=1')
      await until('a gap', () => seen('gap'), 20_000)
      await until(
        'its end',
        () => running.events.some((event) => event.type === 'gap' && event.state !== 'open'),
        20_000,
      )
    } finally {
      events.push(...running.events)
      await running.stop()
      await simulator.stop()
    }
  })

  test('gives events of every type that fit', () => {
    const types = new Set(events.map(({ type }) => type))
    expect([...types].sort()).toEqual(expect.arrayContaining(['book_delta', 'book_state', 'gap', 'quote', 'trade']))
    expect(faulty(events)).toEqual([])
  })

  test('names no two facts by one id', () => {
    const texts = new Map<string, string>()
    for (const event of events) {
      const { receive_time_us: _, ...fact } = event
      const text = JSON.stringify(fact)
      expect(texts.get(event.id) ?? text, event.id).toBe(text)
      texts.set(event.id, text)
    }
  })
})
