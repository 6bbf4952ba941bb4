import type { Level } from '../model/event.ts'
import type { SimInstrument, SimMarket } from './exchange.ts'
import { bookChecksum, changeRow, levelRow } from './okx-rows.ts'
import {
  type BookChange,
  type BookImage,
  type BookView,
  createPublishedBook,
  type PublishedBook,
} from './published-book.ts'
import { textUnits, unitsText } from './units.ts'

/** Levels a side of channel `books`. Levels beyond are not part of it: entering is an insert, leaving a delete. */
export const BOOK_LEVELS = 400
/** Sequence steps are not 1. */
const SEQUENCE_STEP = 3
/** As large as the live ones of October 2026. */
const SEQUENCE_START = 344_430_000_000

/** What the `checksum` of a book push is: absent (today), 0 (June 2026), or true (before). */
export type ChecksumMode = 'none' | 'zero' | 'crc'

export interface OkxBook {
  readonly published: PublishedBook
  /** The sequence number of the market's `updateId`, for channels that show the book at once. */
  sequence(updateId: number): number
  /** The next update carries a sequence below the one before. */
  resetSequence(): void
  /** While crossed, the best ask stands below the best bid, as it may before the opening auction. */
  cross(isCrossed: boolean): void
  readonly isCrossed: boolean
  /** The truth may have changed since the last publication. */
  isDirty: boolean
}

export function createOkxBook(options: {
  readonly market: SimMarket
  readonly instrument: SimInstrument
  readonly nowMs: number
  readonly lagMsMax: number
}): OkxBook {
  const { market, instrument } = options
  let base = SEQUENCE_START
  let mustReset = false
  let isCrossed = false
  const sequence = (updateId: number): number => base + updateId * SEQUENCE_STEP

  function read(): BookView {
    const { bids, asks, lastUpdateId } = market.book(instrument.symbol)
    const shown = isCrossed ? crossed(instrument, bids, asks) : asks
    return { bids: bids.slice(0, BOOK_LEVELS), asks: shown.slice(0, BOOK_LEVELS), updateId: lastUpdateId }
  }

  function number(updateId: number, previous: number | undefined): number {
    if (previous === undefined) return sequence(updateId)
    if (mustReset) base = Math.floor(previous / 2) - updateId * SEQUENCE_STEP
    // Crossing changes the book without a change of the market.
    else if (sequence(updateId) === previous) base += SEQUENCE_STEP
    mustReset = false
    return sequence(updateId)
  }

  const { nowMs, lagMsMax } = options
  return {
    published: createPublishedBook({ nowMs, lagMsMax, read, number }),
    sequence,
    isDirty: false,
    get isCrossed() {
      return isCrossed
    },
    resetSequence() {
      mustReset = true
    },
    cross(value) {
      isCrossed = value
      this.isDirty = true
    },
  }
}

/** Adds an ask one tick below the best bid. */
function crossed(instrument: SimInstrument, bids: readonly Level[], asks: readonly Level[]): readonly Level[] {
  const best = bids[0]
  if (!best) return asks
  const price = textUnits(best[0], instrument.priceDecimals) - BigInt(instrument.tickUnits)
  return [[unitsText(price, instrument.priceDecimals), best[1]], ...asks]
}

const checksumField = (mode: ChecksumMode, image: BookImage) =>
  mode === 'none' ? {} : { checksum: mode === 'zero' ? 0 : bookChecksum(image.bids, image.asks) }

/** The data of a `books` push that replaces the client's book. */
export const snapshotData = (image: BookImage, mode: ChecksumMode) => ({
  asks: image.asks.map(levelRow),
  bids: image.bids.map(levelRow),
  ts: String(image.publishedMs),
  ...checksumField(mode, image),
  prevSeqId: -1,
  seqId: image.sequence,
})

/** The data of a `books` push that changes the client's book. */
export const updateData = (change: BookChange, mode: ChecksumMode) => ({
  asks: change.asks.map(changeRow),
  bids: change.bids.map(changeRow),
  ts: String(change.after.publishedMs),
  ...checksumField(mode, change.after),
  prevSeqId: change.before.sequence,
  seqId: change.after.sequence,
})

/** The data of a `books` push of a book that has not changed for about a minute. */
export const heartbeatData = (image: BookImage, mode: ChecksumMode, nowMs: number) => ({
  asks: [],
  bids: [],
  ts: String(nowMs),
  ...checksumField(mode, image),
  prevSeqId: image.sequence,
  seqId: image.sequence,
})
