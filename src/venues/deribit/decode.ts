/**
 * Frames of Deribit API v2 (JSON-RPC 2.0). Numbers come as JSON numbers and become their shortest text.
 *
 * Source: https://docs.deribit.com/#subscriptions
 */

import type {
  BookDelta,
  BookSnapshot,
  Channel,
  EpochUs,
  Level,
  Market,
  MarketEvent,
  Quote,
  Ticker,
  Trade,
} from '../../model/event.ts'
import { hashText } from '../../model/hash.ts'
import {
  type Blame,
  decimal,
  decimalOrAbsent,
  idText,
  integer,
  integerOrAbsent,
  isRaw,
  list,
  malformed,
  memberText,
  type Raw,
  raw,
  side,
  signedOrAbsent,
  symbolText,
  text,
  time,
  totally,
  word,
} from '../fields.ts'
import { originOf, type Source } from '../origin.ts'
import type { Decoded, Instruments } from '../venue.ts'

/** Ids of requests whose answer only proves that the connection lives. */
export const HEARTBEAT_REQUEST_ID = 1
export const TEST_REQUEST_ID = 2
/** The subscription to the state of the platform; whether it is taken decides nothing. */
export const PLATFORM_REQUEST_ID = 3

/** Sent when the venue asks for proof of life. */
const TEST_REPLY = JSON.stringify({ jsonrpc: '2.0', id: TEST_REQUEST_ID, method: 'public/test', params: {} })

/** Too many requests, retry, settlement, concurrency, maintenance, public requests off, internal error, unavailable, timed out. */
const TRANSIENT_CODES: ReadonlySet<unknown> = new Set([
  10028, 10040, 10041, 10047, 10066, 11051, 11056, 11094, 13028, 13503, 13888,
])

const INCREMENTAL_BOOK = /^book\.[^.]+\.(raw|100ms|agg2)$/

export function decodeDeribit(
  frame: Uint8Array,
  receiveTimeUs: EpochUs | undefined,
  instruments: Instruments,
): Decoded {
  return totally(frame, (value) => decodeValue(value, { receiveTimeUs, instruments }), blame)
}

function decodeValue(value: unknown, source: Source): Decoded {
  const frame = raw(value, 'frame')
  switch (frame.method) {
    case 'subscription':
      return notification(raw(frame.params, 'params'), source)
    case 'heartbeat':
      return raw(frame.params, 'params').type === 'test_request'
        ? { kind: 'reply', text: TEST_REPLY }
        : { kind: 'alive' }
    case undefined:
      return answer(frame)
    default:
      return { kind: 'unknown', what: text(frame.method, 'method') }
  }
}

function notification(params: Raw, source: Source): Decoded {
  const channel = text(params.channel, 'channel')
  const data = params.data
  const [name = ''] = channel.split('.', 1)
  switch (name) {
    case 'book':
      return INCREMENTAL_BOOK.test(channel)
        ? one(book(raw(data, 'data'), source))
        : { kind: 'unknown', what: 'grouped_book' }
    case 'trades':
      return { kind: 'events', events: list(data, 'data').map((row) => trade(raw(row, 'data'), source)) }
    case 'ticker':
    case 'incremental_ticker':
      return one(ticker(raw(data, 'data'), source))
    case 'quote':
      return one(quote(raw(data, 'data'), source))
    case 'platform_state':
      return isRaw(data) && data.maintenance === true
        ? { kind: 'closing', reason: 'maintenance' }
        : { kind: 'unknown', what: name }
    default:
      return { kind: 'unknown', what: name }
  }
}

const one = (event: MarketEvent): Decoded => ({ kind: 'events', events: [event] })

/** The result of a subscription lists what was really subscribed; a bad channel is silently missing from it. */
function answer(frame: Raw): Decoded {
  const requestId = frame.id === undefined || frame.id === null ? undefined : idText(frame.id, 'id')
  if (isRaw(frame.error)) {
    const { code, message } = frame.error
    const reason = `${word(code)} ${word(message)}`
    return { kind: 'rejected', requestId, reason, isPermanent: !TRANSIENT_CODES.has(code) }
  }
  if (!('result' in frame)) return { kind: 'unknown', what: 'no_method' }
  if (requestId === String(TEST_REQUEST_ID)) return { kind: 'alive' }
  const result = frame.result
  const topics = Array.isArray(result) ? result.filter((name) => typeof name === 'string') : undefined
  return { kind: 'ack', requestId, topics }
}

/** Market of a symbol without metadata, from its documented forms; combos, which are not collected, fit none. */
export function deribitMarketOf(symbol: string): Market {
  if (/-[CP]$/.test(symbol)) return 'option'
  if (symbol.endsWith('-PERPETUAL')) return 'perpetual'
  if (/-\d{1,2}[A-Z]{3}\d\d$/.test(symbol)) return 'future'
  return symbol.includes('_') ? 'spot' : 'future'
}

/** The fields that every event has, but for `type` and `id`. */
export const deribitOrigin = (symbol: string, source: Source, exchangeTimeUs: EpochUs) =>
  originOf({ exchange: 'deribit', venue: 'deribit', marketOf: deribitMarketOf }, symbol, source, exchangeTimeUs)

const origin = (data: Raw, source: Source) =>
  deribitOrigin(symbolText(data.instrument_name, 'instrument_name'), source, time(data.timestamp, 'timestamp'))

