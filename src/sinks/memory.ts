/** The newest records in memory, for the API: bounded, the oldest go first. */

import { instrumentKey, type MarketEvent, type Ticker, type Trade } from '../model/event.ts'

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
      this.#trades[this.#next] = event
      this.#next = (this.#next + 1) % this.#recordsMax
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

  /** Newest first. */
  *trades(): Generator<Trade> {
    const { length } = this.#trades
    for (let i = 1; i <= length; i++) yield this.#trades[(this.#next - i + length) % length] as Trade
  }
}
