/** One side of a book: price levels, exact and ordered by value, and how far out the side is known. */

import { compareDecimals, isZero } from '../model/decimal.ts'
import type { Decimal, Level } from '../model/event.ts'

export type SideName = 'bids' | 'asks'

/** Levels in one page. Inserting shifts at most this many, however deep the book is. */
const PAGE_LEVELS = 64

interface Page {
  /** Ordering keys, ascending; `count` of them are in use. */
  readonly keys: Float64Array
  readonly levels: Level[]
  count: number
}

const emptyPage = (): Page => ({ keys: new Float64Array(PAGE_LEVELS), levels: [], count: 0 })

/** Is `a` farther from the market than `b`? */
export const isFarther = (side: SideName, a: Decimal, b: Decimal): boolean =>
  side === 'bids' ? compareDecimals(a, b) < 0 : compareDecimals(a, b) > 0

/**
 * Pages of ascending keys with the best level last, where nearly all changes are.
 * The key is the price (bids) or its negative (asks) as a double; doubles that are equal are compared as decimals.
 */
export class BookSide {
  readonly name: SideName
  readonly #pages: Page[] = [emptyPage()]
  readonly #sign: 1 | -1
  #size = 0
  /**
   * Every level up to this price is known. Farther out only those are that were set since, with unknown ones between
   * them. `undefined`: the whole side is known.
   */
  knownTo: Decimal | undefined

  constructor(name: SideName) {
    this.name = name
    this.#sign = name === 'bids' ? 1 : -1
  }

  /** All levels that are held, also those beyond {@link knownTo}. */
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

  /** The best level that is held. */
  best(): Level | undefined {
    const page = this.#pages[this.#pages.length - 1] as Page
    return page.levels[page.count - 1]
  }

  /** The farthest level that is held. */
  worst(): Level | undefined {
    return (this.#pages[0] as Page).levels[0]
  }

  /** The best `count` levels that are held, best first. */
  top(count: number): Level[] {
    const result: Level[] = []
    for (let p = this.#pages.length - 1; p >= 0 && result.length < count; p--) {
      const page = this.#pages[p] as Page
      for (let i = page.count - 1; i >= 0 && result.length < count; i--) result.push(page.levels[i] as Level)
    }
    return result
  }

  /** Like {@link top}, cut where the side is no longer known: no level is missing between these. */
  known(count: number): Level[] {
    const levels = this.top(count)
    const end = this.knownTo
    while (end !== undefined && levels.length > 0 && isFarther(this.name, (levels.at(-1) as Level)[0], end))
      levels.pop()
    return levels
  }

  /** Removes the farthest levels until at most `sizeMax` are left; what was removed is unknown from now on. */
  trim(sizeMax: number): void {
    if (this.#size <= sizeMax) return
    while (this.#size > sizeMax) this.#remove(0, 0)
    const worst = this.worst()?.[0]
    if (worst === undefined) return
    if (this.knownTo === undefined || isFarther(this.name, this.knownTo, worst)) this.knownTo = worst
  }

  /**
   * Keeps the best `sizeMax` levels, like a venue that shows no more and tells of each level that enters its window: a
   * full window is known to its end, and beside one that is not full there is nothing.
   */
  keepWindow(sizeMax: number): void {
    this.trim(sizeMax)
    this.knownTo = this.#size === sizeMax ? this.worst()?.[0] : undefined
  }

  copy(): BookSide {
    const copy = new BookSide(this.name)
    copy.#pages.length = 0
    for (const { keys, levels, count } of this.#pages)
      copy.#pages.push({ keys: keys.slice(), levels: [...levels], count })
    copy.#size = this.#size
    copy.knownTo = this.knownTo
    return copy
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
