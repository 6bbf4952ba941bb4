/** A fake exchange on real sockets that misbehaves when told to, per stream, per connection, per REST API. */

import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { type WebSocket, WebSocketServer } from 'ws'
import type { Clock } from '../../src/platform/platform.ts'
import { type Kind, Stream } from './market.ts'
import { WIRES, type Wire } from './wire.ts'

const TICK_MS = 10
const S = 1_000_000

/** What becomes of the frames of one stream. */
export interface Valve {
  /** The next so many are lost; are sent twice; change places in pairs. */
  drop: number
  double: number
  swap: number
  /** `keep`: sent when it ends. */
  freeze: 'no' | 'forget' | 'keep'
  readonly held: string[]
  swapped: string | undefined
}

/** What becomes of one connection. `mute`: no data; `dead`: not even a pong. */
export interface Client {
  readonly wire: Wire
  readonly socket: WebSocket
  readonly raw: Socket
  readonly topics: Set<string>
  state: 'well' | 'mute' | 'dead'
  /** What it did not get while it was not well. */
  readonly held: string[]
}

/** What REST of one venue does. */
export interface RestFaults {
  lagUs: number
  keep: number
  isDown: boolean
  /** Virtual time of an answer. */
  delayUs: number
}

export class Exchange {
  readonly clock: Clock
  readonly streams: Stream[] = []
  readonly clients = new Set<Client>()
  readonly rest: Readonly<Record<string, RestFaults>>
  /** Venues that refuse WebSockets. */
  readonly refusing = new Set<string>()
  /** Books of these venues begin with a snapshot of so long ago. */
  readonly oldSnapshots = new Map<string, number>()
  readonly asked: string[] = []
  readonly #valves = new Map<Stream, Valve>()
  readonly #byTopic = new Map<string, Stream>()
  readonly #server: Server
  readonly #sockets = new WebSocketServer({ noServer: true, autoPong: false })
  #stopTicking: (() => void) | undefined

