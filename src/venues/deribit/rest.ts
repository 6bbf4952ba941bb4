/**
 * REST (JSON-RPC over GET) of Deribit API v2: instruments, snapshots, polled data, errors.
 *
 * Source: https://docs.deribit.com/#public-get_instruments
 */

import type { BookSnapshot, Channel, Instrument, MarketEvent } from '../../model/event.ts'
import { epochUs } from '../../model/time.ts'
import {
  decimalOrAbsent,
  fingerprint,
  goodRows,
  integer,
  isRaw,
  list,
  type Raw,
  raw,
  symbolText,
  text,
  time,
  word,
} from '../fields.ts'
import { canonicalName } from '../names.ts'
import { asList, type RecordedRequest, type RestFault, type RestRequest, type Venue } from '../venue.ts'
import { get } from './api.ts'
import { deribitOrigin, plainLevels, ticker } from './decode.ts'
import { newestTrade, newestTrades, pastTrades } from './trades.ts'

const BOOK_DEPTH = 1000
/** The credit pool refills within seconds; the documentation asks to wait. */
const RATE_LIMIT_MS = 5_000

export const deribitRest: Venue['rest'] = {
  instruments,
  snapshotSizes: [{ levels: BOOK_DEPTH, weight: 1 }],
  snapshot,
  trades: pastTrades,
  newestTrade,
  polledTrades: 'trades.100ms',
  poll,
  recorded,
  fault,
}

function instruments(): RestRequest<readonly Instrument[]>[] {
  return [
    get('get_instruments', { currency: 'any', expired: 'false' }, (result) =>
      goodRows(list(result, 'result'), instrument),
    ),
  ]
}

function recorded(url: URL): RecordedRequest | undefined {
  const symbol = url.searchParams.get('instrument_name')
  const [request] = instruments()
  if (url.pathname.endsWith('/get_instruments')) return request && { kind: 'instruments', request }
  return url.pathname.endsWith('/get_order_book') && symbol
    ? { kind: 'snapshot', request: snapshot(symbol) }
    : undefined
}

function snapshot(symbol: string): RestRequest<BookSnapshot> {
  return get(
    'get_order_book',
    { instrument_name: symbol, depth: String(BOOK_DEPTH) },
    (result, receiveTimeUs, known) => {
      const data = raw(result, 'result')
      const sequence = integer(data.change_id, 'change_id')
      const exchangeTimeUs = time(data.timestamp, 'timestamp')
      return {
        type: 'book_snapshot',
        ...deribitOrigin(symbol, { receiveTimeUs, instruments: known }, exchangeTimeUs),
        id: `deribit:book_snapshot:${symbol}:${exchangeTimeUs}:${sequence}`,
        bids: plainLevels(data.bids, 'bids'),
        asks: plainLevels(data.asks, 'asks'),
        sequence,
        depth: BOOK_DEPTH,
      }
    },
  )
}

function poll(channel: Channel, symbols: readonly string[]): RestRequest<readonly MarketEvent[]>[] {
  switch (channel) {
    case 'ticker':
      return symbols.map((symbol) =>
        get('ticker', { instrument_name: symbol }, (result, receiveTimeUs, known) => [
          ticker(raw(result, 'result'), { receiveTimeUs, instruments: known }),
        ]),
      )
    case 'trade':
      return symbols.map(newestTrades)
    case 'book':
      return symbols.map((symbol) => asList(snapshot(symbol)))
    default:
      return []
  }
}

/** One row of `get_instruments`; `undefined` for combos, which are no instruments of their own market. */
function instrument(row: Raw): Instrument | undefined {
  const symbol = symbolText(row.instrument_name, 'instrument_name')
  const kind = marketOf(row)
  if (kind === undefined) return undefined
  const base = text(row.base_currency, 'base_currency')
  const priceCurrency = text(row.quote_currency, 'quote_currency')
  // Inverse options are priced in coin; the contract is on coin against `counter_currency`, in old answers unnamed: USD.
  const quote =
    typeof row.counter_currency === 'string' ? row.counter_currency : priceCurrency === base ? 'USD' : priceCurrency
  const isLinear = symbol.includes('_')
  const settle =
    kind === 'spot'
      ? undefined
      : typeof row.settlement_currency === 'string'
        ? row.settlement_currency
        : isLinear
          ? quote
          : base
  const expiryUs = kind === 'future' || kind === 'option' ? epochUs(row.expiration_timestamp) : undefined
  const strike = decimalOrAbsent(row.strike, 'strike')
  const optionType = row.option_type === 'call' || row.option_type === 'put' ? row.option_type : undefined
  const inverse =
    kind === 'spot' ? undefined : row.instrument_type === undefined ? !isLinear : row.instrument_type === 'reversed'
  return {
    type: 'instrument',
    exchange: 'deribit',
    venue: 'deribit',
    market: kind,
    symbol,
    instrument: canonicalName({ base, quote, settle, kind, expiryUs, strike, optionType }),
    id: `deribit:instrument:${symbol}:0:${fingerprint(row)}`,
    status: typeof row.state === 'string' ? row.state : row.is_active === false ? 'inactive' : 'open',
    base,
    quote,
    settle,
    tick_size: decimalOrAbsent(row.tick_size, 'tick_size'),
    min_quantity: decimalOrAbsent(row.min_trade_amount, 'min_trade_amount'),
    contract_size: decimalOrAbsent(row.contract_size, 'contract_size'),
    // `amount` is in dollars for inverse perpetuals and futures, in base coin for everything else.
    contract_currency: kind === 'spot' ? undefined : inverse === true && kind !== 'option' ? quote : base,
    inverse,
    expiry_time_us: expiryUs,
    strike,
    option_type: optionType,
    listed_time_us: epochUs(row.creation_timestamp),
  }
}

function marketOf(row: Raw) {
  switch (row.kind) {
    case 'future':
      return row.settlement_period === 'perpetual' ? 'perpetual' : 'future'
    case 'option':
      return 'option'
    case 'spot':
      return 'spot'
    default:
      return undefined
  }
}

/** JSON-RPC errors; at zero credits the venue answers 10028 and ends the session. */
function fault(status: number, headers: Readonly<Record<string, string>>, body: unknown): RestFault | undefined {
  const error = isRaw(body) && isRaw(body.error) ? body.error : undefined
  if (status === 200 && error === undefined && isRaw(body)) return undefined
  const { code, message: why, data } = error ?? {}
  const message = error === undefined ? 'the answer is no JSON object' : `${word(code)} ${word(why)}`
  const reason = `HTTP ${status} ${message}`
  if (status === 429 || code === 10028) {
    const retryAfterMs = Number(headers['retry-after']) * 1000
    return { kind: 'rate_limited', retryAfterMs: retryAfterMs > 0 ? retryAfterMs : RATE_LIMIT_MS, reason }
  }
  const isUnknown =
    code === 13020 || code === 10020 || (code === -32602 && isRaw(data) && data.param === 'instrument_name')
  return { kind: isUnknown ? 'unknown_symbol' : 'failed', reason }
}
