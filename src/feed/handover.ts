/**
 * Make before break: a second link opens with the same topics while the first goes on delivering. What the second brings
 * is held until it joins, for every feed, what the first has delivered; then it can take over, and nothing is missing.
 */

import { CHANNEL_OF, type Channel, type EpochUs, type MarketEvent, type Trade } from '../model/event.ts'
import type { Platform } from '../platform/platform.ts'
import type { Topic, Venue } from '../venues/venue.ts'
import type { Feed } from './feed.ts'
import { createFront } from './handover-front.ts'
import { haveJoined, type Lag, OVERLAP_MS, Seam } from './handover-seam.ts'
import type { Link, LinkEvents, LinkHandlers } from './link.ts'
import { Retries } from './retries.ts'
import { Stall } from './stall.ts'

const CHECK_MS = 250
/** Checks, rather than a time: while the process stands still no time is lost. */
const CHECKS_MAX = 30_000 / CHECK_MS
/** Events held on one connection; each feed has its share. */
const HELD_MAX = 100_000
const HELD_PER_FEED_MAX = 10_000

export interface HandoverOptions {
  readonly reason: string
  readonly venue: Venue
  readonly platform: Platform
  readonly wanted: () => readonly Feed[]
  readonly find: (channel: Channel, symbol: string) => Feed | undefined
  /** The sequence at which the feed's book stands; `undefined`: it is not proven. */
  readonly sequenceOf: (feed: Feed) => number | undefined
  readonly newestTradeOf: (feed: Feed) => Trade | undefined
  readonly connect: (handlers: LinkHandlers) => Link
  /** When time is up: it is better to lose what does not join than to wait. */
  readonly isForced: () => boolean
  readonly handlers: HandoverHandlers
}

export interface HandoverHandlers extends Pick<LinkHandlers, 'frame' | 'late' | 'odd' | 'opened'> {
  /** The venue takes the feed on the second link. */
  accepted(feed: Feed): void
  /** The second link can take over: {@link Handover.release} it. */
  ready(): void
  /** The second link is gone; the first goes on. */
  failed(reason: string): void
}

export interface Refusal {
  readonly reason: string
  readonly isPermanent: boolean
}

export class Handover {
  readonly reason: string
  readonly link: Link
  /** What the second link was refused. */
  readonly refused = new Map<Feed, Refusal>()
  readonly #options: HandoverOptions
  readonly #seams = new Map<Feed, Seam>()
  readonly #retries: Retries
  readonly #startMs: number
  readonly #lag: Lag = { ms: 0, newestMs: 0 }
  readonly #stall: Stall
  #openedMs: number | undefined
  #checksLeft = CHECKS_MAX
  #stopChecking: (() => void) | undefined
  #isOver = false
  /** Receive time of the newest data of the second link. */
  newestUs: EpochUs | undefined
  /** The venue announced the end of the second link too. */
  announced: string | undefined

