/**
 * One WebSocket from opening to closing: greets, subscribes, keeps it alive, tells what came of each subscription.
 * A link never comes back; its connection opens the next one.
 */

import type { GapCause } from '../model/event.ts'
import type { Socket } from '../platform/platform.ts'
import type { Decoded, OutgoingFrame, Topic } from '../venues/venue.ts'
import { closeText } from './close-text.ts'
import { Greetings } from './greetings.ts'
import type { LinkHandlers, LinkOptions } from './link-ports.ts'
import { Outbox } from './outbox.ts'
import { ANSWER_TIMEOUT_MS, Requests } from './requests.ts'
import { Stall } from './stall.ts'
import { Window } from './window.ts'

const CONNECT_TIMEOUT_MS = 10_000
/** A socket that keeps the time limit of each step and still does not open: its handshake trickles. */
const OPEN_TIMEOUT_MS = 12_000
const TICK_MS = 1_000
const KEEPALIVE_MS = 5_000
/** No byte at all for so long, two keepalives unanswered: the peer is gone. */
const DEAD_MS = 12_000
/** Largest frame a venue sends is a snapshot of some hundred kB. */
const FRAME_BYTES_MAX = 16 * 1024 * 1024
const HOUR_MS = 3_600_000
/**
 * So many frames that cannot be read, in so short a time: what comes on this socket cannot be trusted. Those of one symbol
 * in a row count as one: its data are broken, and its neighbours shall not pay for it.
 */
const UNREADABLE_MAX = 5
const UNREADABLE_MS = 10_000
const NORMAL_CLOSURE = 1000

export type { LinkEnd, LinkEvents, LinkHandlers, LinkOptions } from './link-ports.ts'

export class Link {
  readonly #options: LinkOptions
  readonly #socket: Socket
  readonly #outbox: Outbox
  readonly #subscribes: Window
  readonly #unreadable = new Window(UNREADABLE_MAX - 1, UNREADABLE_MS)
  /** Symbol of the last one, if it told. */
  #unreadableOf: string | undefined
  readonly #stall: Stall
  readonly #requests = new Requests()
  readonly #greetings = new Greetings((text) => this.#outbox.push({ text }))
  readonly #stopTicking: () => void
  #handlers: LinkHandlers
  #lastByteMs: number
  #lastKeepaliveMs = 0
  #openedMs: number | undefined
  #isClosed = false
  /** The venue announced the end. */
  #isAnnounced = false
  #ended: { readonly reason: string; readonly cause: GapCause | undefined } | undefined
  /** Ids below are taken by the venues' own requests. */
  #lastId = 100

