/** The tables in ClickHouse's words, made from columns.ts. Pure. */

import type { EpochUs, EventType, Gap } from '../../model/event.ts'
import { type Column, fieldsOf, type Kind } from './columns.ts'

/**
 * 38 digits on both sides of the point. A decimal of the model has at most 40 characters, so none has more digits after
 * its point than fit; ClickHouse would cut those without a word. What has more before it is an error that ClickHouse tells.
 */
const DECIMAL = 'Decimal(76, 38)'
/** What all numbers of a block can be divided by is kept once: 38 digits then cost less than text. */
const DIGITS = 'GCD, ZSTD(1)'
const TIME = "DateTime64(6, 'UTC')"
const NO_TIME = "toDateTime64(0, 6, 'UTC')"

/** Inserts of a table whose tokens it remembers: hours, at one a second. */
const TOKENS_KEPT = 10_000

/** One column as it stands in the database. */
export interface StoredColumn {
  readonly name: string
  readonly type: string
  /** `EPHEMERAL` columns are there during an insert only. */
  readonly defaultKind: '' | 'DEFAULT' | 'EPHEMERAL'
  readonly defaultSql: string
  readonly codec: string
  readonly since: number
}

const TYPES = {
  text: { always: 'String', maybe: 'Nullable(String)', codec: 'ZSTD(1)' },
  word: { always: 'LowCardinality(String)', maybe: 'LowCardinality(Nullable(String))', codec: 'ZSTD(1)' },
  decimal: { always: DECIMAL, maybe: `Nullable(${DECIMAL})`, codec: DIGITS },
  whole: { always: 'Int64', maybe: 'Nullable(Int64)', codec: 'Delta(8), ZSTD(1)' },
  flag: { always: 'Bool', maybe: 'Nullable(Bool)', codec: 'ZSTD(1)' },
  time: { always: TIME, maybe: `Nullable(${TIME})`, codec: 'DoubleDelta, ZSTD(1)' },
  levels: {
    always: `Array(Tuple(price ${DECIMAL}, quantity ${DECIMAL}))`,
    maybe: `Array(Tuple(price ${DECIMAL}, quantity ${DECIMAL}))`,
    codec: DIGITS,
  },
} as const satisfies Record<Kind, { always: string; maybe: string; codec: string }>

interface TableFacts {
  /** When it happened, as SQL: what queries filter by and partitions are made of. */
  readonly time: string
  /** What orders facts of one time, before their id. Of the fact alone, so that one id has one place. */
  readonly order: readonly string[]
  /** Is it market data, which a TTL may remove? */
  readonly isAged: boolean
  /** Columns made from others. */
  readonly derived?: readonly StoredColumn[]
}

const RECEIVED = `coalesce(exchange_time, receive_time, ${NO_TIME})`
/** When the venue says it happened: the same for one id wherever it was received. */
const FACT_TIME = `ifNull(exchange_time, ${NO_TIME})`

const REVISION: StoredColumn = {
  name: 'revision',
  type: 'UInt32',
  defaultKind: 'DEFAULT',
  defaultSql: "toUInt32OrZero(splitByChar(':', id)[-1])",
  codec: 'ZSTD(1)',
  since: 1,
}

const TABLES: Readonly<Record<EventType, TableFacts>> = {
  trade: { time: RECEIVED, order: [FACT_TIME], isAged: true },
  ticker: { time: RECEIVED, order: [FACT_TIME], isAged: true },
  quote: { time: RECEIVED, order: [FACT_TIME, 'ifNull(sequence, 0)'], isAged: true },
  book_snapshot: { time: RECEIVED, order: [FACT_TIME, 'ifNull(sequence, 0)'], isAged: true },
  book_delta: { time: RECEIVED, order: [FACT_TIME, 'ifNull(last_sequence, 0)'], isAged: true },
  book_state: { time: RECEIVED, order: [FACT_TIME, 'ifNull(sequence, 0)'], isAged: true },
  instrument: { time: RECEIVED, order: [], isAged: false },
  gap: { time: 'start_time', order: ['start_time'], isAged: false, derived: [REVISION] },
}

