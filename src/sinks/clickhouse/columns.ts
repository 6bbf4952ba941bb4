/** The one table of what ClickHouse keeps of each event. Tables, inserts, drift and documentation are made from it. */

import type { EventBase, EventType, MarketEvent } from '../../model/event.ts'

/**
 * How a field is kept. `text`: any text. `word`: text of few values. `decimal`: exact digits. `whole`: an integer. `flag`:
 * true or false. `time`: microseconds, kept as `DateTime64(6)` under the field's name without `_us`. `levels`: price and
 * quantity of each level.
 */
export type Kind = 'text' | 'word' | 'decimal' | 'whole' | 'flag' | 'time' | 'levels'

export interface Column {
  readonly kind: Kind
  /** May the event lack it? It is NULL then. */
  readonly isOptional: boolean
  /** The migration that brought it; see migrations.ts. */
  readonly since: number
}

const always = (kind: Kind, since = 1) => ({ kind, isOptional: false, since }) as const
const maybe = (kind: Kind, since = 1) => ({ kind, isOptional: true, since }) as const

type EventOf<T extends EventType> = Extract<MarketEvent, { type: T }>
/** Every field has a column, optional where the field is. */
type ColumnsOf<E> = { readonly [F in keyof E]-?: undefined extends E[F] ? Optional : Required }
type Optional = Column & { readonly isOptional: true }
type Required = Column & { readonly isOptional: false }

/** What every table has. */
export const BASE_COLUMNS = {
  exchange: always('word'),
  venue: always('word'),
  market: always('word'),
  symbol: always('word'),
  instrument: maybe('word'),
  exchange_time_us: maybe('time'),
  receive_time_us: maybe('time'),
  id: always('text'),
} as const satisfies ColumnsOf<EventBase>

/** What each table has besides. A table is called like its event type. */
export const COLUMNS = {
  trade: {
    trade_id: maybe('text'),
    price: always('decimal'),
    quantity: always('decimal'),
    side: always('word'),
    first_trade_id: maybe('text'),
    last_trade_id: maybe('text'),
    sequence: maybe('whole'),
    liquidation: maybe('flag'),
    block: maybe('flag'),
    iv: maybe('decimal'),
    order_type: maybe('word'),
    source: maybe('word'),
  },
  ticker: {
    last_price: maybe('decimal'),
    last_quantity: maybe('decimal'),
    bid_price: maybe('decimal'),
    bid_quantity: maybe('decimal'),
    ask_price: maybe('decimal'),
    ask_quantity: maybe('decimal'),
    open_24h: maybe('decimal'),
    high_24h: maybe('decimal'),
    low_24h: maybe('decimal'),
    volume_24h: maybe('decimal'),
    quote_volume_24h: maybe('decimal'),
    price_change_24h: maybe('decimal'),
    price_change_percent_24h: maybe('decimal'),
  },
  quote: {
    bid_price: maybe('decimal'),
    bid_quantity: maybe('decimal'),
    ask_price: maybe('decimal'),
    ask_quantity: maybe('decimal'),
    sequence: maybe('whole'),
  },
  book_snapshot: {
    bids: always('levels'),
    asks: always('levels'),
    sequence: maybe('whole'),
    depth: maybe('whole'),
  },
  book_delta: {
    bids: always('levels'),
    asks: always('levels'),
    first_sequence: maybe('whole'),
    last_sequence: maybe('whole'),
    previous_sequence: maybe('whole'),
  },
  book_state: {
    state: always('word'),
    reason: always('word'),
    sequence: maybe('whole'),
  },
  instrument: {
    status: always('word'),
    base: always('word'),
    quote: always('word'),
    settle: maybe('word'),
    tick_size: maybe('decimal'),
    lot_size: maybe('decimal'),
    min_quantity: maybe('decimal'),
    contract_size: maybe('decimal'),
    contract_currency: maybe('word'),
    inverse: maybe('flag'),
    expiry_time_us: maybe('time'),
    strike: maybe('decimal'),
    option_type: maybe('word'),
    listed_time_us: maybe('time'),
  },
  gap: {
    channel: always('word'),
    gap_id: always('text'),
    cause: always('word'),
    state: always('word'),
    start_time_us: always('time'),
    end_time_us: maybe('time'),
    last_sequence: maybe('whole'),
    first_sequence: maybe('whole'),
    lost: maybe('whole'),
    healed: maybe('whole'),
    detected_time_us: always('time'),
    reason: maybe('text'),
  },
} as const satisfies { readonly [T in EventType]: ColumnsOf<Omit<EventOf<T>, keyof EventBase | 'type'>> }

export const EVENT_TYPES = Object.keys(COLUMNS) as readonly EventType[]

export const isEventType = (text: string): text is EventType => Object.hasOwn(COLUMNS, text)

/** The columns of a table that the event's own fields fill, in order. */
export const fieldsOf = (type: EventType): readonly (readonly [field: string, column: Column])[] =>
  Object.entries<Column>({ ...BASE_COLUMNS, ...COLUMNS[type] })
