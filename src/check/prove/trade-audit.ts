/** Every trade number, as the markets made them and as they were delivered. */

import { type Gap, instrumentKey, type Trade } from '../../model/event.ts'
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

  /** The missing numbers that none of `gaps` says are missing, or may be; in words, a line for each stream. */
  missing(gaps: readonly Gap[] = []): string[] {
    return this.#missing(gaps).flatMap(({ venue, symbol, numbers }) =>
      numbers.length === 0 ? [] : `${venue} ${symbol}: ${numbers.length} from ${numbers[0]} to ${numbers.at(-1)}`,
    )
  }

  /** As {@link missing}: how many. */
  missingCount(gaps: readonly Gap[] = []): number {
    return sumOf(this.#missing(gaps), ({ numbers }) => numbers.length)
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

  #missing(gaps: readonly Gap[]) {
    return [...this.#streams.values()].map(({ venue, symbol, seen, first, made }) => {
      const own = gaps.filter((gap) => gap.channel === 'trade' && gap.venue === venue && gap.symbol === symbol)
      const numbers: number[] = []
      for (let number = first; number <= made; number++)
        if (!seen.has(number) && !own.some((gap) => tells(gap, number))) numbers.push(number)
      return { venue, symbol, numbers }
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

/** A gap whose end is not known yet may lack whatever comes behind its beginning. */
const tells = ({ state, last_sequence: last, first_sequence: first }: Gap, number: number): boolean =>
  (state === 'open' || state === 'final') &&
  last !== undefined &&
  number > last &&
  number < (first ?? Number.POSITIVE_INFINITY)

export const sumOf = <Item>(items: readonly Item[], value: (item: Item) => number): number =>
  items.reduce((total, item) => total + value(item), 0)
