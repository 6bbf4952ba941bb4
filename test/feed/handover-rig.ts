/** One connection to an exchange that speaks a venue's words on every socket, each as late as the test says. */

import { Books } from '../../src/book/books.ts'
import { Connection, type ConnectionOptions, type Loss } from '../../src/feed/connection.ts'
import { Feed } from '../../src/feed/feed.ts'
import { Window } from '../../src/feed/window.ts'
import { Ledger } from '../../src/ledger/ledger.ts'
import { type BookSnapshot, CHANNEL_OF, CHANNELS, type Channel, type MarketEvent } from '../../src/model/event.ts'
import type { Clock } from '../../src/platform/platform.ts'
import { findVenue } from '../../src/venues/index.ts'
import { channelNames, type Topic, type Venue } from '../../src/venues/venue.ts'
import { createWorld, type Peer, type World } from '../helpers/world.ts'
import { type Fact, WIRES, type Wire } from './handover-wire.ts'

/** How the exchange treats one socket; what is absent is well. */
export interface Manners {
  /** Every message comes so much later. */
  lagMs?: number
  /** Its server stamps these so much later. */
  clockMs?: Partial<Record<Channel, number>>
  isRefused?: boolean
  /** Topics that are never answered. */
  isMute?: (name: string) => boolean
  /** Topics that are refused for now. */
  refuses?: (name: string) => boolean
  /** Facts that are lost on this socket. */
  loses?: (fact: Fact) => boolean
}

interface Line {
  readonly peer: Peer
  readonly topics: Set<string>
  seen: number
  readonly manners: Manners
}

interface SymbolState {
  readonly numbers: Record<Channel, number>
  isQuiet: boolean
}

const STEP_MS = 100

export class Exchange {
  readonly wire: Wire
  readonly venue: Venue
  readonly lines: Line[] = []
  /** Of every fact that was published, the newest last. */
  readonly facts: Fact[] = []
  readonly #world: World
  readonly #symbols = new Map<string, SymbolState>()
  readonly #renumbered = new Map<string, number>()
  /** Of the sockets to come, by their order. */
  readonly manners: Manners[] = []
  /** Steps of a book's sequence. */
  readonly #stride: number

  constructor(venue: Venue, world: World) {
    this.venue = venue
    this.wire = WIRES[venue.id] as Wire
    this.#world = world
    this.#stride = venue.id === 'okx' ? 3 : 1
    for (const symbol of this.wire.symbols)
      this.#symbols.set(symbol, { numbers: { trade: 1_000, ticker: 1, quote: 1, book: 3_000 }, isQuiet: false })
  }

  line(index: number): Line {
    const line = this.lines[index]
    if (line === undefined) throw new Error(`no socket ${index} yet`)
    return line
  }

  sequence(symbol: string): number {
    return this.#symbols.get(symbol)?.numbers.book ?? 0
  }

  /** The book's numbers go on from `to`: the next delta names the old number as the one before. */
  renumber(symbol: string, to: number): void {
    this.#renumbered.set(symbol, to)
  }

  /** A symbol in which nothing happens. */
  hush(symbol: string): void {
    const state = this.#symbols.get(symbol)
    if (state !== undefined) state.isQuiet = true
  }