  constructor(clock: Clock) {
    this.clock = clock
    const faults = () => ({ lagUs: 0, keep: Number.POSITIVE_INFINITY, isDown: false, delayUs: 0 })
    this.rest = Object.fromEntries(Object.keys(WIRES).map((venue) => [venue, faults()]))
    this.#server = createServer((request, response) => {
      const url = new URL(request.url ?? '/', 'http://x')
      const wire = Object.values(WIRES).find(
        ({ venue }) => PREFIX[venue] !== undefined && url.pathname.startsWith(PREFIX[venue]),
      )
      const faults = wire && this.rest[wire.venue]
      this.asked.push(`${url.pathname}${url.search}`)
      const body = wire && faults && !faults.isDown ? this.#answer(wire, url, faults) : undefined
      clock.after((faults?.delayUs ?? 0) / 1000, () => {
        response.writeHead(body === undefined ? 503 : 200, { 'content-type': 'application/json' })
        response.end(body === undefined ? '{}' : JSON.stringify(body))
      })
    })
    this.#server.on('upgrade', (request, raw: Socket, head) => this.#upgrade(request, raw, head))
  }

  async open(): Promise<void> {
    await new Promise<void>((resolve) => void this.#server.listen(0, '127.0.0.1', resolve))
    this.#stopTicking = this.clock.every(TICK_MS, () => this.#tick())
  }

  async close(): Promise<void> {
    this.#stopTicking?.()
    for (const { raw } of this.clients) raw.destroy()
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  /** Values for the service's configuration. */
  options(venue: string): Record<string, string> {
    const [http, ws] = [`http://127.0.0.1:${this.port}`, `ws://127.0.0.1:${this.port}`]
    if (venue === 'binance-usdm')
      return {
        rest_url: http,
        websocket_public_url: `${ws}/public/stream`,
        websocket_market_url: `${ws}/market/stream`,
      }
    return { rest_url: http, websocket_url: ws + Object.keys((WIRES[venue] as Wire).sockets)[0] }
  }

  /** Publishes all kinds of the symbol from now on. */
  list(venue: string, symbol: string, secondsOf: Partial<Record<Kind, number>> = {}): void {
    const wire = WIRES[venue] as Wire
    for (const kind of ['trade', 'ticker', 'quote', 'book'] as const) {
      const seconds = secondsOf[kind] ?? (kind === 'trade' || kind === 'book' ? 0.5 : 1)
      const stream = new Stream(
        venue,
        kind,
        symbol,
        wire.topic(kind, symbol),
        seconds * S,
        wire.encode,
        this.clock.nowUs(),
      )
      this.streams.push(stream)
      this.#byTopic.set(`${venue} ${stream.topic}`, stream)
      this.#valves.set(stream, { drop: 0, double: 0, swap: 0, freeze: 'no', held: [], swapped: undefined })
    }
  }

  stream(venue: string, kind: Kind, symbol: string): Stream {
    const found = this.streams.find((s) => s.venue === venue && s.kind === kind && s.symbol === symbol)
    if (found === undefined) throw new Error(`no stream ${venue} ${kind} ${symbol}`)
    return found
  }

  valve(stream: Stream): Valve {
    return this.#valves.get(stream) as Valve
  }

  /** One message of the stream, now; it counts as published whatever becomes of it. */
  publish(stream: Stream): void {
    const frame = stream.next(this.clock.nowUs())
    const valve = this.valve(stream)
    if (valve.drop > 0) {
      valve.drop--
      return
    }
    if (valve.freeze !== 'no') {
      if (valve.freeze === 'keep') valve.held.push(frame)
      return
    }
    if (valve.swap > 0) {
      valve.swap--
      if (valve.swapped === undefined) {
        valve.swapped = frame
        return
      }
    }
    this.send(stream, frame)
    if (valve.double > 0) {
      valve.double--
      this.send(stream, frame)
    }
    if (valve.swapped !== undefined) this.send(stream, valve.swapped)
    valve.swapped = undefined
  }

  /** Ends a freeze. */
  thaw(stream: Stream): void {
    const valve = this.valve(stream)
    valve.freeze = 'no'
    for (const frame of valve.held.splice(0)) this.send(stream, frame)
  }

  /** Sends the newest `count` messages of the stream again. */
  resend(stream: Stream, count: number): void {
    for (const frame of stream.frames.slice(-count)) this.send(stream, frame)
  }

  /** A snapshot of the book as it stood so many seconds ago, in the middle of the stream. */
  sendOld(stream: Stream, seconds: number): void {
    const { snapshot } = WIRES[stream.venue] as Wire
    const untilUs = this.clock.nowUs() - seconds * S
    const state = stream.states.findLast(({ atUs }) => atUs <= untilUs) ?? stream.book
    if (snapshot !== undefined) this.send(stream, snapshot(stream, state))
  }

  /** To whom it subscribed. */
  send(stream: Stream, frame: string): void {
    for (const client of this.clients) {
      if (client.wire.venue !== stream.venue || !client.topics.has(stream.topic)) continue
      if (client.state === 'well') client.socket.send(frame)
      else client.held.push(frame)
    }
  }

  clientsOf(venue: string): Client[] {
    return [...this.clients].filter(({ wire }) => wire.venue === venue)
  }

  /** The connections of the venue are well again, with what they missed or without. */
  revive(venue: string, withHeld: boolean): void {
    for (const client of this.clientsOf(venue)) {
      client.state = 'well'
      for (const frame of client.held.splice(0)) if (withHeld) client.socket.send(frame)
    }
  }

  #tick(): void {
    const nowUs = this.clock.nowUs()
    for (const stream of this.streams) {
      if (stream.dueUs > nowUs) continue
      // A late tick makes no burst; a stream keeps its pace.
      stream.dueUs = Math.max(stream.dueUs + stream.intervalUs, nowUs + stream.intervalUs / 2)
      this.publish(stream)
    }
  }

  #answer(wire: Wire, url: URL, { lagUs, keep }: RestFaults): unknown {
    const all = this.streams.filter(({ venue }) => venue === wire.venue)
    const find = (kind: Kind, symbol: string) => all.find((stream) => stream.kind === kind && stream.symbol === symbol)
    return wire.rest(url, find, all, { untilUs: this.clock.nowUs() - lagUs, keep })
  }

  #upgrade(request: IncomingMessage, raw: Socket, head: Buffer): void {
    const { pathname } = new URL(request.url ?? '/', 'http://x')
    const wire = Object.values(WIRES).find(({ sockets }) => pathname in sockets)
    if (wire === undefined || this.refusing.has(wire.venue)) {
      raw.destroy()
      return
    }
    const carried = wire.sockets[pathname] as readonly Kind[]
    this.#sockets.handleUpgrade(request, raw, head, (socket) => {
      const client: Client = { wire, socket, raw, topics: new Set(), state: 'well', held: [] }
      this.clients.add(client)
      socket.on('close', () => this.clients.delete(client))
      socket.on('error', () => {})
      socket.on('ping', (data) => {
        if (client.state !== 'dead') socket.pong(data)
      })
      socket.on('message', (data) => this.#heard(client, String(data), carried))
    })
  }

  #heard(client: Client, text: string, carried: readonly Kind[]): void {
    const { wire, socket, topics } = client
    // A mute connection answers what keeps it alive, and confirms.
    if (client.state === 'dead') return
    wire.heard(text, {
      send: (answer) => socket.send(answer),
      leave: (topic) => void topics.delete(topic),
      join: (topic) => {
        const stream = this.#byTopic.get(`${wire.venue} ${topic}`)
        if (stream === undefined || !carried.includes(stream.kind)) return false
        topics.add(topic)
        if (stream.kind === 'book' && wire.snapshot !== undefined) this.#begin(client, stream, wire)
        return true
      },
    })
  }

  #begin(client: Client, stream: Stream, wire: Wire): void {
    const { freeze } = this.valve(stream)
    if (client.state !== 'well' || freeze !== 'no') return
    const ageUs = this.oldSnapshots.get(wire.venue) ?? 0
    const untilUs = this.clock.nowUs() - ageUs
    const state = stream.states.findLast(({ atUs }) => atUs <= untilUs) ?? stream.book
    client.socket.send(wire.snapshot?.(stream, state) ?? '')
  }
}

const PREFIX: Readonly<Record<string, string>> = {
  binance: '/api/v3/',
  'binance-usdm': '/fapi/v1/',
  okx: '/api/v5/',
  deribit: '/api/v2/',
}
