/**
 * Frames of Binance spot and USD-M futures, with or without the combined-stream wrapper.
 *
 * Source: https://developers.binance.com/docs/binance-spot-api-docs/web-socket-streams
 * and https://developers.binance.com/docs/derivatives/usds-margined-futures/websocket-market-streams
 */

import type { BookDelta, Channel, EpochUs, MarketEvent, Quote, Ticker, Trade } from '../../model/event.ts'
import { hashText } from '../../model/hash.ts'
import {
  type Blame,
  boolean,
  decimal,
  decimalOrAbsent,
  idText,
  integer,
  integerOrAbsent,
  isRaw,
  levels,
  memberText,
  type Raw,
  raw,
  signedOrAbsent,
  symbolText,
  text,
  time,
  totally,
  word,
} from '../fields.ts'
import { type ApiIdentity, originOf, type Source } from '../origin.ts'
import type { Decoded, Instruments } from '../venue.ts'

export type BinanceId = 'binance' | 'binance-usdm'

/** `btcusdt@depth20@100ms`: the best levels only, whole each time; not the diff stream. */
const PARTIAL_DEPTH = /@(rpiDepth|depth(5|10|20))(@|$)/

/** `st` of payloads on the merged futures streams: 2 is a coin-margined symbol. */
const COIN_MARGINED = 2

export function decodeBinance(
  venue: BinanceId,
  frame: Uint8Array,
  receiveTimeUs: EpochUs | undefined,
  instruments: Instruments,
): Decoded {
  return totally(frame, (value) => decodeValue(venue, value, receiveTimeUs, instruments), blame)
}

function decodeValue(
  venue: BinanceId,
  value: unknown,
  receiveTimeUs: EpochUs | undefined,
  instruments: Instruments,
): Decoded {
  if (Array.isArray(value)) return { kind: 'unknown', what: 'array' }
  const frame = raw(value, 'frame')
  const isCombined = isRaw(frame.data) && frame.e === undefined
  const data = isCombined ? raw(frame.data, 'data') : frame
  const event = data.e
  if (event === undefined && !isCombined) {
    const answer = decodeAnswer(frame)
    if (answer !== undefined) return answer
  }
  if (data.st === COIN_MARGINED) return { kind: 'unknown', what: 'coin_margined' }
  const stream = typeof frame.stream === 'string' ? frame.stream : ''
  if (PARTIAL_DEPTH.test(stream) || (event === undefined && data.lastUpdateId !== undefined)) {
    return { kind: 'unknown', what: 'partial_depth' }
  }
  const source: BinanceSource = { venue, receiveTimeUs, instruments }
  switch (event) {
    case 'depthUpdate':
      return one(bookDelta(data, source))
    case 'trade':
      return one(trade(data, source))
    case 'aggTrade':
      return one(aggregateTrade(data, symbolText(data.s, 's'), source))
    case 'bookTicker':
      return one(quote(data, source))
    case '24hrTicker':
      return one(ticker(data, source))
    case 'serverShutdown':
      return { kind: 'closing', reason: 'serverShutdown' }
    case undefined:
      if (data.u !== undefined && data.B !== undefined) return one(quote(data, source))
      return { kind: 'unknown', what: 'no_event_type' }
    default:
      return { kind: 'unknown', what: text(event, 'e') }
  }
}

export interface BinanceSource extends Source {
  readonly venue: BinanceId
}

const one = (event: MarketEvent): Decoded => ({ kind: 'events', events: [event] })

/** Acks and errors: `{"result":null,"id":1}`, `{"code":2,"msg":"…","id":1}`, `{"error":{"code":…,"msg":…},"id":1}`. */
function decodeAnswer(frame: Raw): Decoded | undefined {
  const requestId = frame.id === undefined || frame.id === null ? undefined : idText(frame.id, 'id')
  const error = isRaw(frame.error) ? frame.error : frame
  if (typeof error.msg === 'string') {
    return { kind: 'rejected', requestId, reason: `${word(error.code)} ${word(error.msg)}`, isPermanent: true }
  }
  return 'result' in frame ? { kind: 'ack', requestId } : undefined
}

/** Quarterly contracts carry their date. */
export const APIS: Readonly<Record<BinanceId, ApiIdentity>> = {
  binance: { exchange: 'binance', venue: 'binance', marketOf: () => 'spot' },
  'binance-usdm': {
    exchange: 'binance',
    venue: 'binance-usdm',
    marketOf: (symbol) => (/_\d{6}$/.test(symbol) ? 'future' : 'perpetual'),
  },
}

/** The fields that every event has, but for `type` and `id`. */
export const binanceOrigin = (venue: BinanceId, symbol: string, source: Source, exchangeTimeUs: EpochUs | undefined) =>
  originOf(APIS[venue], symbol, source, exchangeTimeUs)

const origin = (data: Raw, source: BinanceSource, exchangeTimeUs: EpochUs | undefined) =>
  binanceOrigin(source.venue, symbolText(data.s, 's'), source, exchangeTimeUs)

/** Matching time `T`; event time `E` only where there is no `T` (spot depth). */
const matchingTime = (data: Raw): EpochUs | undefined =>
  data.T !== undefined ? time(data.T, 'T') : data.E !== undefined ? time(data.E, 'E') : undefined

