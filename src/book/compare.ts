/** Where a book and a snapshot of the same moment differ, as far out as both are known. */

import { compareDecimals } from '../model/decimal.ts'
import type { BookDelta, BookSnapshot, Decimal, Level } from '../model/event.ts'
import { type BookSide, isFarther, type SideName } from './book-side.ts'
import { OrderBook } from './order-book.ts'

const EVERYTHING = Number.POSITIVE_INFINITY

export interface Difference {
  readonly side: SideName
  readonly price: Decimal
  /** Our quantity and the snapshot's; `undefined`: no such level. */
  readonly ours: Decimal | undefined
  readonly theirs: Decimal | undefined
}

/** In words, for people: `bids 100.5: ours 2, theirs none`. */
export const differenceText = ({ side, price, ours = 'none', theirs = 'none' }: Difference): string =>
  `${side} ${price}: ours ${ours}, theirs ${theirs}`

/**
 * Every difference, bids first, best first. Numbers are equal when their values are, however they are written.
 * `within`: a delta that the snapshot may contain a part of; levels that it touches are not compared.
 */
export function differences(ours: OrderBook, theirs: BookSnapshot, within?: BookDelta): Difference[] {
  const fetched = new OrderBook()
  fetched.replace(theirs.bids, theirs.asks, theirs.depth)
  return [
    ...sideDifferences(ours.bids, fetched.bids, within?.bids ?? []),
    ...sideDifferences(ours.asks, fetched.asks, within?.asks ?? []),
  ]
}

function sideDifferences(ours: BookSide, theirs: BookSide, touched: readonly Level[]): Difference[] {
  const side = ours.name
  const [left, right] = [known(ours, theirs), known(theirs, ours)]
  const found: Difference[] = []
  for (let l = 0, r = 0; l < left.length || r < right.length; ) {
    const our = left[l]
    const their = right[r]
    const isOurs = our !== undefined && (their === undefined || !isFarther(side, our[0], their[0]))
    const isTheirs = their !== undefined && (our === undefined || !isFarther(side, their[0], our[0]))
    if (isOurs) l++
    if (isTheirs) r++
    if (isOurs && isTheirs && compareDecimals(our[1], their[1]) === 0) continue
    const price = (isOurs ? our : (their as Level))[0]
    if (touched.some((level) => compareDecimals(level[0], price) === 0)) continue
    found.push({ side, price, ours: isOurs ? our[1] : undefined, theirs: isTheirs ? their[1] : undefined })
  }
  return found
}

/** The levels of `side`, as far out as both are known. */
function known(side: BookSide, other: BookSide): readonly Level[] {
  const levels = side.known(EVERYTHING)
  const end = other.knownTo
  if (end === undefined) return levels
  const beyond = levels.findIndex(([price]) => isFarther(side.name, price, end))
  return beyond < 0 ? levels : levels.slice(0, beyond)
}