  constructor(options: LinkOptions) {
    this.#options = options
    const { venue, platform } = options
    this.#handlers = options.handlers
    this.#outbox = new Outbox({
      clock: platform.clock,
      sendsPerSecondMax: venue.socketLimits.sendsPerSecondMax,
      send: (text) => this.#socket.send(text),
      sent: (requestId) => this.#requests.sent(requestId, platform.clock.monotonicMs()),
    })
    this.#subscribes = new Window(venue.socketLimits.subscribesPerHourMax ?? Number.POSITIVE_INFINITY, HOUR_MS)
    this.#lastByteMs = platform.clock.monotonicMs()
    this.#stall = new Stall(TICK_MS, this.#lastByteMs)
    this.#stopTicking = platform.clock.every(TICK_MS, () => this.#tick())
    this.#socket = platform.net.connect(
      { url: options.url, connectTimeoutMs: CONNECT_TIMEOUT_MS, frameBytesMax: FRAME_BYTES_MAX },
      {
        open: () => this.#onOpen(),
        frame: (bytes) => this.#onFrame(bytes),
        alive: (isPing) => {
          this.#heard(platform.clock.monotonicMs())
          if (isPing) this.#outbox.answered()
        },
        closed: (code, reason) => this.#onClosed(code, reason),
      },
    )
  }

  get isOpen(): boolean {
    return this.#openedMs !== undefined && !this.#isClosed
  }

  /** The venue answers subscriptions, as far as is known. */
  get isAnswering(): boolean {
    return this.#requests.areAnswered
  }

  /** From now on everything is told to `handlers`. */
  handOver(handlers: LinkHandlers): void {
    this.#handlers = handlers
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
  end(reason: string, cause?: GapCause): void {
    if (this.#isClosed) return
    this.#ended = { reason, cause }
    this.#socket.close(NORMAL_CLOSURE, '')
    this.#onClosed(NORMAL_CLOSURE, '')
    this.#socket.terminate()
  }

  readonly #nextId = (): string => String(++this.#lastId)

  #onOpen(): void {
    if (this.#isClosed) return
    this.#openedMs = this.#options.platform.clock.monotonicMs()
    this.#lastByteMs = this.#openedMs
    this.#outbox.open()
    this.#greetings.start(this.#options.venue.greet(), this.#openedMs)
    this.#handlers.opened()
  }

  #onFrame(bytes: Buffer): void {
    const { venue, platform, instruments } = this.#options
    const handlers = this.#handlers
    if (this.#isClosed) {
      handlers.late()
      return
    }
    const startMs = platform.clock.monotonicMs()
    const receiveTimeUs = platform.clock.nowUs()
    this.#heard(startMs)
    const decoded = venue.decode(bytes, receiveTimeUs, instruments)
    handlers.frame(bytes.length, receiveTimeUs, platform.clock.monotonicMs() - startMs)
    switch (decoded.kind) {
      case 'events':
        handlers.events(decoded, receiveTimeUs)
        break
      case 'reply':
        this.#outbox.pushFirst(decoded.text)
        break
      case 'ack':
        this.#onAck(decoded)
        break
      case 'rejected':
        this.#onRejected(decoded)
        break
      case 'closing':
        this.#isAnnounced = true
        handlers.closing(decoded.reason)
        break
      case 'unknown':
        handlers.odd(decoded)
        break
      case 'malformed':
        handlers.odd(decoded)
        this.#countUnreadable(decoded.symbol, startMs)
        break
      case 'alive':
        break
    }
  }

  #heard(nowMs: number): void {
    this.#lastByteMs = nowMs
    this.#outbox.heard()
  }

  #countUnreadable(symbol: string | undefined, nowMs: number): void {
    const isSame = symbol !== undefined && symbol === this.#unreadableOf
    this.#unreadableOf = symbol
    if (isSame) return
    if (this.#unreadable.waitMs(1, nowMs) === 0) this.#unreadable.spend(1, nowMs)
    else this.end(`${UNREADABLE_MAX} frames in ${UNREADABLE_MS / 1000} s could not be read`, 'decode_error')
  }

  /** Where the venue lists what it subscribed, what is missing from the list was refused. */
  #onAck({ requestId, topics: accepted }: Extract<Decoded, { kind: 'ack' }>): void {
    this.#greetings.settle(requestId)
    const topics = this.#requests.answered(requestId) ?? []
    const isAccepted = (topic: Topic) => accepted === undefined || accepted.includes(topic.name)
    const good = topics.filter(isAccepted)
    const bad = topics.filter((topic) => !isAccepted(topic))
    if (good.length > 0) this.#handlers.subscribed(good)
    if (bad.length > 0) this.#handlers.rejected(bad, 'missing from the answer to the subscription', true)
  }

  /** One bad topic can have a whole request refused; each half is asked for on its own, until only the bad one fails. */
  #onRejected({ requestId, reason, isPermanent }: Extract<Decoded, { kind: 'rejected' }>): void {
    if (isPermanent) this.#greetings.settle(requestId)
    const topics = this.#requests.answered(requestId) ?? []
    if (!isPermanent || topics.length < 2) {
      this.#handlers.rejected(topics, reason, isPermanent)
      return
    }
    const middle = Math.ceil(topics.length / 2)
    for (const half of [topics.slice(0, middle), topics.slice(middle)])
      if (!this.subscribe(half)) this.#handlers.rejected(half, 'the quota of subscriptions is used up', false)
  }

  /** The answers to `join` are awaited. */
  #request(leave: readonly OutgoingFrame[], join: readonly OutgoingFrame[]): boolean {
    const nowMs = this.#options.platform.clock.monotonicMs()
    const count = leave.length + join.length
    if (this.#subscribes.waitMs(count, nowMs) > 0) return false
    this.#subscribes.spend(count, nowMs)
    for (const { text } of leave) this.#outbox.push({ text })
    for (const frame of join) {
      this.#requests.add(frame)
      this.#outbox.push(frame)
    }
    return true
  }

  #tick(): void {
    const nowMs = this.#options.platform.clock.monotonicMs()
    const hasStalled = this.#stall.tick(nowMs)
    if (hasStalled) {
      // What the peer sent meanwhile may be on its way: every wait starts again.
      this.#lastByteMs = nowMs
      this.#outbox.pause()
      this.#requests.excuse(nowMs)
    }
    if (!this.isOpen) {
      if (nowMs - this.#lastByteMs >= OPEN_TIMEOUT_MS) this.end(`not open after ${OPEN_TIMEOUT_MS / 1000} s`)
      return
    }
    if (nowMs - this.#lastByteMs >= DEAD_MS) {
      this.end(`no byte for ${DEAD_MS / 1000} s`)
      return
    }
    for (const topics of this.#requests.overdue(nowMs))
      this.#handlers.rejected(topics, `no answer to the subscription for ${ANSWER_TIMEOUT_MS / 1000} s`, false)
    this.#greetings.repeat(nowMs)
    if (hasStalled || nowMs - this.#lastKeepaliveMs >= KEEPALIVE_MS) this.#keepAlive(nowMs)
  }

  #keepAlive(nowMs: number): void {
    const { keepalive } = this.#options.venue
    if (keepalive === 'ping' && !this.#outbox.takePlace()) return
    this.#lastKeepaliveMs = nowMs
    if (keepalive !== 'ping') this.#outbox.push(keepalive)
    else this.#socket.ping()
  }

  #onClosed(code: number, reason: string): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#stopTicking()
    this.#outbox.close()
    this.#requests.clear()
    const nowMs = this.#options.platform.clock.monotonicMs()
    this.#handlers.closed({
      reason: this.#ended?.reason ?? closeText(code, reason),
      cause: this.#ended?.cause ?? this.#causeAt(nowMs),
      wasOpen: this.#openedMs !== undefined,
      isOurs: this.#ended !== undefined,
      livedMs: nowMs - (this.#openedMs ?? nowMs),
    })
  }

  #causeAt(nowMs: number): GapCause {
    if (this.#isAnnounced) return 'maintenance'
    return this.#stall.isRecent(nowMs) ? 'process_stalled' : 'disconnect'
  }
}
