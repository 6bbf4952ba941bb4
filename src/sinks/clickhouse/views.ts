/** The views that come with the tables, as SQL. Pure. docs/CLICKHOUSE.md says what their columns mean. */

import { quoted } from './schema.ts'

type View = (database: string) => string

const INSTRUMENT = 'exchange, venue, market, symbol'

/** Digits after the point of a product; the rest is cut. Those of venues have 18 at most. */
const PRODUCT = (a: string, b: string): string => `multiplyDecimal(${a}, ${b}, 38)`

/** What orders trades of one time: the venue's own number. */
const TRADE_ORDER = "(time, ifNull(sequence, toInt64OrZero(ifNull(trade_id, ''))), id)"

const ohlcv: View = (database) => `
SELECT ${INSTRUMENT}, any(instrument) AS instrument, toStartOfMinute(time) AS minute,
  argMin(price, ${TRADE_ORDER}) AS open, max(price) AS high, min(price) AS low, argMax(price, ${TRADE_ORDER}) AS close,
  sum(quantity) AS volume, sumIf(quantity, side = 'buy') AS buy_volume, sum(${PRODUCT('price', 'quantity')}) AS turnover,
  count() AS trades
FROM ${quoted(database)}.trade FINAL
GROUP BY ${INSTRUMENT}, minute`

const spread: View = (database) => `
SELECT ${INSTRUMENT}, instrument, time, id, bid_price, bid_quantity, ask_price, ask_quantity,
  ask_price - bid_price AS spread,
  20000 * toFloat64(ask_price - bid_price) / toFloat64(ask_price + bid_price) AS spread_bps
FROM ${quoted(database)}.quote FINAL
WHERE bid_price IS NOT NULL AND ask_price IS NOT NULL`

const depth: View = (database) => `
SELECT ${INSTRUMENT}, instrument, time, id, sequence,
  if(empty(bids), NULL, bids[1].price) AS bid_price, if(empty(asks), NULL, asks[1].price) AS ask_price,
  length(bids) AS bid_levels, length(asks) AS ask_levels,
  arraySum(bids.quantity) AS bid_quantity, arraySum(asks.quantity) AS ask_quantity,
  arraySum(arrayMap((p, q) -> ${PRODUCT('p', 'q')}, bids.price, bids.quantity)) AS bid_value,
  arraySum(arrayMap((p, q) -> ${PRODUCT('p', 'q')}, asks.price, asks.quantity)) AS ask_value
FROM ${quoted(database)}.book_snapshot FINAL`

/** Each change of a gap is a row of table `gap`; the newest tells how it stands. */
const gaps: View = (database) => `
SELECT * FROM ${quoted(database)}.gap FINAL
ORDER BY revision DESC
LIMIT 1 BY venue, symbol, channel, gap_id`

/** As migration 2 made it: {@link completeness} has taken its place. */
const firstCompleteness: View = (database) => `
WITH if(state = 'open' AND end_time IS NULL, now64(6, 'UTC'), ifNull(end_time, start_time)) AS until
SELECT ${INSTRUMENT}, channel, day,
  count() AS gaps, countIf(state = 'open') AS open_gaps,
  sum(ifNull(lost, 0)) AS lost, sum(ifNull(healed, 0)) AS healed,
  intervalLengthSumIf(
    greatest(toUnixTimestamp64Micro(start_time), day_start_us),
    least(toUnixTimestamp64Micro(until), day_start_us + 86400000000),
    state != 'healed') / 1e6 AS missing_seconds,
  greatest(0, 1 - missing_seconds / least(86400, greatest(1, dateDiff('second', toDateTime(day, 'UTC'), now('UTC')))))
    AS completeness
FROM (
  SELECT *, arrayJoin(arrayMap(n -> toDate(start_time) + n, range(toUInt32(toDate(until) - toDate(start_time) + 1)))) AS day,
    toInt64(toUnixTimestamp(toDateTime(day, 'UTC'))) * 1000000 AS day_start_us
  FROM ${quoted(database)}.gaps
)
GROUP BY ${INSTRUMENT}, channel, day`

/** Nothing is missing in the gap, or it was fetched: as `isWhole` of the ledger says it. */
const IS_WHOLE = "state = 'healed' OR (state != 'open' AND ifNull(lost, 1) = 0)"

/**
 * One row a day and feed that had gaps. Overlapping gaps count once; a day that is not over is as long as it has lasted.
 * The server's clock may be behind the start of an open gap.
 */
const completeness: View = (database) => `
WITH greatest(start_time, if(state = 'open' AND end_time IS NULL, now64(6, 'UTC'), ifNull(end_time, start_time))) AS until
SELECT ${INSTRUMENT}, channel, day,
  count() AS gaps, countIf(state = 'open') AS open_gaps,
  sum(ifNull(lost, 0)) AS lost, sum(ifNull(healed, 0)) AS healed,
  intervalLengthSumIf(
    greatest(toUnixTimestamp64Micro(start_time), day_start_us),
    least(toUnixTimestamp64Micro(until), day_start_us + 86400000000),
    NOT is_whole) / 1e6 AS missing_seconds,
  greatest(0, 1 - missing_seconds / least(86400, greatest(1, dateDiff('second', toDateTime(day, 'UTC'), now('UTC')))))
    AS completeness
FROM (
  SELECT *, arrayJoin(arrayMap(n -> toDate(start_time) + n, range(toUInt32(toDate(until) - toDate(start_time) + 1)))) AS day,
    toInt64(toUnixTimestamp(toDateTime(day, 'UTC'))) * 1000000 AS day_start_us, ${IS_WHOLE} AS is_whole
  FROM ${quoted(database)}.gaps
)
GROUP BY ${INSTRUMENT}, channel, day`

const VIEWS: Readonly<Record<string, View>> = { ohlcv_1m: ohlcv, spread, depth, gaps, completeness: firstCompleteness }

export const VIEW_NAMES = Object.keys(VIEWS)

const createView = (database: string, name: string, view: View): string =>
  `CREATE OR REPLACE VIEW ${quoted(database)}.${name} AS${view(database)}`

/** The statements that make all views as they were first. */
export const createViews = (database: string): readonly string[] =>
  Object.entries(VIEWS).map(([name, view]) => createView(database, name, view))

export const createCompleteness = (database: string): readonly string[] => [
  createView(database, 'completeness', completeness),
]
