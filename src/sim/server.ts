/** The simulated exchanges behind one port: real HTTP and WebSockets, each venue below its own path prefix `/<id>`. */

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { type WebSocket, WebSocketServer } from 'ws'
import type { Clock } from '../platform/platform.ts'
import { partSeed, seededRandom } from '../platform/random.ts'
import { answerControl, type ControlOrders, controlOrders } from './control.ts'
import type { Admission, SimContext, SimRequest, SimResponse, SimSession, SimVenue } from './exchange.ts'
import { createFaultPlan, type FaultPlan, type FaultSpec } from './faults.ts'
import { createMarket, type DrivenMarket } from './market.ts'
import { CLIENT_FRAME_BYTES_MAX, createPeer, type ServerPeer } from './peer.ts'
import type { ServedVenue, ServerState } from './served.ts'
import { createTally, type FrameCount, type Tally, type Violation } from './tally.ts'
import { spoiltBody } from './tamper.ts'
import { wsSocket } from './ws-socket.ts'

export interface SimulatorOptions {
  readonly clock: Clock
  readonly venues: readonly SimVenue[]
  /** 0 takes a free one. */
  readonly port?: number
  readonly host?: string
  readonly seed?: number
  /** Multiplies the market steps of all venues. */
  readonly rate?: number
  /** Divides the venues' long times: pings, lifetimes, limit windows. */
  readonly timeScale?: number
  readonly snapshotLagMsMax?: number
  /** Trades of each instrument that the venues still answer with; 1000 unless said. */
  readonly tradesKept?: number
  readonly faults?: readonly FaultSpec[]
  /** The first broken rule bans: connections are reset, and nobody gets in any more. */
  readonly bansAtOnce?: boolean
  /** What becomes of a wish to subscribe to a stream, where that is not what the venue would do. */
  readonly admission?: (venue: string, stream: string) => Admission | undefined
  /** A market data frame was given to a socket. */
  readonly onSent?: (venue: string, channel: string, symbol: string) => void
  /** An answer of a venue was given to a client that is still there. */
  readonly onAnswered?: (venue: string, path: string) => void
  /** More orders of the control endpoint, and more to say in `/control/state`. */
  readonly orders?: ControlOrders
  readonly state?: () => Readonly<Record<string, unknown>>
}

export interface Simulator {
  /** `http://127.0.0.1:40123` */
  readonly url: string
  readonly faults: FaultPlan
  /** The truth of one venue. Errors: throws a RangeError for a venue that is not served. */
  market(venue: string): DrivenMarket
  /** The venue's keys of `exchanges.yaml` with URLs of this server. */
  options(venue: string): Readonly<Record<string, string>>
  /** `control('fault?kind=drop&venue=okx')` is the same as `GET /control/fault?…`. Errors: throws what the endpoint reports. */
  control(order: string): unknown
  violations(): readonly Violation[]
  /** Market data frames given to the sockets. */
  sent(): readonly FrameCount[]
  connections(): readonly ServerPeer[]
  stop(): Promise<void>
}

const SNAPSHOT_LAG_MS_MAX = 250

