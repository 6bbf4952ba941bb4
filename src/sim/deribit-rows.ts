/** Objects of Deribit's answers and notifications, from the true market. Source: https://docs.deribit.com/ */

import type { Level } from '../model/event.ts'
import { contractSize, indexName, isInverse } from './deribit-instruments.ts'
import { type Float, float, type Json, type JsonObject } from './deribit-json.ts'
import type { SimInstrument, SimMarket, SimStats, SimTrade } from './exchange.ts'
import type { LevelChange } from './published-book.ts'

/** Index and mark lie this much beside the last price. */
const INDEX_FACTOR = 0.99985
const MARK_FACTOR = 0.99992
/** Every so many trades there is a liquidation, or a part of a block trade. */
const LIQUIDATION_EVERY = 97
const BLOCK_EVERY = 151
const IMPLIED_VOLATILITY = 52.31

const round = (value: number, decimals: number): Float => float(Number(value.toFixed(decimals)))

export const levelRow = ([price, amount]: Level): Json => [float(price), float(amount)]
export const changeRow = ({ kind, price, quantity }: LevelChange): Json => [kind, float(price), float(quantity)]
/** A snapshot's rows are all `new`. */
export const newRow = ([price, amount]: Level): Json => ['new', float(price), float(amount)]

/** The price of the underlying: that of the base's first perpetual. */
export function indexPrice(market: SimMarket, instrument: SimInstrument): number {
  const perpetual = market.instruments.find(
    ({ base, market: kind }) => base === instrument.base && kind === 'perpetual',
  )
  return Number(market.stats((perpetual ?? instrument).symbol).last) * INDEX_FACTOR
}

/** Prices of options have four digits, all others two beyond which the venue rounds. */
const markDecimals = (instrument: SimInstrument): number => (instrument.market === 'option' ? 4 : 2)

/** 0 up, 1 unchanged after up, 2 down, 3 unchanged after down. */
export type TickDirection = 0 | 1 | 2 | 3

export function tickDirection(
  price: string,
  before: { price: string; direction: TickDirection } | undefined,
): TickDirection {
  const change = before ? Number(price) - Number(before.price) : 0
  if (change !== 0) return change > 0 ? 0 : 2
  return (before?.direction ?? 0) < 2 ? 1 : 3
}

/** `trade_id` is counted over the whole platform, so it is not the instrument's `trade_seq`. */
export function tradeRow(
  instrument: SimInstrument,
  trade: SimTrade,
  direction: TickDirection,
  indexNow: number,
): JsonObject {
  const amount = Number(trade.quantity)
  const isBlock = trade.id % BLOCK_EVERY === 0
  return {
    trade_seq: trade.id,
    trade_id: String(trade.id + 120_000_000),
    timestamp: trade.timeMs,
    tick_direction: direction,
    price: float(trade.price),
    mark_price: round(Number(trade.price) * MARK_FACTOR, markDecimals(instrument)),
    liquidation: instrument.market !== 'spot' && trade.id % LIQUIDATION_EVERY === 0 ? 'T' : undefined,
    iv: instrument.market === 'option' ? float(IMPLIED_VOLATILITY) : undefined,
    instrument_name: instrument.symbol,
    index_price: round(indexNow, 2),
    direction: trade.side,
    block_trade_leg_count: isBlock ? 1 : undefined,
    block_trade_id: isBlock ? `BLOCK-${trade.id}` : undefined,
    amount: float(amount),
    contracts: instrument.market === 'spot' ? undefined : round(amount / contractSize(instrument), 4),
  }
}

/** An empty side has price and amount 0. */
function best(market: SimMarket, symbol: string) {
  const { bids, asks } = market.book(symbol, 1)
  const [bidPrice = '0', bidAmount = '0'] = bids[0] ?? []
  const [askPrice = '0', askAmount = '0'] = asks[0] ?? []
  return { bidPrice, bidAmount, askPrice, askAmount }
}

/** Channel `quote`, without its time. */
export function quoteBody(instrument: SimInstrument, market: SimMarket): JsonObject {
  const { bidPrice, bidAmount, askPrice, askAmount } = best(market, instrument.symbol)
  return {
    instrument_name: instrument.symbol,
    best_ask_price: float(askPrice),
    best_bid_price: float(bidPrice),
    best_ask_amount: float(askAmount),
    best_bid_amount: float(bidAmount),
  }
}

/** Channel `ticker` and `public/ticker`, without the time. */
export function tickerBody(instrument: SimInstrument, market: SimMarket): JsonObject {
  const stats = market.stats(instrument.symbol)
  const { bidPrice, bidAmount, askPrice, askAmount } = best(market, instrument.symbol)
  const markPrice = (Number(bidPrice) + Number(askPrice)) / 2
  const indexNow = round(indexPrice(market, instrument), 2)
  const isDerivative = instrument.market !== 'spot'
  const isPerpetual = instrument.market === 'perpetual'
  return {
    state: 'open',
    stats: statsObject(instrument, stats, indexNow),
    ...(instrument.market === 'option' && optionFields(instrument, indexNow)),
    index_price: indexNow,
    instrument_name: instrument.symbol,
    last_price: float(stats.last),
    settlement_price: isDerivative ? float(stats.open) : undefined,
    min_price: round(markPrice * 0.985, markDecimals(instrument)),
    max_price: round(markPrice * 1.015, markDecimals(instrument)),
    open_interest: isDerivative ? float(1_132_329_370) : undefined,
    mark_price: round(markPrice, markDecimals(instrument)),
    interest_value: isPerpetual ? float(0.0028213400122472977) : undefined,
    best_ask_price: float(askPrice),
    best_bid_price: float(bidPrice),
    estimated_delivery_price: indexNow,
    best_ask_amount: float(askAmount),
    best_bid_amount: float(bidAmount),
    current_funding: isPerpetual ? float(0) : undefined,
    funding_8h: isPerpetual ? float(0.00001742) : undefined,
  }
}

/** `volume` is in base whatever the unit of amounts; `volume_usd` in quote. */
function statsObject(instrument: SimInstrument, stats: SimStats, indexNow: Float): JsonObject {
  const amount = Number(stats.volume)
  const last = Number(stats.last)
  const isOption = instrument.market === 'option'
  const isInUsd = isInverse(instrument) && !isOption
  const volume = isInUsd ? amount / last : amount
  // Premiums are in base, so that an option's turnover is worth so much at the index.
  const worth = isInUsd ? amount : Number(stats.quoteVolume) * (isOption ? indexNow.value : 1)
  return {
    high: float(stats.high),
    low: float(stats.low),
    price_change: round(((last - Number(stats.open)) / Number(stats.open)) * 100, 4),
    volume: round(volume, 8),
    volume_usd: round(worth, 2),
    volume_notional: round(worth, 2),
  }
}

function optionFields(instrument: SimInstrument, underlying: Float): JsonObject {
  return {
    greeks: {
      delta: float(0.41276),
      gamma: float(0.0000211),
      rho: float(118.72613),
      theta: float(-28.49511),
      vega: float(241.00871),
    },
    mark_iv: float(IMPLIED_VOLATILITY),
    bid_iv: float(51.82),
    ask_iv: float(52.79),
    underlying_price: underlying,
    underlying_index:
      instrument.expiryMs === undefined ? indexName(instrument) : instrument.symbol.split('-', 2).join('-'),
    interest_rate: float(0),
  }
}
