/** Everything that talks to one venue: metadata, connections, feeds, snapshots, or polling where WebSocket is off. */

import type { BookReason, Channel, EpochUs } from '../model/event.ts'
import type { ConnectionHandlers } from './connection-ports.ts'
import { Connections, type EndpointUrls } from './connections.ts'
import { Feed } from './feed.ts'
import { Graces } from './graces.ts'
import { Intake } from './intake.ts'
import { Metadata } from './metadata.ts'
import { type WantedFeed, wantedFeeds } from './plan.ts'
import { Poller, polledTopic } from './poller.ts'
import type { VenueFeedOptions } from './venue-feed-options.ts'

export class VenueFeed {
  readonly #options: VenueFeedOptions
  readonly #feeds = new Map<string, Feed>()
  readonly #connections: Connections
  readonly #intake: Intake
  readonly #metadata: Metadata
  readonly #poller: Poller | undefined
  readonly #graces: Graces
  #isStarted = false
  #isStopped = false
  /** Receive time of the newest frame or polled answer. */
  lastMessageUs: EpochUs | undefined

  constructor(options: VenueFeedOptions) {
    this.#options = options
    const { venue, symbols, channels, platform, rest, books, downstream, observer, pollIntervalMs } = options
    this.#graces = new Graces(platform.clock)
    this.#intake = new Intake({
      venue,
      rest,
      platform,
      books,
      downstream,
      observer,
      find: (channel, symbol) => this.find(channel, symbol),
      waiting: () => this.#waiting(),
      open: (channel) => this.#open(channel),
      restart: (feed, loss) => this.#connections.restart(feed, loss),
      unknown: (feed, reason) => this.#giveUp(feed, () => feed.reject(reason)),
    })
    this.#connections = new Connections({
      ...options,
      sequenceOf: ({ channel, symbol }) => {
        const sync = channel === 'book' ? books.find(venue.id, symbol) : undefined
        return sync?.isProven === true ? sync.sequence : undefined
      },
      handlers: this.#connectionHandlers(),
    })
    this.#metadata = new Metadata(venue, symbols, rest, platform, options.instruments, {
      instrument: (instrument, receiveTimeUs) => {
        for (const { symbol, ledger } of this.#feeds.values())
          if (symbol === instrument.symbol) ledger.describe(instrument)
        downstream.accept(instrument, receiveTimeUs)
      },
      unknown: (missing) => this.#onUnknownSymbols(missing),
      delisted: (symbol) => this.#onDelisted(symbol),
      listed: (back) => this.#onListed(back),
      failed: (reason) => observer.metadataFailed(reason),
    })
    if (pollIntervalMs !== undefined) this.#poller = this.#createPoller(pollIntervalMs)
    for (const wanted of wantedFeeds(symbols, channels)) this.#create(wanted)
  }

  get feeds(): Iterable<Feed> {
    return this.#feeds.values()
  }

  find(channel: Channel | undefined, symbol: string): Feed | undefined {
    return this.#feeds.get(`${channel} ${symbol}`)
  }

  get socketsOpen(): number {
    return this.#connections.openCount
  }

  get socketsWanted(): number {
    return this.#connections.count
  }

  /** Share of each symbol's last audits that matched. */
  auditScores(): Iterable<readonly [symbol: string, share: number]> {
    return this.#intake.auditScores()
  }

  /** Says which streams are wanted; one that cannot be polled is none of them. Before {@link start}. */
  open(): void {
    for (const { ledger, isGivenUp } of this.#feeds.values()) if (!isGivenUp) this.#options.ledger.open(ledger)
  }

  /**
   * Metadata first, so that events carry canonical names; without it collecting starts all the same. Nothing leaves before:
   * by now the ledger has on disk what an earlier process missed, and fetching that may begin.
   */
  async start(): Promise<void> {
    await this.#metadata.start()
    if (this.#isStopped) return
    this.#isStarted = true
    this.#intake.start()
    const feeds = [...this.#feeds.values()]
    for (const feed of feeds) this.#intake.restore(feed)
    this.#begin(feeds)
    this.#poller?.start()
  }

  /** Which of the symbols the venue lists; of those that are absent it cannot be told now. Takes 10 s at the most. */
  async listed(symbols: readonly string[]): Promise<ReadonlyMap<string, boolean>> {
    await this.#metadata.lookUp(symbols)
    const known = symbols.map((symbol) => [symbol, this.#metadata.isListed(symbol)] as const)
    return new Map(known.filter((entry): entry is readonly [string, boolean] => entry[1] !== undefined))
  }

  /**
   * Collects these too; none of them may be collected already. Their metadata first, as in {@link start}.
   * `interruption`: why streams that were collected until now are interrupted, in words; then that is a gap.
   */
  async add(wanted: readonly WantedFeed[], interruption?: string): Promise<void> {
    if (this.#isStopped) return
    const feeds = wanted.map((each) => this.#create(each))
    for (const feed of feeds) {
      if (feed.isGivenUp) continue
      this.#options.ledger.open(feed.ledger)
      if (this.#isStarted) this.#intake.restore(feed)
      if (interruption !== undefined) feed.ledger.begin({ cause: 'not_subscribed', reason: interruption })
    }
    await this.#metadata.add([...new Set(feeds.map(({ symbol }) => symbol))])
    if (this.#isStarted && !this.#isStopped) this.#begin(feeds)
  }

  /** Collects these no more: nothing of them is kept but what the ledger knows. `reason`: in words. */
  remove(feeds: readonly Feed[], reason: string): void {
    for (const feed of feeds) {
      feed.set('disabled', reason)
      this.#end(feed, 'shutdown')
      this.#feeds.delete(keyOf(feed))
      if (feed.channel === 'book') this.#options.books.forget(this.#options.venue.id, feed.symbol)
    }
    this.#connections.drop(feeds)
    const kept = new Set([...this.#feeds.values()].map(({ symbol }) => symbol))
    this.#metadata.remove(feeds.flatMap(({ symbol }) => (kept.has(symbol) ? [] : symbol)))
  }

  /** The endpoints have moved: only what is on them reconnects, and what is open without a break. */
  move(endpoints: EndpointUrls): void {
    this.#connections.move(endpoints, 'the endpoint is another one now')
  }

  stop(): void {
    this.#isStopped = true
    this.#metadata.stop()
    this.#poller?.stop()
    this.#intake.stop()
    this.#graces.stop()
    this.#connections.stop()
  }

  #create({ channel, name, symbol }: WantedFeed): Feed {
    const { venue, platform, ledger } = this.#options
    const topic =
      this.#poller === undefined ? venue.topic(channel, name, symbol) : polledTopic(venue, channel, name, symbol)
    const { exchange, id } = venue
    const identity = { exchange, venue: id, channel, symbol, market: venue.marketOf(symbol) }
    const stream = ledger.stream({ ...identity, proof: topic.proof, numbers: topic.numbers })
    const feed = new Feed(venue, topic, stream, platform.clock)
    if (this.#poller?.canPoll(feed) === false) feed.set('disabled', 'not polled; needs WebSocket')
    this.#feeds.set(keyOf(feed), feed)
    return feed
  }

  /** Asks for what is still wanted of the feeds. */
  #begin(feeds: readonly Feed[]): void {
    const wanted = feeds.filter((feed) => this.find(feed.channel, feed.symbol) === feed && !feed.isGivenUp)
    for (const feed of wanted) this.#graces.start(feed)
    if (this.#poller === undefined) this.#connections.add(wanted)
    else this.#poller.add(wanted)
  }

  #waiting(): number {
    let count = 0
    for (const { channel, state, isGivenUp } of this.#feeds.values())
      if (channel === 'book' && state !== 'live' && !isGivenUp) count++
    return count
  }

  *#open(channel: Channel): Generator<Feed> {
    for (const feed of this.#feeds.values())
      if (feed.channel === channel && !feed.isGivenUp && this.#connections.isOpen(feed)) yield feed
  }

  #connectionHandlers(): ConnectionHandlers {
    const { observer } = this.#options
    return {
      frame: (bytes, receiveTimeUs, decodeMs) => {
        this.lastMessageUs = receiveTimeUs
        observer.frame(bytes, receiveTimeUs, decodeMs)
      },
      late: observer.late,
      events: (decoded, receiveTimeUs) => this.#intake.accept(decoded, receiveTimeUs),
      odd: (decoded, feeds) => this.#intake.odd(decoded, feeds),
      opened: observer.opened,
      lost: observer.lost,
      closing: observer.closing,
      rotated: observer.rotated,
      unsteady: observer.unsteady,
      subscribed: (feed) => this.#intake.subscribed(feed),
      rejected: (feed, reason, isPermanent) => this.#onRejected(feed, reason, isPermanent),
      restarted: (feed, loss) => this.#intake.restarted(feed, loss),
      isQuiet: (feeds) => this.#intake.isQuiet(feeds),
      isOutrun: (feed) => this.#intake.isOutrun(feed),
      suspended: (feed, isNew) => this.#intake.suspended(feed, isNew),
    }
  }

  #onRejected(feed: Feed | undefined, reason: string, isPermanent: boolean): void {
    this.#options.observer.rejected(feed, reason, isPermanent)
    if (feed === undefined) return
    if (isPermanent) this.#onRefused(feed, reason)
    else {
      feed.set('down', `${reason}; trying again`)
      feed.ledger.begin({ cause: 'not_subscribed', reason })
    }
  }

  /** For good, says the venue; while it lists the symbol the feed is tried again now and then, and its data are missing. */
  #onRefused(feed: Feed, reason: string): void {
    feed.ledger.begin({ cause: 'not_subscribed', reason })
    this.#giveUp(feed, () => feed.reject(`refused: ${reason}`), false)
  }

  #onUnknownSymbols(symbols: readonly string[]): void {
    this.#options.observer.unknownSymbols(symbols)
    for (const feed of this.#feeds.values()) {
      const reason = `unknown symbol: ${this.#options.venue.title} does not list ${feed.symbol}`
      if (symbols.includes(feed.symbol)) this.#giveUp(feed, () => feed.reject(reason))
    }
  }

  #onDelisted(symbol: string): void {
    const reason = `${this.#options.venue.title} no longer lists ${symbol}`
    for (const feed of this.#feeds.values())
      if (feed.symbol === symbol) this.#giveUp(feed, () => feed.set('delisted', reason))
  }

  /** Nothing more is asked for, taken of, or served of the feed. `mark` says so in its state. */
  #giveUp(feed: Feed, mark: () => void, isGone = true): void {
    if (feed.state === 'disabled') return
    mark()
    this.#end(feed, 'delisted', isGone)
    this.#connections.drop([feed])
  }

  /** `isGone`: there are no data to miss any more. */
  #end(feed: Feed, reason: BookReason, isGone = true): void {
    this.#graces.end(feed)
    this.#intake.dropped(feed, reason, isGone)
    if (isGone) this.#options.ledger.retire(feed.ledger, feed.reason, reason === 'delisted')
  }

  #onListed(symbols: readonly string[]): void {
    const listed = [...this.#feeds.values()].filter(
      (feed) => symbols.includes(feed.symbol) && feed.state !== 'disabled',
    )
    const back = listed.filter(({ isGivenUp }) => isGivenUp)
    for (const feed of back) feed.revive()
    // One that an earlier process found off the list is asked for already where the list did not come at the start.
    for (const feed of listed)
      if (back.includes(feed) || feed.ledger.isOffList) this.#options.ledger.resume(feed.ledger)
    if (this.#isStarted) this.#begin(back)
  }

  #createPoller(intervalMs: number): Poller {
    return new Poller({
      ...this.#options,
      feeds: () => this.#feeds.values(),
      intervalMs,
      accept: (feed, event, receiveTimeUs) => {
        this.lastMessageUs = receiveTimeUs
        this.#intake.acceptPlain(feed, event, receiveTimeUs)
      },
      answered: (feed, events, answer) => this.#intake.polled(feed, events, answer),
      stale: (feed) => this.#intake.outdated(feed),
      unknown: (feed, reason) => this.#giveUp(feed, () => feed.reject(reason)),
    })
  }
}

const keyOf = ({ channel, symbol }: Feed): string => `${channel} ${symbol}`
