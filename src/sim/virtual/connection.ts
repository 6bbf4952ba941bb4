/** One WebSocket in memory: both ends, and the network between them. */

import { isUtf8 } from 'node:buffer'
import type { Random, Socket, SocketHandlers, SocketOptions } from '../../platform/platform.ts'
import type { SimSession } from '../exchange.ts'
import type { ServerPeer } from '../peer.ts'
import type { PeerSocket } from '../peer-socket.ts'
import { type Cut, Cuts } from './cuts.ts'
import type { Scope, VirtualLoop } from './loop.ts'
import { serverEnd } from './server-end.ts'

export interface ConnectionParts {
  readonly loop: VirtualLoop
  readonly random: Random
  /** The process that connects, and the venues. */
  readonly clientScope: Scope
  readonly serverScope: Scope
  readonly options: SocketOptions
  readonly handlers: SocketHandlers
  /** One way, ms: the least, and what may come on top. */
  readonly latencyMs: { readonly base: number; readonly jitter: number }
  /** The client knows that it is open, or over. `isOurs`: it ended it. */
  onState(state: 'open' | 'closed', isOurs?: boolean): void
}

/** A packet on its way to the client. */
interface Packet {
  readonly act: () => void
  readonly arrived: ((isDelivered: boolean) => void) | undefined
}

/** Close code for an end without a close frame (RFC 6455). */
const ABNORMAL = 1006
const UNREADABLE = 'Invalid WebSocket frame: invalid UTF-8 sequence'
const TOO_BIG = 'Max payload size exceeded'
/** A server that hears nothing more of its client gives up after this. */
const SERVER_GIVES_UP_MS = 120_000
/** How long frames still come after the client has given up, where they do. */
const LATE_MS = 500
const EMPTY = Buffer.alloc(0)

export class VirtualConnection {
  readonly #parts: ConnectionParts
  readonly #packets: Packet[] = []
  readonly #cuts = new Cuts()
  #toClientMs = 0
  #toServerMs = 0
  #session: SimSession | undefined
  #peer: ServerPeer | undefined
  #isClientOpen = false
  #isClientClosed = false
  /** The client has given up; what comes is of no use to it. */
  #isTerminated = false
  #isServerOpen = false
  /** So many frames still reach a client that has given up. */
  lateFrames = 0
  /** Frames to the client take so much longer. */
  lagMs = 0
  /** When the client last sent anything, whatever became of it. */
  spokeMs = 0

  constructor(parts: ConnectionParts) {
    this.#parts = parts
  }

  get isServerOpen(): boolean {
    return this.#isServerOpen
  }
  get isClientClosed(): boolean {
    return this.#isClientClosed
  }
  /** The client's end is over, and what was under way to it is being given up. */
  isLosing = false

  get isClientOpen(): boolean {
    return this.#isClientOpen && !this.#isClientClosed
  }

  /** Bytes do not pass. */
  get isCut(): boolean {
    return this.#cut !== undefined
  }

  /** The venue has ended it, and the client does not know yet. */
  get isAlone(): boolean {
    return this.isClientOpen && !this.#isServerOpen
  }

  /** Something may still come that the venue has sent, or should have sent. */
  get isHolding(): boolean {
    return this.isCut || this.isAlone || this.#packets.length > 0
  }

  get clientScope(): Scope {
    return this.#parts.clientScope
  }

