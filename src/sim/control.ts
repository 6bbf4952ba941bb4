/**
 * `/control/<order>?…`: how tests and people steer a running simulator. GET and POST mean the same; parameters are in
 * the query; answers are JSON. `orderHelp` lists the orders.
 */

import type { ServerResponse } from 'node:http'
import { errorText, PrismError } from '../model/errors.ts'
import { faultFromQuery } from './faults.ts'
import type { ServerPeer } from './peer.ts'
import type { ServedVenue, ServerState } from './served.ts'

export type ControlOrders = Readonly<Record<string, (query: URLSearchParams) => unknown>>

const OUTAGE_MS = 60_000

/** What each order does; the command's `--help` prints it. */
export const ORDER_HELP: Readonly<Record<string, string>> = {
  state: 'venues, connections, violations, faults fired, requests, frames sent by channel and symbol',
  'fault?kind=drop&venue=okx&channel=book&symbol=BTC-USDT&count=1': 'plans a fault; the kinds are below',
  clear: 'forgets the planned faults',
  'book?venue=binance&symbol=BTCUSDT&depth=20': 'the true book of the moment',
  'trades?venue=binance&symbol=BTCUSDT': 'the true newest trades, at most 1000',
  'order?venue=binance&name=shutdown-notice': 'an order that only this venue knows',
  'kill?venue=okx&connection=3': 'resets the connections (of the venue, or this one, or all)',
  'outage?venue=okx&ms=60000': 'the venue is gone for so long: its connections and all requests are reset',
  'freeze?venue=okx&connection=3&pongs=false': 'open connections send nothing more',
  'thaw?venue=okx': 'frozen connections send again; what fell into the silence is lost',
}

/** The orders that every simulator knows. */
export function controlOrders(state: ServerState): ControlOrders {
  const { faults, served } = state
  return {
    state: () => describe(state),
    fault: (query) => faults.add(faultFromQuery(query)),
    clear: () => {
      faults.clear()
      return { planned: 0 }
    },
    book: (query) => {
      const { market } = venueOf(served, query)
      const symbol = symbolOf(market, query)
      const depth = numberOf(query, 'depth') ?? 20
      return { symbol, ...market.book(symbol, depth) }
    },
    trades: (query) => {
      const { market } = venueOf(served, query)
      return market.trades(symbolOf(market, query))
    },
    order: (query) => {
      const { exchange, venue } = venueOf(served, query)
      const name = query.get('name') ?? ''
      const done = exchange.order(name, query)
      if (done === undefined) throw invalid(`${venue.id} knows no order '${name}'`)
      return { done }
    },
    kill: (query) => each(served, query, (peer) => peer.reset()),
    outage: (query) => {
      const venue = venueOf(served, query)
      venue.door = 'gone'
      state.clock.after(numberOf(query, 'ms') ?? OUTAGE_MS, () => {
        venue.door = 'open'
      })
      return each(served, query, (peer) => peer.reset())
    },
    freeze: (query) => each(served, query, (peer) => peer.freeze(query.get('pongs') !== 'false')),
    thaw: (query) => each(served, query, (peer) => peer.thaw()),
  }
}

/** Answers one request of the control endpoint. */
export function answerControl(
  orders: ControlOrders,
  path: string,
  query: URLSearchParams,
  response: ServerResponse,
): void {
  const [status, answer] = outcome(orders, path.slice(1), query)
  response.writeHead(status, { 'Content-Type': 'application/json' })
  response.end(`${JSON.stringify(answer, null, 2)}\n`)
}

function outcome(orders: ControlOrders, name: string, query: URLSearchParams): [status: number, answer: unknown] {
  const order = orders[name]
  if (!order) return [404, { error: `no order '${name}'; there are: ${Object.keys(orders).join(', ')}` }]
  try {
    return [200, order(query)]
  } catch (error) {
    return [error instanceof PrismError ? error.status : 500, { error: errorText(error) }]
  }
}

function describe({ clock, faults, tally, served, extraState }: ServerState) {
  const now = Math.floor(clock.nowUs() / 1000)
  const venues = [...served.values()].map(({ venue, peers }) => ({
    venue: venue.id,
    symbols: venue.instruments.map(({ symbol }) => symbol),
    connections: [...peers].map((peer) => ({
      id: peer.id,
      path: peer.path,
      age_ms: now - peer.openedMs,
      frames_sent: peer.framesSent,
      frozen: peer.isFrozen,
      buffered_bytes: peer.bufferedBytes(),
    })),
  }))
  return {
    venues,
    violations: tally.violations(),
    faults: { planned: faults.planned(), fired: faults.counts(), newest: faults.fired().slice(-20) },
    requests: tally.requests(),
    sent: tally.frames(),
    ...extraState(),
  }
}

function each(
  served: ReadonlyMap<string, ServedVenue>,
  query: URLSearchParams,
  action: (peer: ServerPeer) => void,
): { connections: number[] } {
  const venues = query.has('venue') ? [venueOf(served, query)] : [...served.values()]
  const connection = numberOf(query, 'connection')
  const peers = venues
    .flatMap((venue) => [...venue.peers])
    .filter((peer) => connection === undefined || peer.id === connection)
  for (const peer of peers) action(peer)
  return { connections: peers.map((peer) => peer.id) }
}

function venueOf(served: ReadonlyMap<string, ServedVenue>, query: URLSearchParams): ServedVenue {
  const found = served.get(query.get('venue') ?? '')
  if (!found) throw invalid(`venue= must be one of: ${[...served.keys()].join(', ')}`)
  return found
}

function symbolOf(market: ServedVenue['market'], query: URLSearchParams): string {
  const symbol = query.get('symbol') ?? ''
  if (market.find(symbol)) return symbol
  throw invalid(`symbol= must be one of: ${market.instruments.map((each) => each.symbol).join(', ')}`)
}

function numberOf(query: URLSearchParams, name: string): number | undefined {
  const text = query.get(name)
  if (text === null) return undefined
  if (!/^\d+$/.test(text)) throw invalid(`${name}= must be a whole number`)
  return Number(text)
}

const invalid = (message: string): PrismError => new PrismError('INVALID_PARAMETERS', message)
