/** What a configuration costs, told beforehand; what would break a venue's limits is refused. */

import { expect, test } from 'vitest'
import type { SubscriptionEntry } from '../../src/api/view.ts'
import type { Collected } from '../../src/collector/collected.ts'
import { planOf, requireWithinLimits, type VenuePlan } from '../../src/collector/plan.ts'
import { DataCollectorService } from '../../src/collector/service.ts'
import { changeSubscriptions } from '../../src/collector/subscriptions.ts'
import { streamVolume } from '../../src/collector/volume.ts'
import { planConnections, topicsMax, wantedFeeds } from '../../src/feed/plan.ts'
import { CHANNEL_OF, CHANNELS, type Channel } from '../../src/model/event.ts'
import { loadConfig } from '../../src/ops/config.ts'
import { systemPlatform } from '../../src/platform/system.ts'
import { routeText } from '../../src/sinks/route.ts'
import { frameBytes, streamOf } from '../../src/spool/frame.ts'
import { findVenue, venues } from '../../src/venues/index.ts'
import type { Venue } from '../../src/venues/venue.ts'
import { channelNames } from '../../src/venues/venue.ts'
import { hasSharedData, readJsonLines } from '../helpers/shared-data.ts'

const venueOf = (id: string) => findVenue(id) as Venue
const names = (count: number) => Array.from({ length: count }, (_, n) => `BTC-${n + 1}SEP27-100000-C`)

function load(values: Readonly<Record<string, unknown>> = {}) {
  const overrides = Object.entries(values).map(([path, value]) => ({ path, value, origin: 'test' }))
  return loadConfig({ venues, environment: {}, cwd: import.meta.dirname, overrides })
}

function planFor(id: string, values: Readonly<Record<string, unknown>> = {}): VenuePlan {
  const plan = planOf(load(values).config, venues).find(({ venue }) => venue.id === id)
  if (plan === undefined) throw new Error(`no plan for ${id}`)
  return plan
}

const budget = ({ cost }: VenuePlan, name: string) => cost.budgets.find((each) => each.name === name)

test('the default configuration is within all limits; a venue that is off has no plan', () => {
  const plans = planOf(load({ 'exchanges.okx.enabled': false }).config, venues)
  expect(plans.map(({ venue }) => venue.id)).toEqual(['binance', 'binance-usdm', 'deribit'])
  expect(plans.flatMap(({ problems }) => problems)).toEqual([])
})

test('connections are those that the collector opens', () => {
  for (const venue of venues) {
    const symbols = Array.from({ length: 333 }, (_, n) => `S${n}USDT`)
    const { cost } = planFor(venue.id, { [`exchanges.${venue.id}.symbols`]: symbols })
    const channels = Object.fromEntries(CHANNELS.map((channel) => [channel, channelNames(venue, channel)[0]]))
    const feeds = wantedFeeds(symbols, channels).map(({ channel, name, symbol }) => ({
      topic: venue.topic(channel, name, symbol),
    }))
    const planned = planConnections(venue, feeds)
    expect(cost.connections.map(({ endpoint, topics }) => ({ endpoint, topics }))).toEqual(
      planned.map(({ endpoint, feeds: own }) => ({ endpoint, topics: own.length })),
    )
  }
})

test('a request to subscribe has as many topics as the venue allows', () => {
  const okx = planFor('okx').cost.connections
  expect(okx).toEqual([{ endpoint: 'public', topics: 48, requests: 48 }])
  const binance = planFor('binance', { 'exchanges.binance.symbols': Array.from({ length: 50 }, (_, n) => `S${n}`) })
  expect(binance.cost.connections).toEqual([{ endpoint: 'main', topics: 200, requests: 2 }])
})

test('the start fetches a snapshot of each book where the stream brings none, as deep as there is room for', () => {
  expect(budget(planFor('binance'), 'weight')?.start).toBe(20 + 10 * 50)
  const many = planFor('binance', { 'exchanges.binance.symbols': Array.from({ length: 1000 }, (_, n) => `S${n}`) })
  expect(budget(many, 'weight')?.start).toBe(20 + 1000 * 5)
  // 5,020 of 4,800 a minute: the last books wait for the second minute; 20 connections at 60 in 5 minutes wait for nothing.
  expect(many.cost.startMs).toBe(60_000)
  expect(budget(planFor('okx'), 'books')?.start).toBe(0)
})

test('audits and questions about trades stay within their shares, however many there are', () => {
  const many = planFor('binance', { 'exchanges.binance.symbols': Array.from({ length: 5000 }, (_, n) => `S${n}`) })
  expect(budget(many, 'weight')?.later).toBe(600 + 600 + 2)
  expect(many.problems).toEqual([])
})

test('more connections than a venue allows are refused: by the plan and at the start', () => {
  const symbols = names(1201)
  const { problems, cost } = planFor('deribit', { 'exchanges.deribit.symbols': symbols })
  expect(cost.connections).toHaveLength(13)
  expect(problems).toEqual([
    {
      isKept: false,
      text: 'exchanges.deribit.symbols: 4804 streams need 13 connections to Deribit; at most 12 of 400 streams each keep its limit. Collect fewer symbols or channels, or divide them over machines with addresses of their own',
    },
  ])
  const loaded = load({ 'exchanges.deribit.symbols': symbols })
  expect(() => requireWithinLimits(loaded.config, venues)).toThrow(/4804 streams need 13 connections/)
  const output = { write: () => {}, on: () => {} }
  expect(() => new DataCollectorService({ loaded, platform: systemPlatform(), output })).toThrow(
    expect.objectContaining({ code: 'CONFIG_INVALID' }),
  )
  expect(planFor('deribit', { 'exchanges.deribit.symbols': names(1200) }).problems).toEqual([])
})

