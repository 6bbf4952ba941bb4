/** The newest records in memory, for the API: bounded, the oldest go first. */

import { type EpochUs, instrumentKey, type MarketEvent, type Ticker, type Trade } from '../model/event.ts'

export class MemoryStore {
  readonly #recordsMax: number
  /** The latest ticker of each instrument, the one updated longest ago first. */
  readonly #tickers = new Map<string, Ticker>()
  /** A ring: the newest stands before `#next`. */
  readonly #trades: Trade[] = []
  #next = 0

  /** `recordsMax`: of each category. */
  constructor(recordsMax: number) {
    this.#recordsMax = recordsMax
  }

  accept(event: MarketEvent): void {
    if (event.type === 'trade') {
      if (event.source === 'backfill') this.#insert(event)
      else this.#push(event)
    } else if (event.type === 'ticker') {
      const key = instrumentKey(event.venue, event.symbol)
      this.#tickers.delete(key)
      this.#tickers.set(key, event)
      if (this.#tickers.size > this.#recordsMax) {
        for (const oldest of this.#tickers.keys()) {
          this.#tickers.delete(oldest)
          break
        }
      }
    }
  }

  #push(trade: Trade): void {
    this.#trades[this.#next] = trade
    this.#next = (this.#next + 1) % this.#recordsMax
  }

  /** One that was fetched to heal a gap stands behind those that were made later, and drives none of them out. */
  #insert(trade: Trade): void {
    const { length } = this.#trades
    const oldest = this.#trades[this.#next]
    if (length === this.#recordsMax && oldest !== undefined && madeUs(oldest) > madeUs(trade)) return
    let at = this.#next
    this.#push(trade)
    for (let others = Math.min(length, this.#recordsMax - 1); others > 0; others--) {
      const before = (at - 1 + this.#recordsMax) % this.#recordsMax
      const later = this.#trades[before]
      if (later === undefined || madeUs(later) <= madeUs(trade)) break
      this.#trades[at] = later
      this.#trades[before] = trade
      at = before
    }
  }

  /** The ticker is not collected any more: it would look like the latest one for ever. */
  forgetTicker(venue: string, symbol: string): void {
    this.#tickers.delete(instrumentKey(venue, symbol))
  }

  get tickerCount(): number {
    return this.#tickers.size
  }

  get tradeCount(): number {
    return this.#trades.length
  }

  tickers(): Iterable<Ticker> {
    return this.#tickers.values()
  }

  /** Newest first, in the order in which they came; those that were fetched later by when they were made. */
  *trades(): Generator<Trade> {
    const { length } = this.#trades
    for (let i = 1; i <= length; i++) yield this.#trades[(this.#next - i + length) % length] as Trade
  }
}

const madeUs = ({ exchange_time_us, receive_time_us }: Trade): EpochUs => exchange_time_us ?? receive_time_us ?? 0