function bookDelta(data: Raw, source: BinanceSource): BookDelta {
  const base = origin(data, source, matchingTime(data))
  const last = integer(data.u, 'u')
  return {
    type: 'book_delta',
    ...base,
    id: `${base.venue}:book_delta:${base.symbol}:0:${last}`,
    bids: levels(data.b, 'b'),
    asks: levels(data.a, 'a'),
    first_sequence: integer(data.U, 'U'),
    last_sequence: last,
    previous_sequence: integerOrAbsent(data.pu, 'pu'),
  }
}

function trade(data: Raw, source: BinanceSource): Trade {
  const base = origin(data, source, time(data.T, 'T'))
  const tradeId = String(integer(data.t, 't'))
  const orderType = data.X === undefined || data.X === 'MARKET' ? undefined : text(data.X, 'X')
  return {
    type: 'trade',
    ...base,
    id: `${base.venue}:trade:${base.symbol}:0:${tradeId}`,
    trade_id: tradeId,
    price: decimal(data.p, 'p'),
    quantity: decimal(data.q, 'q'),
    side: takerSide(data),
    order_type: orderType,
    source: 'stream',
  }
}

/**
 * Aggregate ids count on their own, so their ids carry `agg` where those of single trades have epoch 0.
 * Recordings of 2019 have no aggregate id; time and payload stand in for it.
 */
export function aggregateTrade(data: Raw, symbol: string, source: BinanceSource): Trade {
  const base = binanceOrigin(source.venue, symbol, source, time(data.T, 'T'))
  const tradeId = integerOrAbsent(data.a, 'a')?.toString()
  const values = {
    price: decimal(data.p, 'p'),
    quantity: decimal(data.q, 'q'),
    side: takerSide(data),
    first_trade_id: String(integer(data.f, 'f')),
    last_trade_id: String(integer(data.l, 'l')),
  } as const
  const tail = tradeId === undefined ? `${base.exchange_time_us}:${hashText(JSON.stringify(values))}` : `agg:${tradeId}`
  return {
    type: 'trade',
    ...base,
    id: `${base.venue}:trade:${base.symbol}:${tail}`,
    trade_id: tradeId,
    ...values,
    source: 'stream',
  }
}

/** `m`: the buyer is the maker, so the taker sold. */
const takerSide = (data: Raw) => (boolean(data.m, 'm') ? 'sell' : 'buy')

/** Spot `bookTicker` has neither event type nor time. */
function quote(data: Raw, source: BinanceSource): Quote {
  const base = origin(data, source, matchingTime(data))
  const sequence = integer(data.u, 'u')
  return {
    type: 'quote',
    ...base,
    id: `${base.venue}:quote:${base.symbol}:0:${sequence}`,
    bid_price: decimal(data.b, 'b'),
    bid_quantity: decimal(data.B, 'B'),
    ask_price: decimal(data.a, 'a'),
    ask_quantity: decimal(data.A, 'A'),
    sequence,
  }
}

/** Futures tickers have no best bid and ask. */
function ticker(data: Raw, source: BinanceSource): Ticker {
  const base = origin(data, source, time(data.E, 'E'))
  const values = {
    last_price: decimalOrAbsent(data.c, 'c'),
    last_quantity: decimalOrAbsent(data.Q, 'Q'),
    bid_price: decimalOrAbsent(data.b, 'b'),
    bid_quantity: decimalOrAbsent(data.B, 'B'),
    ask_price: decimalOrAbsent(data.a, 'a'),
    ask_quantity: decimalOrAbsent(data.A, 'A'),
    open_24h: decimalOrAbsent(data.o, 'o'),
    high_24h: decimalOrAbsent(data.h, 'h'),
    low_24h: decimalOrAbsent(data.l, 'l'),
    volume_24h: decimalOrAbsent(data.v, 'v'),
    quote_volume_24h: decimalOrAbsent(data.q, 'q'),
    price_change_24h: signedOrAbsent(data.p, 'p'),
    price_change_percent_24h: signedOrAbsent(data.P, 'P'),
  }
  const id = `${base.venue}:ticker:${base.symbol}:${base.exchange_time_us}:${hashText(JSON.stringify(values))}`
  return { type: 'ticker', ...base, id, ...values }
}

const CHANNEL_OF_EVENT: ReadonlyMap<unknown, Channel> = new Map([
  ['depthUpdate', 'book'],
  ['trade', 'trade'],
  ['aggTrade', 'trade'],
  ['24hrTicker', 'ticker'],
  ['bookTicker', 'quote'],
])

/** Of streams that are named unlike their events. */
const CHANNEL_OF_STREAM: ReadonlyMap<unknown, Channel> = new Map([
  ['depth', 'book'],
  ['ticker', 'ticker'],
])

const blame: Blame = {
  owner(value) {
    const frame = isRaw(value) ? value : {}
    const data = isRaw(frame.data) ? frame.data : frame
    // `btcusdt@depth@100ms`; streams of all symbols begin with `!`.
    const stream = typeof frame.stream === 'string' && !frame.stream.startsWith('!') ? frame.stream : ''
    const [streamSymbol, kind] = stream.split('@', 2)
    const symbol = typeof data.s === 'string' && data.s !== '' ? data.s : streamSymbol?.toUpperCase() || undefined
    // Spot `bookTicker` names no event type.
    const event = data.e ?? kind ?? (data.u === undefined ? undefined : 'bookTicker')
    return { symbol, channel: CHANNEL_OF_EVENT.get(event) ?? CHANNEL_OF_STREAM.get(event) }
  },
  salvage: (head) => ({ stream: memberText(head, 'stream') }),
}
