/**
 * The trade feeds of one venue. Running numbers prove them: what is missing is a gap and is fetched, what was delivered
 * is not delivered again, and what the stream never tells (a loss at its end) is found by asking the venue.
 */

import { Tally } from '../ledger/tally.ts'
import { newestMadeUs } from '../ledger/trade-time.ts'
import type { EpochUs, Gap, Trade } from '../model/event.ts'
import type { Span } from '../venues/venue.ts'
import { withEpoch } from './epoch.ts'
import type { Feed } from './feed.ts'
import { Healer } from './healer.ts'
import type { Downstream } from './ports.ts'
import { Stall } from './stall.ts'
import { TradeAnswers, type TradeAnswersOptions } from './trade-answers.ts'
import type { Answer } from './trade-checks.ts'
import { isOfOtherNumbers, isReset } from './trade-numbers.ts'

const STALL_TICK_MS = 1_000

export interface TradeFeedsOptions extends Omit<TradeAnswersOptions, 'missed' | 'nothing'> {
  readonly downstream: Pick<Downstream, 'accept'>
}

export class TradeFeeds {
  readonly #options: TradeFeedsOptions
  readonly #healer: Healer
  readonly #answers: TradeAnswers
  readonly #stall: Stall
  /** Why the next missing number will be missing, where that is known. */
  readonly #suspects = new Map<Feed, Pick<Gap, 'cause' | 'reason'>>()
  #stopStall = () => {}

  constructor(options: TradeFeedsOptions) {
    const { venue, rest, platform } = options
    this.#options = options
    this.#stall = new Stall(STALL_TICK_MS, platform.clock.monotonicMs())
    this.#healer = new Healer({
      venue,
      rest,
      platform,
      deliver: (feed, trades) => this.#onFetched(feed, trades),
    })
    this.#answers = new TradeAnswers({
      ...options,
      missed: (feed, span, endUs, nextUs) => this.#missed(feed, span, span.last + 1, endUs, nextUs),
      nothing: (feed, outage) => this.#onNothing(feed, outage),
    })
  }

  /** Quiet streams are checked from now on. */
  start(): void {
    const { clock } = this.#options.platform
    this.#stopStall = clock.every(STALL_TICK_MS, () => void this.#stall.tick(clock.monotonicMs()))
    this.#answers.start()
  }

  stop(): void {
    this.#answers.stop()
    this.#healer.stop()
    this.#stopStall()
  }

  /** Takes up what an earlier process was fetching. */
  restore(feed: Feed): void {
    for (const gap of feed.ledger.healing) this.#healer.heal(feed, gap)
  }

  accept(feed: Feed, trade: Trade, receiveUs: EpochUs): void {
    this.#offer(feed, trade, receiveUs)
  }

  /** The venue has confirmed the stream. */
  subscribed(feed: Feed): void {
    this.#answers.subscribed(feed)
  }

  /** The stream is being started afresh. */
  restarted(feed: Feed): void {
    this.#answers.restarted(feed)
  }

  /** The feed is collected no more. What was missed of one that is refused can still be fetched; `isGone`: it cannot. */
  dropped(feed: Feed, isGone: boolean): void {
    this.#answers.forget(feed)
    if (isGone) this.#healer.giveUp(feed, feed.reason)
    this.#suspects.delete(feed)
  }

  /** A frame of the feed could not be read. The numbers behind it tell whether it was data, once there is one before it. */
  undecodable(feed: Feed, reason: string): void {
    const { ledger } = feed
    const loss = { cause: 'decode_error', reason } as const
    if (!ledger.isCollected || this.#answers.isCounted(feed)) this.#suspects.set(feed, loss)
    else ledger.begin({ ...loss, startUs: ledger.lastUs ?? ledger.stretches.at(-1)?.fromUs })
  }

  /** The stream has said nothing for long. */
  silent(feed: Feed): void {
    this.#answers.silent(feed)
  }

  /** The venue's newest number, or that it has none. */
  told(feed: Feed, newest: number | undefined, answer: Answer): void {
    this.#answers.told(feed, newest, answer)
  }

  isAsking(feed: Feed): boolean {
    return this.#answers.isAsking(feed)
  }

  #onFetched(feed: Feed, trades: readonly Trade[]): void {
    const { venue, platform } = this.#options
    const [first] = trades
    const span = first && venue.tradeSpan(first)
    const isLate = feed.ledger.outage !== undefined || this.#stall.isRecent(platform.clock.monotonicMs())
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
    this.#answers.count(feed, span.first)
    if (isReset(feed, trade, span)) this.#reset(feed, trade, span, receiveUs)
    const before = tally.last ?? span.last
    const offer = feed.tally.offer(span, trade.exchange_time_us)
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
    feed.ledger.newestTradeUs = newestMadeUs(feed.ledger.newestTradeUs, trade.exchange_time_us, receiveUs)
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

  /** The venue has nothing newer. REST may lag behind the stream: until it says so again, what is missing was missed in `outage`. */
  #onNothing(feed: Feed, outage: Gap | undefined): void {
    if (outage === undefined) this.#suspects.delete(feed)
    else this.#suspects.set(feed, outage)
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
}
