/**
 * REST endpoints that Binance spot and USD-M futures share, with the venue's error bodies and weights.
 * Source: https://developers.binance.com/docs/binance-spot-api-docs/rest-api and the USD-M pages, copies of 2026.
 */

import type { BinanceFeed, SymbolFeed } from './binance-feed.ts'
import type { AggregateTrade } from './binance-payloads.ts'
import type { Weights } from './binance-weights.ts'
import type { SimRequest, SimResponse, SimTrade } from './exchange.ts'

/** One endpoint. Both functions may throw a {@link BinanceError}. */
export interface RestEndpoint {
  weight(query: URLSearchParams): number
  answer(query: URLSearchParams): unknown
}

/** An answer that is an error, in the venue's words. */
export class BinanceError extends Error {
  override readonly name = 'BinanceError'
  readonly status: number
  readonly code: number

  constructor(code: number, message: string, status = 400) {
    super(message)
    this.code = code
    this.status = status
  }
}

/** Every answer says what weight is used; a request over the limit is refused whatever it asks for. */
export function answerRest(
  endpoints: Readonly<Record<string, RestEndpoint>>,
  weights: Weights,
  request: SimRequest,
): SimResponse {
  const endpoint = endpoints[request.path]
  let weight = 1
  let answer: SimResponse
  try {
    // The text for unknown paths is not documented.
    if (!endpoint) throw new BinanceError(-5000, `Path ${request.path}, Method ${request.method} is invalid`, 404)
    weight = endpoint.weight(request.query)
    answer = { status: 200, body: JSON.stringify(endpoint.answer(request.query)) }
  } catch (error) {
    if (!(error instanceof BinanceError)) throw error
    answer = { status: error.status, body: JSON.stringify({ code: error.code, msg: error.message }) }
  }
  const { used, atMs, refusal } = weights.take(request.client, weight)
  const { status, headers, body } = refusal ?? answer
  const date = new Date(atMs).toUTCString()
  return { status, headers: { Date: date, 'X-MBX-USED-WEIGHT-1M': String(used), ...headers }, body }
}

/** Symbols may be Unicode since 2026, but no lower-case letters. */
const SYMBOL = /^[^a-z"'\s]{1,50}$/u

/** `symbol=`, checked. */
export function symbolOf(query: URLSearchParams, find: (symbol: string) => SymbolFeed | undefined): SymbolFeed {
  const symbol = query.get('symbol')
  if (symbol === null || symbol === '') throw missing('symbol')
  return known(symbol, find)
}

/** `symbol=`, `symbols=["A","B"]`, or `undefined` for all. */
export function symbolsOf(
  query: URLSearchParams,
  find: (symbol: string) => SymbolFeed | undefined,
): readonly SymbolFeed[] | undefined {
  if (query.has('symbol')) return [symbolOf(query, find)]
  const list = query.get('symbols')
  if (list === null) return undefined
  if (!/^\["[^"]+"(,"[^"]+")*\]$/.test(list)) {
    throw new BinanceError(
      -1100,
      'Illegal characters found in parameter \'symbols\'; legal range is \'^\\[(".*")(,".*")*\\]$\'.',
    )
  }
  return (JSON.parse(list) as string[]).map((symbol) => known(symbol, find))
}

function known(symbol: string, find: (symbol: string) => SymbolFeed | undefined): SymbolFeed {
  if (!SYMBOL.test(symbol)) {
    throw new BinanceError(
      -1100,
      "Illegal characters found in parameter 'symbol'; legal range is '^[\\w\\-._&&[^a-z]]{1,50}$'.",
    )
  }
  const found = find(symbol)
  if (!found) throw new BinanceError(-1121, 'Invalid symbol.')
  return found
}

/** A whole number, or `undefined` if it was not sent. */
export function integerOf(query: URLSearchParams, name: string): number | undefined {
  const text = query.get(name)
  if (text === null) return undefined
  if (text === '') throw missing(name)
  if (!/^\d{1,20}$/.test(text)) {
    throw new BinanceError(-1100, `Illegal characters found in parameter '${name}'; legal range is '^[0-9]{1,20}$'.`)
  }
  return Number(text)
}

/** `limit=`, at most `max`: more is cut, as the venue does. */
export const limitOf = (query: URLSearchParams, usual: number, max: number): number =>
  Math.min(max, Math.max(1, integerOf(query, 'limit') ?? usual))

const missing = (name: string): BinanceError =>
  new BinanceError(-1102, `Mandatory parameter '${name}' was not sent, was empty/null, or malformed.`)

interface RowKeys<Row> {
  id(row: Row): number
  timeMs(row: Row): number
}

export const tradeKeys: RowKeys<SimTrade> = { id: ({ id }) => id, timeMs: ({ timeMs }) => timeMs }
export const aggregateKeys: RowKeys<AggregateTrade> = { id: ({ id }) => id, timeMs: ({ timeMs }) => timeMs }

/** `fromId`, `startTime` and `endTime` of a list that is sorted by id; the newest if none is given. */
export function page<Row>(
  rows: readonly Row[],
  query: URLSearchParams,
  limit: number,
  read: RowKeys<Row>,
): readonly Row[] {
  const fromId = integerOf(query, 'fromId')
  const startTime = integerOf(query, 'startTime')
  const endTime = integerOf(query, 'endTime')
  if (fromId !== undefined) return rows.filter((row) => read.id(row) >= fromId).slice(0, limit)
  const from = startTime ?? 0
  const inside = rows.filter((row) => read.timeMs(row) >= from && read.timeMs(row) <= (endTime ?? Number.MAX_VALUE))
  return startTime === undefined ? inside.slice(-limit) : inside.slice(0, limit)
}

export const fixed =
  (weight: number): (() => number) =>
  () =>
    weight

/** A row for each symbol: an object for `symbol=`, an array otherwise. */
export const tickers = (
  feed: BinanceFeed,
  weight: RestEndpoint['weight'],
  row: (symbol: SymbolFeed) => unknown,
): RestEndpoint => ({
  weight,
  answer: (query) => {
    const rows = (symbolsOf(query, (symbol) => feed.symbol(symbol)) ?? feed.symbols()).map(row)
    return query.has('symbol') ? rows[0] : rows
  },
})
