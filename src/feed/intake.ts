/**
 * Takes what the connections of one venue bring and what happens to them: each event goes to its feed, each possible loss
 * to the feed's ledger. Books and trades prove themselves; of tickers and quotes only the silence can be watched.
 */

import type { Books } from '../book/books.ts'
import { type BookReason, CHANNEL_OF, type Channel, type EpochUs, type MarketEvent } from '../model/event.ts'
import type { Platform } from '../platform/platform.ts'
import type { Decoded, Venue } from '../venues/venue.ts'
import { Audit } from './audit.ts'
import { BookFeeds } from './book-feeds.ts'
import type { Loss } from './connection.ts'
import { isNumbered, withEpoch } from './epoch.ts'
import { isAfter } from './event-order.ts'
import type { Feed } from './feed.ts'
import type { LinkEvents } from './link.ts'
import { isMarketQuiet, type SymbolMarket } from './market-quiet.ts'
import { Outrun } from './outrun.ts'
import type { Downstream, Observer } from './ports.ts'
import { Probes } from './probes.ts'
import type { RestClient } from './rest-client.ts'
import type { Answer } from './trade-checks.ts'
import { TradeFeeds } from './trade-feeds.ts'
import { newestNumber } from './trade-numbers.ts'

export interface IntakeOptions {
  readonly venue: Venue
  readonly rest: RestClient
  readonly platform: Platform
  readonly books: Books
  readonly downstream: Downstream
  readonly observer: Observer
  readonly find: (channel: Channel | undefined, symbol: string) => Feed | undefined
  /** Books that are wanted and not live, their connection open or not. */
  readonly waiting: () => number
  /** Feeds of a channel whose connection is open. */
  readonly open: (channel: Channel) => Iterable<Feed>
  /** Subscribes the feed anew. */
  readonly restart: (feed: Feed, loss: Loss) => void
  /** The venue does not know the feed's symbol. */
  readonly unknown: (feed: Feed, reason: string) => void
}

export class Intake {
  readonly #options: IntakeOptions
  readonly #books: BookFeeds
  readonly #trades: TradeFeeds
  readonly #probes: Probes
  readonly #audit: Audit
  readonly #outrun = new Outrun()

