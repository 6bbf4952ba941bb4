/**
 * REST of OKX API v5: instruments, polled data, errors.
 *
 * Source: https://www.okx.com/docs-v5/en/#public-data-rest-api-get-instruments
 * and https://www.okx.com/docs-v5/en/#order-book-trading-market-data
 */

import { multiplyDecimals } from '../../model/decimal.ts'
import type { BookSnapshot, Channel, EpochUs, Instrument, Market, MarketEvent } from '../../model/event.ts'
import { epochUs } from '../../model/time.ts'
import {
  decimalOrAbsent,
  fingerprint,
  goodRows,
  integer,
  isRaw,
  levels,
  type Raw,
  raw,
  symbolText,
  text,
  time,
  word,
} from '../fields.ts'
import { canonicalName } from '../names.ts'
import {
  asList,
  type Instruments,
  type RecordedRequest,
  type RestFault,
  type RestRequest,
  type Venue,
} from '../venue.ts'
import { rows, rowsOf } from './api.ts'
import { okxMarketOf, okxOrigin, ticker } from './decode.ts'
import { newestTrade, newestTrades, pastTrades } from './trades.ts'

/** Limits are counts in 2 s. */
const RATE_LIMIT_MS = 2_000
const BOOK_DEPTH = 400

const MARKETS: ReadonlyMap<unknown, Market> = new Map([
  ['SPOT', 'spot'],
  ['SWAP', 'perpetual'],
  ['FUTURES', 'future'],
  ['OPTION', 'option'],
])

export const okxRest: Venue['rest'] = {
  instruments,
  snapshotSizes: [{ levels: BOOK_DEPTH, weight: 1 }],
  snapshot,
  trades: pastTrades,
  newestTrade,
  polledTrades: 'trades-all',
  poll,
  recorded,
  fault,
}

/** One request for each instrument type that the symbols need; options also need the family. */
function instruments(symbols: readonly string[]): RestRequest<readonly Instrument[]>[] {
  const queries = new Set(
    symbols.map((symbol) => {
      const market = okxMarketOf(symbol)
      if (market === 'option') return `instType=OPTION&instFamily=${encodeURIComponent(symbol.split('-', 2).join('-'))}`
      return `instType=${market === 'spot' ? 'SPOT' : market === 'perpetual' ? 'SWAP' : 'FUTURES'}`
    }),
  )
  return [...queries].map((query) => ({
    path: `/api/v5/public/instruments?${query}`,
    budget: 'instruments',
    weight: 1,
    parse: parseInstruments,
  }))
}

const parseInstruments = (body: unknown): Instrument[] => goodRows(rows(body), instrument)

function recorded(url: URL): RecordedRequest | undefined {
  const symbol = url.searchParams.get('instId')
  if (url.pathname.endsWith('/public/instruments')) {
    return {
      kind: 'instruments',
      request: { path: url.pathname, budget: 'instruments', weight: 1, parse: parseInstruments },
    }
  }
  return url.pathname.endsWith('/market/books') && symbol ? { kind: 'snapshot', request: snapshot(symbol) } : undefined
}

function snapshot(symbol: string): RestRequest<BookSnapshot> {
  return {
    path: `/api/v5/market/books?instId=${encodeURIComponent(symbol)}&sz=${BOOK_DEPTH}`,
    budget: 'books',
    weight: 1,
    parse: (body, receiveTimeUs, known) => bookSnapshot(symbol, raw(rows(body)[0], 'data'), receiveTimeUs, known),
  }
}

function poll(channel: Channel, symbols: readonly string[]): RestRequest<readonly MarketEvent[]>[] {
  switch (channel) {
    case 'ticker':
      return symbols.map((symbol) => rowsOf('ticker', `instId=${encodeURIComponent(symbol)}`, ticker))
    case 'trade':
      return symbols.map(newestTrades)
    case 'book':
      return symbols.map((symbol) => asList(snapshot(symbol)))
    default:
      return []
  }
}