  constructor(options: HandoverOptions) {
    this.#options = options
    this.reason = options.reason
    this.#startMs = options.platform.clock.monotonicMs()
    this.#stall = new Stall(CHECK_MS, this.#startMs)
    for (const feed of options.wanted()) this.add(feed)
    this.#retries = new Retries(options.platform, (feed) => this.link.subscribe([feed.topic]))
    this.link = options.connect(this.#linkHandlers())
  }

  /** When the second link opened. */
  get openedMs(): number {
    return this.#openedMs ?? this.#startMs
  }

  /** How long both links were open. */
  get overlapMs(): number {
    return this.#openedMs === undefined ? 0 : this.#options.platform.clock.monotonicMs() - this.#openedMs
  }

  get seams(): Iterable<Seam> {
    return this.#seams.values()
  }

  /** The feed is wanted from now on. */
  add(feed: Feed): void {
    const { venue, wanted, sequenceOf, newestTradeOf } = this.#options
    const heldMax = Math.min(HELD_PER_FEED_MAX, Math.ceil(HELD_MAX / Math.max(1, wanted().length)))
    const front = createFront({ venue, feed, sequenceOf, newestTrade: newestTradeOf(feed) })
    const seam = new Seam(feed, front, heldMax, this.#lag)
    this.#seams.set(feed, seam)
    feed.second = seam
    if (this.#openedMs !== undefined) this.link.subscribe([feed.topic])
  }

  /** The feed is not wanted any more. */
  drop(feed: Feed): void {
    this.#forget(feed)
    if (this.link.isOpen) this.link.unsubscribe([feed.topic])
  }

  /** The venue takes the feed on the first link. */
  hasten(feed: Feed): void {
    this.#retries.hasten(feed)
  }

  /** The first link delivered this. */
  delivered({ events }: LinkEvents, receiveTimeUs: EpochUs): void {
    const nowMs = this.#options.platform.clock.monotonicMs()
    for (const event of events) this.#seamOf(event)?.delivered(event, receiveTimeUs, nowMs)
  }

  /** Without what the first link had delivered; after the switch. */
  fresh(decoded: LinkEvents): LinkEvents {
    const events = decoded.events.filter((event) => this.#seamOf(event)?.isRepeated(event) !== true)
    return events.length === decoded.events.length ? decoded : { ...decoded, events }
  }

  /** The second link is someone else's from now on. */
  release(): void {
    this.#isOver = true
    for (const feed of this.#seams.keys()) feed.second = undefined
    this.#stopChecking?.()
    this.#retries.cancel()
  }

  /** Ends the second link. */
  abandon(reason: string): void {
    this.release()
    this.link.end(reason)
  }

  #seamOf({ type, symbol }: MarketEvent): Seam | undefined {
    const channel = CHANNEL_OF[type]
    const feed = channel && this.#options.find(channel, symbol)
    return feed && this.#seams.get(feed)
  }

  #linkHandlers(): LinkHandlers {
    const { handlers } = this.#options
    return {
      opened: () => this.#onOpened(),
      frame: handlers.frame,
      late: handlers.late,
      events: (decoded, receiveTimeUs) => this.#onEvents(decoded, receiveTimeUs),
      // Nobody's data is hurt by it yet: what it breaks does not join.
      odd: (decoded) =>
        handlers.odd(decoded.kind === 'malformed' ? { kind: 'malformed', reason: decoded.reason } : decoded),
      subscribed: (topics) => this.#onSubscribed(topics),
      rejected: (topics, reason, isPermanent) => this.#onRejected(topics, { reason, isPermanent }),
      closing: (reason) => {
        this.announced = reason
      },
      closed: ({ reason }) => this.#fail(reason),
    }
  }

  #onOpened(): void {
    const { platform, handlers, wanted } = this.#options
    this.#openedMs = platform.clock.monotonicMs()
    this.#stall.tick(this.#openedMs)
    handlers.opened()
    this.link.subscribe(wanted().map((feed) => feed.topic))
    this.#stopChecking = platform.clock.every(CHECK_MS, () => this.#check())
  }

  #onEvents({ events, checksum }: LinkEvents, receiveTimeUs: EpochUs): void {
    const nowMs = this.#options.platform.clock.monotonicMs()
    this.newestUs = receiveTimeUs
    for (const event of events) {
      const seam = this.#seamOf(event)
      if (seam !== undefined) seam.hold({ event, checksum, receiveTimeUs }, nowMs)
      else this.#options.handlers.odd({ kind: 'unknown', what: 'not_subscribed' })
    }
  }

  #onSubscribed(topics: readonly Topic[]): void {
    for (const topic of topics) {
      const feed = this.#options.find(topic.channel, topic.symbol)
      if (feed === undefined) continue
      this.refused.delete(feed)
      this.#retries.delete(feed)
      this.#seams.get(feed)?.acked(this.#options.platform.clock.monotonicMs())
      this.#options.handlers.accepted(feed)
    }
  }

  #onRejected(topics: readonly Topic[], refusal: Refusal): void {
    for (const topic of topics) {
      const feed = this.#options.find(topic.channel, topic.symbol)
      if (feed === undefined) continue
      this.refused.set(feed, refusal)
      if (!refusal.isPermanent) this.#retries.add(feed)
    }
  }

  #check(): void {
    const { platform, handlers, isForced } = this.#options
    const nowMs = platform.clock.monotonicMs()
    // What the sockets have to say of a time in which the process stood still comes first.
    if (this.#stall.tick(nowMs)) return
    const awaited = [...this.#seams.values()].filter(({ feed }) => !this.#isHopeless(feed))
    const isConfirmed = awaited.every(({ confirmedMs = nowMs }) => nowMs - confirmedMs >= OVERLAP_MS)
    if (isConfirmed && awaited.length > 0 && haveJoined(awaited, nowMs)) {
      handlers.ready()
      return
    }
    this.#checksLeft--
    if (this.#checksLeft > 0) return
    const isSomeThere = awaited.some(({ confirmedMs }) => confirmedMs !== undefined)
    if (isForced() && isSomeThere) handlers.ready()
    else this.link.end(`not in step with the first link after ${(CHECKS_MAX * CHECK_MS) / 1000} s`)
  }

  /** Refused for good, or refused on the second link and not there on the first either: not worth waiting for. */
  #isHopeless(feed: Feed): boolean {
    const refusal = this.refused.get(feed)
    return refusal !== undefined && (refusal.isPermanent || feed.state !== 'live')
  }

  #forget(feed: Feed): void {
    feed.second = undefined
    this.#seams.delete(feed)
    this.refused.delete(feed)
    this.#retries.delete(feed)
  }

  #fail(reason: string): void {
    if (this.#isOver) return
    this.release()
    this.#options.handlers.failed(reason)
  }
}
