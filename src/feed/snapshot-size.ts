/** How deep a snapshot is asked for: all books that wait are to be there soon; audits widen them later. Pure. */

import type { SnapshotSize, SnapshotSizes } from '../venues/venue.ts'

/** Of what is left of the budget; the rest is for trades, metadata and what else goes wrong. */
const SHARE = 0.5

/** The deepest that each of `waiting` books could take, were all to share what is `left` of the budget now. */
export function snapshotSize(sizes: SnapshotSizes, waiting: number, left: number): SnapshotSize {
  const eachMax = (left * SHARE) / Math.max(1, waiting)
  return sizes.findLast(({ weight }) => weight <= eachMax) ?? sizes[0]
}
