/** Running numbers of trades: what a trade covers, and which past trades heal a gap. */

import type { Trade } from '../model/event.ts'
import type { Span } from './venue.ts'

/** A trade id as the number that it is; `undefined` for any other text, and beyond 2^53. */
export function runningNumber(id: string | undefined): number | undefined {
  if (id === undefined || !/^\d{1,16}$/.test(id)) return undefined
  const number = Number(id)
  return isExact(number) ? number : undefined
}

/** From `first` to `last`; `undefined` unless both are there, in this order, and exact. */
export const spanOf = (first: number | undefined, last = first): Span | undefined =>
  isExact(first) && isExact(last) && first <= last ? { first, last } : undefined

const isExact = (number: number | undefined): number is number => Number.isSafeInteger(number)

/** The first `count` numbers of a span. */
export const firstPart = ({ first, last }: Span, count: number): Span => ({
  first,
  last: Math.min(last, first + count - 1),
})

export const sizeOf = ({ first, last }: Span): number => last - first + 1

/** The fetched trades that lie within `wanted`, oldest first, marked as backfill. */
export function backfill(
  trades: readonly Trade[],
  wanted: Span,
  tradeSpan: (trade: Trade) => Span | undefined,
): readonly Trade[] {
  return trades
    .flatMap((trade) => {
      const span = tradeSpan(trade)
      return span !== undefined && span.first >= wanted.first && span.last <= wanted.last
        ? [{ first: span.first, trade: { ...trade, source: 'backfill' as const } }]
        : []
    })
    .sort((a, b) => a.first - b.first)
    .map(({ trade }) => trade)
}
