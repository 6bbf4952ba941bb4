/** Price levels of one instrument, exact: the venue's own digits are kept, prices are ordered by value. */

import { compareDecimals } from '../model/decimal.ts'
import type { BookSnapshot, EpochUs, Level } from '../model/event.ts'
import { BookSide, isFarther } from './book-side.ts'

const EVERYTHING = Number.POSITIVE_INFINITY

export class OrderBook {
  bids = new BookSide('bids')
  asks = new BookSide('asks')

  /**
   * Becomes exactly these levels. `depth`: how many a side were asked for. A side with fewer has no others; one with as
   * many is known to its last level only. `undefined`: they are all that there are.
   */
  replace(bids: readonly Level[], asks: readonly Level[], depth = Number.POSITIVE_INFINITY): void {
    this.bids = new BookSide('bids')
    this.asks = new BookSide('asks')
    this.apply(bids, asks)
    if (bids.length >= depth) this.bids.knownTo = this.bids.worst()?.[0]
    if (asks.length >= depth) this.asks.knownTo = this.asks.worst()?.[0]
  }

  apply(bids: readonly Level[], asks: readonly Level[]): void {
    for (const level of bids) this.bids.set(level)
    for (const level of asks) this.asks.set(level)
  }

  trim(depthMax: number): void {
    this.bids.trim(depthMax)
    this.asks.trim(depthMax)
  }

  /** The venue shows so many levels a side and tells of each that enters. */
  keepWindow(depthMax: number): void {
    this.bids.keepWindow(depthMax)
    this.asks.keepWindow(depthMax)
  }

  /** Takes each side of `other`, a book of the same moment, that is known farther out. True: there is such a side. */
  widen(other: OrderBook): boolean {
    const isBidsWider = reachesFarther(other.bids, this.bids)
    const isAsksWider = reachesFarther(other.asks, this.asks)
    if (isBidsWider) this.bids = other.bids
    if (isAsksWider) this.asks = other.asks
    return isBidsWider || isAsksWider
  }

  /** The book as a snapshot at `sequence`, as far as it is known. `fetched`: the snapshot that it has just taken levels of. */
  snapshot(fetched: BookSnapshot, sequence: number, exchangeTimeUs: EpochUs | undefined): BookSnapshot {
    const bids = this.bids.known(EVERYTHING)
    const asks = this.asks.known(EVERYTHING)
    // A book that grows without a change stands at a sequence that another snapshot has already.
    const id = `${fetched.venue}:book_snapshot:${fetched.symbol}:0:${sequence}/${bids.length + asks.length}`
    // A side of this depth or more may go on beyond its last level, for whoever reads the event.
    const depth = Math.min(bids.length, asks.length)
    return { ...fetched, exchange_time_us: exchangeTimeUs, id, bids, asks, sequence, depth }
  }

  copy(): OrderBook {
    const copy = new OrderBook()
    copy.bids = this.bids.copy()
    copy.asks = this.asks.copy()
    return copy
  }

  /** Best bid at or above best ask: something is wrong, or an auction is on. */
  isCrossed(): boolean {
    const bid = this.bids.best()
    const ask = this.asks.best()
    return bid !== undefined && ask !== undefined && compareDecimals(bid[0], ask[0]) >= 0
  }
}

const reachesFarther = (other: BookSide, side: BookSide): boolean =>
  side.knownTo !== undefined && (other.knownTo === undefined || isFarther(side.name, other.knownTo, side.knownTo))