  /** `ms` pass; the market moves every `stepMs`. */
  async run(ms: number, stepMs = STEP_MS): Promise<void> {
    for (let passed = 0; passed < ms; passed += stepMs) {
      this.#serve()
      for (const [symbol, state] of this.#symbols)
        if (!state.isQuiet) for (const channel of CHANNELS) this.publish(channel, symbol)
      for (const { peer } of this.#open) peer.pong()
      await this.#world.clock.advance(stepMs)
    }
  }

  publish(channel: Channel, symbol: string): void {
    const numbers = this.#symbols.get(symbol)?.numbers as Record<Channel, number>
    const previous = numbers[channel]
    const renumbered = channel === 'book' ? this.#renumbered.get(symbol) : undefined
    if (renumbered !== undefined) this.#renumbered.delete(symbol)
    numbers[channel] = renumbered ?? previous + (channel === 'book' ? this.#stride : 1)
    const fact = { channel, symbol, number: numbers[channel], previous, atMs: this.#world.clock.monotonicMs() }
    this.facts.push(fact)
    for (const line of this.#open)
      if (line.topics.has(this.wire.topic(fact)) && line.manners.loses?.(fact) !== true) this.#send(line, fact)
  }

  /** What the venue's REST API says now. */
  snapshot(symbol: string): BookSnapshot {
    const { id, exchange } = this.venue
    const sequence = this.sequence(symbol)
    const base = {
      exchange,
      venue: id,
      market: this.venue.marketOf(symbol),
      symbol,
      receive_time_us: this.#world.clock.nowUs(),
    }
    const levels = { bids: [['1.0', '2']], asks: [['1.1', '3']] } as const
    return { type: 'book_snapshot', ...base, ...levels, id: `snapshot ${symbol} ${sequence}`, sequence }
  }

  get #open(): Line[] {
    return this.lines.filter(({ peer }) => !peer.isClosedByUs)
  }

  #serve(): void {
    for (const peer of this.#world.peers.slice(this.lines.length)) {
      const line = { peer, topics: new Set<string>(), seen: 0, manners: this.manners[this.lines.length] ?? {} }
      this.lines.push(line)
      if (line.manners.isRefused) peer.close(1006, 'connect ECONNREFUSED')
      else peer.open()
    }
    for (const line of this.#open) {
      const texts = line.peer.sent.slice(line.seen)
      line.seen += texts.length
      for (const text of texts) if (text.startsWith('{')) this.#answer(line, JSON.parse(text))
    }
  }

  #answer(line: Line, frame: Record<string, unknown>): void {
    const asked = this.wire.asked(frame)
    const { isMute, refuses } = line.manners
    if (asked === undefined || asked.names.some((name) => isMute?.(name))) return
    if (asked.op === 'subscribe' && asked.names.some((name) => refuses?.(name))) {
      this.#say(line, this.wire.refuse(frame))
      return
    }
    this.#say(line, this.wire.ack(frame))
    for (const name of asked.names) {
      if (asked.op === 'unsubscribe') line.topics.delete(name)
      else this.#welcome(line, name)
    }
  }

  #welcome(line: Line, name: string): void {
    line.topics.add(name)
    if (this.venue.book.snapshotFrom === 'rest') return
    const symbol = this.wire.symbols.find((each) => this.wire.topic({ channel: 'book', symbol: each }) === name)
    if (symbol === undefined) return
    const atMs = this.#world.clock.monotonicMs()
    this.#send(line, { channel: 'book', symbol, number: this.sequence(symbol), isSnapshot: true, atMs })
  }

  #send(line: Line, fact: Fact): void {
    const { [fact.channel]: clockMs = 0 } = line.manners.clockMs ?? {}
    this.#say(line, this.wire.message({ ...fact, atMs: fact.atMs + clockMs }))
  }

  #say({ peer, manners: { lagMs = 0 } }: Line, message: unknown): void {
    if (lagMs === 0) peer.message(message)
    else this.#world.clock.after(lagMs, () => peer.message(message))
  }
}

export interface HandoverRig {
  readonly world: World
  readonly exchange: Exchange
  readonly connection: Connection
  readonly ledger: Ledger
  readonly feeds: readonly Feed[]
  /** What was delivered of the market, books as their books published it. */
  readonly events: MarketEvent[]
  readonly losses: { readonly feed: string; readonly loss: Loss }[]
  readonly log: string[]
  /** Facts between the first and the last delivered of each feed that were not delivered, and those delivered twice. */
  account(): { missing: string[]; double: string[] }
  bookStates(): string[]
  feedOf(channel: Channel, symbol: string): Feed
  /** A feed that the connection does not know yet. */
  newFeed(channel: Channel, symbol: string): Feed
  /** The process stands still for `ms`: the clocks go on, no timer fires. */
  stall(ms: number): void
}

