import {
  type AggregateTrade,
  type BinancePayloads,
  type DepthBatch,
  dayTicker,
  isBuyerMaker,
} from './binance-payloads.ts'
import { channelOfKind, parseStream, type Render, type Streams } from './binance-streams.ts'
import { createDepthBatches, type DepthBatches, type IdRange } from './depth-batches.ts'
import { keepNewest, type MarketStep, type SimContext, type SimInstrument, type SimTrade } from './exchange.ts'
import { createLaggedBook, type LaggedBook } from './lagged-book.ts'
import { textUnits, unitsText } from './units.ts'

/** How a venue paces its streams. */
export interface FeedSpeeds {
  /** Interval of `@depth` by its speed word; `''` is the default. */
  readonly depthMs: Readonly<Record<string, number>>
  readonly tickerMs: number
}

/** The venue's numbers for the steps of a market. */
export interface Numbering {
  /** Of the book before the first step. */
  first(lastUpdateId: number): number
  next(step: MarketStep): IdRange
}

export interface SymbolFeed {
  readonly instrument: SimInstrument
  readonly book: LaggedBook
  readonly aggregates: AggregateTrade[]
  /** Of the newest step, on the wire. */
  lastId: number
  /** `/control/order?name=status`: `TRADING`, or a word that silences the symbol. */
  status: string
}

interface State extends SymbolFeed {
  /** By stream name; made for the first subscriber, kept for good so that late ones see the same events. */
  readonly batches: Map<string, DepthBatches>
  lastAggregateId: number
  best: string
  isTickerDue: boolean
}

const PARTIAL = /^depth(5|10|20)$/

/** Turns the market's steps into a venue's streams. */
export class BinanceFeed {
  readonly #context: SimContext
  readonly #streams: Streams
  readonly #payloads: BinancePayloads
  readonly #speeds: FeedSpeeds
  readonly #numbering: Numbering
  readonly #states: ReadonlyMap<string, State>
  readonly #stops: (() => void)[]

