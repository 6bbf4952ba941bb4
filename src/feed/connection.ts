/**
 * Keeps one connection's worth of topics subscribed for ever: opens links one after another, and where the end of one is
 * known beforehand, the next before it ends.
 */

import type { EpochUs } from '../model/event.ts'
import { Backoff } from '../platform/backoff.ts'
import type { ConnectionOptions } from './connection-ports.ts'
import type { Feed } from './feed.ts'
import type { Handover } from './handover.ts'
import type { Seam } from './handover-seam.ts'
import { Link, type LinkEnd, type LinkEvents, type LinkHandlers } from './link.ts'
import { type Loss, lossByEnd, lossBySilence } from './loss.ts'
import { SilenceWatch, WATCH_MS } from './silence-watch.ts'
import { Steadiness } from './steadiness.ts'
import { Subscriptions } from './subscriptions.ts'
import { Succession } from './succession.ts'

export type { ConnectionHandlers, ConnectionOptions } from './connection-ports.ts'
export type { Loss } from './loss.ts'

const BACKOFF = { firstMs: 500, maxMs: 30_000 }
/** Live data for so long ends an outage: only then the waiting times start small again. */
const STEADY_MS = 30_000
const QUOTA = 'quota of subscriptions used up'

export class Connection {
  readonly #options: ConnectionOptions
  readonly #feeds = new Map<string, Feed>()
  readonly #backoff: Backoff
  readonly #silence: SilenceWatch
  readonly #subscriptions: Subscriptions
  readonly #succession: Succession
  readonly #steadiness = new Steadiness()
  /** The link that delivers. */
  #link: Link | undefined
  #urlIndex = 0
  #cancelOpen: (() => void) | undefined
  #stopWatch: (() => void) | undefined
  /** When data first came on this link. */
  #liveSinceMs: number | undefined
  /** Receive time of the newest data that was delivered. */
  #lastDataUs: EpochUs | undefined
  #isStopped = false

