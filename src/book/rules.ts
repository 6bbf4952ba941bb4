import type { OrderBook } from './order-book.ts'
import type { SequenceRule } from './sequence.ts'

/** How one venue's books work. */
export interface BookRules {
  readonly rule: SequenceRule
  readonly snapshotFrom: 'stream' | 'rest'
  /** Levels a side that the venue keeps; deeper ones are cut off after each message. */
  readonly depthMax?: number | undefined
  /** CRC32 of the book as the venue computes it. */
  readonly checksum?: ((book: OrderBook) => number) | undefined
}

/** Levels a side that are held at most; no venue's book is as deep. */
export const LEVELS_MAX = 50_000
