/**
 * Frames of OKX API v5, public and business WebSocket.
 *
 * Source: https://www.okx.com/docs-v5/en/#order-book-trading-market-data
 */

import type {
  BookDelta,
  BookSnapshot,
  Channel,
  EpochUs,
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
  integerOrAbsent,
  isRaw,
  levels,
  list,
  malformed,
  memberText,
  type Raw,
  raw,
  side,
  symbolText,
  text,
  time,
  totally,
  word,
} from '../fields.ts'
import { originOf, type Source } from '../origin.ts'
import { runningNumber } from '../trades.ts'
import type { Decoded, Instruments } from '../venue.ts'

const INCREMENTAL_BOOKS = new Set(['books', 'books-l2-tbt', 'books50-l2-tbt'])

/** Asking again may help: too many requests, internal error. All other codes are about the request itself. */
const TRANSIENT_CODES = new Set(['60014', '64007', '50011', '50013', '50026'])

export function decodeOkx(frame: Uint8Array, receiveTimeUs: EpochUs | undefined, instruments: Instruments): Decoded {
  if (isPong(frame)) return { kind: 'alive' }
  return totally(frame, (value) => decodeValue(value, { receiveTimeUs, instruments }), blame)
}

/** The answer to our `ping` is the plain text `pong`, not JSON. */
const isPong = (frame: Uint8Array): boolean =>
  frame.length === 4 && frame[0] === 0x70 && frame[1] === 0x6f && frame[2] === 0x6e && frame[3] === 0x67

function decodeValue(value: unknown, source: Source): Decoded {
  if (value === 'pong') return { kind: 'alive' }
  const frame = raw(value, 'frame')
  if (frame.event !== undefined) return decodeAnswer(frame)
  const arg = raw(frame.arg, 'arg')
  const channel = text(arg.channel, 'channel')
  if (INCREMENTAL_BOOKS.has(channel)) return book(frame, arg, source)
  const { convert } = ROWS.get(channel) ?? {}
  if (convert === undefined) return { kind: 'unknown', what: channel }
  return { kind: 'events', events: list(frame.data, 'data').map((row) => convert(raw(row, 'data'), arg, source)) }
}

interface RowKind {
  readonly channel: Channel
  convert(row: Raw, arg: Raw, source: Source): MarketEvent
}

/** The venue's channels of which each row is an event of its own. */
const ROWS: ReadonlyMap<string, RowKind> = new Map<string, RowKind>([
  ['trades', { channel: 'trade', convert: trade }],
  ['trades-all', { channel: 'trade', convert: trade }],
  ['tickers', { channel: 'ticker', convert: ticker }],
  ['bbo-tbt', { channel: 'quote', convert: quote }],
])

/** Acks carry the topic; errors only the request's id, which is why every topic is asked for on its own. */
function decodeAnswer(frame: Raw): Decoded {
  const requestId = frame.id === undefined ? undefined : idText(frame.id, 'id')
  switch (frame.event) {
    case 'subscribe':
    case 'unsubscribe': {
      const arg = raw(frame.arg, 'arg')
      return { kind: 'ack', requestId, topics: [`${word(arg.channel)}:${word(arg.instId)}`] }
    }
    case 'error': {
      const code = word(frame.code)
      return {
        kind: 'rejected',
        requestId,
        reason: `${code} ${word(frame.msg)}`,
        isPermanent: !TRANSIENT_CODES.has(code),
      }
    }
    case 'notice':
      return { kind: 'closing', reason: `${word(frame.code)} ${word(frame.msg)}` }
    default:
      return { kind: 'unknown', what: text(frame.event, 'event') }
  }
}

/** Market of a symbol without metadata, from its documented forms: `BTC-USDT`, `…-SWAP`, `…-250808`, `…-92000-C`. */
export function okxMarketOf(symbol: string): Market {
  if (symbol.endsWith('-SWAP')) return 'perpetual'
  if (/-[CP]$/.test(symbol)) return 'option'
  return /-\d{6}$/.test(symbol) ? 'future' : 'spot'
}

/** The fields that every event has, but for `type` and `id`. */
export const okxOrigin = (symbol: string, source: Source, exchangeTimeUs: EpochUs) =>
  originOf({ exchange: 'okx', venue: 'okx', marketOf: okxMarketOf }, symbol, source, exchangeTimeUs)

const symbolOf = (row: Raw, arg: Raw): string => symbolText(row.instId ?? arg.instId, 'instId')

/**
 * Channel `trades` joins the fills of one taker at one price; `tradeId` is the last one's. Such an event has an id of
 * its own kind, because the single fill of the same number is another fact.
 */
export function trade(row: Raw, arg: Raw, source: Source): Trade {
  const base = okxOrigin(symbolOf(row, arg), source, time(row.ts, 'ts'))
  const tradeId = idText(row.tradeId, 'tradeId')
  const first = firstFill(tradeId, row.count)
  return {
    type: 'trade',
    ...base,
    id: `okx:trade:${base.symbol}:${first === undefined ? '0' : 'agg'}:${tradeId}`,
    trade_id: tradeId,
    price: decimal(row.px, 'px'),
    quantity: decimal(row.sz, 'sz'),
    side: side(row.side, 'side'),
    first_trade_id: first,
    last_trade_id: first === undefined ? undefined : tradeId,
    source: 'stream',
  }
}

