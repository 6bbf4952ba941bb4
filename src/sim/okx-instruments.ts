/** The instruments of the simulated OKX, and their rows of `/public/instruments`. */

import type { SimInstrument } from './exchange.ts'
import { unitsText } from './units.ts'

const LISTED_MS = Date.UTC(2024, 0, 2, 8)
const FUTURE_EXPIRY_MS = Date.UTC(2027, 5, 25, 8)

/** The fields in which derivatives differ. A `SimInstrument` without `contractSize` is spot. */
const contract = (
  symbol: string,
  rest: Omit<SimInstrument, 'symbol' | 'market' | 'base'> & Partial<Pick<SimInstrument, 'market'>>,
): SimInstrument => ({ symbol, market: 'perpetual', base: symbol.slice(0, 3), ...rest })

function spot(
  base: string,
  [priceDecimals, startPriceUnits]: readonly [number, number],
  [quantityDecimals, levelQuantityUnits]: readonly [number, number],
  stepsPerSecond: number,
): SimInstrument {
  return {
    symbol: `${base}-USDT`,
    market: 'spot',
    base,
    quote: 'USDT',
    priceDecimals,
    quantityDecimals,
    tickUnits: 1,
    startPriceUnits,
    levelQuantityUnits,
    stepsPerSecond,
  }
}

const BTC_PRICE = { priceDecimals: 1, tickUnits: 1 }
const CONTRACTS = { quantityDecimals: 2, levelQuantityUnits: 4_000 }
const USDT_MARGINED = { quote: 'USDT', settle: 'USDT' }

/** Four of them are quiet: a change every three to ten seconds. */
export const OKX_INSTRUMENTS: readonly SimInstrument[] = [
  spot('BTC', [1, 837_259], [8, 25_000_000], 4),
  spot('ETH', [2, 301_245], [6, 4_000_000], 3),
  spot('BNB', [1, 9_051], [6, 6_000_000], 1),
  spot('ADA', [4, 5_213], [4, 25_000_000], 0.3),
  spot('XRP', [4, 21_045], [6, 2_500_000_000], 2),
  spot('SOL', [2, 14_127], [6, 80_000_000], 2),
  spot('DOT', [3, 2_412], [6, 900_000_000], 0.2),
  spot('DOGE', [5, 15_023], [6, 9_000_000_000], 1.5),
  spot('AVAX', [3, 14_210], [6, 300_000_000], 0.3),
  spot('POL', [5, 13_912], [6, 5_000_000_000], 0.1),
  contract('BTC-USDT-SWAP', {
    ...USDT_MARGINED,
    ...BTC_PRICE,
    ...CONTRACTS,
    contractSize: '0.01',
    startPriceUnits: 837_310,
    stepsPerSecond: 4,
  }),
  contract('ETH-USDT-SWAP', {
    ...USDT_MARGINED,
    ...CONTRACTS,
    contractSize: '0.1',
    priceDecimals: 2,
    tickUnits: 1,
    startPriceUnits: 301_271,
    stepsPerSecond: 3,
  }),
  contract('BTC-USD-SWAP', {
    ...BTC_PRICE,
    quote: 'USD',
    settle: 'BTC',
    contractSize: '100',
    quantityDecimals: 0,
    levelQuantityUnits: 300,
    startPriceUnits: 837_198,
    stepsPerSecond: 1,
  }),
  contract('BTC-USDT-270625', {
    ...USDT_MARGINED,
    ...BTC_PRICE,
    ...CONTRACTS,
    market: 'future',
    contractSize: '0.01',
    startPriceUnits: 861_004,
    expiryMs: FUTURE_EXPIRY_MS,
    stepsPerSecond: 0.5,
  }),
]

const INST_TYPES = { spot: 'SPOT', perpetual: 'SWAP', future: 'FUTURES', option: 'OPTION' } as const

export const instType = (instrument: SimInstrument): string => INST_TYPES[instrument.market]
export const isInverse = (instrument: SimInstrument): boolean => instrument.settle === instrument.base

/** OKX writes no zeros at the end of a fraction: `42500`, `0.5`. */
export const plain = (text: string): string => (text.includes('.') ? text.replace(/\.?0+$/, '') : text)

/** One row. Source: https://www.okx.com/docs-v5/en/#public-data-rest-api-get-instruments */
export function instrumentRow(instrument: SimInstrument, index: number, state: string): Record<string, unknown> {
  const isSpot = instrument.market === 'spot'
  const family = isSpot ? '' : `${instrument.base}-${instrument.quote}`
  const lot = plain(unitsText(instrument.lotUnits ?? 1, instrument.quantityDecimals))
  return {
    instType: instType(instrument),
    instId: instrument.symbol,
    instIdCode: 10_458 + index,
    uly: family,
    instFamily: family,
    baseCcy: isSpot ? instrument.base : '',
    quoteCcy: isSpot ? instrument.quote : '',
    settleCcy: instrument.settle ?? '',
    ctVal: instrument.contractSize ?? '',
    ctMult: isSpot ? '' : '1',
    ctValCcy: isSpot ? '' : isInverse(instrument) ? instrument.quote : instrument.base,
    ctType: isSpot ? '' : isInverse(instrument) ? 'inverse' : 'linear',
    optType: '',
    stk: '',
    listTime: String(LISTED_MS),
    expTime: instrument.expiryMs === undefined ? '' : String(instrument.expiryMs),
    contTdSwTime: '',
    preMktSwTime: '',
    tickSz: plain(unitsText(instrument.tickUnits, instrument.priceDecimals)),
    lotSz: lot,
    minSz: lot,
    lever: isSpot ? '10' : '100',
    state,
    ruleType: 'normal',
    instCategory: '1',
    upcChg: [],
    groupId: '1',
    futureSettlement: false,
  }
}