export interface RigSetup {
  readonly lifetimeMs?: number
  readonly channels?: readonly Channel[]
  /** Symbols that the connection begins with; all, if absent. */
  readonly symbols?: readonly string[]
  readonly options?: Partial<ConnectionOptions>
  readonly seed?: number
}

export function createHandoverRig(
  venueId: string,
  { lifetimeMs, channels = CHANNELS, symbols, options, seed = 1 }: RigSetup = {},
): HandoverRig {
  const found = findVenue(venueId) as Venue
  const { lifetimeMs: _, ...limits } = found.socketLimits
  const venue: Venue = { ...found, socketLimits: { ...limits, ...(lifetimeMs && { lifetimeMs }) } }
  const world = createWorld(seed)
  let stalledMs = 0
  const { random, net, http, files, processes } = world
  const clock: Clock = {
    ...world.clock,
    nowUs: () => world.clock.nowUs() + stalledMs * 1_000,
    monotonicMs: () => world.clock.monotonicMs() + stalledMs,
  }
  const exchange = new Exchange(venue, world)
  const books = new Books(new Map([[venue.id, venue.book]]))
  const ledger = new Ledger({
    folder: 'ledger',
    files: world.files,
    clock: world.clock,
    emit: () => {},
    onProblem: () => {},
  })
  const events: MarketEvent[] = []
  const losses: { feed: string; loss: Loss }[] = []
  const log: string[] = []
  const feedFor = (channel: Channel, symbol: string) => {
    const identity = { exchange: venue.exchange, venue: venue.id, channel, symbol, market: venue.marketOf(symbol) }
    const topic = topicOf(venue, channel, exchange.wire.topic({ channel, symbol }), symbol)
    return new Feed(venue, topic, ledger.stream({ ...identity, proof: topic.proof }), clock)
  }
  const feeds = (symbols ?? exchange.wire.symbols).flatMap((symbol) =>
    channels.map((channel) => feedFor(channel, symbol)),
  )
  const fetching = new Set<Feed>()
  const acceptBook = (feed: Feed, event: Parameters<Books['accept']>[0], checksum?: number) => {
    const { emit, need } = books.accept(event, checksum)
    events.push(...emit)
    if (need !== undefined && venue.book.snapshotFrom === 'stream')
      connection.restart(feed, { cause: 'sequence_gap', sinceUs: undefined, reason: need })
    const sync = books.find(venue.id, feed.symbol)
    if (sync?.isLive) feed.set('live')
    else if (venue.book.snapshotFrom === 'rest' && event.type === 'book_delta' && !fetching.has(feed)) {
      fetching.add(feed)
      world.clock.after(200, () => acceptBook(feed, exchange.snapshot(feed.symbol)))
      world.clock.after(10_000, () => fetching.delete(feed))
    }
  }
  const connection: Connection = new Connection({
    venue,
    urls: ['wss://a.example/ws', 'wss://b.example/ws'],
    feeds,
    platform: { clock, random, net, http, files, processes },
    instruments: new Map(),
    connects: new Window(1_000_000, 1_000),
    sequenceOf: ({ symbol }) =>
      books.find(venue.id, symbol)?.isLive ? books.find(venue.id, symbol)?.sequence : undefined,
    ...options,
    handlers: {
      frame: () => {},
      late: () => void log.push('late'),
      events: ({ events: batch, checksum }, receiveTimeUs) => {
        for (const event of batch) {
          const feed = connection.find(CHANNEL_OF[event.type] ?? '', event.symbol)
          if (feed === undefined) throw new Error(`delivered to no feed: ${event.id}`)
          const ownUs = Math.max(event.receive_time_us ?? 0, feed.lastMessageUs ?? 0)
          if (receiveTimeUs !== ownUs) throw new Error(`${event.id} was received at ${ownUs}, not at ${receiveTimeUs}`)
          feed.events++
          feed.lastMessageUs = receiveTimeUs
          feed.silence.heard(clock.monotonicMs())
          if (event.type === 'book_snapshot' || event.type === 'book_delta') acceptBook(feed, event, checksum)
          else {
            feed.set('live')
            events.push(event)
          }
        }
      },
      odd: (decoded) => void log.push(decoded.kind === 'unknown' ? decoded.what : `malformed ${decoded.symbol ?? ''}`),
      opened: (url) => void log.push(`opened ${new URL(url).host}`),
      lost: (reason, _wasOpen, retryMs) => void log.push(`lost ${reason}${retryMs === 0 ? ' at once' : ''}`),
      subscribed: (feed) => {
        if (feed.channel === 'trade') feed.set('live')
      },
      rejected: (feed, reason, isPermanent) => {
        if (feed !== undefined) feed.set('down', reason)
        log.push(`rejected ${feed?.topic.name} ${isPermanent}`)
      },
      restarted: (feed, loss) => {
        losses.push({ feed: feed.topic.name, loss })
        if (feed.channel === 'book')
          events.push(...(books.find(venue.id, feed.symbol)?.invalidate('disconnect', world.clock.nowUs()).emit ?? []))
      },
      isQuiet: async () => false,
      isOutrun: () => false,
      suspended: (feed) => {
        log.push(`suspended ${feed.topic.name}`)
        return false
      },
      closing: (reason) => void log.push(`closing ${reason}`),
      rotated: (reason, outcome, overlapMs) =>
        void log.push(`rotated ${reason} ${outcome} ${Math.round(overlapMs / 1_000)} s`),
      unsteady: (livedMs) => void log.push(`unsteady ${livedMs}`),
    },
  })
  connection.start()
  return {
    world,
    exchange,
    connection,
    ledger,
    feeds,
    events,
    losses,
    log,
    account: () => accountOf(events, exchange),
    bookStates: () =>
      events.flatMap((event) => (event.type === 'book_state' ? [`${event.symbol} ${event.state}`] : [])),
    newFeed: feedFor,
    stall: (ms) => {
      stalledMs += ms
    },
    feedOf: (channel, symbol) => feeds.find((feed) => feed.channel === channel && feed.symbol === symbol) as Feed,
  }
}