function bookSnapshot(
  symbol: string,
  row: Raw,
  receiveTimeUs: EpochUs | undefined,
  instruments: Instruments,
): BookSnapshot {
  const base = okxOrigin(symbol, { receiveTimeUs, instruments }, time(row.ts, 'ts'))
  const sequence = integer(row.seqId, 'seqId')
  return {
    type: 'book_snapshot',
    ...base,
    id: `okx:book_snapshot:${symbol}:${base.exchange_time_us}:${sequence}`,
    bids: levels(row.bids, 'bids'),
    asks: levels(row.asks, 'asks'),
    sequence,
    depth: BOOK_DEPTH,
  }
}

/** One row of `/public/instruments`. Derivatives name base and quote in `uly` only. */
function instrument(row: Raw): Instrument {
  const symbol = symbolText(row.instId, 'instId')
  const kind = MARKETS.get(row.instType) ?? okxMarketOf(symbol)
  const [underlyingBase, underlyingQuote] = typeof row.uly === 'string' ? row.uly.split('-') : []
  const base = kind === 'spot' ? text(row.baseCcy, 'baseCcy') : text(underlyingBase, 'uly')
  const quote = kind === 'spot' ? text(row.quoteCcy, 'quoteCcy') : text(underlyingQuote, 'uly')
  const settle = kind === 'spot' ? undefined : text(row.settleCcy, 'settleCcy')
  const expiryUs = kind === 'spot' || kind === 'perpetual' ? undefined : epochUs(row.expTime)
  const strike = decimalOrAbsent(row.stk, 'stk')
  const optionType = row.optType === 'C' ? 'call' : row.optType === 'P' ? 'put' : undefined
  const value = decimalOrAbsent(row.ctVal, 'ctVal')
  const multiplier = decimalOrAbsent(row.ctMult, 'ctMult')
  return {
    type: 'instrument',
    exchange: 'okx',
    venue: 'okx',
    market: kind,
    symbol,
    // The settlement currency `USDⓈ` is the venue's word for US dollars held with it.
    instrument: canonicalName({ base, quote, settle: settle?.replace('Ⓢ', ''), kind, expiryUs, strike, optionType }),
    id: `okx:instrument:${symbol}:0:${fingerprint(row)}`,
    status: text(row.state, 'state'),
    base,
    quote,
    settle,
    tick_size: decimalOrAbsent(row.tickSz, 'tickSz'),
    lot_size: decimalOrAbsent(row.lotSz, 'lotSz'),
    min_quantity: decimalOrAbsent(row.minSz, 'minSz'),
    contract_size: value === undefined || multiplier === undefined ? value : multiplyDecimals(value, multiplier),
    contract_currency: typeof row.ctValCcy === 'string' && row.ctValCcy !== '' ? row.ctValCcy : undefined,
    inverse: row.ctType === 'inverse' ? true : row.ctType === 'linear' ? false : undefined,
    expiry_time_us: expiryUs,
    strike,
    option_type: optionType,
    listed_time_us: epochUs(row.listTime),
  }
}

/**
 * Errors come as `code` other than `"0"`, with HTTP 200 or not; the rate limit (50011) with either. `Retry-After` is not
 * documented, but what stands before the venue may send it.
 */
function fault(status: number, headers: Readonly<Record<string, string>>, body: unknown): RestFault | undefined {
  const code = isRaw(body) ? word(body.code) : ''
  if (status === 200 && code === '0') return undefined
  const message = isRaw(body) ? word(body.msg) : 'the answer is no JSON object'
  const reason = `HTTP ${status} ${code} ${message}`
  if (status === 429 || code === '50011' || code === '50013') {
    const retryAfterMs = Number(headers['retry-after']) * 1000
    return { kind: 'rate_limited', retryAfterMs: retryAfterMs > 0 ? retryAfterMs : RATE_LIMIT_MS, reason }
  }
  if (code === '51001') return { kind: 'unknown_symbol', reason }
  return { kind: 'failed', reason }
}
