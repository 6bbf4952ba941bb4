/**
 * REST of Binance spot and USD-M futures: instruments, depth snapshots, polled data, errors and limits.
 *
 * Source: https://developers.binance.com/docs/binance-spot-api-docs/rest-api
 * and https://developers.binance.com/docs/derivatives/usds-margined-futures/market-data/rest-api
 */

import type { BookSnapshot, Channel, EpochUs, Instrument, MarketEvent, Ticker } from '../../model/event.ts'
import { hashText } from '../../model/hash.ts'
import { epochUs } from '../../model/time.ts'
import {
  decimalOrAbsent,
  fingerprint,
  goodRows,
  integer,
  isRaw,
  levels,
  list,
  type Raw,
  raw,
  signedOrAbsent,
  symbolText,
  text,
  time,
  word,
} from '../fields.ts'
import { canonicalName } from '../names.ts'
import {
  asList,
  deepestOf,
  type Instruments,
  type RestFault,
  type RestRequest,
  type SnapshotSize,
  type Venue,
} from '../venue.ts'
import { type Api, get, SPOT, USDM } from './api.ts'
import { binanceOrigin } from './decode.ts'
import { newestTrade, newestTrades, pastTrades } from './trades.ts'

/** Documented wait after 429 without `Retry-After`: the weight window. */
const RATE_LIMIT_MS = 60_000
/** Shortest documented ban. */
const BAN_MS = 120_000

export const spotRest: Venue['rest'] = restOf(SPOT)
export const usdmRest: Venue['rest'] = restOf(USDM)

function restOf(api: Api): Venue['rest'] {
  return {
    instruments: () => [instrumentsRequest(api)],
    snapshotSizes: api.snapshotSizes,
    snapshot: (symbol, size) => snapshotRequest(api, symbol, size),
    trades: (topic, span) => pastTrades(api, topic, span),
    newestTrade: (topic) => newestTrade(api, topic),
    polledTrades: 'trade',
    poll: (channel, symbols) => symbols.flatMap((symbol) => poll(api, channel, symbol)),
    recorded(url) {
      const symbol = url.searchParams.get('symbol')
      if (url.pathname.endsWith('/exchangeInfo')) return { kind: 'instruments', request: instrumentsRequest(api) }
      return url.pathname.endsWith('/depth') && symbol
        ? { kind: 'snapshot', request: snapshotRequest(api, symbol, recordedSize(api, url)) }
        : undefined
    },
    fault,
  }
}

const instrumentsRequest = (api: Api): RestRequest<readonly Instrument[]> =>
  get(api, 'exchangeInfo', api.weights.exchangeInfo, (body) =>
    goodRows(list(raw(body, 'exchangeInfo').symbols, 'symbols'), (row) => instrument(api, row)),
  )

const snapshotRequest = (
  api: Api,
  symbol: string,
  { levels: depth, weight }: SnapshotSize = deepestOf(api.snapshotSizes),
): RestRequest<BookSnapshot> =>
  get(api, `depth?symbol=${encodeURIComponent(symbol)}&limit=${depth}`, weight, (body, at, instruments) =>
    snapshot(api, symbol, depth, raw(body, 'depth'), { receiveTimeUs: at, instruments }),
  )

/** A recording may have asked for any number of levels; what that weighed is not asked any more. */
function recordedSize(api: Api, url: URL): SnapshotSize {
  const limit = Number(url.searchParams.get('limit'))
  return { levels: Number.isSafeInteger(limit) && limit > 0 ? limit : api.snapshotLevelsUsual, weight: 0 }
}

function poll(api: Api, channel: Channel, symbol: string): RestRequest<readonly MarketEvent[]>[] {
  const query = `symbol=${encodeURIComponent(symbol)}`
  switch (channel) {
    case 'ticker':
      return [
        get(api, `ticker/24hr?${query}`, api.weights.ticker, (body, at, instruments) => [
          ticker(api, raw(body, 'ticker'), at, instruments),
        ]),
      ]
    case 'book':
      return [asList(snapshotRequest(api, symbol))]
    case 'trade':
      return [newestTrades(api, symbol)]
    default:
      return []
  }
}

function snapshot(
  api: Api,
  symbol: string,
  depth: number,
  body: Raw,
  received: { readonly receiveTimeUs: EpochUs | undefined; readonly instruments: Instruments },
): BookSnapshot {
  const sequence = integer(body.lastUpdateId, 'lastUpdateId')
  const exchangeTime = body.T ?? body.E
  return {
    type: 'book_snapshot',
    ...binanceOrigin(api.venue, symbol, received, exchangeTime === undefined ? undefined : time(exchangeTime, 'T')),
    id: `${api.venue}:book_snapshot:${symbol}:0:${sequence}${depth === deepestOf(api.snapshotSizes).levels ? '' : `/${depth}`}`,
    bids: levels(body.bids, 'bids'),
    asks: levels(body.asks, 'asks'),
    sequence,
    depth,
  }
}