  constructor(
    context: SimContext,
    streams: Streams,
    payloads: BinancePayloads,
    speeds: FeedSpeeds,
    numbering: Numbering,
  ) {
    this.#context = context
    this.#streams = streams
    this.#payloads = payloads
    this.#speeds = speeds
    this.#numbering = numbering
    this.#states = new Map(
      context.market.instruments.map((each) => [each.symbol, createState(each, context, numbering)]),
    )
    const { clock, market } = context
    const intervals = new Set(Object.values(speeds.depthMs))
    this.#stops = [
      market.onStep((step) => this.#step(step)),
      clock.every(speeds.tickerMs, () => this.#tickers()),
      ...[...intervals].map((intervalMs) => clock.every(intervalMs, () => this.#depths(intervalMs))),
    ]
  }

  symbol(symbol: string): SymbolFeed | undefined {
    return this.#context.market.find(symbol) && this.#states.get(symbol)
  }

  symbols(): readonly SymbolFeed[] {
    return [...this.#states.values()].filter(({ instrument }) => this.#context.market.find(instrument.symbol))
  }

  /** Someone listens to this stream from now on. */
  open(name: string): void {
    const parsed = parseStream(name)
    const state = parsed && this.#states.get(parsed.symbol)
    if (!state || state.batches.has(name)) return
    const isDepth = parsed.kind === 'depth' || PARTIAL.test(parsed.kind)
    if (!isDepth || this.#speeds.depthMs[parsed.speed] === undefined) return
    state.batches.set(name, createDepthBatches(state.lastId))
  }

  stop(): void {
    for (const stop of this.#stops) stop()
  }

  #now(): number {
    return Math.floor(this.#context.clock.nowUs() / 1000)
  }

  #publish(symbol: string, kind: string, payload: () => Render, speed = ''): void {
    const name = `${symbol.toLowerCase()}@${kind}${speed === '' ? '' : `@${speed}`}`
    if (!this.#streams.has(name)) return
    this.#streams.publish(name, { channel: channelOfKind(kind), symbol }, payload())
  }

  #step(step: MarketStep): void {
    const { symbol } = step.instrument
    const state = this.#states.get(symbol)
    if (!state) return
    const ids = this.#numbering.next(step)
    state.lastId = ids.lastId
    state.isTickerDue = true
    state.book.push({ timeMs: step.timeMs, id: ids.lastId, bids: step.bids, asks: step.asks })
    for (const batch of state.batches.values()) batch.add(ids, step.timeMs, step.bids, step.asks)
    const aggregates = aggregate(step.trades, state)
    state.aggregates.push(...aggregates)
    keepNewest(state.aggregates, this.#context.market.tradesKept)
    if (state.status !== 'TRADING') return
    for (const trade of step.trades)
      this.#publish(symbol, 'trade', () => this.#payloads.trade(symbol, trade, this.#now()))
    for (const each of aggregates) {
      this.#publish(symbol, 'aggTrade', () => this.#payloads.aggTrade(symbol, each, this.#now()))
    }
    this.#bookTicker(state, step.timeMs)
  }

  /** Sent when the best price or its quantity changed. */
  #bookTicker(state: State, timeMs: number): void {
    const { symbol } = state.instrument
    const { bids, asks } = this.#context.market.book(symbol, 1)
    const [bid] = bids
    const [ask] = asks
    const best = `${bid} ${ask}`
    if (!bid || !ask || best === state.best) return
    state.best = best
    const { lastId: id } = state
    this.#publish(symbol, 'bookTicker', () => this.#payloads.bookTicker(symbol, { bid, ask, id, timeMs }, this.#now()))
  }

  #depths(intervalMs: number): void {
    for (const state of this.#states.values()) {
      for (const [name, batches] of state.batches) {
        const { kind = '', speed = '' } = parseStream(name) ?? {}
        if (this.#speeds.depthMs[speed] !== intervalMs) continue
        const batch = batches.take()
        if (batch && state.status === 'TRADING') this.#depth(state, kind, speed, batch)
      }
    }
  }

  #depth({ instrument: { symbol } }: State, kind: string, speed: string, batch: DepthBatch): void {
    const depth = PARTIAL.exec(kind)?.[1]
    if (depth === undefined) {
      this.#publish(symbol, kind, () => this.#payloads.depth(symbol, batch, this.#now()), speed)
      return
    }
    const { bids, asks } = this.#context.market.book(symbol, Number(depth))
    this.#publish(symbol, kind, () => this.#payloads.partialDepth(symbol, { ...batch, bids, asks }, this.#now()), speed)
  }

  #tickers(): void {
    for (const state of this.#states.values()) {
      if (!state.isTickerDue || state.status !== 'TRADING') continue
      state.isTickerDue = false
      const { symbol } = state.instrument
      const day = () => dayTicker(this.#context.market, state.instrument)
      this.#publish(symbol, 'ticker', () => this.#payloads.ticker(symbol, day(), this.#now()))
      this.#publish(symbol, 'miniTicker', () => this.#payloads.miniTicker(symbol, day(), this.#now()))
    }
  }
}

function createState(instrument: SimInstrument, { market, snapshotLagMsMax }: SimContext, numbering: Numbering): State {
  const { bids, asks, lastUpdateId, timeMs } = market.book(instrument.symbol)
  const trades = market.trades(instrument.symbol)
  const lastId = numbering.first(lastUpdateId)
  const state: State = {
    instrument,
    book: createLaggedBook({ bids, asks, id: lastId, timeMs }, snapshotLagMsMax),
    aggregates: [],
    lastId,
    status: 'TRADING',
    batches: new Map(),
    lastAggregateId: Math.floor((trades[0]?.id ?? 0) / 2),
    best: '',
    isTickerDue: true,
  }
  state.aggregates.push(...aggregate(trades, state))
  return state
}

/** Neighbouring trades at the same price and side are one taker's. */
function aggregate(trades: readonly SimTrade[], state: State): AggregateTrade[] {
  const { quantityDecimals } = state.instrument
  const aggregates: AggregateTrade[] = []
  for (const trade of trades) {
    const previous = aggregates.at(-1)
    if (previous && previous.price === trade.price && previous.isBuyerMaker === isBuyerMaker(trade)) {
      const units = textUnits(previous.quantity, quantityDecimals) + textUnits(trade.quantity, quantityDecimals)
      const quantity = unitsText(units, quantityDecimals)
      aggregates[aggregates.length - 1] = { ...previous, quantity, lastTradeId: trade.id }
      continue
    }
    aggregates.push({
      id: ++state.lastAggregateId,
      price: trade.price,
      quantity: trade.quantity,
      firstTradeId: trade.id,
      lastTradeId: trade.id,
      timeMs: trade.timeMs,
      isBuyerMaker: isBuyerMaker(trade),
    })
  }
  return aggregates
}
