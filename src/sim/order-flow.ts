import type { Side } from '../model/event.ts'
import type { Random } from '../platform/platform.ts'
import type { SimInstrument } from './exchange.ts'
import { createLadder, type Ladder } from './ladder.ts'

/** `[price, quantity]` in the instrument's units; quantity 0: the level is gone. */
export type UnitLevel = readonly [price: number, quantity: number]

export interface FlowTrade {
  readonly price: number
  readonly quantity: number
  readonly side: Side
}

/** What one step changed: levels best first, each once, none that ended as it began. */
export interface FlowStep {
  readonly bids: readonly UnitLevel[]
  readonly asks: readonly UnitLevel[]
  readonly trades: readonly FlowTrade[]
}

/** The orders of one instrument: makers, takers, and the book between them. Never crossed, never empty. */
export interface OrderFlow {
  readonly bids: Ladder
  readonly asks: Ladder
  step(): FlowStep
}

const SPREAD_TICKS_MAX = 3
/** A side never has fewer levels, whatever is taken or cancelled. */
const LEVELS_MIN = 3
/** Worth of an ordinary level in quote currency, where the instrument does not say. */
const LEVEL_WORTH = 5000

/** The same `random` yields the same orders. */
export function createOrderFlow(instrument: SimInstrument, random: Random): OrderFlow {
  return new Flow(instrument, random)
}

class Flow implements OrderFlow {
  readonly bids = createLadder('bid')
  readonly asks = createLadder('ask')
  readonly #random: Random
  readonly #tick: number
  readonly #lot: number
  readonly #start: number
  readonly #levelQuantity: number
  readonly #sizes: { readonly bid: number; readonly ask: number }
  /** Quantities at the beginning of the step, of the levels touched in it. */
  readonly #before = { bid: new Map<number, number>(), ask: new Map<number, number>() }

  constructor(instrument: SimInstrument, random: Random) {
    this.#random = random
    this.#tick = instrument.tickUnits
    this.#lot = instrument.lotUnits ?? 1
    this.#start = instrument.startPriceUnits - (instrument.startPriceUnits % instrument.tickUnits)
    this.#levelQuantity =
      instrument.levelQuantityUnits ??
      Math.max(
        10 * this.#lot,
        (LEVEL_WORTH / instrument.startPriceUnits) * 10 ** (instrument.priceDecimals + instrument.quantityDecimals),
      )
    const levels = instrument.bookLevels ?? 300 + this.#below(701)
    this.#fill('bid', this.#start, levels)
    this.#fill('ask', this.#start + this.#tick * (1 + this.#below(SPREAD_TICKS_MAX)), levels)
    this.#sizes = { bid: this.bids.size, ask: this.asks.size }
  }

  step(): FlowStep {
    this.#before.bid.clear()
    this.#before.ask.clear()
    const trades = this.#random() < 0.45 ? this.#take() : []
    this.#make()
    this.#narrow()
    this.#replenish('bid')
    this.#replenish('ask')
    if (this.#changes('bid').length + this.#changes('ask').length === 0) {
      const best = this.bids.price(0)
      this.#set('bid', best, this.bids.quantity(best) + this.#lot)
    }
    return { bids: this.#changes('bid'), asks: this.#changes('ask'), trades }
  }

  #fill(side: BookSide, best: number, levels: number): void {
    let price = best
    for (let i = 0; i < levels && price >= this.#tick; i++) {
      this.#ladder(side).set(price, this.#quantity())
      // Levels lie further apart the deeper they are.
      price += this.#away(side) * (1 + this.#below(2 + Math.floor(i / 20)))
    }
  }

  /** One taker order: part of the best level, or a sweep through several. */
  #take(): FlowTrade[] {
    const isBuy = this.#random() < 0.5
    const side: BookSide = isBuy ? 'ask' : 'bid'
    const ladder = this.#ladder(side)
    const trades: FlowTrade[] = []
    const swept = this.#random() < 0.7 ? 0 : Math.min(1 + this.#below(4), ladder.size - LEVELS_MIN)
    for (let i = 0; i < swept; i++) this.#fillLevel(side, ladder.quantity(ladder.price(0)), trades)
    const lots = Math.floor(ladder.quantity(ladder.price(0)) / this.#lot)
    const taken = this.#below(lots)
    if (taken > 0) this.#fillLevel(side, taken * this.#lot, trades)
    return trades
  }

