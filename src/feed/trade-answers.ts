/**
 * What a venue's newest numbers say about its trade streams: what an outage missed, what a silent stream lacks, and which
 * stream is dead.
 */

import type { EpochUs, Gap } from '../model/event.ts'
import type { Platform } from '../platform/platform.ts'
import type { Span, Venue } from '../venues/venue.ts'
import { Beginnings } from './beginnings.ts'
import type { Loss } from './connection.ts'
import type { Feed } from './feed.ts'
import type { Observer } from './ports.ts'
import type { RestClient } from './rest-client.ts'
import { REST_LAG_MS_MAX } from './rest-lag.ts'
import { type Answer, TradeChecks } from './trade-checks.ts'

/** What REST knows and the stream has not brought may be on its way. */
const IN_FLIGHT_MS = 2_000
/** REST may lag behind the stream; asked too early it does not know yet what was missed. */
const CATCH_UP_MS = 1_000
/** Asked so long after the confirmation, it is believed that nothing was. */
const CAUGHT_UP_MS = 5_000

export interface TradeAnswersOptions {
  readonly venue: Venue
  readonly rest: RestClient
  readonly platform: Platform
  readonly observer: Observer
  /** The trade feeds that are subscribed now. */
  readonly open: () => Iterable<Feed>
  /** Subscribes the feed anew. */
  readonly restart: (feed: Feed, loss: Loss) => void
  /** The numbers of `span` are missing, up to `endUs`; `nextUs`: since when more may be. */
  readonly missed: (feed: Feed, span: Span, endUs: EpochUs, nextUs: EpochUs) => void
  /** The venue has nothing newer; `outage`: which has ended by that. */
  readonly nothing: (feed: Feed, outage: Gap | undefined) => void
}

export class TradeAnswers {
  readonly #options: TradeAnswersOptions
  readonly #checks: TradeChecks
  /** The number of events of a feed when it last lacked the venue's newest trades. */
  readonly #trailing = new Map<Feed, number>()
  readonly #beginnings = new Beginnings()
  readonly #cancels = new Set<() => void>()