  constructor(options: ConnectionOptions) {
    this.#options = options
    const { platform, feeds, handlers } = options
    this.#backoff = new Backoff({ ...BACKOFF, random: platform.random })
    for (const feed of feeds) this.#feeds.set(keyOf(feed), feed)
    this.#subscriptions = new Subscriptions(platform, handlers, {
      find: (channel, symbol) => this.find(channel, symbol),
      forget: (feed) => void this.#feeds.delete(keyOf(feed)),
      subscribe: (feed) => !this.isOpen || this.#link?.subscribe([feed.topic]) !== false,
      accepted: (feed) => this.#succession.accepted(feed),
    })
    this.#silence = new SilenceWatch(platform.clock, feeds, {
      ...handlers,
      wanted: () => this.#wanted(),
      isExcused: (feed) => this.#subscriptions.isWaiting(feed),
      restart: (feed) => this.restart(feed, lossBySilence(feed)),
      restartAll: (all, cause) => {
        for (const feed of all) handlers.restarted(feed, lossBySilence(feed, cause))
      },
    })
    this.#succession = this.#createSuccession()
  }

  get isOpen(): boolean {
    return this.#link?.isOpen ?? false
  }

  get feeds(): Iterable<Feed> {
    return this.#feeds.values()
  }

  start(): void {
    this.#stopWatch = this.#options.platform.clock.every(WATCH_MS, () => {
      this.#silence.tick(this.#link)
      this.#succession.tick()
    })
    this.#openSoon(0)
  }

  stop(): void {
    this.#isStopped = true
    this.#stopWatch?.()
    this.#cancelOpen?.()
    this.#subscriptions.ended()
    this.#succession.stop()
    this.#link?.end('stopped')
  }

  /** Starts the feed's stream afresh, so that the venue sends a new snapshot; on a new link if the quota is used up. */
  restart(feed: Feed, loss: Loss): void {
    this.#options.handlers.restarted(feed, loss)
    this.#silence.restarted(feed)
    if (this.isOpen && this.#link?.resubscribe([feed.topic]) === false) this.rotate(QUOTA)
  }

  /** Replaces the open link by a new one without losing anything; tried until it succeeds. What opens anyway is new. */
  rotate(reason: string): void {
    this.#succession.wanted(reason)
  }

  /** Asks for more feeds, of the same endpoint. False, and nothing is asked: the venue allows no more, or it was stopped. */
  add(feeds: readonly Feed[]): boolean {
    const { topicsPerConnectionMax } = this.#options.venue.socketLimits
    if (this.#isStopped || this.#feeds.size + feeds.length > topicsPerConnectionMax) return false
    for (const feed of feeds) {
      this.#feeds.set(keyOf(feed), feed)
      this.#succession.add(feed)
    }
    if (this.isOpen) this.#subscribe(feeds)
    return true
  }

  /** Stops asking for the feeds. False: nothing is left to ask for, so the connection has stopped. */
  drop(...feeds: readonly Feed[]): boolean {
    const topics = feeds.flatMap((feed) => (this.#feeds.delete(keyOf(feed)) ? feed.topic : []))
    for (const part of [this.#subscriptions, this.#silence, this.#succession]) for (const feed of feeds) part.drop(feed)
    if (this.#feeds.size === 0) this.stop()
    else if (topics.length > 0 && this.isOpen) this.#link?.unsubscribe(topics)
    return this.#feeds.size > 0
  }

  find(channel: string, symbol: string): Feed | undefined {
    return this.#feeds.get(`${channel} ${symbol}`)
  }

  #createSuccession(): Succession {
    const { venue, platform, connects, handlers, sequenceOf } = this.#options
    return new Succession({
      venue,
      platform,
      connects,
      sequenceOf,
      wanted: () => this.#wanted(),
      find: (channel, symbol) => this.find(channel, symbol),
      isOpen: () => this.isOpen,
      connect: (linkHandlers, ahead) => this.#newLink(this.#url(ahead), linkHandlers),
      handlers: {
        frame: handlers.frame,
        late: handlers.late,
        odd: (decoded) => handlers.odd(decoded, []),
        opened: () => handlers.opened(this.#url(this.#succession.ahead)),
        accepted: (feed) => this.#subscriptions.hasten(feed),
        takeOver: (handover, end) => this.#takeOver(handover, end),
        rotated: handlers.rotated,
      },
    })
  }

  #now(): number {
    return this.#options.platform.clock.monotonicMs()
  }

  #wanted(): Feed[] {
    return [...this.#feeds.values()].filter((feed) => !feed.isGivenUp)
  }

  /** `ahead`: so many places further in the list. */
  #url(ahead = 0): string {
    const { urls } = this.#options
    return urls[(this.#urlIndex + ahead) % urls.length] as string
  }

  #openSoon(delayMs: number): void {
    const { platform, connects } = this.#options
    if (this.#isStopped) return
    this.#cancelOpen = platform.clock.after(delayMs, () => {
      const waitMs = connects.waitMs(1, this.#now())
      if (waitMs > 0) return this.#openSoon(waitMs)
      connects.spend(1, this.#now())
      this.#open()
    })
  }

  #open(): void {
    const url = this.#url()
    this.#liveSinceMs = undefined
    this.#link = this.#newLink(url, this.#linkHandlers())
    // What could not be reached stays down, with the reason, until it can.
    for (const feed of this.#wanted())
      if (feed.state !== 'down') feed.set('connecting', `connecting to ${new URL(url).host}`)
  }

  #newLink(url: string, handlers: LinkHandlers): Link {
    const { venue, platform, instruments } = this.#options
    return new Link({ venue, url, platform, instruments, handlers })
  }

  /** Of the link that delivers. */
  #linkHandlers(): LinkHandlers {
    const { handlers } = this.#options
    return {
      opened: () => this.#onOpened(),
      frame: handlers.frame,
      late: handlers.late,
      events: (decoded, receiveTimeUs) => this.#deliver(this.#succession.fresh(decoded), receiveTimeUs),
      odd: (decoded) => handlers.odd(decoded, this.#wanted()),
      subscribed: (topics) => this.#subscriptions.accepted(topics),
      rejected: (topics, reason, isPermanent) => this.#subscriptions.rejected(topics, reason, isPermanent),
      closing: (reason) => {
        handlers.closing(reason)
        this.#succession.announced(reason)
      },
      closed: (end) => this.#onClosed(end),
    }
  }

  #onOpened(): void {
    this.#silence.opened()
    this.#succession.opened()
    this.#options.handlers.opened(this.#url())
    this.#subscribe(this.#wanted())
  }

  #subscribe(feeds: readonly Feed[]): void {
    for (const feed of feeds) {
      feed.silence.restart(this.#now())
      feed.set('subscribing')
    }
    if (this.#link?.subscribe(feeds.map((feed) => feed.topic)) === false) this.rotate(QUOTA)
  }

  #deliver(decoded: LinkEvents, receiveTimeUs: EpochUs): void {
    const nowMs = this.#now()
    this.#silence.heard(nowMs)
    this.#liveSinceMs ??= nowMs
    this.#lastDataUs = receiveTimeUs
    if (nowMs - this.#liveSinceMs > STEADY_MS) {
      this.#backoff.reset()
      this.#succession.steady()
    }
    this.#succession.delivered(decoded, receiveTimeUs)
    this.#options.handlers.events(decoded, receiveTimeUs)
  }

  #onClosed(end: LinkEnd): void {
    this.#subscriptions.ended()
    const isUnexplained = end.wasOpen && !end.isOurs && end.cause === 'disconnect'
    if (isUnexplained && this.#steadiness.ended(end.livedMs)) this.#options.handlers.unsteady(end.livedMs)
    if (this.#succession.promote(end)) return
    // A host that opens and sends nothing is no better than one that cannot be reached.
    if (this.#liveSinceMs === undefined) this.#urlIndex++
    const retryMs = this.#backoff.nextMs()
    const next = this.#isStopped ? '' : `; next try in ${(retryMs / 1000).toFixed(1)} s`
    for (const feed of this.#wanted()) {
      feed.set(end.wasOpen ? 'connecting' : 'down', end.reason + next)
      this.#options.handlers.restarted(feed, this.#lossOf(feed, end))
    }
    this.#options.handlers.lost(end.reason, end.wasOpen, retryMs)
    this.#openSoon(retryMs)
  }

  #lossOf(feed: Feed, end: Pick<Loss, 'cause' | 'reason'>): Loss {
    return lossByEnd(feed, end, this.#lastDataUs, this.#now())
  }

  /** The handover's link delivers from now on. `end`: how the old one ended; absent: it is ended here. */
  #takeOver(handover: Handover, end?: LinkEnd): void {
    const { reason, cause } = end ?? { reason: `replaced: ${handover.reason}`, cause: 'maintenance' as const }
    const old = this.#link
    const seams = [...handover.seams].map((seam) => ({
      seam,
      loss: seam.joins(this.#now()) ? undefined : this.#lossOf(seam.feed, { reason, cause }),
    }))
    this.#urlIndex += this.#succession.ahead
    this.#link = handover.link
    this.#liveSinceMs = undefined
    this.#silence.opened()
    this.#subscriptions.ended()
    handover.link.handOver(this.#linkHandlers())
    for (const { seam, loss } of seams) this.#resume(seam, loss)
    // What came last on the old link may have been under way for long: it does not tell how long the new one was whole.
    this.#lastDataUs = handover.newestUs
    for (const [{ topic }, refusal] of handover.refused)
      this.#subscriptions.rejected([topic], refusal.reason, refusal.isPermanent)
    if (end !== undefined) this.#options.handlers.lost(reason, end.wasOpen, 0)
    old?.handOver({ ...this.#linkHandlers(), closed: () => {} })
    old?.end(reason)
  }

  /** `loss`: what the new link brings of the feed does not join what the old one delivered. */
  #resume(seam: Seam, loss: Loss | undefined): void {
    const { feed } = seam
    if (loss !== undefined) {
      feed.set(this.isOpen ? 'subscribing' : 'connecting', loss.reason)
      this.#options.handlers.restarted(feed, loss)
    }
    if (seam.confirmedMs !== undefined && feed.state !== 'live') this.#subscriptions.accepted([feed.topic])
    for (const { event, checksum, receiveTimeUs } of seam.take())
      this.#deliver({ kind: 'events', events: [event], checksum }, Math.max(receiveTimeUs, feed.lastMessageUs ?? 0))
  }
}

const keyOf = ({ channel, symbol }: Feed): string => `${channel} ${symbol}`