  #fillLevel(side: BookSide, quantity: number, trades: FlowTrade[]): void {
    const price = this.#ladder(side).price(0)
    this.#set(side, price, this.#ladder(side).quantity(price) - quantity)
    let rest = quantity
    for (let fills = this.#below(3); fills > 0 && rest > this.#lot; fills--) {
      const part = this.#lot * (1 + this.#below(rest / this.#lot - 1))
      trades.push({ price, quantity: part, side: side === 'ask' ? 'buy' : 'sell' })
      rest -= part
    }
    trades.push({ price, quantity: rest, side: side === 'ask' ? 'buy' : 'sell' })
  }

  /** Orders placed, changed and cancelled: mostly near the top, sometimes deep, sometimes on one side only. */
  #make(): void {
    const count = 1 + Math.floor(this.#random() ** 3 * 20)
    const onlySide = this.#random() < 0.25 ? this.#anySide() : undefined
    for (let i = 0; i < count; i++) {
      const side = onlySide ?? this.#anySide()
      const ladder = this.#ladder(side)
      const isDeep = this.#random() < 0.15
      const price = ladder.price(isDeep ? this.#below(ladder.size) : this.#below(Math.min(12, ladder.size)))
      const kind = this.#random()
      if (kind < 0.3) this.#cancel(side, price)
      else if (kind < 0.65) this.#set(side, price, this.#quantity())
      else if (kind < 0.98) this.#place(side, price + this.#away(side) * (this.#below(4) - 1))
      else this.#place(side, price + this.#away(side) * this.#below(price / this.#tick / 3))
    }
  }

  #cancel(side: BookSide, price: number): void {
    if (this.#ladder(side).size > LEVELS_MIN) this.#set(side, price, 0)
  }

  #place(side: BookSide, price: number): void {
    if (price < this.#tick) return
    const crosses = side === 'bid' ? price >= this.asks.price(0) : price <= this.bids.price(0)
    if (!crosses) this.#set(side, price, this.#quantity())
  }

  /** New best orders until the spread is ordinary again. Which side moves makes the price walk, back to its start if far. */
  #narrow(): void {
    for (;;) {
      const spread = (this.asks.price(0) - this.bids.price(0)) / this.#tick
      if (spread <= SPREAD_TICKS_MAX) return
      const away = (this.bids.price(0) - this.#start) / this.#start
      const side: BookSide = this.#random() < 0.5 - Math.max(-0.4, Math.min(0.4, away)) ? 'bid' : 'ask'
      const step = 1 + this.#below(Math.min(spread - 1, Math.max(20, spread / 2)))
      this.#place(side, this.#ladder(side).price(0) - this.#away(side) * step)
    }
  }

  #replenish(side: BookSide): void {
    const ladder = this.#ladder(side)
    const size = this.#sizes[side]
    if (ladder.size < Math.max(LEVELS_MIN, size * 0.8)) {
      const worst = ladder.price(ladder.size - 1)
      for (let i = 0; i < 5; i++) this.#place(side, worst + this.#away(side) * (1 + this.#below(30)))
      this.#place(side, ladder.price(0) + this.#away(side) * (1 + this.#below(size)))
    } else while (ladder.size > size * 1.2) this.#set(side, ladder.price(ladder.size - 1), 0)
  }

  #changes(side: BookSide): UnitLevel[] {
    const ladder = this.#ladder(side)
    const levels: UnitLevel[] = []
    for (const [price, before] of this.#before[side]) {
      const after = ladder.quantity(price)
      if (after !== before) levels.push([price, after])
    }
    return levels.sort(([a], [b]) => (side === 'bid' ? b - a : a - b))
  }

  #set(side: BookSide, price: number, quantity: number): void {
    const ladder = this.#ladder(side)
    if (!this.#before[side].has(price)) this.#before[side].set(price, ladder.quantity(price))
    ladder.set(price, quantity)
  }

  #quantity(): number {
    const scale = this.#random() < 0.05 ? 10 : 1
    const lots = Math.round((-Math.log(1 - this.#random()) * scale * this.#levelQuantity) / this.#lot)
    return Math.max(1, lots) * this.#lot
  }

  #ladder(side: BookSide): Ladder {
    return side === 'bid' ? this.bids : this.asks
  }

  /** One tick away from the other side. */
  #away(side: BookSide): number {
    return side === 'bid' ? -this.#tick : this.#tick
  }

  #anySide(): BookSide {
    return this.#random() < 0.5 ? 'bid' : 'ask'
  }

  /** A whole number in [0, count). */
  #below(count: number): number {
    return Math.floor(this.#random() * Math.max(1, count))
  }
}

type BookSide = 'bid' | 'ask'
