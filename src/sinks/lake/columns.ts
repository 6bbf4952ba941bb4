/** The columns of each type of event: the one place that a new field of the model needs here. */

import type { EventType, Level, MarketEvent } from '../../model/event.ts'

/**
 * `word`: text of few values; `text`: text of many; `decimal`: a number with its digits; `time`: microseconds;
 * `integer`: a whole number; `flag`: true or false; `levels`: one side of a book.
 */
export type Kind = 'word' | 'text' | 'decimal' | 'time' | 'integer' | 'flag' | 'levels'

export interface Column {
  /** Of the event. */
  readonly field: string
  /** In the file: times lose their `_us`, because their type says it. */
  readonly name: string
  readonly kind: Kind
  readonly isOptional: boolean
}

/** Type and exchange are the names of the folders. */
type Field<Event> = Exclude<keyof Event, 'type' | 'exchange'>
type KindOf<Value> = Value extends string
  ? 'word' | 'text' | 'decimal'
  : Value extends number
    ? 'time' | 'integer'
    : Value extends boolean
      ? 'flag'
      : Value extends readonly Level[]
        ? 'levels'
        : never
/** A question mark: the field may be absent. */
type Columns<Event> = {
  readonly [Name in Field<Event>]-?: undefined extends Event[Name]
    ? `${KindOf<Exclude<Event[Name], undefined>>}?`
    : KindOf<Event[Name]>
}
type AllColumns = { readonly [Type in EventType]: Columns<Extract<MarketEvent, { type: Type }>> }

const BASE = {
  symbol: 'word',
  venue: 'word',
  market: 'word',
  instrument: 'word?',
  exchange_time_us: 'time?',
  receive_time_us: 'time?',
  id: 'text',
} as const

const BEST = {
  bid_price: 'decimal?',
  bid_quantity: 'decimal?',
  ask_price: 'decimal?',
  ask_quantity: 'decimal?',
} as const

const COLUMNS = {
  trade: {
    ...BASE,
    trade_id: 'text?',
    price: 'decimal',
    quantity: 'decimal',
    side: 'word',
    first_trade_id: 'text?',
    last_trade_id: 'text?',
    sequence: 'integer?',
    liquidation: 'flag?',
    block: 'flag?',
    iv: 'decimal?',
    order_type: 'word?',
    source: 'word?',
  },
  ticker: {
    ...BASE,
    last_price: 'decimal?',
    last_quantity: 'decimal?',
    ...BEST,
    open_24h: 'decimal?',
    high_24h: 'decimal?',
    low_24h: 'decimal?',
    volume_24h: 'decimal?',
    quote_volume_24h: 'decimal?',
    price_change_24h: 'decimal?',
    price_change_percent_24h: 'decimal?',
  },
  quote: { ...BASE, ...BEST, sequence: 'integer?' },
  book_snapshot: { ...BASE, bids: 'levels', asks: 'levels', sequence: 'integer?', depth: 'integer?' },
  book_delta: {
    ...BASE,
    bids: 'levels',
    asks: 'levels',
    first_sequence: 'integer?',
    last_sequence: 'integer?',
    previous_sequence: 'integer?',
  },
  book_state: { ...BASE, state: 'word', reason: 'word', sequence: 'integer?' },
  instrument: {
    ...BASE,
    status: 'word',
    base: 'word',
    quote: 'word',
    settle: 'word?',
    tick_size: 'decimal?',
    lot_size: 'decimal?',
    min_quantity: 'decimal?',
    contract_size: 'decimal?',
    contract_currency: 'word?',
    inverse: 'flag?',
    expiry_time_us: 'time?',
    strike: 'decimal?',
    option_type: 'word?',
    listed_time_us: 'time?',
  },
  gap: {
    ...BASE,
    channel: 'word',
    gap_id: 'text',
    cause: 'word',
    state: 'word',
    start_time_us: 'time',
    end_time_us: 'time?',
    last_sequence: 'integer?',
    first_sequence: 'integer?',
    lost: 'integer?',
    healed: 'integer?',
    detected_time_us: 'time',
    reason: 'text?',
  },
} as const satisfies AllColumns

/** Holds the event's JSON where a number has more digits than its column, and is empty there. */
export const EXACT = 'exact'

export const LAKE_COLUMNS = Object.fromEntries(
  Object.entries(COLUMNS).map(([type, columns]) => [type, Object.entries(columns).map(column)]),
) as unknown as Readonly<Record<EventType, readonly Column[]>>

function column([field, kind]: [string, string]): Column {
  return {
    field,
    name: field.replace(/_us$/, ''),
    kind: kind.replace('?', '') as Kind,
    isOptional: kind.endsWith('?'),
  }
}