/** Starts listening. Errors: rejects with Node's error if the port is taken. */
export async function startSimulator(options: SimulatorOptions): Promise<Simulator> {
  const { clock, venues, port = 0, host = '127.0.0.1', seed = 1 } = options
  const faults = createFaultPlan(seededRandom(partSeed(seed, 'faults')), () => Math.floor(clock.nowUs() / 1000))
  for (const spec of options.faults ?? []) faults.add(spec)
  const tally = createTally(clock)
  const served = new Map(venues.map((venue) => [venue.id, serve(venue, options, seed, tally)]))
  const { state: extraState = () => ({}), onSent = () => {}, onAnswered = () => {} } = options
  const state: ServerState = { clock, faults, tally, served, extraState, onSent, onAnswered }
  const orders = { ...controlOrders(state), ...options.orders }

  const server = createServer((request, response) => {
    const target = locate(request)
    if (target.prefix === 'control') answerControl(orders, target.path, target.query, response)
    else void answerRest(state, target, request, response)
  })
  const accept = acceptSockets(state)
  server.on('upgrade', (request, socket, head) => accept(request, socket as Socket, head))
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, resolve)
  })
  const origin = `${host}:${(server.address() as AddressInfo).port}`
  for (const { market } of served.values()) market.start()

  return {
    url: `http://${origin}`,
    faults,
    market: (venue) => find(served, venue).market,
    options: (venue) => urls(find(served, venue).venue, origin),
    control: (order) => {
      const [name = '', query = ''] = order.split('?')
      return orders[name]?.(new URLSearchParams(query))
    },
    violations: () => tally.violations(),
    sent: () => tally.frames(),
    connections: () => [...served.values()].flatMap(({ peers }) => [...peers]),
    async stop() {
      for (const { market, exchange, peers } of served.values()) {
        market.stop()
        exchange.stop()
        for (const peer of peers) peer.reset()
      }
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

function serve(venue: SimVenue, options: SimulatorOptions, seed: number, tally: Tally): ServedVenue {
  const { clock, rate = 1, timeScale = 1, snapshotLagMsMax = SNAPSHOT_LAG_MS_MAX, tradesKept } = options
  const { id, instruments } = venue
  const kept = tradesKept !== undefined && { tradesKept }
  const market = createMarket({ instruments, seed: partSeed(seed, id), clock, rate, ...kept })
  const random = seededRandom(partSeed(seed, `${venue.id} wire`))
  const peers = new Set<ServerPeer>()
  const context: SimContext = {
    clock,
    random,
    market,
    violation(rule, detail) {
      tally.violation(venue.id, rule, detail)
      if (options.bansAtOnce !== true) return
      made.door = 'banned'
      for (const peer of peers) peer.reset()
    },
    timeScale,
    snapshotLagMsMax,
    snapshotLagMs: () => random() * snapshotLagMsMax,
    ...(options.admission && { admission: (stream) => options.admission?.(venue.id, stream) }),
  }
  const made: ServedVenue = { venue, market, exchange: venue.create(context), peers, door: 'open' }
  return made
}

interface Target {
  /** The first part of the path: a venue's id, or `control`. */
  readonly prefix: string
  readonly path: string
  readonly query: URLSearchParams
}

function locate(request: IncomingMessage): Target {
  const url = new URL(request.url ?? '/', 'http://simulator')
  const [, prefix = ''] = url.pathname.split('/')
  return { prefix, path: url.pathname.slice(prefix.length + 1) || '/', query: url.searchParams }
}

async function answerRest(
  { clock, faults, tally, served, onAnswered }: ServerState,
  { prefix, path, query }: Target,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const venue = served.get(prefix)
  if (!venue) return reply(response, { status: 404, body: `no venue '${prefix}' here` })
  if (venue.door === 'gone') return void request.socket.resetAndDestroy()
  if (venue.door === 'banned')
    return reply(response, { status: 418, headers: { 'Retry-After': '120' }, body: 'banned' })
  tally.request(prefix, path)
  const fault = faults.request(prefix, path)
  if (fault?.kind === 'rest-timeout') return
  if (fault?.kind === 'rest-reset') return void request.socket.resetAndDestroy()
  if (fault?.kind === 'rest-status') {
    const headers = fault.retry_after === undefined ? {} : { 'Retry-After': String(fault.retry_after) }
    return reply(response, { status: fault.status, headers, body: 'injected fault' })
  }
  const answer = await venue.exchange.rest(simRequest(request, path, query))
  const give = (given: SimResponse) => {
    if (!request.socket.destroyed) onAnswered(prefix, path)
    reply(response, given)
  }
  if (fault?.kind === 'rest-delay') clock.after(fault.ms, () => give(answer))
  else if (fault) give({ ...answer, body: spoiltBody(answer.body, fault) })
  else give(answer)
}

function simRequest(request: IncomingMessage, path: string, query: URLSearchParams): SimRequest {
  const headers = Object.entries(request.headers).map(([name, value]) => [name, value?.toString()])
  return {
    method: request.method ?? 'GET',
    path,
    query,
    headers: Object.fromEntries(headers),
    client: request.socket.remoteAddress ?? '',
  }
}

function reply(response: ServerResponse, { status, headers, body }: SimResponse): void {
  response.writeHead(status, { 'Content-Type': 'application/json;charset=UTF-8', ...headers })
  response.end(body)
}

/** The upgrade to a WebSocket: refused with 404 where the venue has no endpoint. */
function acceptSockets({ clock, faults, tally, served, onSent: told }: ServerState) {
  const upgrader = new WebSocketServer({
    noServer: true,
    perMessageDeflate: false,
    maxPayload: CLIENT_FRAME_BYTES_MAX,
    autoPong: false,
  })
  let lastId = 0
  return (request: IncomingMessage, transport: Socket, head: Buffer): void => {
    const { prefix, path, query } = locate(request)
    const venue = served.get(prefix)
    const client = request.socket.remoteAddress ?? ''
    const onSent = (channel: string, symbol: string) => {
      tally.frame(prefix, channel, symbol)
      told(prefix, channel, symbol)
    }
    const reset = () => void transport.resetAndDestroy()
    const hangUp = () => void transport.end()
    const peer = createPeer({ id: ++lastId, venue: prefix, client, path, query, faults, clock, reset, hangUp, onSent })
    // A reset by either side; `ws` reports the close on its own.
    transport.on('error', () => {})
    if (venue?.door === 'gone') return void transport.resetAndDestroy()
    if (venue?.door === 'banned') return void transport.end('HTTP/1.1 403 Forbidden\r\nConnection: close\r\n\r\n')
    const session = venue?.exchange.connect(peer)
    if (!venue || !session) return void transport.end('HTTP/1.1 404 Not Found\r\nConnection: close\r\n\r\n')
    let isOpen = false
    upgrader.handleUpgrade(request, transport, head, (socket) => {
      isOpen = true
      venue.peers.add(peer)
      socket.on('close', () => {
        venue.peers.delete(peer)
        session.closed()
      })
      socket.on('error', () => {})
      listen(socket, session, peer)
      peer.attach(wsSocket(socket))
    })
    if (!isOpen) session.closed()
  }
}

function listen(socket: WebSocket, session: SimSession, peer: ServerPeer): void {
  socket.on('message', (data: Buffer) => {
    const text = data.toString('utf8')
    peer.heard(text)
    session.text(text)
  })
  socket.on('ping', (payload: Buffer) => {
    peer.pong(payload)
    session.ping()
  })
  socket.on('pong', (payload: Buffer) => session.pong(payload.toString('utf8')))
}

function find(served: ReadonlyMap<string, ServedVenue>, venue: string): ServedVenue {
  const found = served.get(venue)
  if (!found) throw new RangeError(`venue '${venue}' is not served; served: ${[...served.keys()].join(', ')}`)
  return found
}

function urls(venue: SimVenue, origin: string): Record<string, string> {
  const entries = Object.entries(venue.options).map(([key, path]) => {
    const scheme = key.startsWith('websocket') ? 'ws' : 'http'
    return [key, `${scheme}://${origin}/${venue.id}${path}`]
  })
  return Object.fromEntries(entries)
}
