/**
 * The fields of each channel; what only some kinds of instrument have may be absent.
 *
 * Source: https://docs.deribit.com/#subscriptions
 */

import { type Shape, shape } from '../shape.ts'

const SUBSCRIPTION = 'jsonrpc:s method:s params.channel:s'
const under = (path: string, text: string): string => text.replaceAll(/\S+:/g, (field) => `params.${path}.${field}`)

const TRADES = shape(
  `${SUBSCRIPTION} ${under('data[]', 'trade_seq:n trade_id:s timestamp:n tick_direction:n price:n mark_price:n instrument_name:s index_price:n direction:s amount:n contracts:n? iv:n? block_trade_id:s|null? block_trade_leg_count:n|null? block_rfq_id:n|null? combo_id:s? combo_trade_id:s? liquidation:s|null? starbase_timestamp:n?')}`,
)
const TICKER = shape(
  `${SUBSCRIPTION} ${under(
    'data',
    'timestamp:n state:s instrument_name:s settlement_price:n|null? open_interest:n? min_price:n max_price:n mark_price:n last_price:n|null index_price:n best_bid_price:n|null best_bid_amount:n best_ask_price:n|null best_ask_amount:n estimated_delivery_price:n? delivery_price:n? current_funding:n? funding_8h:n? interest_value:n? type:s? starbase_timestamp:n? underlying_price:n? underlying_index:s? mark_iv:n? bid_iv:n? ask_iv:n? interest_rate:n? greeks.vega:n? greeks.theta:n? greeks.rho:n? greeks.gamma:n? greeks.delta:n? stats.volume:n|null stats.price_change:n|null stats.low:n|null stats.high:n|null stats.volume_usd:n|null? stats.volume_notional:n|null?',
  )}`,
)
const BOOK = shape(
  `${SUBSCRIPTION} ${under('data', 'type:s timestamp:n instrument_name:s change_id:n prev_change_id:n|null? bids[][]:s|n asks[][]:s|n starbase_timestamp:n?')}`,
)

export const DERIBIT_SHAPES: Readonly<Record<string, Shape>> = {
  'trades.100ms': TRADES,
  'trades.agg2': TRADES,
  'trades.raw': TRADES,
  'ticker.100ms': TICKER,
  'ticker.agg2': TICKER,
  'ticker.raw': TICKER,
  quote: shape(
    `${SUBSCRIPTION} ${under('data', 'timestamp:n instrument_name:s best_ask_price:n|null best_bid_price:n|null best_ask_amount:n best_bid_amount:n')}`,
  ),
  'book.100ms': BOOK,
  'book.agg2': BOOK,
  'book.raw': BOOK,
}
