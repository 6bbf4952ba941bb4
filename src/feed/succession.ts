/** The links of one connection that follow each other without a break: when the next one opens, and what came of it. */

import type { Channel, EpochUs, Trade } from '../model/event.ts'
import type { Platform } from '../platform/platform.ts'
import type { Venue } from '../venues/venue.ts'
import type { Feed } from './feed.ts'
import { Handover, type HandoverHandlers } from './handover.ts'
import type { Link, LinkEnd, LinkEvents, LinkHandlers } from './link.ts'
import { Rotation } from './rotation.ts'
import type { Window } from './window.ts'

/** After a switch the new link may still repeat what the old one delivered. */
const CATCH_UP_MS = 10_000

/** `done`: the new link took over, the old one was closed. `promoted`: the old one ended first. `given_up`: the old one goes on. */
export type RotationOutcome = 'done' | 'promoted' | 'given_up'

export interface SuccessionOptions {
  readonly venue: Venue
  readonly platform: Platform
  readonly connects: Window
  readonly wanted: () => readonly Feed[]
  readonly find: (channel: Channel, symbol: string) => Feed | undefined
  readonly sequenceOf: (feed: Feed) => number | undefined
  /** The link that delivers is open. */
  readonly isOpen: () => boolean
  /** Opens a link; `ahead` places further in the list of URLs than the last that worked. */
  readonly connect: (handlers: LinkHandlers, ahead: number) => Link
  readonly handlers: Pick<HandoverHandlers, 'frame' | 'late' | 'odd' | 'opened' | 'accepted'> & {
    /** The second link takes over now. `end`: how the first ended; absent: it still goes on. */
    takeOver(handover: Handover, end?: LinkEnd): void
    rotated(reason: string, outcome: RotationOutcome, overlapMs: number): void
  }
}

export class Succession {
  readonly #options: SuccessionOptions
  readonly #rotation: Rotation
  /** By symbol: the newest trade that was delivered. */
  readonly #newestTrades = new Map<string, Trade>()
  #handover: Handover | undefined
  /** Where the link that delivers came from, while it may still repeat what the one before delivered. */
  #origin: { readonly handover: Handover; readonly untilMs: number } | undefined
  /** Why another link was asked for while the second one was on its way: where that one goes may be the reason. */
  #asked: string | undefined
  /** Second links in a row that did not open. */
  #failures = 0

  constructor(options: SuccessionOptions) {
    this.#options = options
    const { lifetimeMs = Number.POSITIVE_INFINITY } = options.venue.socketLimits
    this.#rotation = new Rotation(lifetimeMs, options.platform.random)
  }

  /** How far ahead in the list of URLs the next second link is opened. */
  get ahead(): number {
    return this.#failures
  }

  /** A link has opened that took nothing over. */
  opened(): void {
    this.#origin = undefined
    this.#asked = undefined
    this.#rotation.replaced(this.#now())
  }

  /** The link has carried data for a while. */
  steady(): void {
    this.#rotation.steady()
  }

  /** The venue announced that it will end the link. */
  announced(reason: string): void {
    this.#rotation.announced(reason, this.#now())
    this.tick()
  }

  /** Someone asks for a new link. */
  wanted(reason: string): void {
    if (this.#handover !== undefined) this.#asked = reason
    this.#rotation.wanted(reason, this.#now())
    this.tick()
  }

  /** To be called every second or so: opens the second link when one is due and the venue's limits allow it. */
  tick(): void {
    const { connects, isOpen } = this.#options
    const nowMs = this.#now()
    if (this.#handover !== undefined || !isOpen()) return
    const reason = this.#rotation.due(nowMs)
    if (reason === undefined || connects.waitMs(1, nowMs) > 0) return
    connects.spend(1, nowMs)
    this.#handover = this.#begin(reason)
  }

  add(feed: Feed): void {
    this.#handover?.add(feed)
  }

  /** The venue takes the feed on the link that delivers. */
  accepted(feed: Feed): void {
    this.#handover?.hasten(feed)
  }

  drop(feed: Feed): void {
    this.#handover?.drop(feed)
    if (feed.channel === 'trade') this.#newestTrades.delete(feed.symbol)
  }

  /** Without what the link before had delivered already. */
  fresh(decoded: LinkEvents): LinkEvents {
    if (this.#origin !== undefined && this.#now() > this.#origin.untilMs) this.#origin = undefined
    return this.#origin?.handover.fresh(decoded) ?? decoded
  }

  /** This is being delivered. */
  delivered(decoded: LinkEvents, receiveTimeUs: EpochUs): void {
    for (const event of decoded.events) if (event.type === 'trade') this.#newestTrades.set(event.symbol, event)
    this.#handover?.delivered(decoded, receiveTimeUs)
  }

  /** The link that delivers has ended: the second one takes over at once, if there is one. */
  promote(end: LinkEnd): boolean {
    const handover = this.#handover
    if (handover !== undefined) this.#takeOver(handover, 'promoted', end)
    return handover !== undefined
  }

  stop(): void {
    this.#handover?.abandon('stopped')
    this.#handover = undefined
  }

  #now(): number {
    return this.#options.platform.clock.monotonicMs()
  }

  #begin(reason: string): Handover {
    const { venue, platform, wanted, find, sequenceOf, connect, handlers } = this.#options
    this.#asked = undefined
    const handover: Handover = new Handover({
      reason,
      venue,
      platform,
      wanted,
      find,
      sequenceOf,
      newestTradeOf: ({ symbol }) => this.#newestTrades.get(symbol),
      connect: (linkHandlers) => connect(linkHandlers, this.#failures),
      isForced: () => this.#rotation.isForced(this.#now()),
      handlers: {
        ...handlers,
        ready: () => this.#takeOver(handover, 'done'),
        failed: () => this.#onFailed(handover),
      },
    })
    return handover
  }

  #takeOver(handover: Handover, outcome: RotationOutcome, end?: LinkEnd): void {
    const { handlers } = this.#options
    const { reason, overlapMs, openedMs, announced } = handover
    const asked = this.#asked
    handover.release()
    this.#handover = undefined
    this.#origin = { handover, untilMs: this.#now() + CATCH_UP_MS }
    this.#rotation.replaced(openedMs)
    handlers.takeOver(handover, end)
    this.#failures = 0
    handlers.rotated(reason, outcome, overlapMs)
    if (announced !== undefined) this.announced(announced)
    if (asked !== undefined) this.wanted(asked)
  }

  #onFailed({ reason, overlapMs }: Handover): void {
    this.#handover = undefined
    if (overlapMs === 0) this.#failures++
    this.#rotation.failed(this.#now())
    this.#options.handlers.rotated(reason, 'given_up', overlapMs)
  }
}