function ticker(api: Api, row: Raw, receiveTimeUs: EpochUs | undefined, instruments: Instruments): Ticker {
  const symbol = symbolText(row.symbol, 'symbol')
  const exchangeTimeUs = time(row.closeTime, 'closeTime')
  const values = {
    last_price: decimalOrAbsent(row.lastPrice, 'lastPrice'),
    last_quantity: decimalOrAbsent(row.lastQty, 'lastQty'),
    bid_price: decimalOrAbsent(row.bidPrice, 'bidPrice'),
    bid_quantity: decimalOrAbsent(row.bidQty, 'bidQty'),
    ask_price: decimalOrAbsent(row.askPrice, 'askPrice'),
    ask_quantity: decimalOrAbsent(row.askQty, 'askQty'),
    open_24h: decimalOrAbsent(row.openPrice, 'openPrice'),
    high_24h: decimalOrAbsent(row.highPrice, 'highPrice'),
    low_24h: decimalOrAbsent(row.lowPrice, 'lowPrice'),
    volume_24h: decimalOrAbsent(row.volume, 'volume'),
    quote_volume_24h: decimalOrAbsent(row.quoteVolume, 'quoteVolume'),
    price_change_24h: signedOrAbsent(row.priceChange, 'priceChange'),
    price_change_percent_24h: signedOrAbsent(row.priceChangePercent, 'priceChangePercent'),
  }
  return {
    type: 'ticker',
    ...binanceOrigin(api.venue, symbol, { receiveTimeUs, instruments }, exchangeTimeUs),
    id: `${api.venue}:ticker:${symbol}:${exchangeTimeUs}:${hashText(JSON.stringify(values))}`,
    ...values,
  }
}

/** One row of `exchangeInfo.symbols`. */
function instrument(api: Api, row: Raw): Instrument {
  const symbol = symbolText(row.symbol, 'symbol')
  const base = text(row.baseAsset, 'baseAsset')
  const quote = text(row.quoteAsset, 'quoteAsset')
  const settle = row.marginAsset === undefined ? undefined : text(row.marginAsset, 'marginAsset')
  const kind = api.venue === 'binance' ? 'spot' : /PERPETUAL/.test(word(row.contractType)) ? 'perpetual' : 'future'
  const expiryUs = kind === 'future' ? epochUs(row.deliveryDate) : undefined
  const filters = Array.isArray(row.filters) ? row.filters.filter(isRaw) : []
  const filter = (type: string): Raw => filters.find((f) => f.filterType === type) ?? {}
  return {
    type: 'instrument',
    exchange: 'binance',
    venue: api.venue,
    market: kind,
    symbol,
    instrument: canonicalName({ base, quote, settle, kind, expiryUs }),
    id: `${api.venue}:instrument:${symbol}:0:${fingerprint(row)}`,
    status: text(row.status ?? row.contractStatus, 'status'),
    base,
    quote,
    settle,
    tick_size: decimalOrAbsent(filter('PRICE_FILTER').tickSize, 'tickSize'),
    lot_size: decimalOrAbsent(filter('LOT_SIZE').stepSize, 'stepSize'),
    min_quantity: decimalOrAbsent(filter('LOT_SIZE').minQty, 'minQty'),
    expiry_time_us: expiryUs,
    listed_time_us: epochUs(row.onboardDate),
  }
}

/**
 * 429: slow down; 418: banned; both with `Retry-After` in seconds, which is documented for spot only: a ban's message names
 * its end as well. 403: the firewall, which may also be a rate limit.
 */
function fault(
  status: number,
  headers: Readonly<Record<string, string>>,
  body: unknown,
  nowUs: EpochUs,
): RestFault | undefined {
  const message = isRaw(body) && typeof body.msg === 'string' ? `${word(body.code)} ${word(body.msg)}` : ''
  if (status === 200 && message === '')
    return body === undefined ? { kind: 'failed', reason: 'the answer is no JSON' } : undefined
  const retryAfterMs = Number(headers['retry-after']) * 1000
  const banMs = banLeftMs(message, headers, nowUs)
  const reason = `HTTP ${status} ${message}`.trim()
  if (status === 418 || banMs > 0)
    return { kind: 'banned', retryAfterMs: retryAfterMs > 0 ? retryAfterMs : banMs > 0 ? banMs : BAN_MS, reason }
  if (status === 429)
    return { kind: 'rate_limited', retryAfterMs: retryAfterMs > 0 ? retryAfterMs : RATE_LIMIT_MS, reason }
  if (status === 403) return { kind: 'rate_limited', retryAfterMs: RATE_LIMIT_MS, reason }
  if (isRaw(body) && body.code === -1121) return { kind: 'unknown_symbol', reason }
  return { kind: 'failed', reason }
}

/** "… IP banned until 1574… .": by the venue's clock, which the answer tells to the second. Not positive: it says nothing. */
function banLeftMs(message: string, { date = '' }: Readonly<Record<string, string>>, nowUs: EpochUs): number {
  const untilMs = Number(/banned until (\d{13})\b/.exec(message)?.[1] ?? 0)
  return untilMs - (Date.parse(date) || nowUs / 1000)
}