  /** The venue has accepted the connection: the client hears of it after the way back. */
  accept(peer: ServerPeer, session: SimSession): void {
    this.#peer = peer
    this.#session = session
    this.#isServerOpen = true
    this.spokeMs = this.#parts.loop.nowMs
    this.#toClient(() => {
      this.#isClientOpen = true
      this.#parts.onState('open')
      this.#parts.handlers.open()
    })
    peer.attach(this.server)
  }

  /** It never opens, or ends without a word. */
  fail(reason: string): void {
    this.#toClient(() => this.#finish(ABNORMAL, reason))
  }

  /** Bytes no longer pass until the result is called. `isHeld`: they arrive then, unless there is another cut; else never. */
  cut(isHeld: boolean): () => void {
    const mend = this.#cuts.add(isHeld)
    const { loop, serverScope } = this.#parts
    loop.at(loop.nowMs + SERVER_GIVES_UP_MS, serverScope, () => {
      if (this.#cut !== undefined) this.#endServer()
    })
    return mend
  }

  /** Calls `act` when nothing is held any more of what has been sent until now: at once, if nothing is. */
  behindHeld(act: () => void): void {
    if (this.#cut?.held === undefined) act()
    else this.#cut.held.push(() => this.behindHeld(act))
  }

  get #cut(): Cut | undefined {
    return this.#cuts.newest
  }

  /** The process is gone: its end says nothing more, the venue gets a reset. */
  abandon(): void {
    if (this.#isClientClosed) return
    this.#isClientClosed = true
    this.#loseAll()
    this.#parts.onState('closed')
    this.#toServer(() => this.#endServer())
  }

  /** The process's end. */
  readonly client: Socket = {
    send: (text) =>
      this.#fromClient(() => {
        this.#peer?.heard(text)
        this.#session?.text(text)
      }),
    ping: () =>
      this.#fromClient(() => {
        this.#peer?.pong(EMPTY)
        this.#session?.ping()
      }),
    close: (code, reason) =>
      this.#fromClient(() => {
        this.#endServer()
        this.#toClient(() => this.#finish(code, reason))
      }),
    terminate: () => this.#terminate(),
  }

  /** The venue's end. */
  readonly server: PeerSocket = serverEnd(this)

  send(data: string | Buffer, arrived?: (isDelivered: boolean) => void): void {
    const bytes = Buffer.from(data)
    this.#toClient(() => this.#frame(bytes), arrived)
  }

  /** `ws` answers pings by itself. */
  pingClient(payload: string): void {
    this.#toClient(() => {
      this.#parts.handlers.alive(true)
      this.#toServer(() => {
        if (this.#isServerOpen) this.#session?.pong(payload)
      })
    })
  }

  pongClient(): void {
    this.#toClient(() => this.#parts.handlers.alive(false))
  }

  closeByServer(code: number, reason: string): void {
    if (!this.#isServerOpen) return
    this.#isServerOpen = false
    this.#toClient(() => this.#finish(code, reason))
    const { loop, serverScope, latencyMs } = this.#parts
    loop.at(loop.nowMs + 2 * latencyMs.base, serverScope, () => this.#session?.closed())
  }

  /** A TCP reset by the venue, or by something between. */
  reset(): void {
    this.#endServer()
    this.#toClient(() => this.#finish(ABNORMAL, ''))
  }

  #fromClient(act: () => void): void {
    if (!this.isClientOpen || this.#isTerminated) return
    this.spokeMs = this.#parts.loop.nowMs
    this.#toServer(() => {
      if (this.#isServerOpen) act()
    })
  }

  #terminate(): void {
    if (this.#isClientClosed || this.#isTerminated) return
    this.#isTerminated = true
    const { loop, clientScope } = this.#parts
    this.#toServer(() => this.#endServer())
    loop.at(loop.nowMs + (this.lateFrames > 0 ? LATE_MS : 0), clientScope, () => this.#finish(ABNORMAL, ''), true)
  }

  #frame(bytes: Buffer): void {
    const { options, handlers } = this.#parts
    if (bytes.length > options.frameBytesMax) this.#protocolError(TOO_BIG)
    else if (!isUtf8(bytes)) this.#protocolError(UNREADABLE)
    else {
      handlers.frame(bytes)
      // What is kept of it must have been copied.
      bytes.fill(0)
    }
  }

  #protocolError(reason: string): void {
    this.#toServer(() => this.#endServer())
    this.#finish(ABNORMAL, reason)
  }

  #finish(code: number, reason: string): void {
    if (this.#isClientClosed) return
    this.#isClientClosed = true
    this.#loseAll()
    this.#parts.onState('closed', this.#isTerminated)
    this.#parts.handlers.closed(code, reason)
  }

  #endServer(): void {
    if (!this.#isServerOpen) return
    this.#isServerOpen = false
    this.#session?.closed()
  }

  #loseAll(): void {
    this.isLosing = true
    for (const { arrived } of this.#packets.splice(0)) arrived?.(false)
    this.#peer?.discard()
    this.isLosing = false
  }

  #toClient(act: () => void, arrived?: (isDelivered: boolean) => void): void {
    if (this.#isClientClosed || (this.#cut !== undefined && this.#cut.held === undefined)) {
      arrived?.(false)
      // Its machine answers with a reset.
      if (this.#cut === undefined) this.#toServer(() => this.#endServer())
      return
    }
    if (this.#cut?.held !== undefined) {
      this.#cut.held.push(() => this.#toClient(act, arrived))
      return
    }
    const { loop, clientScope } = this.#parts
    this.#toClientMs = Math.max(this.#toClientMs, loop.nowMs + this.lagMs + this.#delayMs())
    this.#packets.push({ act, arrived })
    loop.at(this.#toClientMs, clientScope, () => this.#arrive(), true)
  }

  #arrive(): void {
    const packet = this.#packets.shift()
    if (packet === undefined) return
    if (this.#isTerminated) {
      packet.arrived?.(false)
      if (this.lateFrames-- <= 0 || packet.arrived === undefined) return
      packet.act()
      return
    }
    packet.arrived?.(true)
    packet.act()
  }

  #toServer(act: () => void): void {
    if (this.#cut !== undefined) {
      this.#cut.held?.push(() => this.#toServer(act))
      return
    }
    const { loop, serverScope } = this.#parts
    this.#toServerMs = Math.max(this.#toServerMs, loop.nowMs + this.#delayMs())
    loop.at(this.#toServerMs, serverScope, act)
  }

  #delayMs(): number {
    const { latencyMs, random } = this.#parts
    return latencyMs.base + latencyMs.jitter * random() ** 4
  }
}