  constructor(options: IntakeOptions) {
    const { open, find } = options
    this.#options = options
    this.#books = new BookFeeds({
      ...options,
      find: (symbol) => {
        const feed = find('book', symbol)
        // A snapshot tells of a quiet stream, not of one that may never have begun.
        return feed?.isConfirmed === true && this.#isOpen(feed) ? feed : undefined
      },
    })
    this.#trades = new TradeFeeds({ ...options, open: () => open('trade') })
    this.#audit = new Audit({
      ...options,
      feeds: () => open('book'),
      book: (symbol) => options.books.find(options.venue.id, symbol),
      accept: (snapshot, receiveUs) => {
        const feed = find('book', snapshot.symbol)
        if (feed !== undefined) this.#books.accept(feed, snapshot, undefined, receiveUs)
      },
      broken: (feed, reason) => this.#books.breaks(feed, reason),
      audited: options.observer.audited,
    })
    this.#probes = new Probes({
      ...options,
      dead: (feed, reason) => this.#onDead(feed, reason),
      unproven: (feed) => {
        feed.silence.restart(options.platform.clock.monotonicMs())
        this.#books.waits(feed, 'quiet; waiting for a snapshot')
      },
    })
  }

  start(): void {
    this.#trades.start()
    this.#audit.start()
  }

  /** Share of each symbol's last audits that matched. */
  auditScores(): Iterable<readonly [symbol: string, share: number]> {
    return this.#audit.scores()
  }

  stop(): void {
    this.#books.stop()
    this.#trades.stop()
    this.#probes.stop()
    this.#audit.stop()
  }

  /** Takes up what an earlier process knew of the feed. */
  restore(feed: Feed): void {
    if (feed.channel === 'trade') this.#trades.restore(feed)
  }

  accept({ events, checksum }: LinkEvents, receiveUs: EpochUs): void {
    const nowMs = this.#options.platform.clock.monotonicMs()
    for (const event of events) {
      const feed = this.#options.find(CHANNEL_OF[event.type], event.symbol)
      if (feed === undefined || feed.isGivenUp) {
        this.#options.observer.odd({ kind: 'unknown', what: 'not_subscribed' })
        continue
      }
      feed.events++
      feed.isConfirmed = true
      feed.lastMessageUs = receiveUs
      feed.lastMessageMs = nowMs
      feed.silence.heard(nowMs)
      if (feed.lag.heard(event.exchange_time_us, receiveUs, nowMs)) this.#options.observer.behind(feed)
      if (event.type === 'book_snapshot' || event.type === 'book_delta')
        this.#books.accept(feed, event, checksum, receiveUs)
      else this.acceptPlain(feed, event, receiveUs)
    }
  }

  /** An event of a stream without a book, or a polled one. */
  acceptPlain(feed: Feed, event: MarketEvent, receiveUs: EpochUs): void {
    if (feed.state !== 'live') feed.set('live')
    // The list did not come, but the venue has data: it is back.
    if (feed.ledger.isOffList) feed.ledger.resume()
    if (event.type === 'trade') this.#trades.accept(feed, event, receiveUs)
    else if (event.type === 'book_snapshot') this.#books.accept(feed, event, undefined, receiveUs)
    else this.#acceptUnnumbered(feed, event, receiveUs)
  }

  /** The feed's poll was answered, and its events are taken. Trades show by their numbers that nothing is missing. */
  polled(feed: Feed, events: readonly MarketEvent[], answer: Answer): void {
    if (feed.channel !== 'trade') return
    const { tally, ledger } = feed
    const newest = newestNumber(feed.venue, events)
    // Nothing was traded since the stream was retired: it goes on where it stood.
    if (tally.last === undefined && newest !== undefined && newest === ledger.former) tally.reach(newest)
    // REST lags behind what was delivered, or the venue counts anew: the next answer will tell.
    if (newest !== undefined && newest !== tally.last) return
    this.#trades.told(feed, newest, answer)
    ledger.heard(tally.last, answer.answeredUs)
  }

  /** A ticker or a quote. What comes again leaves once; if nothing newer has left it says that nothing has happened since. */
  #acceptUnnumbered(feed: Feed, event: MarketEvent, receiveUs: EpochUs): void {
    const { newest } = feed
    const one = { event, receiveTimeUs: receiveUs }
    const isNew = feed.recent.add(factOf(event))
    const sequence = event.type === 'quote' && isNumbered(event) ? event.sequence : undefined
    if (isNew) feed.newest = one
    if (isNew && sequence !== undefined) feed.numbering.heard(sequence, event, receiveUs)
    if (isNew || newest === undefined || !isAfter(newest, one)) {
      feed.ledger.end({ endUs: receiveUs, firstSequence: sequence })
      feed.ledger.heard(sequence, receiveUs)
    }
    if (event.type === 'quote') feed.newestQuote = event
    if (isNew) this.#options.downstream.accept(withEpoch(event, feed.ledger.epoch), receiveUs)
    else this.#options.observer.duplicate(event.type)
  }

  subscribed(feed: Feed): void {
    feed.isConfirmed = true
    if (feed.channel === 'book') this.#books.subscribed(feed)
    // Trades come when someone trades: once the venue has confirmed the stream, silence is an answer too.
    else if (feed.channel === 'trade') this.#trades.subscribed(feed)
    else if (feed.state !== 'live') feed.set('subscribing', 'confirmed; no data yet')
  }

  /** The feed's stream starts afresh. Where running numbers will tell whether silence was a loss, nothing is lost yet. */
  restarted(feed: Feed, { cause, sinceUs, reason }: Loss): void {
    feed.isConfirmed = false
    const isUndecided = cause === 'silence' && feed.topic.proof === 'counter' && feed.tally.last !== undefined
    if (!isUndecided) feed.ledger.begin({ cause, startUs: sinceUs, reason })
    if (feed.channel === 'trade') this.#trades.restarted(feed)
    if (feed.channel === 'book') this.#books.restarted(feed, cause === 'silence' ? 'silence' : 'disconnect')
  }

  /** Has the venue nothing new for these feeds of a silent connection? Never rejects. */
  isQuiet(feeds: readonly Feed[]): Promise<boolean> {
    return this.#probes.isQuiet(feeds)
  }

  /** Others show that it should have spoken by now. */
  isOutrun(feed: Feed): boolean {
    const { find, books, venue, platform } = this.#options
    const { channel, symbol } = feed
    if (channel !== 'quote' && channel !== 'book') return false
    return this.#outrun.has(feed, find('quote', symbol), books.find(venue.id, symbol), platform.clock.monotonicMs())
  }

  /** The feed is silent for too long while its connection lives. True: it is being looked into, or found to be well. */
  suspended(feed: Feed, isNew: boolean): boolean {
    if (isNew) this.#lookInto(feed)
    return feed.state !== 'stale' || this.#trades.isAsking(feed) || this.#probes.isAsking(feed)
  }

  /** Tells a quiet market from a dead subscription, as far as the channel allows. */
  #lookInto(feed: Feed): void {
    if (feed.channel === 'trade') this.#trades.silent(feed)
    else if (feed.channel === 'book') void this.#probes.ask(feed)
    else this.#askOthers(feed)
  }

  #askOthers(feed: Feed): void {
    // A ticker begins with its state: one that has not come since is owed, however quiet the market.
    const isOwed = feed.channel === 'ticker' && feed.ledger.outage !== undefined
    const isQuiet = !isOwed && !this.isOutrun(feed) && isMarketQuiet(feed, this.#marketOf(feed))
    if (isQuiet === true) feed.quiet()
    // Not known yet: the next look comes in a second.
    else if (isQuiet === undefined || feed.mayFollow()) feed.set('live')
    else {
      this.#options.observer.stale(feed)
      feed.ledger.begin({ cause: 'silence', reason: feed.reason })
    }
  }

  /**
   * What cannot be read may have been data. Of a frame without a known owner running numbers and chains will tell;
   * where there are none it may have been any of the connection's `feeds`.
   */
  odd(decoded: Extract<Decoded, { kind: 'unknown' | 'malformed' }>, feeds: readonly Feed[]): void {
    this.#options.observer.odd(decoded)
    if (decoded.kind !== 'malformed') return
    const { channel, symbol, reason } = decoded
    const owner = symbol === undefined ? undefined : this.#options.find(channel, symbol)
    if (owner !== undefined) this.#undecodable(owner, reason)
    else if (symbol === undefined) for (const feed of feeds) if (isUnproven(feed)) this.#undecodable(feed, reason)
  }

  #undecodable(feed: Feed, reason: string): void {
    if (feed.isGivenUp) return
    if (feed.channel === 'book') this.#books.breaks(feed, 'decode_error')
    else if (feed.channel === 'trade') this.#trades.undecodable(feed, reason)
    else {
      // The first that came: before it nothing was collected.
      const startUs = feed.ledger.isCollected ? undefined : this.#options.platform.clock.nowUs()
      feed.ledger.begin({ cause: 'decode_error', reason, startUs })
    }
  }

  /** The symbol's polled data are too old. */
  outdated(feed: Feed): void {
    feed.ledger.begin({ cause: 'silence', reason: feed.reason })
    if (feed.channel === 'book') this.#books.suspend(feed)
  }

  /** The feed is collected no more. `isGone`: nor can the venue be asked about it. */
  dropped(feed: Feed, reason: BookReason, isGone: boolean): void {
    feed.isConfirmed = false
    if (feed.channel === 'trade') this.#trades.dropped(feed, isGone)
    if (feed.channel !== 'book') return
    this.#books.dropped(feed, reason)
    this.#audit.forget(feed)
  }

  #isOpen(feed: Feed): boolean {
    for (const open of this.#options.open(feed.channel)) if (open === feed) return true
    return false
  }

  #marketOf({ symbol }: Feed): SymbolMarket {
    const { find, books, venue } = this.#options
    return { trade: find('trade', symbol), book: find('book', symbol), sync: books.find(venue.id, symbol) }
  }

  /** The stream of a book is dead while its connection goes on; who watches it subscribes it anew. */
  #onDead(feed: Feed, reason: string): void {
    feed.set('stale', `${feed.reason}; ${reason}`)
    feed.behind = { foundUs: this.#options.platform.clock.nowUs() }
    this.#options.observer.stale(feed)
    this.#books.suspend(feed)
  }
}

/** Some venues' quotes have an update id and no time: after a restart of the numbering only the values tell them apart. */
function factOf(event: MarketEvent): string {
  if (event.type !== 'quote') return event.id
  const { id, bid_price, bid_quantity, ask_price, ask_quantity } = event
  return `${id} ${bid_price} ${bid_quantity} ${ask_price} ${ask_quantity}`
}

/** A single lost message of it shows in nothing that follows. */
const isUnproven = ({ topic }: Feed): boolean => topic.proof === 'none' || topic.proof === 'cadence'
