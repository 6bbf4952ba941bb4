/** The instruments of the simulated Deribit, and their rows of `public/get_instruments`. */

import { float, type JsonObject } from './deribit-json.ts'
import type { SimInstrument } from './exchange.ts'

const CREATED_MS = Date.UTC(2025, 0, 2, 8)
const EXPIRY_MS = Date.UTC(2027, 5, 25, 8)
/** What the venue writes for instruments that never expire. */
const NEVER_MS = 32_503_708_800_000

const BTC_TICK = { priceDecimals: 1, tickUnits: 5 }
const INVERSE = { base: 'BTC', quote: 'USD', settle: 'BTC' }
const LINEAR = { base: 'BTC', quote: 'USDC', settle: 'USDC' }

/** Amounts are in USD for inverse contracts, else in base. The option is quiet, with a change every three seconds. */
export const DERIBIT_INSTRUMENTS: readonly SimInstrument[] = [
  {
    ...INVERSE,
    ...BTC_TICK,
    symbol: 'BTC-PERPETUAL',
    market: 'perpetual',
    startPriceUnits: 836_985,
    contractSize: '10',
    quantityDecimals: 0,
    lotUnits: 10,
    levelQuantityUnits: 20_000,
    stepsPerSecond: 8,
  },
  {
    base: 'ETH',
    quote: 'USD',
    settle: 'ETH',
    symbol: 'ETH-PERPETUAL',
    market: 'perpetual',
    priceDecimals: 2,
    tickUnits: 5,
    startPriceUnits: 301_135,
    contractSize: '1',
    quantityDecimals: 0,
    levelQuantityUnits: 15_000,
    stepsPerSecond: 5,
  },
  {
    ...LINEAR,
    ...BTC_TICK,
    symbol: 'BTC_USDC-PERPETUAL',
    market: 'perpetual',
    startPriceUnits: 837_205,
    contractSize: '0.0001',
    quantityDecimals: 4,
    levelQuantityUnits: 3_000,
    stepsPerSecond: 4,
  },
  {
    ...INVERSE,
    ...BTC_TICK,
    symbol: 'BTC-25JUN27',
    market: 'future',
    startPriceUnits: 866_010,
    contractSize: '10',
    quantityDecimals: 0,
    lotUnits: 10,
    levelQuantityUnits: 8_000,
    expiryMs: EXPIRY_MS,
    stepsPerSecond: 2,
  },
  {
    ...INVERSE,
    symbol: 'BTC-25JUN27-100000-C',
    market: 'option',
    priceDecimals: 4,
    tickUnits: 5,
    startPriceUnits: 1_450,
    contractSize: '1',
    quantityDecimals: 1,
    levelQuantityUnits: 50,
    expiryMs: EXPIRY_MS,
    strike: 100_000,
    optionType: 'call',
    bookLevels: 20,
    stepsPerSecond: 0.3,
  },
  {
    ...LINEAR,
    symbol: 'BTC_USDC',
    market: 'spot',
    priceDecimals: 0,
    tickUnits: 1,
    startPriceUnits: 83_715,
    quantityDecimals: 4,
    levelQuantityUnits: 1_500,
    stepsPerSecond: 1,
  },
]

export const isInverse = (instrument: SimInstrument): boolean => instrument.settle === instrument.base

/** `future` covers perpetuals. */
export const kindOf = ({ market }: SimInstrument): string => (market === 'perpetual' ? 'future' : market)

/** `btc_usd`: the index that the instrument follows. */
export const indexName = ({ base, quote }: SimInstrument): string => `${base}_${quote}`.toLowerCase()

/** The number of contracts in an amount; a spot amount has none. */
export const contractSize = (instrument: SimInstrument): number => Number(instrument.contractSize ?? 1)

const step = (units: number, decimals: number): number => Number(`${units}e-${decimals}`)

/** One row. Source: https://docs.deribit.com/api-reference/market-data/public-get_instruments */
export function instrumentRow(instrument: SimInstrument, index: number): JsonObject {
  const { market, base, quote, settle = quote } = instrument
  const isOption = market === 'option'
  const quoteCurrency = isOption ? base : quote
  const minAmount = float(step(instrument.lotUnits ?? 1, instrument.quantityDecimals))
  return {
    price_index: indexName(instrument),
    kind: kindOf(instrument),
    instrument_name: instrument.symbol,
    max_leverage: market === 'spot' || isOption ? undefined : 50,
    maker_commission: float(0),
    taker_commission: float(0.0005),
    instrument_type: isInverse(instrument) ? 'reversed' : 'linear',
    expiration_timestamp: instrument.expiryMs ?? NEVER_MS,
    creation_timestamp: CREATED_MS,
    is_active: true,
    tick_size: float(step(instrument.tickUnits, instrument.priceDecimals)),
    contract_size: market === 'spot' ? minAmount : float(contractSize(instrument)),
    instrument_id: 124_972 + index,
    min_trade_amount: minAmount,
    settlement_currency: market === 'spot' ? undefined : settle,
    settlement_period: market === 'spot' ? undefined : market === 'perpetual' ? 'perpetual' : 'month',
    base_currency: base,
    counter_currency: quote,
    quote_currency: quoteCurrency,
    option_type: instrument.optionType,
    strike: instrument.strike === undefined ? undefined : float(instrument.strike),
    tick_size_steps: [],
    state: 'open',
  }
}
