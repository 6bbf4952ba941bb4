/** Hands every event to the stream's clients: encoded once, filtered for each, never buffered without bound. */

import type { MarketEvent } from '../../model/event.ts'
import type { Clock } from '../../platform/platform.ts'
import type { HttpMetrics, Logger } from '../../service/ports.ts'
import { rateLimit } from '../../service/rate-limit.ts'
import type { CollectorView } from '../view.ts'
import { type Command, type Filter, matches } from './subscription.ts'

export const STREAM_LIMITS = {
  clientsMax: 64,
  /** Bytes that wait for one client; with more it is cut off. */
  bufferBytesMax: 1_048_576,
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
  terminate(): void
}

/** The hub's side of one client; the socket's owner calls it. */
export interface StreamClient {
  message(text: string): void
  alive(): void
  closed(): void
}

export interface StreamHub {
  readonly size: number
  isFull(): boolean
  add(socket: StreamSocket, name: string): StreamClient
  /** Sends every client away. */
  close(): void
}

interface Client {
  readonly socket: StreamSocket
  readonly name: string
  filter: Filter | undefined
  isAlive: boolean
}

export interface HubOptions {
  readonly view: Pick<CollectorView, 'subscribe'>
  readonly clock: Clock
  readonly logger: Logger
  readonly metrics: HttpMetrics
  readonly read: (text: string) => Command
  readonly limits: StreamLimits
}

export function streamHub({ view, clock, logger, metrics, read, limits }: HubOptions): StreamHub {
  const clients = new Set<Client>()
  let endEvents: (() => void) | undefined
  let endPings: (() => void) | undefined

  function publish(event: MarketEvent): void {
    let bytes: Buffer | undefined
    for (const client of clients) {
      if (client.filter === undefined || !matches(client.filter, event)) continue
      bytes ??= Buffer.from(JSON.stringify(event))
      deliver(client, bytes)
    }
  }

  function deliver(client: Client, data: string | Buffer): void {
    if (client.socket.bufferedAmount <= limits.bufferBytesMax) {
      client.socket.send(data, { binary: false })
      return
    }
    metrics.streamClientCut()
    logger.warning('stream_client_cut', 'a stream client reads too slowly and was cut off', { client: client.name })
    sendAway(client, CLOSE.tooSlow, 'reading too slowly')
  }

  function sendAway(client: Client, code: number, reason: string): void {
    remove(client)
    client.socket.close(code, reason)
    clock.after(limits.closeGraceMs, () => client.socket.terminate())
  }

  function remove(client: Client): void {
    if (!clients.delete(client)) return
    metrics.streamClients(clients.size)
    adjust()
  }

  /** Events are taken only while somebody wants them, pings run only while somebody is there. */
  function adjust(): void {
    const isWanted = [...clients].some(({ filter }) => filter !== undefined)
    if (isWanted) endEvents ??= view.subscribe(publish)
    else {
      endEvents?.()
      endEvents = undefined
    }
    if (clients.size > 0) endPings ??= clock.every(limits.pingIntervalMs, pingAll)
    else {
      endPings?.()
      endPings = undefined
    }
  }

  function pingAll(): void {
    for (const client of clients) {
      if (!client.isAlive) {
        remove(client)
        client.socket.terminate()
        continue
      }
      client.isAlive = false
      client.socket.ping()
    }
  }

  function obey(client: Client, command: Command): void {
    if (command.op !== 'invalid') client.filter = command.op === 'subscribe' ? command.filter : undefined
    deliver(client, JSON.stringify(acknowledgement(command)))
    adjust()
  }

  return {
    get size() {
      return clients.size
    },
    isFull: () => clients.size >= limits.clientsMax,
    add(socket, name) {
      const client: Client = { socket, name, filter: undefined, isAlive: true }
      const mayTalk = rateLimit(limits.messagesPerSecondMax, clock)
      clients.add(client)
      metrics.streamClients(clients.size)
      adjust()
      return {
        message(text) {
          client.isAlive = true
          if (!clients.has(client)) return
          if (mayTalk('')) obey(client, read(text))
          else sendAway(client, CLOSE.policy, 'too many messages')
        },
        alive() {
          client.isAlive = true
        },
        closed: () => remove(client),
      }
    },
    close() {
      for (const client of [...clients]) sendAway(client, CLOSE.goingAway, 'the service is stopping')
    },
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