function topicOf(venue: Venue, channel: Channel, name: string, symbol: string): Topic {
  for (const channelName of channelNames(venue, channel)) {
    const topic = venue.topic(channel, channelName, symbol)
    if (topic.name === name) return topic
  }
  throw new Error(`${venue.id} has no topic ${name}`)
}

/** The number that {@link Fact} gave the event. */
function numberOf(event: MarketEvent): number | undefined {
  switch (event.type) {
    case 'trade':
      return event.sequence ?? Number(event.trade_id)
    case 'ticker':
      return Number(event.last_price)
    case 'quote':
      return event.sequence ?? Number(event.bid_quantity)
    case 'book_delta':
      return event.last_sequence
    default:
      return undefined
  }
}

function accountOf(events: readonly MarketEvent[], { facts }: Exchange): { missing: string[]; double: string[] } {
  const delivered = new Map<string, number[]>()
  for (const event of events) {
    const number = numberOf(event)
    if (number === undefined) continue
    const key = `${CHANNEL_OF[event.type]} ${event.symbol}`
    const numbers = delivered.get(key) ?? []
    delivered.set(key, numbers)
    numbers.push(number)
  }
  const missing: string[] = []
  const double: string[] = []
  for (const [key, numbers] of delivered) {
    const seen = new Set<number>()
    for (const number of numbers) {
      if (seen.has(number)) double.push(`${key} ${number}`)
      seen.add(number)
    }
    const [first = 0] = numbers
    const last = Math.max(...seen)
    for (const { channel, symbol, number } of facts)
      if (`${channel} ${symbol}` === key && number > first && number < last && !seen.has(number))
        missing.push(`${key} ${number}`)
  }
  return { missing, double }
}
