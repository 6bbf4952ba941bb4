/** Every trade number, as the markets made them and as they were delivered. */

import { instrumentKey, type Trade } from '../../model/event.ts'
import type { DrivenMarket } from '../../sim/market.ts'
import { numbersOf } from '../oracle-promises.ts'

export interface TradeCount {
  readonly venue: string
  readonly symbol: string
  /** Numbers between the first delivered and the last made, both included. */
  readonly expected: number
  readonly missing: number
  /** Deliveries of a number that was there already. */
  readonly doubled: number
  /** Fetched over REST. */
  readonly fetched: number
}

interface Stream {
  readonly venue: string
  readonly symbol: string
  readonly seen: Set<number>
  first: number
  /** The newest that the market has made. */
  made: number
  doubled: number
  fetched: number
}

export class TradeAudit {
  readonly #streams = new Map<string, Stream>()

  /** To be called before the market's first frame leaves. */
  watch(venue: string, market: DrivenMarket): void {
    market.onStep(({ instrument: { symbol }, trades }) => {
      const last = trades.at(-1)
      if (last !== undefined) this.#of(venue, symbol).made = last.id
    })
  }

  add(trade: Trade): void {
    const numbers = numbersOf(trade)
    if (numbers === undefined) return
    const stream = this.#of(trade.venue, trade.symbol)
    if (trade.source === 'backfill') stream.fetched += numbers.last - numbers.first + 1
    stream.first = Math.min(stream.first, numbers.first)
    for (let number = numbers.first; number <= numbers.last; number++) {
      if (stream.seen.has(number)) stream.doubled++
      stream.seen.add(number)
    }
  }

  /** The numbers that are missing, in words: a few runs of them. */
  missing(): string[] {
    return [...this.#streams.values()].flatMap(({ venue, symbol, seen, first, made }) => {
      const numbers: number[] = []
      for (let number = first; number <= made; number++) if (!seen.has(number)) numbers.push(number)
      const [from] = numbers
      return from === undefined ? [] : `${venue} ${symbol}: ${numbers.length} from ${from} to ${numbers.at(-1)}`
    })
  }

  /** Is the last trade that each market has made here? */
  get hasNewest(): boolean {
    return [...this.#streams.values()].every(({ seen, made }) => made === 0 || seen.has(made))
  }

  /** Is everything that the markets have made here? */
  get isComplete(): boolean {
    return this.counts().every(({ missing }) => missing === 0)
  }

  counts(): TradeCount[] {
    return [...this.#streams.values()].map(({ venue, symbol, seen, first, made, doubled, fetched }) => {
      const expected = Number.isFinite(first) ? Math.max(0, made - first + 1) : 0
      let there = 0
      for (const number of seen) if (number >= first && number <= made) there++
      return { venue, symbol, expected, missing: expected - there, doubled, fetched }
    })
  }

  #of(venue: string, symbol: string): Stream {
    const key = instrumentKey(venue, symbol)
    const known = this.#streams.get(key)
    if (known !== undefined) return known
    const first = Number.POSITIVE_INFINITY
    const made: Stream = { venue, symbol, seen: new Set(), first, made: 0, doubled: 0, fetched: 0 }
    this.#streams.set(key, made)
    return made
  }
}

export const sumOf = <Item>(items: readonly Item[], value: (item: Item) => number): number =>
  items.reduce((total, item) => total + value(item), 0)
