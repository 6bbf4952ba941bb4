import type { Clock } from '../platform/platform.ts'
import type { FrameFate, SimPeer } from './exchange.ts'
import type { Fault, FaultPlan } from './faults.ts'
import type { PeerSocket } from './peer-socket.ts'
import { type Forgery, forge, type Spoiling, spoil } from './tamper.ts'

/** A message that a client may send. Deribit refuses above 32 kB, OKX above 64 kB; the venue decides below this. */
export const CLIENT_FRAME_BYTES_MAX = 1024 * 1024

export interface PeerOptions {
  readonly id: number
  readonly venue: string
  readonly client: string
  /** Without the server's prefix. */
  readonly path: string
  readonly query: URLSearchParams
  readonly faults: FaultPlan
  readonly clock: Clock
  /** A TCP reset. */
  reset(): void
  /** The end of the TCP connection, without a close frame. */
  hangUp?(): void
  /** Called for each market data frame that was given to the socket. */
  onSent(channel: string, symbol: string): void
  /** The client has subscribed to the stream, or no longer is. */
  onSubscribed?(channel: string, symbol: string, isOn: boolean): void
  /** What became of a market data frame, once for each. */
  onFate?(channel: string, symbol: string, fate: FrameFate): void
}

/** A connection as the control endpoint sees it. */
export interface ServerPeer extends SimPeer {
  readonly venue: string
  readonly openedMs: number
  readonly framesSent: number
  readonly isFrozen: boolean
  /** Hands over the socket once the handshake is done; what was sent before goes out now. */
  attach(socket: PeerSocket): void
  /** The client sent this. */
  heard(text: string): void
  /** Frames of `<channel> <symbol>` may be waiting here. */
  isHolding(key: string): boolean
  /** Frames that wait to change places go out now: there may be no next for long. Nothing comes again. */
  release(): void
  /** The client is gone: what still waits here will never be sent. */
  discard(): void
  /** Some stream of it is silent although the venue has data. */
  readonly isMuted: boolean
  /** Nothing more is sent on the open connection. `pongs`: whether pings are still answered. */
  freeze(pongs: boolean): void
  thaw(): void
  pong(payload: Buffer): void
  /** A TCP reset. */
  reset(): void
  /** The end of the TCP connection, without a close frame. */
  hangUp(): void
  /** `<channel> <symbol>` of each stream that the client has subscribed to here. */
  readonly streams: ReadonlySet<string>
}

interface Outgoing {
  send(socket: PeerSocket): void
  /** It will never be sent. */
  lose?(): void
}

/** What faults call the venue's answers to requests, which carry the request's id on every venue. */
const ANSWER = 'answer'
const REQUEST_ID = '"id":'
/** Frames of one channel and symbol that can come again. */
const REWOUND_MAX = 100

/** The server's side of one connection, with the faults on its way out. */
export function createPeer(options: PeerOptions): ServerPeer {
  return new Peer(options)
}

class Peer implements ServerPeer {
  readonly id: number
  readonly venue: string
  readonly client: string
  readonly path: string
  readonly query: URLSearchParams
  readonly openedMs: number
  framesSent = 0
  readonly streams = new Set<string>()
  readonly #options: PeerOptions
  readonly #held = new Map<string, Outgoing>()
  readonly #muted = new Map<string, string>()
  /** The newest frames of each channel and symbol, while a fault may want them. */
  readonly #newest = new Map<string, string[]>()
  readonly #queue: { readonly dueMs: number; readonly outgoing: Outgoing }[] = []
  #early: Outgoing[] = []
  #socket: PeerSocket | undefined
  #isWaiting = false
  #frozen: { readonly pongs: boolean } | undefined
  /** The venue has ended it, and the client was not told. */
  #isOver = false

  constructor(options: PeerOptions) {
    const { id, venue, client, path, query, clock } = options
    this.#options = options
    this.id = id
    this.venue = venue
    this.client = client
    this.path = path
    this.query = query
    this.openedMs = Math.floor(clock.nowUs() / 1000)
  }

  get isFrozen(): boolean {
    return this.#frozen !== undefined
  }

