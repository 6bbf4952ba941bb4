/**
 * The trade feeds of one venue. Running numbers prove them: what is missing is a gap and is fetched, what was delivered
 * is not delivered again, and what the stream never tells (a loss at its end) is found by asking the venue.
 */

import { Tally } from '../ledger/tally.ts'
import type { EpochUs, Gap, Trade } from '../model/event.ts'
import type { Platform } from '../platform/platform.ts'
import type { Span, Venue } from '../venues/venue.ts'
import { Beginnings } from './beginnings.ts'
import type { Loss } from './connection.ts'
import { withEpoch } from './epoch.ts'
import type { Feed } from './feed.ts'
import { Healer } from './healer.ts'
import type { Downstream, Observer } from './ports.ts'
import type { RestClient } from './rest-client.ts'
import { Stall } from './stall.ts'
import { type Answer, TradeChecks } from './trade-checks.ts'
import { isOfOtherNumbers, isReset } from './trade-numbers.ts'

/** What REST knows and the stream has not brought may be on its way. */
const IN_FLIGHT_MS = 2_000
/** REST may lag behind the stream; asked too early it does not know yet what was missed. */
const CATCH_UP_MS = 1_000
const STALL_TICK_MS = 1_000

export interface TradeFeedsOptions {
  readonly venue: Venue
  readonly rest: RestClient
  readonly platform: Platform
  readonly downstream: Pick<Downstream, 'accept'>
  readonly observer: Observer
  /** The trade feeds that are subscribed now. */
  readonly open: () => Iterable<Feed>
  /** Subscribes the feed anew. */
  readonly restart: (feed: Feed, loss: Loss) => void
}

export class TradeFeeds {
  readonly #options: TradeFeedsOptions
  readonly #healer: Healer
  readonly #checks: TradeChecks
  readonly #stall: Stall
  /** Why the next missing number will be missing, where that is known. */
  readonly #suspects = new Map<Feed, Pick<Gap, 'cause' | 'reason'>>()
  /** The number of events of a feed when it last lacked the venue's newest trades. */
  readonly #trailing = new Map<Feed, number>()
  readonly #beginnings = new Beginnings()
  readonly #cancels = new Set<() => void>()

