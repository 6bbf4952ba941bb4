import type { Channel } from '../model/event.ts'
import { encode, type Json, type JsonObject } from './deribit-json.ts'
import { changeRow, levelRow, newRow, quoteBody, tickerBody } from './deribit-rows.ts'
import type { LoggedTrade } from './deribit-trades.ts'
import type { SimContext, SimInstrument } from './exchange.ts'
import { type BookChange, type BookImage, createPublishedBook, type PublishedBook } from './published-book.ts'
import type { Listener, Topics } from './topics.ts'

/** Depths of `book.<instrument>.none.<depth>.<interval>`. */
export const TOP_DEPTHS = [1, 10, 20] as const
/** Steps of `change_id` are not 1. */
const CHANGE_ID_STEP = 2

export const changeId = (updateId: number): number => updateId * CHANGE_ID_STEP

/** A notification. Text of `data`, so that one encoding serves all listeners. */
const notification = (channel: string, data: string): string =>
  `{"jsonrpc":"2.0","method":"subscription","params":{"channel":${JSON.stringify(channel)},"data":${data}}}`

/** Everything that one instrument notifies of at one interval (`100ms`, `agg2`). */
export class DeribitLine {
  readonly book: PublishedBook
  isDirty = false
  readonly #context: SimContext
  readonly #topics: Topics
  readonly #instrument: SimInstrument
  readonly #interval: string
  #pendingTrades: LoggedTrade[] = []
  /** By channel: what it last showed. */
  readonly #shown = new Map<string, string>()

  constructor(context: SimContext, topics: Topics, instrument: SimInstrument, interval: string) {
    const { market, snapshotLagMsMax } = context
    this.#context = context
    this.#topics = topics
    this.#instrument = instrument
    this.#interval = interval
    this.book = createPublishedBook({
      nowMs: this.#nowMs(),
      lagMsMax: snapshotLagMsMax,
      read: () => {
        const { bids, asks, lastUpdateId } = market.book(instrument.symbol)
        return { bids, asks, updateId: lastUpdateId }
      },
      number: changeId,
    })
  }

  add(trades: readonly LoggedTrade[]): void {
    this.isDirty = true
    if (this.#topics.has(this.#name('trades'))) this.#pendingTrades.push(...trades)
  }

  /** Called once an interval. */
  flush(): void {
    if (!this.isDirty) return
    this.isDirty = false
    this.#flushTrades()
    const change = this.book.refresh(this.#nowMs())
    if (change && this.#topics.has(this.#name('book'))) {
      this.#publish('book', this.#name('book'), encode(this.#change(change)))
    }
    for (const depth of TOP_DEPTHS) {
      this.#publishState('book', this.#topName(depth), () => this.#top(depth))
    }
    this.#publishState('ticker', this.#name('ticker'), () => tickerBody(this.#instrument, this.#context.market))
  }

  /** At once, whenever the best levels change. Not bound to the interval. */
  quote(): void {
    this.#publishState('quote', this.#quoteName(), () => quoteBody(this.#instrument, this.#context.market))
  }

  /** What a new listener of channel `name` gets at once. Trades begin with the next one. */
  welcome(listener: Listener, name: string): void {
    const send = (channel: Channel, data: string) =>
      listener.send({ channel, symbol: this.#instrument.symbol }, notification(name, data))
    const { market } = this.#context
    const depth = TOP_DEPTHS.find((each) => name === this.#topName(each))
    if (name === this.#name('book')) send('book', encode(this.#snapshot(this.book.image)))
    else if (depth !== undefined) send('book', this.#timed(this.#top(depth)))
    else if (name === this.#name('ticker')) send('ticker', this.#timed(tickerBody(this.#instrument, market)))
    else if (name === this.#quoteName()) send('quote', this.#timed(quoteBody(this.#instrument, market)))
  }

  #flushTrades(): void {
    const rows = this.#pendingTrades.map(({ row }) => row)
    this.#pendingTrades = []
    if (rows.length > 0) this.#publish('trade', this.#name('trades'), encode(rows))
  }

  #snapshot(image: BookImage): JsonObject {
    return {
      type: 'snapshot',
      timestamp: image.publishedMs,
      instrument_name: this.#instrument.symbol,
      change_id: image.sequence,
      bids: image.bids.map(newRow),
      asks: image.asks.map(newRow),
    }
  }

  #change({ before, after, bids, asks }: BookChange): JsonObject {
    return {
      type: 'change',
      timestamp: after.publishedMs,
      prev_change_id: before.sequence,
      instrument_name: this.#instrument.symbol,
      change_id: after.sequence,
      bids: bids.map(changeRow),
      asks: asks.map(changeRow),
    }
  }

  #top(depth: number): JsonObject {
    const { bids, asks, sequence } = this.book.image
    return {
      instrument_name: this.#instrument.symbol,
      change_id: sequence,
      bids: bids.slice(0, depth).map(levelRow),
      asks: asks.slice(0, depth).map(levelRow),
    }
  }

  /** Publishes the whole content of a channel that shows states, if it differs from what it last showed. */
  #publishState(kind: Channel, name: string, body: () => JsonObject): void {
    if (!this.#topics.has(name)) return
    const data = body()
    const content = encode({ ...data, change_id: undefined })
    if (this.#shown.get(name) === content) return
    this.#shown.set(name, content)
    this.#publish(kind, name, this.#timed(data))
  }

  #publish(kind: Channel, name: string, data: string): void {
    this.#topics.publish(name, { channel: kind, symbol: this.#instrument.symbol }, notification(name, data))
  }

  #timed(body: JsonObject): string {
    const data: Json = { timestamp: this.#nowMs(), ...body }
    return encode(data)
  }

  #name(channel: string): string {
    return `${channel}.${this.#instrument.symbol}.${this.#interval}`
  }

  #topName(depth: number): string {
    return `book.${this.#instrument.symbol}.none.${depth}.${this.#interval}`
  }

  #quoteName(): string {
    return `quote.${this.#instrument.symbol}`
  }

  #nowMs(): number {
    return Math.floor(this.#context.clock.nowUs() / 1000)
  }
}
