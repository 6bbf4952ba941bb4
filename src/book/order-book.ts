/** Price levels of one instrument, exact: the venue's own digits are kept, prices are ordered by value. */

import { compareDecimals, isZero } from '../model/decimal.ts'
import type { Level } from '../model/event.ts'

/** Levels in one page. Inserting shifts at most this many, however deep the book is. */
const PAGE_LEVELS = 64

interface Page {
  /** Ordering keys, ascending; `count` of them are in use. */
  readonly keys: Float64Array
  readonly levels: Level[]
  count: number
}

const emptyPage = (): Page => ({ keys: new Float64Array(PAGE_LEVELS), levels: [], count: 0 })

/**
 * One side, in pages of ascending keys with the best level last, where nearly all changes are.
 * The key is the price (bids) or its negative (asks) as a double; doubles that are equal are compared as decimals.
 */
export class BookSide {
  readonly #pages: Page[] = [emptyPage()]
  readonly #sign: 1 | -1
  #size = 0

  constructor(side: 'bids' | 'asks') {
    this.#sign = side === 'bids' ? 1 : -1
  }

  get size(): number {
    return this.#size
  }

  /** Sets the absolute quantity of a price, or removes the level when it is zero. Removing an unknown level is normal. */
  set(level: Level): void {
    const key = this.#sign * Number(level[0])
    const pageIndex = this.#pageOf(key, level)
    const page = this.#pages[pageIndex] as Page
    let at = lowerBound(page, key)
    // Different decimals can share a double; the order among them is decided by their digits.
    while (
      at < page.count &&
      page.keys[at] === key &&
      this.#sign * compareDecimals((page.levels[at] as Level)[0], level[0]) < 0
    )
      at++
    const isThere =
      at < page.count && page.keys[at] === key && compareDecimals((page.levels[at] as Level)[0], level[0]) === 0
    if (isZero(level[1])) {
      if (isThere) this.#remove(pageIndex, at)
    } else if (isThere) page.levels[at] = level
    else this.#insert(pageIndex, at, key, level)
  }

  best(): Level | undefined {
    const page = this.#pages[this.#pages.length - 1] as Page
    return page.levels[page.count - 1]
  }

  /** The best `count` levels, best first. */
  top(count: number): Level[] {
    const result: Level[] = []
    for (let p = this.#pages.length - 1; p >= 0 && result.length < count; p--) {
      const page = this.#pages[p] as Page
      for (let i = page.count - 1; i >= 0 && result.length < count; i--) result.push(page.levels[i] as Level)
    }
    return result
  }

  /** Removes the worst levels until at most `sizeMax` are left. */
  trim(sizeMax: number): void {
    while (this.#size > sizeMax) this.#remove(0, 0)
  }

  /** The last page whose first level is not above `level`; changes are near the best, so the search starts there. */
  #pageOf(key: number, level: Level): number {
    const pages = this.#pages
    let index = pages.length - 1
    while (index > 0 && this.#isBelow(key, level, pages[index] as Page)) index--
    return index
  }

  /** Does the level belong before the first one of the page? */
  #isBelow(key: number, level: Level, page: Page): boolean {
    const first = page.keys[0] as number
    return first > key || (first === key && this.#sign * compareDecimals((page.levels[0] as Level)[0], level[0]) > 0)
  }

  #insert(pageIndex: number, at: number, key: number, level: Level): void {
    let page = this.#pages[pageIndex] as Page
    let position = at
    if (page.count === PAGE_LEVELS) {
      const half = PAGE_LEVELS / 2
      const upper = emptyPage()
      upper.keys.set(page.keys.subarray(half))
      upper.levels.push(...page.levels.splice(half))
      upper.count = half
      page.count = half
      this.#pages.splice(pageIndex + 1, 0, upper)
      if (position > half) {
        position -= half
        page = upper
      }
    }
    page.keys.copyWithin(position + 1, position, page.count)
    page.keys[position] = key
    page.levels.splice(position, 0, level)
    page.count++
    this.#size++
  }

  #remove(pageIndex: number, at: number): void {
    const page = this.#pages[pageIndex] as Page
    page.keys.copyWithin(at, at + 1, page.count)
    page.levels.splice(at, 1)
    page.count--
    this.#size--
    if (page.count === 0 && this.#pages.length > 1) this.#pages.splice(pageIndex, 1)
  }
}

function lowerBound(page: Page, key: number): number {
  let low = 0
  let high = page.count
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((page.keys[middle] as number) < key) low = middle + 1
    else high = middle
  }
  return low
}

export class OrderBook {
  bids = new BookSide('bids')
  asks = new BookSide('asks')

  /** Becomes exactly these levels. */
  replace(bids: readonly Level[], asks: readonly Level[]): void {
    this.bids = new BookSide('bids')
    this.asks = new BookSide('asks')
    this.apply(bids, asks)
  }

  apply(bids: readonly Level[], asks: readonly Level[]): void {
    for (const level of bids) this.bids.set(level)
    for (const level of asks) this.asks.set(level)
  }

  trim(depthMax: number): void {
    this.bids.trim(depthMax)
    this.asks.trim(depthMax)
  }

  /** Best bid at or above best ask: something is wrong, or an auction is on. */
  isCrossed(): boolean {
    const bid = this.bids.best()
    const ask = this.asks.best()
    return bid !== undefined && ask !== undefined && compareDecimals(bid[0], ask[0]) >= 0
  }
}
