import type { Level } from '../model/event.ts'
import type { DepthBatch } from './binance-payloads.ts'

/** Ids of one step on the wire. */
export interface IdRange {
  readonly firstId: number
  readonly lastId: number
}

/** Collects the steps of one symbol for a diff stream with a fixed interval. */
export interface DepthBatches {
  add(ids: IdRange, timeMs: number, bids: readonly Level[], asks: readonly Level[]): void
  /** What came since the last time; `undefined` if nothing did. */
  take(): DepthBatch | undefined
}

/** `lastId`: of the book when the stream begins. */
export function createDepthBatches(lastId: number): DepthBatches {
  const bids = new Map<string, string>()
  const asks = new Map<string, string>()
  let previousId = lastId
  let open: { firstId: number; lastId: number; timeMs: number } | undefined

  return {
    add(ids, timeMs, bidChanges, askChanges) {
      open = { firstId: open?.firstId ?? ids.firstId, lastId: ids.lastId, timeMs }
      for (const [price, quantity] of bidChanges) bids.set(price, quantity)
      for (const [price, quantity] of askChanges) asks.set(price, quantity)
    },
    take() {
      if (!open) return undefined
      const batch = { ...open, previousId, bids: sorted(bids, -1), asks: sorted(asks, 1) }
      previousId = open.lastId
      open = undefined
      bids.clear()
      asks.clear()
      return batch
    },
  }
}

const sorted = (side: ReadonlyMap<string, string>, sign: number): Level[] =>
  [...side].sort(([a], [b]) => sign * (Number(a) - Number(b)))
