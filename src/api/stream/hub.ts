/** Hands every event to the stream's clients: encoded once, filtered for each, never buffered without bound. */

import type { Duplex } from 'node:stream'
import type { MarketEvent } from '../../model/event.ts'
import type { Clock } from '../../platform/platform.ts'
import { turn } from '../../platform/turn.ts'
import type { HttpMetrics, Logger } from '../../service/ports.ts'
import { rateLimit } from '../../service/rate-limit.ts'
import type { CollectorView } from '../view.ts'
import { type Command, type Filter, matches } from './subscription.ts'

export const STREAM_LIMITS = {
  clientsMax: 64,
  /** Bytes that wait for one client; with more it is cut off. */
  bufferBytesMax: 1_048_576,
  /** So many clients are sent each event by itself, unless it came with others. */
  fewClients: 8,
  /** With more of them an event may wait so long. */
  gatherMs: 5,
  pingIntervalMs: 20_000,
  /** Longest message from a client. */
  messageBytesMax: 65_536,
  messagesPerSecondMax: 20,
  /** How long a client that is told to go may take before its socket is cut. */
  closeGraceMs: 2_000,
} as const
export type StreamLimits = { readonly [Name in keyof typeof STREAM_LIMITS]: number }

/** Close codes of RFC 6455, and one of our own for clients that read too slowly. */
export const CLOSE = { goingAway: 1001, policy: 1008, tooSlow: 4008 } as const

/** The part of a WebSocket that the hub uses. */
export interface StreamSocket {
  readonly bufferedAmount: number
  send(data: string | Buffer, options: { readonly binary: false }): void
  ping(): void
  close(code: number, reason: string): void
}

/** What a WebSocket writes to. */
export type StreamTransport = Pick<Duplex, 'cork' | 'uncork' | 'destroy'>

/** Without one of its own Node makes an error for each write that waits: for thousands of them that takes seconds. */
const CUT = new Error('cut off')

/** The hub's side of one client; the socket's owner calls it. */
export interface StreamClient {
  message(text: string): void
  alive(): void
  closed(): void
}

interface Client {
  readonly socket: StreamSocket
  readonly transport: StreamTransport
  readonly name: string
  readonly mayTalk: (who: string) => boolean
  filter: Filter | undefined
  isAlive: boolean
  /** Cancels the cut of a socket that was told to go. */
  cancelCut: (() => void) | undefined
}

export interface HubOptions {
  readonly view: Pick<CollectorView, 'subscribe'>
  readonly clock: Clock
  readonly logger: Logger
  readonly metrics: HttpMetrics
  readonly read: (text: string) => Command
  readonly limits: StreamLimits
}

export class StreamHub {
  readonly #options: HubOptions
  readonly #clients = new Set<Client>()
  #endEvents: (() => void) | undefined
  #endPings: (() => void) | undefined
  readonly #gathering = new Set<StreamTransport>()

  constructor(options: HubOptions) {
    this.#options = options
  }

  get size(): number {
    return this.#clients.size
  }

  get isFull(): boolean {
    return this.size >= this.#options.limits.clientsMax
  }

  add(socket: StreamSocket, transport: StreamTransport, name: string): StreamClient {
    const { limits, clock } = this.#options
    const mayTalk = rateLimit(limits.messagesPerSecondMax, clock)
    const client: Client = { socket, transport, name, mayTalk, filter: undefined, isAlive: true, cancelCut: undefined }
    this.#clients.add(client)
    this.#adjust()
    return {
      message: (text) => this.#message(client, text),
      alive: () => {
        client.isAlive = true
      },
      closed: () => {
        client.cancelCut?.()
        this.#remove(client)
      },
    }
  }

  /** Sends every client away. */
  close(): void {
    for (const client of [...this.#clients]) this.#sendAway(client, CLOSE.goingAway, 'the service is stopping')
  }

  #message(client: Client, text: string): void {
    client.isAlive = true
    if (!this.#clients.has(client)) return
    if (!client.mayTalk('')) {
      this.#options.metrics.streamClientDropped('flood')
      this.#sendAway(client, CLOSE.policy, 'too many messages')
      return
    }
    const command = this.#options.read(text)
    if (command.op !== 'invalid') client.filter = command.op === 'subscribe' ? command.filter : undefined
    this.#deliver(client, JSON.stringify(acknowledgement(command)))
    this.#adjust()
  }

  readonly #publish = (event: MarketEvent, bytes: () => Buffer): void => {
    for (const client of this.#clients) {
      if (client.filter === undefined || !matches(client.filter, event)) continue
      this.#gather(client)
      this.#deliver(client, bytes())
    }
  }

  /** Most of an event's price is the call that writes it to a client: with many of them it waits for others to go with. */
  #gather({ transport }: Client): void {
    if (this.#gathering.has(transport)) return
    if (this.#gathering.size === 0) this.#releaseSoon()
    this.#gathering.add(transport)
    transport.cork()
  }

  #releaseSoon(): void {
    const { clock, limits } = this.#options
    if (this.size <= limits.fewClients) void turn().then(() => this.#release())
    else clock.after(limits.gatherMs, () => this.#release())
  }

  #release(): void {
    for (const transport of this.#gathering) transport.uncork()
    this.#gathering.clear()
  }

  #deliver(client: Client, data: string | Buffer): void {
    const { limits, logger, metrics } = this.#options
    if (client.socket.bufferedAmount <= limits.bufferBytesMax) {
      client.socket.send(data, { binary: false })
      return
    }
    metrics.streamClientDropped('slow')
    logger.warning('stream_client_cut', 'a stream client reads too slowly and was cut off', { client: client.name })
    this.#sendAway(client, CLOSE.tooSlow, 'reading too slowly')
  }

  #sendAway(client: Client, code: number, reason: string): void {
    const { clock, limits } = this.#options
    this.#remove(client)
    client.cancelCut = clock.after(limits.closeGraceMs, () => client.transport.destroy(CUT))
    client.socket.close(code, reason)
  }

  #remove(client: Client): void {
    if (this.#clients.delete(client)) this.#adjust()
  }

  /** Events are taken only while somebody wants them, pings run only while somebody is there. */
  #adjust(): void {
    const { view, clock, limits, metrics } = this.#options
    metrics.streamClients(this.size)
    if ([...this.#clients].some(({ filter }) => filter !== undefined)) {
      this.#endEvents ??= view.subscribe(this.#publish)
    } else {
      this.#endEvents?.()
      this.#endEvents = undefined
    }
    if (this.size > 0) this.#endPings ??= clock.every(limits.pingIntervalMs, () => this.#pingAll())
    else {
      this.#endPings?.()
      this.#endPings = undefined
    }
  }

  /** Who has not answered the last ping is gone. */
  #pingAll(): void {
    for (const client of [...this.#clients]) {
      if (client.isAlive) {
        client.isAlive = false
        client.socket.ping()
      } else {
        this.#options.metrics.streamClientDropped('dead')
        this.#remove(client)
        client.transport.destroy(CUT)
      }
    }
  }
}

function acknowledgement(command: Command): object {
  switch (command.op) {
    case 'subscribe': {
      const { types, venues, symbols } = command.filter
      return { op: 'subscribed', types: shown(types), venues: shown(venues), symbols: shown(symbols) }
    }
    case 'unsubscribe':
      return { op: 'unsubscribed' }
    case 'invalid':
      return { op: 'error', error_code: 'INVALID_PARAMETERS', message: command.message }
  }
}

/** `null`: all. */
const shown = (names: ReadonlySet<string> | undefined): string[] | null => (names === undefined ? null : [...names])
