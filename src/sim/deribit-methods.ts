import { indexName, instrumentRow, kindOf } from './deribit-instruments.ts'
import { float, type Json, type JsonObject } from './deribit-json.ts'
import { changeId, type DeribitLine } from './deribit-line.ts'
import { levelRow, tickerBody } from './deribit-rows.ts'
import { invalidParams, type Method, type Params, RpcFailure, textParam, wholeParam, wordParam } from './deribit-rpc.ts'
import type { TradeLog } from './deribit-trades.ts'
import { knownTrades, type SimContext, type SimInstrument } from './exchange.ts'

const VERSION = '1.2.26'
const CURRENCIES = ['BTC', 'ETH', 'USDC', 'USDT', 'EURR', 'any']
const KINDS = ['future', 'option', 'spot', 'future_combo', 'option_combo']
const DEPTHS = ['1', '5', '10', '20', '50', '100', '1000', '10000']
const TRADES_MAX = 1000

/** What the methods read. */
export interface DeribitFacts {
  readonly context: SimContext
  /** Those of interval `100ms`. */
  readonly lines: ReadonlyMap<string, DeribitLine>
  readonly trades: ReadonlyMap<string, TradeLog>
  /** During maintenance. */
  isLocked(): boolean
}

/** The methods that need no session, by name. Source: https://docs.deribit.com/api-reference/market-data/ */
export function publicMethods(facts: DeribitFacts): Readonly<Record<string, Method>> {
  const { clock, market } = facts.context
  const unlessLocked =
    (method: Method): Method =>
    (params) => {
      if (facts.isLocked()) throw new RpcFailure(11051, 'system_maintenance')
      return method(params)
    }
  return {
    'public/get_time': () => Math.floor(clock.nowUs() / 1000),
    'public/test': () => ({ version: VERSION }),
    'public/hello': (params) => {
      textParam(params, 'client_name')
      textParam(params, 'client_version')
      return { version: VERSION }
    },
    'public/status': () => ({
      locked: facts.isLocked(),
      locked_currencies: facts.isLocked() ? [...new Set(market.instruments.map(({ base }) => base))] : [],
    }),
    'public/get_instruments': unlessLocked((params) => instruments(facts, params)),
    'public/get_order_book': unlessLocked((params) => orderBook(facts, params)),
    'public/ticker': unlessLocked((params) => {
      const instrument = instrumentParam(facts, params)
      return { timestamp: Math.floor(clock.nowUs() / 1000), ...tickerBody(instrument, market) }
    }),
    'public/get_last_trades_by_instrument': unlessLocked((params) => lastTrades(facts, params)),
  }
}

/** Errors: throws for a name that is none, and for one that is not listed. */
function instrumentParam({ context }: DeribitFacts, params: Params): SimInstrument {
  const name = textParam(params, 'instrument_name')
  if (!/^[A-Z0-9]+(_[A-Z0-9]+)?(-[A-Za-z0-9]+)*$/.test(name)) throw invalidParams('instrument_name', 'wrong format')
  const instrument = context.market.find(name)
  if (!instrument) throw new RpcFailure(13020, 'not_found')
  return instrument
}

function instruments({ context }: DeribitFacts, params: Params): Json {
  const currency = wordParam(params, 'currency', CURRENCIES)
  const kind = params.kind === undefined ? undefined : wordParam(params, 'kind', KINDS)
  const isExpired = wordParam({ expired: String(params.expired ?? false) }, 'expired', ['true', 'false']) === 'true'
  if (isExpired) return []
  const rows = context.market.instruments.map((instrument, index) => ({
    row: instrumentRow(instrument, index),
    isWanted:
      (currency === 'any' || currency === (instrument.settle ?? instrument.quote)) &&
      (kind === undefined || kind === kindOf(instrument)),
  }))
  return rows.filter(({ isWanted }) => isWanted).map(({ row }) => row)
}

/** The book of the moment, or as it was up to `snapshotLagMsMax` ago. */
function orderBook(facts: DeribitFacts, params: Params): JsonObject {
  const { clock, market, snapshotLagMs } = facts.context
  const instrument = instrumentParam(facts, params)
  const depth = Number(wordParam({ depth: String(params.depth ?? 5) }, 'depth', DEPTHS))
  const nowMs = Math.floor(clock.nowUs() / 1000)
  const lagMs = snapshotLagMs()
  const truth = market.book(instrument.symbol)
  const past = nowMs - truth.timeMs < lagMs ? facts.lines.get(instrument.symbol)?.book.lagged(nowMs, lagMs) : undefined
  const { bids, asks } = past ?? truth
  const [bidPrice = 0, bidAmount = 0] = bids[0] ?? []
  const [askPrice = 0, askAmount = 0] = asks[0] ?? []
  return {
    timestamp: past?.publishedMs ?? truth.timeMs,
    ...tickerBody(instrument, market),
    best_bid_price: float(bidPrice),
    best_bid_amount: float(bidAmount),
    best_ask_price: float(askPrice),
    best_ask_amount: float(askAmount),
    underlying_index: instrument.market === 'option' ? indexName(instrument) : undefined,
    change_id: past?.sequence ?? changeId(truth.lastUpdateId),
    bids: bids.slice(0, depth).map(levelRow),
    asks: asks.slice(0, depth).map(levelRow),
  }
}

/** `asc` counts from the oldest that match, anything else from the newest. */
function lastTrades(facts: DeribitFacts, params: Params): JsonObject {
  const instrument = instrumentParam(facts, params)
  const count = wholeParam(params, 'count') ?? 10
  if (count < 1 || count > TRADES_MAX) throw invalidParams('count', `must be between 1 and ${TRADES_MAX}`)
  const isAscending = wordParam(params, 'sorting', ['asc', 'desc', 'default'], 'default') === 'asc'
  const range = (name: string, fallback: number) => wholeParam(params, name) ?? fallback
  const [startSeq, endSeq] = [range('start_seq', 0), range('end_seq', Number.POSITIVE_INFINITY)]
  const [startMs, endMs] = [range('start_timestamp', 0), range('end_timestamp', Number.POSITIVE_INFINITY)]
  const known = knownTrades(facts.trades.get(instrument.symbol)?.trades ?? [], facts.context)
  const matching = known.filter(
    ({ seq, timeMs }) => seq >= startSeq && seq <= endSeq && timeMs >= startMs && timeMs <= endMs,
  )
  const chosen = isAscending ? matching.slice(0, count) : matching.slice(-count).reverse()
  return { trades: chosen.map(({ row }) => row), has_more: matching.length > chosen.length }
}
