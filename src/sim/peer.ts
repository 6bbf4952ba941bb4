import type { Socket } from 'node:net'
import { WebSocket } from 'ws'
import type { Clock } from '../platform/platform.ts'
import type { SimPeer } from './exchange.ts'
import type { Fault, FaultPlan } from './faults.ts'

/** A message that a client may send. Deribit refuses above 32 kB, OKX above 64 kB; the venue decides below this. */
export const CLIENT_FRAME_BYTES_MAX = 1024 * 1024

export interface PeerOptions {
  readonly id: number
  readonly venue: string
  readonly client: string
  /** Without the server's prefix. */
  readonly path: string
  readonly query: URLSearchParams
  readonly transport: Socket
  readonly faults: FaultPlan
  readonly clock: Clock
  /** Called for each market data frame that was given to the socket. */
  onSent(channel: string, symbol: string): void
}

/** A connection as the control endpoint sees it. */
export interface ServerPeer extends SimPeer {
  readonly venue: string
  readonly openedMs: number
  readonly framesSent: number
  readonly isFrozen: boolean
  /** Hands over the WebSocket once the handshake is done; what was sent before goes out now. */
  attach(socket: WebSocket): void
  /** Nothing more is sent on the open connection. `pongs`: whether pings are still answered. */
  freeze(pongs: boolean): void
  thaw(): void
  pong(payload: Buffer): void
  /** A TCP reset. */
  reset(): void
}

type Send = (socket: WebSocket) => void

interface Outgoing {
  readonly dueMs: number
  readonly send: Send
}

/** The server's side of one connection, with the faults on its way out. */
export function createPeer(options: PeerOptions): ServerPeer {
  const { id, venue, client, path, query, transport, faults, clock, onSent } = options
  const held = new Map<string, Send>()
  let socket: WebSocket | undefined
  let early: Send[] = []
  const queue: Outgoing[] = []
  let isWaiting = false
  let frozen: { readonly pongs: boolean } | undefined
  let framesSent = 0

  function write(send: Send): void {
    if (!socket) early.push(send)
    else if (!frozen && socket.readyState === WebSocket.OPEN) send(socket)
  }

  /** Sends now, or behind what is delayed already: TCP keeps the order. */
  function enqueue(send: Send, delayMs = 0): void {
    const dueMs = clock.monotonicMs() + delayMs
    if (delayMs === 0 && queue.length === 0) write(send)
    else queue.push({ dueMs, send })
    if (isWaiting || queue.length === 0) return
    isWaiting = true
    clock.after(delayMs, flush)
  }

  function flush(): void {
    isWaiting = false
    const now = clock.monotonicMs()
    // A timer may fire a fraction of a millisecond early.
    while (queue[0] && queue[0].dueMs <= now + 1) write(queue.shift()?.send ?? nothing)
    if (!queue[0]) return
    isWaiting = true
    clock.after(queue[0].dueMs - now, flush)
  }

  const data = (channel: string, symbol: string, text: string) => (open: WebSocket) => {
    open.send(text)
    framesSent++
    onSent(channel, symbol)
  }

  function strike(fault: Fault, key: string, send: Send, spoilt: Send): void {
    if (fault.kind === 'duplicate') {
      enqueue(send)
      enqueue(send)
    } else if (fault.kind === 'reorder') held.set(key, send)
    else if (fault.kind === 'delay') enqueue(send, fault.ms)
    else if (fault.kind === 'silence') frozen = { pongs: fault.pongs }
    else if (fault.kind === 'reset') transport.resetAndDestroy()
    else if (fault.kind === 'close') enqueue((open) => open.close(fault.code, 'injected fault'))
    else if (fault.kind === 'malformed') enqueue(spoilt)
  }

  return {
    id,
    venue,
    client,
    path,
    query,
    openedMs: Math.floor(clock.nowUs() / 1000),
    get framesSent() {
      return framesSent
    },
    get isFrozen() {
      return frozen !== undefined
    },
    send({ channel, symbol }, text) {
      if (frozen || (socket && socket.readyState !== WebSocket.OPEN)) return
      const send = data(channel, symbol, text)
      const key = `${channel} ${symbol}`
      const fault = faults.frame({ venue, channel, symbol, connection: id })
      if (fault) strike(fault, key, send, (open) => open.send(spoil(text, fault.how)))
      else enqueue(send)
      const earlier = fault?.kind === 'reorder' ? undefined : held.get(key)
      if (!earlier) return
      held.delete(key)
      enqueue(earlier)
    },
    sendControl: (text) => enqueue((open) => open.send(text)),
    ping: (payload) => enqueue((open) => open.ping(payload)),
    pong: (payload) => {
      if ((!frozen || frozen.pongs) && socket?.readyState === WebSocket.OPEN) socket.pong(payload)
    },
    close: (code, reason) => enqueue((open) => open.close(code, reason)),
    bufferedBytes: () => socket?.bufferedAmount ?? 0,
    attach(opened) {
      socket = opened
      const waiting = early
      early = []
      for (const send of waiting) write(send)
    },
    freeze(pongs) {
      frozen = { pongs }
    },
    thaw() {
      frozen = undefined
    },
    reset: () => transport.resetAndDestroy(),
  }
}

const nothing = (): void => {}

/** Fields whose value a spoilt frame replaces, innermost first. */
const SPOILT_FIELDS = ['bids', 'asks', 'b', 'a', 'px', 'p', 'price', 'c', 'last_price', 'last', 'data']

/** A frame that breaks the venue's promise: cut in the middle, or valid JSON with an object where a value belongs. */
export function spoil(text: string, how: Fault['how']): string {
  const field = SPOILT_FIELDS.find((name) => text.includes(`"${name}":`))
  if (how === 'truncated' || field === undefined) return text.slice(0, Math.ceil(text.length / 2))
  return text.replace(`"${field}":`, `"${field}":{},"spoilt":`)
}
