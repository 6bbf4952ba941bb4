import type { Channel } from '../model/event.ts'
import type { MarketStep, SimContext, SimInstrument } from './exchange.ts'
import { type ChecksumMode, createOkxBook, heartbeatData, type OkxBook, snapshotData, updateData } from './okx-book.ts'
import { aggregateRow, aggregateTrades, fillRow, levelRow, tickerRow } from './okx-rows.ts'
import { createThrottle, type Throttle } from './pace.ts'
import type { Listener, Topics } from './topics.ts'

const TICKER_INTERVAL_MS = 100
const BBO_INTERVAL_MS = 10
/** Unchanged books are confirmed about every 60 s. */
const BOOK_IDLE_MS = 60_000

/** The simulated channels, and what the faults call them. */
export const OKX_CHANNELS: Readonly<Record<string, { readonly path: 'public' | 'business'; readonly kind: Channel }>> =
  {
    tickers: { path: 'public', kind: 'ticker' },
    trades: { path: 'public', kind: 'trade' },
    books: { path: 'public', kind: 'book' },
    books5: { path: 'public', kind: 'book' },
    'bbo-tbt': { path: 'public', kind: 'quote' },
    'trades-all': { path: 'business', kind: 'trade' },
  }

/** One instrument's pushes, made once for all connections: every client sees the same sequences. */
export class OkxLine {
  readonly book: OkxBook
  readonly #context: SimContext
  readonly #topics: Topics
  readonly #instrument: SimInstrument
  readonly #ticker: Throttle
  readonly #bbo: Throttle
  /** By channel: when a book was last pushed, and what a channel that shows states last showed. */
  readonly #pushedMs = new Map<string, number>()
  readonly #shown = new Map<string, string>()

  constructor(context: SimContext, topics: Topics, instrument: SimInstrument) {
    const { clock, market, snapshotLagMsMax } = context
    this.#context = context
    this.#topics = topics
    this.#instrument = instrument
    this.book = createOkxBook({ market, instrument, nowMs: this.#nowMs(), lagMsMax: snapshotLagMsMax })
    this.#ticker = createThrottle(clock, TICKER_INTERVAL_MS, () => this.#pushState('tickers'))
    this.#bbo = createThrottle(clock, BBO_INTERVAL_MS, () => this.#pushState('bbo-tbt'))
    for (const channel of ['books', 'books5', 'bbo-tbt']) this.#pushedMs.set(channel, clock.monotonicMs())
  }

  step(step: MarketStep): void {
    const { symbol, quantityDecimals } = this.#instrument
    const seqId = this.book.sequence(step.lastUpdateId)
    this.book.isDirty = true
    for (const trade of aggregateTrades(step.trades, quantityDecimals)) {
      this.#publish('trades', aggregateRow(symbol, trade, seqId))
    }
    for (const trade of step.trades) this.#publish('trades-all', fillRow(symbol, trade))
    this.#ticker.request()
    this.#bbo.request()
  }

  /** Called every 100 ms. */
  flush(checksum: ChecksumMode): void {
    // Of a symbol that is off the list nothing is pushed.
    if (this.#context.market.find(this.#instrument.symbol) === undefined) return
    if (this.book.isDirty) {
      this.book.isDirty = false
      const change = this.book.published.refresh(this.#nowMs())
      if (change) this.#pushUpdate(change, checksum)
    }
    if (this.#isIdle('books')) {
      this.#mark('books')
      this.#publish('books', heartbeatData(this.book.published.image, checksum, this.#nowMs()), 'update')
    }
    for (const channel of ['books5', 'bbo-tbt']) if (this.#isIdle(channel)) this.#pushState(channel, true)
  }

  /** What a new subscriber gets at once. Trades begin with the next one. */
  welcome(listener: Listener, channel: string, checksum: ChecksumMode): void {
    const { symbol } = this.#instrument
    const kind = OKX_CHANNELS[channel]?.kind
    if (!kind || kind === 'trade') return
    const text =
      channel === 'books'
        ? this.#frame(channel, snapshotData(this.book.published.image, checksum), 'snapshot')
        : this.#frame(channel, this.#state(channel).data)
    listener.send({ channel: kind, symbol }, text)
  }

  stop(): void {
    this.#ticker.stop()
    this.#bbo.stop()
  }

  #pushUpdate(change: Parameters<typeof updateData>[0], checksum: ChecksumMode): void {
    this.#mark('books')
    if (this.#topics.has(this.#name('books'))) this.#publish('books', updateData(change, checksum), 'update')
    this.#pushState('books5')
  }

  /** Pushes the whole content of a channel that shows states, if it differs from what was pushed last. */
  #pushState(channel: string, isRepeated = false): void {
    if (!this.#topics.has(this.#name(channel))) return
    const { data, content } = this.#state(channel)
    if (!isRepeated && this.#shown.get(channel) === content) return
    this.#shown.set(channel, content)
    this.#mark(channel)
    this.#publish(channel, data)
  }

  #state(channel: string): { data: object; content: string } {
    if (channel === 'tickers') {
      const row = tickerRow(this.#instrument, this.#context.market, this.#nowMs())
      return { data: row, content: JSON.stringify({ ...row, ts: '' }) }
    }
    return channel === 'bbo-tbt' ? this.#bestState() : this.#topState()
  }

  #bestState(): { data: object; content: string } {
    const truth = this.#context.market.book(this.#instrument.symbol, 1)
    const rows = { asks: truth.asks.map(levelRow), bids: truth.bids.map(levelRow) }
    const data = { ...rows, ts: String(truth.timeMs), seqId: this.book.sequence(truth.lastUpdateId) }
    return { data, content: JSON.stringify(rows) }
  }

  #topState(): { data: object; content: string } {
    const { asks, bids, publishedMs, sequence } = this.book.published.image
    const rows = { asks: asks.slice(0, 5).map(levelRow), bids: bids.slice(0, 5).map(levelRow) }
    const data = {
      asks: rows.asks,
      instId: this.#instrument.symbol,
      bids: rows.bids,
      ts: String(publishedMs),
      seqId: sequence,
    }
    return { data, content: JSON.stringify(rows) }
  }

  #publish(channel: string, data: object, action?: string): void {
    const name = this.#name(channel)
    const kind = OKX_CHANNELS[channel]?.kind
    if (!kind || !this.#topics.has(name)) return
    this.#topics.publish(name, { channel: kind, symbol: this.#instrument.symbol }, this.#frame(channel, data, action))
  }

  #frame(channel: string, data: object, action?: string): string {
    return JSON.stringify({
      arg: { channel, instId: this.#instrument.symbol },
      ...(action && { action }),
      data: [data],
    })
  }

  #name(channel: string): string {
    return `${channel}:${this.#instrument.symbol}`
  }

  #mark(channel: string): void {
    this.#pushedMs.set(channel, this.#context.clock.monotonicMs())
  }

  #isIdle(channel: string): boolean {
    const sinceMs = this.#context.clock.monotonicMs() - (this.#pushedMs.get(channel) ?? 0)
    return sinceMs >= BOOK_IDLE_MS / this.#context.timeScale
  }

  #nowMs(): number {
    return Math.floor(this.#context.clock.nowUs() / 1000)
  }
}