test('polling more often than a budget allows is a problem, and the advice solves it; the limit is kept all the same', () => {
  const values = { enable_websocket: false, collection_interval_seconds: 1 }
  const { problems, cost } = planFor('binance', values)
  expect(cost.connections).toEqual([])
  expect(problems).toEqual([{ isKept: true, text: expect.stringMatching(/needs 46202 .* Poll 10 times as rarely/) }])
  expect(() => requireWithinLimits(load(values).config, venues)).not.toThrow()
  expect(planFor('binance', { ...values, collection_interval_seconds: 10 }).problems).toEqual([])
})

test('what is not collected costs nothing', () => {
  const off = Object.fromEntries(CHANNELS.map((channel) => [`collect.${channel}`, channel === 'trade']))
  const { cost, rates } = planFor('binance', off)
  expect(cost.connections).toEqual([{ endpoint: 'main', topics: 10, requests: 1 }])
  expect(budget({ cost } as VenuePlan, 'weight')?.start).toBe(20)
  expect(rates.usual.messagesPerSecond).toBe(20)
  expect(rates.usual.logBytesPerDay).toBe(10 * 2 * 430 * 86_400)
})

test('a venue that sends tickers at an interval sends them so often, whatever the market does', () => {
  for (const which of ['usual', 'peak'] as const) {
    expect(streamVolume(venueOf('binance'), 'ticker', which).perSecond).toBe(1)
    expect(streamVolume(venueOf('binance-usdm'), 'ticker', which).perSecond).toBe(0.5)
  }
})

test('topics within the maximum keep the limit of connections, however they are spread over endpoints', () => {
  const usdm = venueOf('binance-usdm')
  const limited: Venue = {
    ...usdm,
    socketLimits: { ...usdm.socketLimits, connectionsMax: 3, topicsPerConnectionMax: 10 },
  }
  expect(topicsMax(limited)).toBe(20)
  for (let market = 0; market <= 20; market++) {
    const feeds = Array.from({ length: 20 }, (_, n) => ({
      topic: { ...usdm.topic('trade', 'aggTrade', `S${n}`), endpoint: n < market ? 'market' : 'public' },
    }))
    expect(planConnections(limited, feeds).length).toBeLessThanOrEqual(3)
  }
  expect(topicsMax(usdm)).toBe(Number.POSITIVE_INFINITY)
})

test('a client cannot subscribe beyond the limit of connections', async () => {
  const deribit = venueOf('deribit')
  const venue: Venue = {
    ...deribit,
    socketLimits: { ...deribit.socketLimits, connectionsMax: 2, topicsPerConnectionMax: 3 },
  }
  const opened: string[] = []
  const feed = {
    feeds: [{ channel: 'trade', symbol: 'BTC-PERPETUAL' }],
    find: () => undefined,
    listed: async (symbols: readonly string[]) => new Map(symbols.map((symbol) => [symbol, true])),
    remove: () => {},
    add: async (feeds: readonly { readonly symbol: string }[]) =>
      void opened.push(...feeds.map(({ symbol }) => symbol)),
  }
  const entry = (symbol: string, channels?: readonly Channel[]): SubscriptionEntry => ({
    venue: 'deribit',
    symbol,
    channels,
  })
  const change = await changeSubscriptions(
    { add: [entry('A'), entry('B'), entry('C', ['trade'])], remove: [] },
    {
      config: load().config,
      isStopped: () => false,
      find: () => ({ venue, feed }) as unknown as Collected,
      removed: () => {},
    },
  )
  expect(change.refused).toEqual([
    {
      operation: 'add',
      venue: 'deribit',
      symbol: 'B',
      channel: undefined,
      refusal: 'limit',
      reason: 'Deribit allows connections for 6 streams, and they are in use',
    },
  ])
  expect(opened).toEqual(['A', 'A', 'A', 'A', 'C'])
})

test.skipIf(!hasSharedData)('the peak is what the recording holds', () => {
  const venue = venueOf('binance-usdm')
  const rows = readJsonLines<{ readonly ts: number; readonly msg: unknown }>(
    'captures/binance-usdm.btcusdt.20240808.hftbacktest.ws.jsonl.gz',
  )
  const sums = new Map<Channel, { count: number; wire: number; log: number }>()
  const times: number[] = []
  for (const { ts, msg } of rows) {
    const text = JSON.stringify(msg)
    times.push(ts)
    const decoded = venue.decode(Buffer.from(text), Math.round(ts * 1000), new Map())
    for (const event of decoded.kind === 'events' ? decoded.events : []) {
      const channel = CHANNEL_OF[event.type] as Channel
      const sum = sums.get(channel) ?? { count: 0, wire: 0, log: 0 }
      sum.count++
      sum.wire += text.length
      sum.log += frameBytes(streamOf(routeText(event)), Buffer.byteLength(JSON.stringify(event)))
      sums.set(channel, sum)
    }
  }
  const seconds = ((times.at(-1) ?? 0) - (times[0] ?? 0)) / 1000
  expect([...sums.keys()].sort()).toEqual(['book', 'quote', 'trade'])
  for (const [channel, { count, wire, log }] of sums) {
    const peak = streamVolume(venue, channel, 'peak')
    expect(peak.perSecond / (count / seconds), channel).toBeCloseTo(1, 1)
    expect(peak.wireBytes / (wire / count), channel).toBeCloseTo(1, 1)
    expect(peak.logBytes / (log / count), channel).toBeCloseTo(1, 1)
  }
})