/** Of several fills; `undefined` for one. Old recordings have no `count`, and what is no count stands for one. */
function firstFill(tradeId: string, count: unknown): string | undefined {
  const last = runningNumber(tradeId)
  const fills = typeof count === 'string' ? runningNumber(count) : undefined
  return last === undefined || fills === undefined || fills < 2 || fills > last + 1
    ? undefined
    : String(last - fills + 1)
}

/**
 * Spot: `vol24h` is base, `volCcy24h` quote. Derivatives: `vol24h` counts contracts, `volCcy24h` is base.
 * An empty text means: not applicable.
 */
export function ticker(row: Raw, arg: Raw, source: Source): Ticker {
  const base = okxOrigin(symbolOf(row, arg), source, time(row.ts, 'ts'))
  const isSpot = row.instType === undefined ? base.market === 'spot' : row.instType === 'SPOT'
  const values = {
    last_price: decimalOrAbsent(row.last, 'last'),
    last_quantity: decimalOrAbsent(row.lastSz, 'lastSz'),
    bid_price: decimalOrAbsent(row.bidPx, 'bidPx'),
    bid_quantity: decimalOrAbsent(row.bidSz, 'bidSz'),
    ask_price: decimalOrAbsent(row.askPx, 'askPx'),
    ask_quantity: decimalOrAbsent(row.askSz, 'askSz'),
    open_24h: decimalOrAbsent(row.open24h, 'open24h'),
    high_24h: decimalOrAbsent(row.high24h, 'high24h'),
    low_24h: decimalOrAbsent(row.low24h, 'low24h'),
    volume_24h: isSpot ? decimalOrAbsent(row.vol24h, 'vol24h') : decimalOrAbsent(row.volCcy24h, 'volCcy24h'),
    quote_volume_24h: isSpot ? decimalOrAbsent(row.volCcy24h, 'volCcy24h') : undefined,
  }
  const id = `okx:ticker:${base.symbol}:${base.exchange_time_us}:${hashText(JSON.stringify(values))}`
  return { type: 'ticker', ...base, id, ...values }
}

function quote(row: Raw, arg: Raw, source: Source): Quote {
  const base = okxOrigin(symbolOf(row, arg), source, time(row.ts, 'ts'))
  const [bid] = levels(row.bids, 'bids')
  const [ask] = levels(row.asks, 'asks')
  const sequence = integerOrAbsent(row.seqId, 'seqId')
  const values = { bid_price: bid?.[0], bid_quantity: bid?.[1], ask_price: ask?.[0], ask_quantity: ask?.[1] }
  const tail = sequence ?? hashText(JSON.stringify(values))
  return {
    type: 'quote',
    ...base,
    id: `okx:quote:${base.symbol}:${base.exchange_time_us}:${tail}`,
    ...values,
    sequence,
  }
}

/**
 * The venue's numbering may start anew (maintenance), so the time stands in the id where others have an epoch.
 * `checksum` is 0 or missing since June 2026; older recordings carry it. Recordings before 2023 carry no `seqId`.
 */
function book(frame: Raw, arg: Raw, source: Source): Decoded {
  const isSnapshot = frame.action === 'snapshot'
  if (!isSnapshot && frame.action !== 'update') malformed('action', 'snapshot or update', frame.action)
  let checksum: number | undefined
  const events = list(frame.data, 'data').map((value) => {
    const row = raw(value, 'data')
    checksum = integerOrAbsent(row.checksum, 'checksum') || undefined
    return isSnapshot ? bookSnapshot(row, arg, source) : bookDelta(row, arg, source)
  })
  return { kind: 'events', events, checksum }
}

function bookFields(type: string, row: Raw, arg: Raw, source: Source) {
  const base = okxOrigin(symbolOf(row, arg), source, time(row.ts, 'ts'))
  const bids = levels(row.bids, 'bids')
  const asks = levels(row.asks, 'asks')
  const sequence = integerOrAbsent(row.seqId, 'seqId')
  const tail = sequence ?? hashText(JSON.stringify([bids, asks]))
  return { base: { ...base, id: `okx:${type}:${base.symbol}:${base.exchange_time_us}:${tail}`, bids, asks }, sequence }
}

function bookSnapshot(row: Raw, arg: Raw, source: Source): BookSnapshot {
  const { base, sequence } = bookFields('book_snapshot', row, arg, source)
  return { type: 'book_snapshot', ...base, sequence, depth: arg.channel === 'books50-l2-tbt' ? 50 : 400 }
}

function bookDelta(row: Raw, arg: Raw, source: Source): BookDelta {
  const { base, sequence } = bookFields('book_delta', row, arg, source)
  return {
    type: 'book_delta',
    ...base,
    last_sequence: sequence,
    previous_sequence: integerOrAbsent(row.prevSeqId, 'prevSeqId'),
  }
}

const blame: Blame = {
  owner(value) {
    const arg = isRaw(value) && isRaw(value.arg) ? value.arg : {}
    const symbol = typeof arg.instId === 'string' ? arg.instId : undefined
    const name = typeof arg.channel === 'string' ? arg.channel : ''
    const channel = INCREMENTAL_BOOKS.has(name) ? 'book' : ROWS.get(name)?.channel
    return { symbol, channel }
  },
  salvage: (head) => ({ arg: { channel: memberText(head, 'channel'), instId: memberText(head, 'instId') } }),
}