  send({ channel, symbol }: { readonly channel: string; readonly symbol: string }, text: string): void {
    const { venue, faults, onFate } = this.#options
    const key = `${channel} ${symbol}`
    if (this.#frozen || this.#muted.has(key) || (this.#socket && !this.#socket.isOpen)) {
      onFate?.(channel, symbol, { isDelivered: false, madeMs: this.#options.clock.monotonicMs() })
      return
    }
    const fault = faults.frame({ venue, channel, symbol, connection: this.id })
    const frame = this.#frame(channel, symbol, text)
    if (fault) this.#strike(fault, { channel, symbol, text }, frame)
    else this.#enqueue(frame)
    if (faults.keepsFrames) this.#remember(key, text)
    const earlier = fault?.kind === 'reorder' ? undefined : this.#held.get(key)
    if (!earlier) return
    this.#held.delete(key)
    this.#enqueue(earlier)
  }

  subscribed({ channel, symbol }: { readonly channel: string; readonly symbol: string }, isOn: boolean): void {
    this.streams[isOn ? 'add' : 'delete'](`${channel} ${symbol}`)
    this.#options.onSubscribed?.(channel, symbol, isOn)
  }

  sendControl(text: string): void {
    const outgoing: Outgoing = { send: (socket) => socket.send(text) }
    const { venue, faults, clock } = this.#options
    const fault = text.includes(REQUEST_ID)
      ? faults.frame({ venue, channel: ANSWER, symbol: '', connection: this.id })
      : undefined
    if (fault?.kind === 'drop') return
    // What is behind an answer does not wait for it.
    if (fault?.kind === 'delay') clock.after(fault.ms, () => this.#write(outgoing))
    else this.#enqueue(outgoing)
    if (fault?.kind === 'duplicate') this.#enqueue(outgoing)
  }

  ping(payload: string): void {
    this.#enqueue({ send: (socket) => socket.ping(payload) })
  }

  pong(payload: Buffer): void {
    if ((!this.#frozen || this.#frozen.pongs) && this.#socket?.isOpen) this.#socket.pong(payload)
  }

  close(code: number, reason: string): void {
    const lose = () => {
      this.#isOver = true
    }
    this.#enqueue({ send: (socket) => socket.close(code, reason), lose })
  }

  bufferedBytes = (): number => this.#socket?.bufferedBytes ?? 0

  attach(socket: PeerSocket): void {
    this.#socket = socket
    for (const outgoing of this.#early.splice(0)) this.#write(outgoing)
  }

  heard(text: string): void {
    if (this.#muted.size === 0) return
    const lower = text.toLowerCase()
    for (const [key, symbol] of this.#muted) if (lower.includes(symbol.toLowerCase())) this.#muted.delete(key)
  }

  release(): void {
    for (const outgoing of this.#held.values()) this.#enqueue(outgoing)
    this.#held.clear()
    this.#newest.clear()
  }

  discard(): void {
    for (const outgoing of [...this.#held.values(), ...this.#queue.splice(0).map((each) => each.outgoing)])
      outgoing.lose?.()
    this.#held.clear()
  }

  get isMuted(): boolean {
    return this.#muted.size > 0
  }

  isHolding(key: string): boolean {
    return this.#queue.length > 0 || this.#held.has(key)
  }

  freeze(pongs: boolean): void {
    this.#frozen = { pongs }
  }

  thaw(): void {
    if (!this.#isOver) this.#frozen = undefined
  }

  reset(): void {
    this.#options.reset()
  }

  hangUp(): void {
    this.#options.hangUp?.()
  }

  #frame(channel: string, symbol: string, text: string | Buffer): Outgoing {
    const { onSent, onFate, clock } = this.#options
    const madeMs = clock.monotonicMs()
    return {
      send: (socket) => {
        socket.send(text, onFate && ((isDelivered) => onFate(channel, symbol, { isDelivered, madeMs })))
        this.framesSent++
        onSent(channel, symbol)
      },
      lose: () => onFate?.(channel, symbol, { isDelivered: false, madeMs }),
    }
  }

  #strike(fault: Fault, topic: { channel: string; symbol: string; text: string }, frame: Outgoing): void {
    const { channel, symbol, text } = topic
    const key = `${channel} ${symbol}`
    const again = (copy: string | Buffer): Outgoing => ({ send: (socket) => socket.send(copy) })
    if (fault.kind === 'duplicate') {
      this.#enqueue(frame)
      this.#enqueue(again(text))
    } else if (fault.kind === 'rewind') {
      this.#enqueue(frame)
      for (const earlier of this.#newest.get(key)?.slice(-fault.frames) ?? []) this.#enqueue(again(earlier))
    } else if (fault.how === 'fields') this.#enqueue(this.#frame(channel, symbol, spoil(text, 'fields')))
    else if (fault.kind === 'reorder') this.#held.set(key, frame)
    else if (fault.kind === 'delay') this.#enqueue(frame, fault.ms)
    else if (fault.kind === 'malformed' || fault.kind === 'forged') this.#spoil(fault, text, frame, again)
    else {
      frame.lose?.()
      if (fault.kind === 'silence') this.freeze(fault.pongs)
      else if (fault.kind === 'mute') this.#muted.set(key, symbol)
      else if (fault.kind === 'reset') this.reset()
      else if (fault.kind === 'close') this.close(fault.code, 'injected fault')
    }
  }

  #spoil(fault: Fault, text: string, frame: Outgoing, again: (copy: string | Buffer) => Outgoing): void {
    const spoilt = fault.kind === 'forged' ? forge(text, fault.how as Forgery) : spoil(text, fault.how as Spoiling)
    if (spoilt === undefined) this.#enqueue(frame)
    else {
      frame.lose?.()
      this.#enqueue(again(spoilt))
    }
  }

  #remember(key: string, text: string): void {
    const newest = this.#newest.get(key) ?? []
    this.#newest.set(key, newest)
    newest.push(text)
    if (newest.length > REWOUND_MAX) newest.shift()
  }

  #write(outgoing: Outgoing): void {
    if (!this.#socket) this.#early.push(outgoing)
    else if (!this.#frozen && this.#socket.isOpen) outgoing.send(this.#socket)
    else outgoing.lose?.()
  }

  /** Sends now, or behind what is delayed already: TCP keeps the order. */
  #enqueue(outgoing: Outgoing, delayMs = 0): void {
    if (delayMs === 0 && this.#queue.length === 0) {
      this.#write(outgoing)
      return
    }
    const { clock } = this.#options
    this.#queue.push({ dueMs: clock.monotonicMs() + delayMs, outgoing })
    if (this.#isWaiting) return
    this.#isWaiting = true
    clock.after(delayMs, () => this.#flush())
  }

  #flush(): void {
    const { clock } = this.#options
    this.#isWaiting = false
    const nowMs = clock.monotonicMs()
    // A timer may fire a fraction of a millisecond early.
    while (this.#queue[0] && this.#queue[0].dueMs <= nowMs + 1) {
      const next = this.#queue.shift()
      if (next) this.#write(next.outgoing)
    }
    if (!this.#queue[0]) return
    this.#isWaiting = true
    clock.after(this.#queue[0].dueMs - nowMs, () => this.#flush())
  }
}