  constructor(options: TradeFeedsOptions) {
    const { venue, rest, platform, open } = options
    this.#options = options
    this.#stall = new Stall(STALL_TICK_MS, platform.clock.monotonicMs())
    this.#healer = new Healer({
      venue,
      rest,
      platform,
      deliver: (feed, trades) => this.#onFetched(feed, trades),
    })
    this.#checks = new TradeChecks({
      venue,
      rest,
      platform,
      open,
      newest: (feed, last, answer) => this.told(feed, last, answer),
      failed: (feed, reason) => this.#onUnknown(feed, reason),
    })
  }

  /** Quiet streams are checked from now on, and what an earlier process left unhealed is taken up. */
  start(): void {
    const { clock } = this.#options.platform
    this.#cancels.add(clock.every(STALL_TICK_MS, () => void this.#stall.tick(clock.monotonicMs())))
    this.#checks.start()
  }

  stop(): void {
    this.#checks.stop()
    this.#healer.stop()
    for (const cancel of this.#cancels) cancel()
  }

  /** Takes up what an earlier process was fetching. */
  restore(feed: Feed): void {
    for (const gap of feed.ledger.healing) this.#healer.heal(feed, gap)
  }

  accept(feed: Feed, trade: Trade, receiveUs: EpochUs): void {
    this.#offer(feed, trade, receiveUs)
  }

  /** The venue has confirmed the stream: what was missed meanwhile is asked for. */
  subscribed(feed: Feed): void {
    const nowUs = this.#options.platform.clock.nowUs()
    this.#beginnings.confirmed(feed, nowUs)
    feed.set('live')
    feed.ledger.live(nowUs)
    if (feed.tally.last === undefined) feed.ledger.end({ endUs: nowUs })
    else if (feed.ledger.outage !== undefined) this.#later(CATCH_UP_MS, () => this.#checks.ask(feed))
  }

  /** The stream is being started afresh. */
  restarted(feed: Feed): void {
    this.#beginnings.restarted(feed)
  }

  /** The feed is collected no more. What was missed of one that is refused can still be fetched; `isGone`: it cannot. */
  dropped(feed: Feed, isGone: boolean): void {
    this.#beginnings.forget(feed)
    if (isGone) this.#healer.giveUp(feed, feed.reason)
    this.#suspects.delete(feed)
    this.#trailing.delete(feed)
    this.#checks.forget(feed)
  }

  /** A frame of the feed could not be read. The numbers behind it tell whether it was data, once there is one before it. */
  undecodable(feed: Feed, reason: string): void {
    const { tally, ledger } = feed
    const loss = { cause: 'decode_error', reason } as const
    const isCounted = tally.last !== undefined || this.#beginnings.isTold(feed)
    if (isCounted || !ledger.isCollected) this.#suspects.set(feed, loss)
    else ledger.begin({ ...loss, startUs: ledger.lastUs ?? this.#beginnings.confirmedUs(feed) })
  }

  /** The stream has said nothing for long: asking tells a quiet market from a dead subscription. */
  silent(feed: Feed): void {
    this.#checks.ask(feed)
  }

  isAsking(feed: Feed): boolean {
    return this.#checks.isAsking(feed)
  }

  #onFetched(feed: Feed, trades: readonly Trade[]): void {
    const { venue, platform } = this.#options
    const [first] = trades
    const span = first && venue.tradeSpan(first)
    const isLate = this.#stall.isRecent(platform.clock.monotonicMs())
    if (isLate && span && isOfOtherNumbers(feed, first, span))
      this.#reset(feed, first, span, first.receive_time_us as EpochUs)
    for (const trade of trades) this.#offer(feed, trade, trade.receive_time_us as EpochUs)
  }

  #offer(feed: Feed, trade: Trade, receiveUs: EpochUs): void {
    const { venue, observer } = this.#options
    const { tally, ledger } = feed
    const span = venue.tradeSpan(trade)
    if (span === undefined) {
      ledger.end({ endUs: receiveUs })
      if (feed.recent.add(trade.id)) this.#deliver(feed, trade, receiveUs)
      else observer.duplicate('trade')
      return
    }
    this.#beginnings.count(feed, span.first)
    if (isReset(feed, trade, span)) this.#reset(feed, trade, span, receiveUs)
    const before = tally.last ?? span.last
    const offer = feed.tally.offer(span)
    if (offer === 'ahead') this.#missed(feed, { first: before + 1, last: span.first - 1 }, span.first, receiveUs)
    if (offer === 'overlap' && span.last > before)
      this.#missed(feed, { first: before + 1, last: span.last }, span.last + 1, receiveUs)
    if (offer === 'overlap' || offer === 'known') {
      // The newest again: so far nothing is missing.
      if (offer === 'known' && span.last === before && trade.source !== 'backfill') ledger.heard(before, receiveUs)
      observer.duplicate('trade')
      return
    }
    if (offer === 'next') ledger.end({ endUs: receiveUs, firstSequence: span.first, lost: 0 })
    if (offer === 'first') ledger.end({ endUs: receiveUs, firstSequence: span.first })
    this.#suspects.delete(feed)
    this.#deliver(feed, trade, receiveUs)
    if (offer !== 'late') return
    if (span.last === feed.behind?.sequence) feed.behind = { ...feed.behind, madeUs: trade.exchange_time_us }
    this.#healer.delivered(feed, span, trade.exchange_time_us)
  }

  #deliver(feed: Feed, trade: Trade, receiveUs: EpochUs): void {
    // The first of a stream is written down when it is heard: with its time, or the next process knows of no numbering.
    feed.ledger.newestTradeUs = Math.max(feed.ledger.newestTradeUs ?? 0, trade.exchange_time_us ?? 0)
    if (trade.source !== 'backfill') {
      feed.ledger.heard(feed.tally.last, receiveUs)
      feed.madeUs = trade.exchange_time_us
    } else feed.ledger.lastSequence = feed.tally.last
    this.#options.downstream.accept(withEpoch(trade, feed.ledger.epoch), receiveUs)
  }

  /** `first`: the number that the stream goes on with. `nextUs`: since when more may be missing. */
  #missed(feed: Feed, span: Span, first: number, endUs: EpochUs, nextUs = endUs): void {
    const { ledger } = feed
    const startUs = ledger.lastUs ?? endUs
    const sinceUs = Math.max(startUs, ledger.lastEndUs)
    const end = { startUs, endUs, nextUs, firstSequence: first, lost: span.last - span.first + 1 }
    const { cause = 'sequence_gap', reason } = this.#suspects.get(feed) ?? {}
    const start = { cause, reason, startUs, lastSequence: span.first - 1 }
    const gap: Gap = ledger.end(end, 'open') ?? ledger.lose(start, end, 'open')
    // What lies before is this gap's matter, not that of the next one.
    ledger.lastSequence = feed.tally.last
    this.#suspects.delete(feed)
    this.#healer.heal(feed, gap, sinceUs)
  }

  /** The venue's newest number. False: it does not tell whether anything is missing. */
  told(feed: Feed, newest: number | undefined, answer: Answer): boolean {
    const { tally, ledger } = feed
    // REST lags behind, or the venue counts anew: the next trade or the next answer will tell.
    const isBehind = newest !== undefined && tally.last !== undefined && newest < tally.last
    // What is traded between the question and the subscription is in neither.
    const confirmedUs = this.#beginnings.confirmedUs(feed) ?? Number.POSITIVE_INFINITY
    const isEarly = !answer.isPolled && answer.askedUs < confirmedUs
    if (ledger.outage !== undefined && (isBehind || isEarly)) return false
    if (newest === undefined || tally.last === undefined || newest <= tally.last) {
      // A venue that names no trade forgets old ones, and where the stream has brought none nobody knows what was next.
      const lost = newest !== undefined && tally.last !== undefined ? 0 : undefined
      this.#ended(feed, ledger.end({ endUs: answer.answeredUs, lost }))
      if (feed.state === 'stale') feed.quiet()
      if (newest !== undefined && tally.last === undefined && !isEarly && !ledger.isOffList)
        this.#onUnheard(feed, newest, answer)
    } else if (ledger.outage !== undefined) this.#expect(feed, newest, answer)
    else this.#inFlight(feed, () => newest > (tally.last ?? newest) && this.#onTrailing(feed, newest, answer))
    return true
  }

  /** A stream without a number: is the venue ahead of what it told first? */
  #onUnheard(feed: Feed, newest: number, answer: Answer): void {
    if (!this.#beginnings.hasMoved(feed, newest, answer)) return
    this.#inFlight(feed, () => this.#beginnings.count(feed, newest + 1) && this.#onTrailing(feed, newest, answer))
  }

  /** An outage that has begun meanwhile ends with a question of its own. */
  #inFlight(feed: Feed, action: () => void): void {
    const { tally, ledger } = feed
    const isStill = () => !feed.isGivenUp && feed.tally === tally && ledger.outage === undefined
    this.#later(IN_FLIGHT_MS, () => isStill() && action())
  }

  /** The venue has nothing newer. REST may lag behind the stream: until it says so again, what is missing was missed in `outage`. */
  #ended(feed: Feed, outage: Gap | undefined): void {
    if (outage === undefined) this.#suspects.delete(feed)
    else this.#suspects.set(feed, outage)
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
    this.#missed(feed, span, newest + 1, endUs, askedUs)
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

  /** Numbers below what was delivered, at a later time: the venue counts anew. */
  #reset(feed: Feed, trade: Trade, span: Span, endUs: EpochUs): void {
    const { ledger } = feed
    const reason = `the venue's numbers went from ${feed.tally.last} to ${span.first}`
    const startUs = ledger.lastUs ?? endUs
    const end = { startUs, endUs, firstSequence: span.first }
    const start = { cause: 'sequence_reset', startUs, lastSequence: feed.tally.last } as const
    this.#healer.giveUp(feed, reason)
    if (ledger.end(end, 'final', reason) === undefined) ledger.lose({ ...start, reason }, end, 'final')
    ledger.tally = new Tally()
    ledger.renumber(trade.exchange_time_us ?? endUs)
  }

  #later(delayMs: number, action: () => void): void {
    const cancel = this.#options.platform.clock.after(delayMs, () => {
      this.#cancels.delete(cancel)
      action()
    })
    this.#cancels.add(cancel)
  }
}
