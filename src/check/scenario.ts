/** What is collected in a simulated run: a few small, moderately busy instruments of every venue, and the configuration for them. */

import { CHANNELS } from '../model/event.ts'
import { loadConfig } from '../ops/config.ts'
import type { Config } from '../ops/config-schema.ts'
import type { SimInstrument, SimVenue } from '../sim/exchange.ts'
import { simVenues } from '../sim/index.ts'
import { venues } from '../venues/index.ts'
import type { Topic, Venue } from '../venues/venue.ts'

export interface Scenario {
  readonly venues: readonly SimVenue[]
  /** As the collector knows them. */
  readonly collected: readonly Venue[]
  readonly config: Config
  /** By venue: the weight of requests in a minute, where it is not the venue's own. */
  readonly weightLimits: Readonly<Record<string, number>>
}

/** Symbols of a venue and their mean steps a second. */
type Pace = Readonly<Record<string, number>>

/** One symbol of each venue is quiet, where there are three. */
const USUAL: Readonly<Record<string, Pace>> = {
  binance: { BTCUSDT: 2, ETHUSDT: 1, DOTUSDT: 0.4 },
  'binance-usdm': { BTCUSDT: 2, ETHUSDT: 1 },
  okx: { 'BTC-USDT': 2, 'ETH-USDT-SWAP': 1, 'DOT-USDT': 0.4 },
  deribit: { 'BTC-PERPETUAL': 2, 'ETH-PERPETUAL': 1 },
}

/** Sixty feeds at a rate at which a day fits into minutes. */
const DAY: Readonly<Record<string, Pace>> = {
  binance: { BTCUSDT: 0.5, ETHUSDT: 0.4, BNBUSDT: 0.2, ADAUSDT: 0.1, DOTUSDT: 0.05 },
  'binance-usdm': { BTCUSDT: 0.5, ETHUSDT: 0.3 },
  okx: { 'BTC-USDT': 0.5, 'ETH-USDT': 0.3, 'DOT-USDT': 0.05, 'BTC-USDT-SWAP': 0.4 },
  deribit: { 'BTC-PERPETUAL': 0.5, 'ETH-PERPETUAL': 0.3, 'BTC_USDC-PERPETUAL': 0.1, 'BTC-25JUN27': 0.05 },
}

/** An event or two a second, so that days of them fit into memory. */
const QUIET: Readonly<Record<string, Pace>> = {
  binance: { BTCUSDT: 0.1 },
  'binance-usdm': { ETHUSDT: 0.05 },
  okx: { 'BTC-USDT': 0.1 },
  deribit: { 'BTC-PERPETUAL': 0.05 },
}

/** About ten requests. */
const SCARCE_WEIGHTS: Readonly<Record<string, number>> = { binance: 500, 'binance-usdm': 200 }

const TOPICS_MAX = 5

const LEVELS = { least: 20, span: 41 }

export const usualScenario = (): Scenario => (usual ??= scenario(USUAL))
/**
 * Of the limits that the venues document so little that a minute of faults needs more: the same venues, where both sides
 * know the smaller limit.
 */
export function scarceScenario(): Scenario {
  scarce ??= {
    ...usualScenario(),
    weightLimits: SCARCE_WEIGHTS,
    collected: usualScenario().collected.map((venue) => {
      const { weight } = venue.restLimits.budgets
      const limit = SCARCE_WEIGHTS[venue.id]
      if (weight === undefined || limit === undefined) return venue
      return { ...venue, restLimits: { ...venue.restLimits, budgets: { weight: { ...weight, limit } } } }
    }),
  }
  return scarce
}
export const dayScenario = (): Scenario => scenario(DAY)
export const quietScenario = (): Scenario => scenario(QUIET)
let usual: Scenario | undefined
let scarce: Scenario | undefined

/** Errors: throws a RangeError for a symbol that the simulated venue does not have. */
function scenario(paces: Readonly<Record<string, Pace>>): Scenario {
  const chosen = simVenues.map((venue) => ({ ...venue, instruments: pick(venue, paces[venue.id] ?? {}) }))
  return { venues: chosen, collected: venues.map(crowded), config: configOf(chosen), weightLimits: {} }
}

/** Few topics fit on a connection, so that there are several to a venue that allows few connections a second. */
function crowded(venue: Venue): Venue {
  if (venue.id !== 'okx') return venue
  return { ...venue, socketLimits: { ...venue.socketLimits, topicsPerConnectionMax: TOPICS_MAX } }
}

/** The stream that the venue knows by this name. */
export function topicNamed({ collected, config }: Scenario, venueId: string, name: string): Topic | undefined {
  const venue = collected.find(({ id }) => id === venueId)
  const { symbols = [], channels } = config.exchanges[venueId] ?? {}
  return symbols
    .flatMap((symbol) => CHANNELS.flatMap((channel) => venue?.topic(channel, channels?.[channel] ?? '', symbol) ?? []))
    .find((topic) => topic.name === name)
}

const pick = (venue: SimVenue, pace: Pace): SimInstrument[] =>
  Object.entries(pace).map(([symbol, stepsPerSecond], index) => {
    const found = venue.instruments.find((instrument) => instrument.symbol === symbol)
    if (found === undefined) throw new RangeError(`${venue.id} simulates no ${symbol}`)
    return { ...found, stepsPerSecond, bookLevels: LEVELS.least + ((index * 17) % LEVELS.span) }
  })

/** Two hosts for everything, so that the collector can move on from one that fails. */
function configOf(chosen: readonly SimVenue[]): Config {
  const values: Record<string, unknown> = { environment: 'simulation', data_dir: '/data' }
  for (const { id, instruments, options } of chosen) {
    values[`exchanges.${id}.symbols`] = instruments.map(({ symbol }) => symbol)
    for (const [key, path] of Object.entries(options)) {
      const scheme = key.startsWith('websocket') ? 'wss' : 'https'
      values[`exchanges.${id}.${key}`] = [`${scheme}://${id}.sim${path}`, `${scheme}://${id}-2.sim${path}`]
    }
  }
  const overrides = Object.entries(values).map(([path, value]) => ({ path, value, origin: 'scenario' }))
  return loadConfig({ venues, environment: {}, cwd: '/nowhere', overrides }).config
}