/** `direction` is the taker's side. `liquidation` and `block_trade_id` are only sent when they apply. */
export function trade(row: Raw, source: Source): Trade {
  const base = origin(row, source)
  const tradeId = idText(row.trade_id, 'trade_id')
  return {
    type: 'trade',
    ...base,
    id: `deribit:trade:${base.symbol}:0:${tradeId}`,
    trade_id: tradeId,
    price: decimal(row.price, 'price'),
    quantity: decimal(row.amount, 'amount'),
    side: side(row.direction, 'direction'),
    sequence: integerOrAbsent(row.trade_seq, 'trade_seq'),
    liquidation: typeof row.liquidation === 'string' ? row.liquidation !== 'none' : undefined,
    block: row.block_trade_id === undefined || row.block_trade_id === null ? undefined : true,
    iv: decimalOrAbsent(row.iv, 'iv'),
    source: 'stream',
  }
}

/** An empty side comes as price and amount 0: a placeholder, not a price. */
function bestOf(data: Raw) {
  const there = (name: string) => (data[name] === 0 ? undefined : decimalOrAbsent(data[name], name))
  return {
    bid_price: there('best_bid_price'),
    bid_quantity: there('best_bid_amount'),
    ask_price: there('best_ask_price'),
    ask_quantity: there('best_ask_amount'),
  }
}

/** `stats.volume` is in base units; `volume_notional` in quote units, and of options in dollars, which is not their quote. */
export function ticker(data: Raw, source: Source): Ticker {
  const base = origin(data, source)
  const stats = data.stats === undefined || data.stats === null ? {} : raw(data.stats, 'stats')
  const isDollarQuoted = base.market !== 'option' && base.market !== 'spot' && !base.symbol.includes('_')
  const quoteVolume =
    base.market === 'option' ? undefined : (stats.volume_notional ?? (isDollarQuoted ? stats.volume_usd : undefined))
  const values = {
    last_price: decimalOrAbsent(data.last_price, 'last_price'),
    ...bestOf(data),
    high_24h: decimalOrAbsent(stats.high, 'high'),
    low_24h: decimalOrAbsent(stats.low, 'low'),
    volume_24h: decimalOrAbsent(stats.volume, 'volume'),
    quote_volume_24h: decimalOrAbsent(quoteVolume, 'volume_notional'),
    price_change_percent_24h: signedOrAbsent(stats.price_change, 'price_change'),
  }
  const id = `deribit:ticker:${base.symbol}:${base.exchange_time_us}:${hashText(JSON.stringify(values))}`
  return { type: 'ticker', ...base, id, ...values }
}

function quote(data: Raw, source: Source): Quote {
  const base = origin(data, source)
  const values = bestOf(data)
  const id = `deribit:quote:${base.symbol}:${base.exchange_time_us}:${hashText(JSON.stringify(values))}`
  return { type: 'quote', ...base, id, ...values }
}

/**
 * A snapshot names no change before it. A change that names none has lost something: taken for a snapshot it would
 * replace the book by a few levels. Recordings before 2019 have no `type`.
 */
function book(data: Raw, source: Source): BookSnapshot | BookDelta {
  const base = origin(data, source)
  const sequence = integer(data.change_id, 'change_id')
  const previous = integerOrAbsent(data.prev_change_id, 'prev_change_id')
  const type = data.type ?? (previous === undefined ? 'snapshot' : 'change')
  if (type !== 'snapshot' && type !== 'change') malformed('type', 'snapshot or change', type)
  const isSnapshot = type === 'snapshot'
  const bids = rows(data.bids, 'bids', isSnapshot)
  const asks = rows(data.asks, 'asks', isSnapshot)
  const tail = `${base.symbol}:${base.exchange_time_us}:${sequence}`
  return isSnapshot
    ? { type: 'book_snapshot', ...base, id: `deribit:book_snapshot:${tail}`, bids, asks, sequence }
    : {
        type: 'book_delta',
        ...base,
        id: `deribit:book_delta:${tail}`,
        bids,
        asks,
        last_sequence: sequence,
        previous_sequence: integer(previous, 'prev_change_id'),
      }
}

/** Rows `[action, price, amount]`: `new` and `change` set the amount, `delete` removes. */
function rows(value: unknown, field: string, isSnapshot: boolean): Level[] {
  return list(value, field).map((row) => {
    if (!Array.isArray(row) || row.length < 3) malformed(field, 'rows of [action, price, amount]', row)
    const [action, price, amount] = row
    if (action === 'delete' && !isSnapshot) return [decimal(price, field), '0']
    if (action !== 'new' && action !== 'change') malformed(field, 'new, change or delete', action)
    return [decimal(price, field), decimal(amount, field)]
  })
}

/** Levels of REST answers: `[price, amount]`, best first. */
export const plainLevels = (value: unknown, field: string): Level[] =>
  list(value, field).map((row) => {
    if (!Array.isArray(row)) malformed(field, 'rows of [price, amount]', row)
    return [decimal(row[0], field), decimal(row[1], field)]
  })

const CHANNEL_OF_NAME: ReadonlyMap<unknown, Channel> = new Map([
  ['book', 'book'],
  ['trades', 'trade'],
  ['ticker', 'ticker'],
  ['incremental_ticker', 'ticker'],
  ['quote', 'quote'],
])

const blame: Blame = {
  owner(value) {
    const params = isRaw(value) && isRaw(value.params) ? value.params : {}
    const [name, symbol] = typeof params.channel === 'string' ? params.channel.split('.') : []
    const channel = CHANNEL_OF_NAME.get(name)
    return { symbol: channel === undefined ? undefined : symbol, channel }
  },
  salvage: (head) => ({ params: { channel: memberText(head, 'channel') } }),
}
