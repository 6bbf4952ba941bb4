/**
 * One WebSocket from opening to closing: greets, subscribes, keeps it alive, tells what came of each subscription.
 * A link never comes back; its connection opens the next one.
 */

import type { EpochUs } from '../model/event.ts'
import type { Platform, Socket } from '../platform/platform.ts'
import type { Decoded, Instruments, OutgoingFrame, Topic, Venue } from '../venues/venue.ts'
import { Window } from './window.ts'

const CONNECT_TIMEOUT_MS = 10_000
/** A socket that keeps the time limit of each step and still does not open: its handshake trickles. */
const OPEN_TIMEOUT_MS = 12_000
const TICK_MS = 1_000
const KEEPALIVE_MS = 5_000
/** No byte at all for so long, two keepalives unanswered: the peer is gone. */
const DEAD_MS = 12_000
const ACK_TIMEOUT_MS = 10_000
/** Largest frame a venue sends is a snapshot of some hundred kB. */
const FRAME_BYTES_MAX = 16 * 1024 * 1024
const HOUR_MS = 3_600_000
const NORMAL_CLOSURE = 1000

export type LinkEvents = Extract<Decoded, { kind: 'events' }>

export interface LinkHandlers {
  opened(): void
  /** Every frame, before anything is done with what it says. */
  frame(bytes: number, receiveTimeUs: EpochUs, decodeMs: number): void
  /** A frame that came after the link was ended; dropped. */
  late(): void
  events(decoded: LinkEvents, receiveTimeUs: EpochUs): void
  /** Frames that are neither data nor part of the session. */
  odd(decoded: Extract<Decoded, { kind: 'unknown' | 'malformed' }>): void
  subscribed(topics: readonly Topic[]): void
  /** `isPermanent`: asking again will not help. */
  rejected(topics: readonly Topic[], reason: string, isPermanent: boolean): void
  /** The venue announced that it will close; the link still works. */
  closing(reason: string): void
  /** Once. `wasOpen` false: it never opened. */
  closed(reason: string, wasOpen: boolean): void
}

export interface LinkOptions {
  readonly venue: Venue
  readonly url: string
  readonly platform: Platform
  readonly instruments: Instruments
  readonly handlers: LinkHandlers
}

/** A frame that waits for its turn; `requestId` where an answer to it is awaited. */
interface Unsent {
  readonly text: string
  readonly requestId?: string | undefined
}

export class Link {
  readonly #options: LinkOptions
  readonly #socket: Socket
  readonly #sends: Window
  readonly #subscribes: Window
  readonly #unsent: Unsent[] = []
  /** `sentMs` is absent while the request waits for its turn. */
  readonly #unanswered = new Map<string, { readonly topics: readonly Topic[]; sentMs?: number }>()
  readonly #stopTicking: () => void
  #cancelSend: (() => void) | undefined
  #lastByteMs: number
  #lastKeepaliveMs = 0
  #isOpen = false
  #isClosed = false
  #closeReason: string | undefined
  /** Ids below are taken by the venues' own requests. */
  #lastId = 100

