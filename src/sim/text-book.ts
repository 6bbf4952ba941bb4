import { isZero } from '../model/decimal.ts'
import type { Level } from '../model/event.ts'

/** A book kept as the venue's own texts, for answers to snapshot requests. Written plainly: speed is not its job. */
export interface TextBook {
  replace(bids: readonly Level[], asks: readonly Level[]): void
  /** Absolute quantities; zero removes. */
  apply(bids: readonly Level[], asks: readonly Level[]): void
  /** Best first. */
  top(depth: number): { readonly bids: readonly Level[]; readonly asks: readonly Level[] }
}

type Side = Map<number, Level>

export function createTextBook(): TextBook {
  const bids: Side = new Map()
  const asks: Side = new Map()
  return {
    replace(newBids, newAsks) {
      bids.clear()
      asks.clear()
      set(bids, newBids)
      set(asks, newAsks)
    },
    apply(bidChanges, askChanges) {
      set(bids, bidChanges)
      set(asks, askChanges)
    },
    top: (depth) => ({ bids: best(bids, -1, depth), asks: best(asks, 1, depth) }),
  }
}

/** Prices are keyed by their number, so that `1.5` and `1.50` are one level. */
function set(side: Side, levels: readonly Level[]): void {
  for (const level of levels) {
    if (isZero(level[1])) side.delete(Number(level[0]))
    else side.set(Number(level[0]), level)
  }
}

const best = (side: Side, sign: number, depth: number): Level[] =>
  [...side]
    .sort(([a], [b]) => sign * (a - b))
    .slice(0, depth)
    .map(([, level]) => level)