/** Column `time` of the event, in microseconds: what {@link TABLES} has as SQL. */
export const timeOf = (type: EventType, event: Partial<Gap>): EpochUs =>
  (type === 'gap' ? event.start_time_us : (event.exchange_time_us ?? event.receive_time_us)) ?? 0

/** The column that keeps the field: `exchange_time_us` is kept as `exchange_time`. */
export const keptAs = (field: string): string => field.replace(/_us$/, '')

/** All columns of a table, in order. */
export function storedColumns(type: EventType): readonly StoredColumn[] {
  const word: StoredColumn = {
    name: 'type',
    type: 'String',
    defaultKind: 'EPHEMERAL',
    defaultSql: '',
    codec: '',
    since: 1,
  }
  const { time, derived = [] } = TABLES[type]
  const when: StoredColumn = {
    name: 'time',
    type: TIME,
    defaultKind: 'DEFAULT',
    defaultSql: time,
    codec: TYPES.time.codec,
    since: 1,
  }
  return [word, ...fieldsOf(type).flatMap(([field, column]) => columnsOf(field, column)), when, ...derived]
}

function columnsOf(field: string, column: Column): StoredColumn[] {
  const { always, maybe, codec } = TYPES[column.kind]
  const { since } = column
  const kept = { name: keptAs(field), type: column.isOptional ? maybe : always, codec, since }
  if (column.kind !== 'time') return [{ ...kept, defaultKind: '', defaultSql: '' }]
  // Integers are read exactly, whatever their size; ClickHouse would have to guess the unit of a number in a time's place.
  const asSent = column.isOptional ? 'Nullable(Int64)' : 'Int64'
  return [
    { name: field, type: asSent, defaultKind: 'EPHEMERAL', defaultSql: '', codec: '', since },
    { ...kept, defaultKind: 'DEFAULT', defaultSql: `fromUnixTimestamp64Micro(${field}, 'UTC')` },
  ]
}

/** The columns that an insert names: the event's own fields. */
export const insertColumns = (type: EventType): readonly string[] => ['type', ...fieldsOf(type).map(([field]) => field)]

/** `identifier` in backquotes. */
export const quoted = (identifier: string): string => `\`${identifier.replace(/[\\`]/g, '\\$&')}\``

const columnSql = ({ name, type, defaultKind, defaultSql, codec }: StoredColumn): string =>
  [quoted(name), type, defaultKind, defaultSql, codec && `CODEC(${codec})`].filter((part) => part !== '').join(' ')

/** Makes the table with the columns that it had in migration 1. */
export function createTable(database: string, type: EventType): string {
  const columns = storedColumns(type).filter(({ since }) => since === 1)
  const order = ['exchange', 'market', 'symbol', ...TABLES[type].order, 'id']
  return `CREATE TABLE IF NOT EXISTS ${quoted(database)}.${type} (
  ${columns.map(columnSql).join(',\n  ')},
  INDEX by_time time TYPE minmax GRANULARITY 1
) ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMM(time)
ORDER BY (${order.join(', ')})
SETTINGS non_replicated_deduplication_window = ${TOKENS_KEPT}, fsync_after_insert = 1`
}

/** Brings the columns of a later migration to the table. */
export const addColumns = (database: string, type: EventType, version: number): readonly string[] =>
  storedColumns(type)
    .filter(({ since }) => since === version)
    .map((column) => `ALTER TABLE ${quoted(database)}.${type} ADD COLUMN IF NOT EXISTS ${columnSql(column)}`)

const TTL_COLUMN = 'toDateTime(time)'

/** Makes ClickHouse remove what is older; `undefined`: this table is kept. */
export const setTtl = (database: string, type: EventType, days: number): string | undefined =>
  TABLES[type].isAged
    ? `ALTER TABLE ${quoted(database)}.${type} MODIFY TTL ${TTL_COLUMN} + toIntervalDay(${days})`
    : undefined
