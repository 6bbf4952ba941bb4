import type { BookDelta, BookSnapshot, Level } from '../../src/model/event.ts'

const identity = { exchange: 'toy', venue: 'toy', market: 'spot', symbol: 'BTC-USDT' } as const

/** `'100:1 101:2'`: levels as short text. */
export const levels = (text: string): Level[] =>
  text
    .split(' ')
    .filter((part) => part !== '')
    .map((part) => part.split(':') as unknown as Level)

export function snapshot(
  sequence: number | undefined,
  bids = '99:1',
  asks = '101:1',
  more: Partial<BookSnapshot> = {},
): BookSnapshot {
  const id = `toy:book_snapshot:BTC-USDT:0:${sequence}`
  return { type: 'book_snapshot', ...identity, id, bids: levels(bids), asks: levels(asks), sequence, ...more }
}

/** The three sequences of a delta, each where its venue sends it. */
export interface Sequences {
  readonly first?: number
  readonly last?: number
  readonly previous?: number
}

export function delta(
  { first, last, previous }: Sequences,
  bids = '',
  asks = '',
  more: Partial<BookDelta> = {},
): BookDelta {
  return {
    type: 'book_delta',
    ...identity,
    id: `toy:book_delta:BTC-USDT:0:${last}`,
    bids: levels(bids),
    asks: levels(asks),
    first_sequence: first,
    last_sequence: last,
    previous_sequence: previous,
    ...more,
  }
}
