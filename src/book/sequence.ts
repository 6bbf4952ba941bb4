/** Sequence rules: how each venue proves that a delta continues a book. The whole difference between venues, in a few lines. */

import type { BookDelta } from '../model/event.ts'

/**
 * `apply`: continues the book. `unchanged`: says that nothing has changed. `stale`: already contained.
 * `gap`: something is missing. `reset`: continues the book, and the venue's numbering starts anew with it.
 */
export type Verdict = 'apply' | 'unchanged' | 'stale' | 'gap' | 'reset'

/**
 * Does `delta` continue a book whose last applied sequence is `last`?
 * `isFirst`: the book stands at a snapshot that no delta has joined yet; some venues have a wider rule there.
 */
export type SequenceRule = (last: number, delta: BookDelta, isFirst: boolean) => Verdict

/**
 * Binance spot: each delta covers the update ids `[U, u]`, and ranges must touch.
 *
 * 1. Buffer the stream; fetch a snapshot; if `lastUpdateId < U` of the first event, the snapshot is too old.
 * 2. Drop events with `u <= lastUpdateId`.
 * 3. Then every event must have `U <= id + 1 <= u`; `U > id + 1` means: discard the book, start over.
 *
 * Source: https://developers.binance.com/docs/binance-spot-api-docs/web-socket-streams (text of 2025-11-12)
 */
export const contiguous: SequenceRule = (last, delta) => {
  if (delta.first_sequence === undefined || delta.last_sequence === undefined) return 'gap'
  if (delta.last_sequence <= last) return 'stale'
  return delta.first_sequence <= last + 1 ? 'apply' : 'gap'
}

/**
 * Binance USD-M and COIN-M: ids are shared between symbols, so only `pu` chains.
 *
 * 1. Drop events with `u < lastUpdateId`.
 * 2. The first event must have `U <= lastUpdateId <= u`. Live streams of quiet symbols also join by
 *    `pu == lastUpdateId` with `U > lastUpdateId`; both are accepted.
 * 3. Then every event's `pu` must be the `u` before it.
 *
 * Source: https://developers.binance.com/docs/derivatives/usds-margined-futures/websocket-market-streams/How-to-manage-a-local-order-book-correctly
 */
export const previousChained: SequenceRule = (last, delta, isFirst) => {
  const { first_sequence: first, last_sequence: end, previous_sequence: previous } = delta
  if (end === undefined || previous === undefined) return 'gap'
  if (previous === last && end >= last) return 'apply'
  if (isFirst) {
    if (end < last) return 'stale'
    return first !== undefined && first <= last ? 'apply' : 'gap'
  }
  return end <= last ? 'stale' : 'gap'
}

/**
 * OKX: each delta names the sequence before it; steps are not 1.
 *
 * - `prevSeqId == seqId == last` and no levels: heartbeat of an unchanged book, about every 60 s. No data.
 * - `seqId < prevSeqId == last`: numbering reset by maintenance. Applied; the next delta chains on the smaller id.
 * - any other `prevSeqId`: gap. A repeated message is no gap: it ends at or before `last` and began before it.
 *
 * Source: https://www.okx.com/docs-v5/en/#order-book-trading-market-data-ws-order-book-channel
 */
export const chained: SequenceRule = (last, delta) => {
  const { last_sequence: end, previous_sequence: previous } = delta
  if (end === undefined || previous === undefined) return 'gap'
  if (previous === last) {
    if (end === last) return delta.bids.length + delta.asks.length === 0 ? 'unchanged' : 'apply'
    return end < last ? 'reset' : 'apply'
  }
  return previous < end && end <= last ? 'stale' : 'gap'
}