  constructor(options: TradeAnswersOptions) {
    this.#options = options
    this.#checks = new TradeChecks({
      ...options,
      newest: (feed, last, answer) => this.told(feed, last, answer),
      failed: (feed, reason) => this.#onUnknown(feed, reason),
    })
  }

  /** Quiet streams are checked from now on. */
  start(): void {
    this.#checks.start()
  }

  stop(): void {
    this.#checks.stop()
    for (const cancel of this.#cancels) cancel()
  }

  /** The venue has confirmed the stream: what was missed meanwhile is asked for. */
  subscribed(feed: Feed): void {
    const { clock } = this.#options.platform
    const nowUs = clock.nowUs()
    this.#beginnings.confirmed(feed, nowUs, clock.monotonicMs())
    feed.set('live')
    feed.ledger.live(nowUs)
    if (feed.tally.last === undefined) feed.ledger.end({ endUs: nowUs })
    else if (feed.ledger.outage !== undefined) this.#later(CATCH_UP_MS, () => this.#checks.ask(feed))
  }

  /** The stream is being started afresh. */
  restarted(feed: Feed): void {
    this.#beginnings.restarted(feed)
  }

  /** The feed is collected no more. */
  forget(feed: Feed): void {
    this.#beginnings.forget(feed)
    this.#trailing.delete(feed)
    this.#checks.forget(feed)
  }

  /** The stream has said nothing for long: asking tells a quiet market from a dead subscription. */
  silent(feed: Feed): void {
    this.#checks.ask(feed)
  }

  isAsking(feed: Feed): boolean {
    return this.#checks.isAsking(feed)
  }

  /** Numbers will tell what the stream loses from now on. */
  isCounted(feed: Feed): boolean {
    return feed.tally.last !== undefined || this.#beginnings.isTold(feed)
  }

  /** The stream goes on with the number `next`: its counting begins where the venue has told, if that is before. */
  count(feed: Feed, next: number): void {
    this.#beginnings.count(feed, next)
  }

  /** The venue's newest number. False: it does not tell whether anything is missing. */
  told(feed: Feed, told: number | undefined, answer: Answer): boolean {
    const { tally, ledger } = feed
    const newest = told === undefined ? undefined : this.#withoutHeld(feed, told)
    // REST lags behind, or the venue counts anew: the next trade or the next answer will tell.
    const isBehind = newest !== undefined && tally.last !== undefined && newest < tally.last
    const isAnew =
      newest !== undefined && tally.last !== undefined && feed.restLag.isExceeded(newest, tally.last, answer.askedMs)
    if (isAnew && ledger.outage === undefined) return this.#onAnew(feed, newest)
    // What is traded between the question and the subscription is in neither.
    const toldForMs = this.#beginnings.confirmedForMs(feed, answer.askedMs)
    const confirmedForMs = answer.isPolled === true ? Number.POSITIVE_INFINITY : toldForMs
    const isEarly = confirmedForMs < 0
    if (ledger.outage !== undefined && (isBehind || isEarly)) return false
    if (newest === undefined || tally.last === undefined || newest <= tally.last) {
      const hasNumbers = newest !== undefined && tally.last !== undefined
      if (ledger.outage !== undefined && hasNumbers && confirmedForMs < CAUGHT_UP_MS)
        this.#later(CAUGHT_UP_MS - confirmedForMs, () => ledger.outage !== undefined && this.#checks.ask(feed))
      else this.#onNothing(feed, hasNumbers, answer)
      if (isBehind) this.#askAgain(feed)
      if (newest !== undefined && tally.last === undefined && confirmedForMs >= CAUGHT_UP_MS && !ledger.isOffList)
        this.#onUnheard(feed, newest, answer)
    } else if (ledger.outage !== undefined) this.#expect(feed, newest, answer)
    else this.#inFlight(feed, () => this.#onUnbrought(feed, this.#withoutHeld(feed, newest), answer))
    return true
  }

  /** Up to what a second link holds already: that is not missing. Should it end before it takes over, the next number tells. */
  #withoutHeld({ second, tally }: Feed, newest: number): number {
    const next = second?.next
    const span = next?.type === 'trade' ? this.#options.venue.tradeSpan(next) : undefined
    if (span === undefined || tally.last === undefined || newest <= tally.last) return newest
    return Math.min(newest, Math.max(tally.last, span.first - 1))
  }

  /**
   * The venue has nothing newer. One that names no trade forgets old ones, and where the stream has brought none nobody knows
   * what was next. Otherwise nothing was lost, by its word alone: what it did not know yet may be missing in the same time.
   */
  #onNothing(feed: Feed, hasNumbers: boolean, { askedUs, answeredUs }: Answer): void {
    const { ledger } = feed
    const nextUs = Math.max(ledger.outage?.start_time_us ?? 0, askedUs - REST_LAG_MS_MAX * 1000)
    const end = hasNumbers ? { endUs: answeredUs, nextUs, lost: 0 } : { endUs: answeredUs }
    this.#options.nothing(feed, ledger.end(end))
    if (feed.state === 'stale') feed.quiet()
  }

  /** REST lags, or the venue counts anew: that is known when REST cannot lag any more. */
  #askAgain(feed: Feed): void {
    const { tally } = feed
    const { last } = tally
    const isStill = () => feed.tally === tally && tally.last === last
    this.#later(REST_LAG_MS_MAX + IN_FLIGHT_MS, () => isStill() && this.#checks.ask(feed))
  }

  /** The venue counts anew, and the stream has not brought a trade that says so: nobody knows what it lacks. */
  #onAnew(feed: Feed, newest: number): false {
    const reason = `the venue's newest trade is ${newest}, the stream's was ${feed.tally.last}`
    feed.set('stale', reason)
    this.#options.observer.stale(feed)
    feed.ledger.begin({ cause: 'silence', reason })
    this.#options.restart(feed, { cause: 'silence', sinceUs: feed.lastMessageUs, reason })
    return false
  }

  /** A stream without a number: is the venue ahead of what it told first? */
  #onUnheard(feed: Feed, newest: number, answer: Answer): void {
    if (!this.#beginnings.hasMoved(feed, newest, answer)) return
    this.#inFlight(feed, () => this.#beginnings.count(feed, newest + 1) && this.#onTrailing(feed, newest, answer))
  }

  #onUnbrought(feed: Feed, newest: number, answer: Answer): void {
    if (newest > (feed.tally.last ?? newest)) this.#onTrailing(feed, newest, answer)
  }

  /** An outage that has begun meanwhile ends with a question of its own. */
  #inFlight(feed: Feed, action: () => void): void {
    const { tally, ledger } = feed
    const isStill = () => !feed.isGivenUp && feed.tally === tally && ledger.outage === undefined
    this.#later(IN_FLIGHT_MS, () => isStill() && action())
  }

  /** Silent, and the venue cannot be asked why. */
  #onUnknown(feed: Feed, reason: string): void {
    if (feed.state !== 'stale') return
    this.#options.observer.stale(feed)
    feed.ledger.begin({ cause: 'silence', reason: `${feed.reason}; ${reason}` })
  }

  /** What is traded after the answer has greater numbers; what is traded after the question may have. */
  #expect(feed: Feed, newest: number, { askedUs, answeredUs }: Answer): void {
    const { tally, ledger } = feed
    const span = { first: (tally.last ?? newest) + 1, last: newest }
    const isOlder = ledger.lastUs === undefined || ledger.lastUs <= answeredUs
    tally.expect(newest)
    const endUs = isOlder ? answeredUs : this.#options.platform.clock.nowUs()
    this.#options.missed(feed, span, endUs, askedUs)
  }

  /** Trades that the stream should have brought by now. What brings nothing after a loss twice in a row is dead. */
  #onTrailing(feed: Feed, newest: number, answer: Answer): void {
    const isDead = this.#trailing.get(feed) === feed.events
    this.#trailing.set(feed, feed.events)
    feed.behind = { foundUs: this.#options.platform.clock.nowUs(), sequence: newest }
    this.#expect(feed, newest, answer)
    if (!isDead) return
    const loss = { cause: 'silence', sinceUs: feed.lastMessageUs, reason: 'the stream brings no trades' } as const
    this.#options.restart(feed, loss)
  }

  #later(delayMs: number, action: () => void): void {
    const cancel = this.#options.platform.clock.after(delayMs, () => {
      this.#cancels.delete(cancel)
      action()
    })
    this.#cancels.add(cancel)
  }
}
