/** The service under test, seen from outside: what it delivers, and what it answers. */

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DataCollectorService } from '../../src/collector/service.ts'
import { loadConfig } from '../../src/ops/config.ts'
import { venues } from '../../src/venues/index.ts'
import { fastPlatform } from './clock.ts'
import { Exchange } from './exchange.ts'
import type { Kind } from './market.ts'
import { until } from './wait.ts'

/** An event as it leaves the service; a record of unknown shape on purpose: it is checked, not believed. */
// biome-ignore lint/suspicious/noExplicitAny: what leaves the service is judged field by field
export type Delivered = Record<string, any>

/** A gap as `GET /api/v1/gaps` shows it. */
export interface GapRecord {
  readonly gap_id: string
  readonly venue: string
  readonly channel: Kind
  readonly symbol: string
  readonly cause: string
  readonly state: 'open' | 'closed' | 'healed' | 'final'
  readonly reason: string | null
  readonly start_time: string
  readonly end_time: string | null
  readonly last_sequence: number | null
  readonly first_sequence: number | null
  readonly lost: number | null
  readonly healed: number | null
}

export interface FeedCoverage {
  readonly venue: string
  readonly channel: Kind
  readonly symbol: string
  readonly verifiable: boolean
  readonly start: string
  readonly end: string
  readonly covered_share: number
  readonly seconds_lost: number
  readonly ids_lost: number | null
  readonly ids_healed: number | null
}

export interface Consumer {
  readonly delivered: readonly Delivered[]
  readonly log: readonly Delivered[]
  gaps(): Promise<GapRecord[]>
  completeness(query?: string): Promise<FeedCoverage[]>
  // biome-ignore lint/suspicious/noExplicitAny: answers of many shapes
  get(path: string): Promise<any>
  stop(): Promise<void>
}

export interface World {
  readonly exchange: Exchange
  readonly consumer: Consumer
  nowUs(): number
  /** Lets so much of the exchange's time pass. */
  pass(seconds: number): Promise<void>
  end(): Promise<void>
}

export type Symbols = Readonly<Record<string, readonly string[]>>

/** Exchange and service in this process, on a clock that runs `speed` times as fast. Resolves when every feed is live. */
export async function startWorld(
  symbols: Symbols,
  {
    speed = 10,
    secondsOf = {},
    set = {},
  }: { speed?: number; secondsOf?: Partial<Record<Kind, number>>; set?: object } = {},
): Promise<World> {
  const platform = fastPlatform(speed)
  const exchange = new Exchange(platform.clock)
  for (const [venue, list] of Object.entries(symbols))
    for (const symbol of list) exchange.list(venue, symbol, secondsOf)
  await exchange.open()
  const folder = mkdtempSync(join(tmpdir(), 'adversary-'))
  const values = { data_dir: folder, 'api.port': 0, 'log.format': 'json', ...configOf(exchange, symbols), ...set }
  const overrides = Object.entries(values).map(([path, value]) => ({ path, value, origin: 'test' }))
  const log: Delivered[] = []
  const output = { write: (line: string) => void log.push(JSON.parse(line)), on: () => {} }
  const loaded = loadConfig({ venues, environment: {}, cwd: folder, overrides })
  const service = new DataCollectorService({ loaded, platform, output })
  const delivered: Delivered[] = []
  service.collector.subscribe((event) => void delivered.push(event))
  const url = await service.start()
  const consumer = consumerOf(url, delivered, log, () => service.stop('test'))
  await allLive(consumer)
  return {
    exchange,
    consumer,
    nowUs: () => exchange.clock.nowUs(),
    pass: (seconds) => new Promise((resolve) => void exchange.clock.after(seconds * 1000, resolve)),
    async end() {
      await consumer.stop()
      await exchange.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** Key paths of the service's configuration. */
export const configOf = (exchange: Exchange, symbols: Symbols): Record<string, unknown> =>
  Object.fromEntries(
    venues.flatMap(({ id }) => [
      [`exchanges.${id}.enabled`, id in symbols],
      ...(id in symbols ? [[`exchanges.${id}.symbols`, symbols[id]] as const] : []),
      ...(id in symbols
        ? Object.entries(exchange.options(id)).map(([key, value]) => [`exchanges.${id}.${key}`, value] as const)
        : []),
    ]),
  )

export function consumerOf(
  url: string,
  delivered: readonly Delivered[],
  log: readonly Delivered[],
  stop: () => Promise<void>,
): Consumer {
  const get = async (path: string) => {
    const response = await fetch(url + path, { headers: { connection: 'close' } })
    const answer = (await response.json()) as Delivered
    if (answer.status !== 'success' && !path.startsWith('/health'))
      throw new Error(`${path}: ${JSON.stringify(answer)}`)
    return answer.data
  }
  return {
    delivered,
    log,
    get,
    gaps: async () => (await get('/api/v1/gaps?limit=1000')).gaps,
    completeness: async (query = '') => (await get(`/api/v1/completeness${query}`)).feeds,
    stop,
  }
}

export async function allLive(consumer: Consumer): Promise<void> {
  let waiting: unknown
  await until(
    () => `every feed live: ${JSON.stringify(waiting)}`,
    async () => {
      const { feeds } = await consumer.get('/api/v1/feeds').catch(() => ({ feeds: [] }))
      waiting = feeds
        .filter(({ state }: Delivered) => state !== 'live')
        .map((f: Delivered) => [f.venue, f.symbol, f.channel, f.state, f.reason])
      return feeds.length > 0 && (waiting as []).length === 0
    },
  )
}