  constructor(options: LinkOptions) {
    this.#options = options
    const { venue, platform } = options
    this.#sends = new Window(venue.socketLimits.sendsPerSecondMax, 1_000)
    this.#subscribes = new Window(venue.socketLimits.subscribesPerHourMax ?? Number.POSITIVE_INFINITY, HOUR_MS)
    this.#lastByteMs = platform.clock.monotonicMs()
    this.#stopTicking = platform.clock.every(TICK_MS, () => this.#tick())
    this.#socket = platform.net.connect(
      { url: options.url, connectTimeoutMs: CONNECT_TIMEOUT_MS, frameBytesMax: FRAME_BYTES_MAX },
      {
        open: () => this.#onOpen(),
        frame: (bytes) => this.#onFrame(bytes),
        alive: () => {
          this.#lastByteMs = platform.clock.monotonicMs()
        },
        closed: (code, reason) => this.#onClosed(code, reason),
      },
    )
  }

  get isOpen(): boolean {
    return this.#isOpen && !this.#isClosed
  }

  /** False, and nothing is sent: the venue's hourly quota would be broken. So with the other two. */
  subscribe(topics: readonly Topic[]): boolean {
    return this.#request([], this.#options.venue.subscribe(topics, this.#nextId))
  }

  /** Subscribes anew, so that the venue starts the streams afresh. */
  resubscribe(topics: readonly Topic[]): boolean {
    const { venue } = this.#options
    return this.#request(venue.unsubscribe(topics, this.#nextId), venue.subscribe(topics, this.#nextId))
  }

  unsubscribe(topics: readonly Topic[]): boolean {
    return this.#request(this.#options.venue.unsubscribe(topics, this.#nextId), [])
  }

  /** Ends the link for `reason`; `closed` follows at once, whatever the peer does. */
  end(reason: string): void {
    if (this.#isClosed) return
    this.#closeReason = reason
    this.#socket.close(NORMAL_CLOSURE, '')
    this.#onClosed(NORMAL_CLOSURE, '')
    this.#socket.terminate()
  }

  readonly #nextId = (): string => String(++this.#lastId)

  #onOpen(): void {
    if (this.#isClosed) return
    this.#isOpen = true
    this.#lastByteMs = this.#options.platform.clock.monotonicMs()
    for (const frame of this.#options.venue.greet()) this.#send(frame)
    this.#options.handlers.opened()
  }

  #onFrame(bytes: Buffer): void {
    const { venue, platform, instruments, handlers } = this.#options
    if (this.#isClosed) {
      handlers.late()
      return
    }
    const startMs = platform.clock.monotonicMs()
    const receiveTimeUs = platform.clock.nowUs()
    this.#lastByteMs = startMs
    const decoded = venue.decode(bytes, receiveTimeUs, instruments)
    handlers.frame(bytes.length, receiveTimeUs, platform.clock.monotonicMs() - startMs)
    switch (decoded.kind) {
      case 'events':
        handlers.events(decoded, receiveTimeUs)
        break
      case 'reply':
        this.#sendFirst(decoded)
        break
      case 'ack':
        this.#onAck(decoded)
        break
      case 'rejected':
        this.#onRejected(decoded)
        break
      case 'closing':
        handlers.closing(decoded.reason)
        break
      case 'unknown':
      case 'malformed':
        handlers.odd(decoded)
        break
      case 'alive':
        break
    }
  }

  /** Where the venue lists what it subscribed, what is missing from the list was refused. */
  #onAck({ requestId, topics: accepted }: Extract<Decoded, { kind: 'ack' }>): void {
    const asked = requestId === undefined ? undefined : this.#unanswered.get(requestId)
    if (asked === undefined || requestId === undefined) return
    this.#unanswered.delete(requestId)
    const isAccepted = (topic: Topic) => accepted === undefined || accepted.includes(topic.name)
    const good = asked.topics.filter(isAccepted)
    const bad = asked.topics.filter((topic) => !isAccepted(topic))
    if (good.length > 0) this.#options.handlers.subscribed(good)
    if (bad.length > 0) this.#options.handlers.rejected(bad, 'missing from the answer to the subscription', true)
  }

  /** One bad topic can have a whole request refused; then each is asked for on its own, and only the bad one fails. */
  #onRejected({ requestId, reason, isPermanent }: Extract<Decoded, { kind: 'rejected' }>): void {
    const asked = requestId === undefined ? undefined : this.#unanswered.get(requestId)
    if (asked === undefined || requestId === undefined) {
      this.#options.handlers.rejected([], reason, isPermanent)
      return
    }
    this.#unanswered.delete(requestId)
    if (isPermanent && asked.topics.length > 1) for (const topic of asked.topics) this.subscribe([topic])
    else this.#options.handlers.rejected(asked.topics, reason, isPermanent)
  }

  /** The answers to `join` are awaited. */
  #request(leave: readonly OutgoingFrame[], join: readonly OutgoingFrame[]): boolean {
    const nowMs = this.#options.platform.clock.monotonicMs()
    const count = leave.length + join.length
    if (this.#subscribes.waitMs(count, nowMs) > 0) return false
    this.#subscribes.spend(count, nowMs)
    for (const { text } of leave) this.#send({ text })
    for (const frame of join) {
      this.#unanswered.set(frame.requestId, { topics: frame.topics })
      this.#send(frame)
    }
    return true
  }

  /** Sends within the venue's rate; what must wait keeps its order. */
  #send(frame: Unsent): void {
    this.#unsent.push(frame)
    this.#drain()
  }

  /** Before all that waits; an answer that waits already serves every question that was asked since. */
  #sendFirst({ text }: Unsent): void {
    if (this.#unsent[0]?.text !== text) this.#unsent.unshift({ text })
    this.#drain()
  }

  #drain(): void {
    this.#cancelSend?.()
    this.#cancelSend = undefined
    const { clock } = this.#options.platform
    while (this.#unsent.length > 0 && this.isOpen) {
      const waitMs = this.#sends.waitMs(1, clock.monotonicMs())
      if (waitMs > 0) {
        this.#cancelSend = clock.after(waitMs, () => this.#drain())
        return
      }
      const { text, requestId = '' } = this.#unsent.shift() as Unsent
      const asked = this.#unanswered.get(requestId)
      if (asked !== undefined) asked.sentMs = clock.monotonicMs()
      this.#sends.spend(1, clock.monotonicMs())
      this.#socket.send(text)
    }
  }

  #tick(): void {
    const { platform, handlers } = this.#options
    const nowMs = platform.clock.monotonicMs()
    if (!this.isOpen) {
      if (nowMs - this.#lastByteMs >= OPEN_TIMEOUT_MS) this.end(`not open after ${OPEN_TIMEOUT_MS / 1000} s`)
      return
    }
    if (nowMs - this.#lastByteMs >= DEAD_MS) {
      this.end(`no byte for ${DEAD_MS / 1000} s`)
      return
    }
    for (const [requestId, { topics, sentMs = nowMs }] of this.#unanswered) {
      if (nowMs - sentMs < ACK_TIMEOUT_MS) continue
      this.#unanswered.delete(requestId)
      handlers.rejected(topics, `no answer to the subscription for ${ACK_TIMEOUT_MS / 1000} s`, false)
    }
    if (nowMs - this.#lastKeepaliveMs >= KEEPALIVE_MS) this.#keepAlive(nowMs)
  }

  #keepAlive(nowMs: number): void {
    const { keepalive } = this.#options.venue
    if (keepalive === 'ping' && this.#sends.waitMs(1, nowMs) > 0) return
    this.#lastKeepaliveMs = nowMs
    if (keepalive !== 'ping') this.#send(keepalive)
    else {
      this.#sends.spend(1, nowMs)
      this.#socket.ping()
    }
  }

  #onClosed(code: number, reason: string): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#stopTicking()
    this.#cancelSend?.()
    this.#unsent.length = 0
    this.#unanswered.clear()
    const wasOpen = this.#isOpen
    this.#options.handlers.closed(this.#closeReason ?? closeText(code, reason), wasOpen)
  }
}

/** The close code with its meaning; 1006 means that no close frame came. */
function closeText(code: number, reason: string): string {
  const text = reason.slice(0, 123)
  if (code === 1006) return text === '' ? 'connection lost' : text
  return text === '' ? `closed with code ${code}` : `closed with code ${code}: ${text}`
}
