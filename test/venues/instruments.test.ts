import { describe, expect, test } from 'vitest'
import type { Instrument } from '../../src/model/event.ts'
import { binance, binanceUsdm } from '../../src/venues/binance/index.ts'
import { deribit } from '../../src/venues/deribit/index.ts'
import { venues } from '../../src/venues/index.ts'
import { canonicalName } from '../../src/venues/names.ts'
import { okx } from '../../src/venues/okx/index.ts'
import type { Venue } from '../../src/venues/venue.ts'
import { NO_INSTRUMENTS } from './fixtures.ts'

/** The instruments that a venue's answer lists. */
function parsed(venue: Venue, body: unknown): readonly Instrument[] {
  const [request] = venue.rest.instruments(venue.defaultSymbols)
  return request?.parse(body, 1, NO_INSTRUMENTS) ?? []
}

/** What an instrument says but for what all of its venue share. */
function facts(instrument: Instrument | undefined): object {
  const { type, exchange, venue, id, ...rest } = JSON.parse(JSON.stringify(instrument))
  expect([type, exchange]).toEqual(['instrument', venue.split('-')[0]])
  expect(id).toMatch(new RegExp(`^${venue}:instrument:`))
  return rest
}

const spotRow = {
  symbol: 'BTCUSDT',
  status: 'TRADING',
  baseAsset: 'BTC',
  quoteAsset: 'USDT',
  filters: [
    { filterType: 'PRICE_FILTER', minPrice: '0.01000000', maxPrice: '1000000.00000000', tickSize: '0.01000000' },
    { filterType: 'LOT_SIZE', minQty: '0.00001000', maxQty: '9000.00000000', stepSize: '0.00001000' },
  ],
}

const usdmRow = {
  ...spotRow,
  pair: 'BTCUSDT',
  contractType: 'PERPETUAL',
  deliveryDate: 4_133_404_800_000,
  onboardDate: 1_569_398_400_000,
  marginAsset: 'USDT',
}

describe('binance', () => {
  test('spot', () => {
    expect(parsed(binance, { symbols: [spotRow] }).map(facts)).toEqual([
      {
        market: 'spot',
        symbol: 'BTCUSDT',
        instrument: 'BTC-USDT',
        status: 'TRADING',
        base: 'BTC',
        quote: 'USDT',
        tick_size: '0.01000000',
        lot_size: '0.00001000',
        min_quantity: '0.00001000',
      },
    ])
  })

  test('USD-M perpetuals, quarterlies and perpetuals on other things', () => {
    const quarterly = {
      ...usdmRow,
      symbol: 'BTCUSDT_260327',
      contractType: 'CURRENT_QUARTER',
      deliveryDate: Date.UTC(2026, 2, 27, 8),
    }
    const gold = { ...usdmRow, symbol: 'XAUUSDT', contractType: 'TRADIFI_PERPETUAL', baseAsset: 'XAU' }
    const [perpetual, future, tradfi] = parsed(binanceUsdm, { symbols: [usdmRow, quarterly, gold] })
    expect(facts(perpetual)).toMatchObject({ market: 'perpetual', instrument: 'BTC-USDT-PERP', settle: 'USDT' })
    expect(facts(perpetual)).toMatchObject({ listed_time_us: 1_569_398_400_000_000 })
    expect(facts(perpetual)).not.toHaveProperty('expiry_time_us')
    expect(facts(future)).toMatchObject({
      market: 'future',
      instrument: 'BTC-USDT-260327',
      expiry_time_us: Date.UTC(2026, 2, 27, 8) * 1000,
    })
    expect(tradfi?.instrument).toBe('XAU-USDT-PERP')
  })

  test('a multiplied or foreign name is taken from the metadata, never from the symbol', () => {
    const rows = [
      { ...usdmRow, symbol: '1000PEPEUSDT', baseAsset: '1000PEPE' },
      { ...usdmRow, symbol: 'BTCUSDC', quoteAsset: 'USDC', marginAsset: 'USDC' },
      { ...usdmRow, symbol: '币安人生USDT', baseAsset: '币安人生' },
    ]
    expect(parsed(binanceUsdm, { symbols: rows }).map((each) => each.instrument)).toEqual([
      '1000PEPE-USDT-PERP',
      'BTC-USDC-PERP',
      '币安人生-USDT-PERP',
    ])
  })
})

const okxRow = {
  instType: 'SWAP',
  instId: 'BTC-USD-SWAP',
  uly: 'BTC-USD',
  instFamily: 'BTC-USD',
  baseCcy: '',
  quoteCcy: '',
  settleCcy: 'BTC',
  ctVal: '100',
  ctMult: '1',
  ctValCcy: 'USD',
  ctType: 'inverse',
  optType: '',
  stk: '',
  listTime: '1611916828000',
  expTime: '',
  tickSz: '0.1',
  lotSz: '1',
  minSz: '1',
  state: 'live',
}

describe('okx', () => {
  const one = (row: object) => facts(parsed(okx, { code: '0', data: [row] })[0])

  test('spot', () => {
    const row = { ...okxRow, instType: 'SPOT', instId: 'BTC-USDT', uly: '', baseCcy: 'BTC', quoteCcy: 'USDT' }
    expect(one({ ...row, settleCcy: '', ctVal: '', ctMult: '', ctValCcy: '', ctType: '' })).toEqual({
      market: 'spot',
      symbol: 'BTC-USDT',
      instrument: 'BTC-USDT',
      status: 'live',
      base: 'BTC',
      quote: 'USDT',
      tick_size: '0.1',
      lot_size: '1',
      min_quantity: '1',
      listed_time_us: 1_611_916_828_000_000,
    })
  })

  test('inverse swap', () => {
    expect(one(okxRow)).toEqual({
      market: 'perpetual',
      symbol: 'BTC-USD-SWAP',
      instrument: 'BTC-USD-PERP:BTC',
      status: 'live',
      base: 'BTC',
      quote: 'USD',
      settle: 'BTC',
      tick_size: '0.1',
      lot_size: '1',
      min_quantity: '1',
      contract_size: '100',
      contract_currency: 'USD',
      inverse: true,
      listed_time_us: 1_611_916_828_000_000,
    })
  })

  test('linear swap; future; option, whose size is value times multiplier', () => {
    const linear = { ...okxRow, instId: 'ETH-USDT-SWAP', uly: 'ETH-USDT', settleCcy: 'USDT', ctType: 'linear' }
    expect(one({ ...linear, ctVal: '0.1', ctValCcy: 'ETH' })).toMatchObject({
      instrument: 'ETH-USDT-PERP',
      contract_size: '0.1',
      contract_currency: 'ETH',
      inverse: false,
    })
    const expTime = String(Date.UTC(2024, 11, 20, 8))
    expect(one({ ...okxRow, instType: 'FUTURES', instId: 'BTC-USD-241220', expTime })).toMatchObject({
      market: 'future',
      instrument: 'BTC-USD-241220:BTC',
      expiry_time_us: Date.UTC(2024, 11, 20, 8) * 1000,
    })
    const option = { ...okxRow, instType: 'OPTION', instId: 'BTC-USD-241217-92000-C', optType: 'C', stk: '92000' }
    const expiry = { expTime: String(Date.UTC(2024, 11, 17, 8)) }
    expect(one({ ...option, ...expiry, ctVal: '1', ctMult: '0.01', ctValCcy: 'BTC', ctType: '' })).toMatchObject({
      market: 'option',
      instrument: 'BTC-USD-241217-92000-C:BTC',
      contract_size: '0.01',
      contract_currency: 'BTC',
      strike: '92000',
      option_type: 'call',
    })
  })

  test('contracts settled in coin and in dollars have two names', () => {
    const dollars = { ...okxRow, instId: 'BTC-USD_UM-SWAP', instFamily: 'BTC-USD_UM', settleCcy: 'USDⓈ' }
    const [coin, um] = parsed(okx, { code: '0', data: [okxRow, dollars] })
    expect([coin?.instrument, um?.instrument]).toEqual(['BTC-USD-PERP:BTC', 'BTC-USD-PERP'])
    expect([um?.base, um?.quote, um?.settle]).toEqual(['BTC', 'USD', 'USDⓈ'])
  })

  test('a type that it does not know is read from the symbol', () => {
    expect(one({ ...okxRow, instType: 'constructor' })).toMatchObject({ market: 'perpetual' })
  })

  test('asks once for each type that the symbols need, for options by family', () => {
    const symbols = ['BTC-USDT', 'ETH-USDT', 'BTC-USDT-SWAP', 'BTC-USD_UM-250808', 'BTC-USD_UM-241217-92000-C']
    expect(okx.rest.instruments(symbols).map((request) => request.path)).toEqual([
      '/api/v5/public/instruments?instType=SPOT',
      '/api/v5/public/instruments?instType=SWAP',
      '/api/v5/public/instruments?instType=FUTURES',
      '/api/v5/public/instruments?instType=OPTION&instFamily=BTC-USD_UM',
    ])
  })
})

const deribitRow = {
  price_index: 'btc_usd',
  kind: 'future',
  instrument_name: 'BTC-PERPETUAL',
  instrument_type: 'reversed',
  expiration_timestamp: 32_503_708_800_000,
  creation_timestamp: 1_534_167_754_000,
  is_active: true,
  tick_size: 0.5,
  contract_size: 10,
  min_trade_amount: 10,
  settlement_currency: 'BTC',
  settlement_period: 'perpetual',
  base_currency: 'BTC',
  counter_currency: 'USD',
  quote_currency: 'USD',
  state: 'open',
}

describe('deribit', () => {
  const all = (...rows: object[]) => parsed(deribit, { jsonrpc: '2.0', result: rows })
  const one = (row: object) => facts(all(row)[0])
  const expiration_timestamp = Date.UTC(2025, 5, 27, 8)

  test('inverse perpetual', () => {
    expect(one(deribitRow)).toEqual({
      market: 'perpetual',
      symbol: 'BTC-PERPETUAL',
      instrument: 'BTC-USD-PERP:BTC',
      status: 'open',
      base: 'BTC',
      quote: 'USD',
      settle: 'BTC',
      tick_size: '0.5',
      min_quantity: '10',
      contract_size: '10',
      contract_currency: 'USD',
      inverse: true,
      listed_time_us: 1_534_167_754_000_000,
    })
  })

  test('linear perpetual: amounts are in coin', () => {
    const linear = { instrument_type: 'linear', settlement_currency: 'USDC', quote_currency: 'USDC' }
    const row = { ...deribitRow, ...linear, instrument_name: 'BTC_USDC-PERPETUAL', counter_currency: 'USDC' }
    expect(one({ ...row, contract_size: 0.001, min_trade_amount: 0.001 })).toMatchObject({
      instrument: 'BTC-USDC-PERP',
      settle: 'USDC',
      contract_size: '0.001',
      contract_currency: 'BTC',
      inverse: false,
    })
  })

  test('future; option priced in coin; linear option with a point in its strike; spot', () => {
    const future = { ...deribitRow, instrument_name: 'BTC-27JUN25', settlement_period: 'month', expiration_timestamp }
    expect(one(future)).toMatchObject({ market: 'future', instrument: 'BTC-USD-250627:BTC' })
    const option = {
      ...future,
      kind: 'option',
      instrument_name: 'BTC-27JUN25-100000-C',
      quote_currency: 'BTC',
      contract_size: 1,
      strike: 100_000,
      option_type: 'call',
    }
    expect(one(option)).toMatchObject({
      market: 'option',
      instrument: 'BTC-USD-250627-100000-C:BTC',
      expiry_time_us: expiration_timestamp * 1000,
      contract_currency: 'BTC',
      strike: '100000',
      option_type: 'call',
    })
    const linear = {
      ...option,
      instrument_name: 'XRP_USDC-27JUN25-0d625-P',
      base_currency: 'XRP',
      quote_currency: 'USDC',
      counter_currency: 'USDC',
      settlement_currency: 'USDC',
      instrument_type: 'linear',
      strike: 0.625,
      option_type: 'put',
    }
    expect(one(linear)).toMatchObject({ instrument: 'XRP-USDC-250627-0.625-P', strike: '0.625', inverse: false })
    const spot = { kind: 'spot', instrument_name: 'BTC_USDC', quote_currency: 'USDC', counter_currency: 'USDC' }
    const { settlement_currency, settlement_period, expiration_timestamp: _, instrument_type, ...plain } = deribitRow
    expect(one({ ...plain, ...spot, contract_size: 0.0001 })).toMatchObject({ market: 'spot', instrument: 'BTC-USDC' })
    expect(one({ ...plain, ...spot })).not.toHaveProperty('settle')
  })

  test('recordings before the newer fields read the same', () => {
    const { counter_currency, instrument_type, settlement_currency, state, ...old } = deribitRow
    expect(one(old)).toMatchObject({ instrument: 'BTC-USD-PERP:BTC', inverse: true, status: 'open' })
    expect(one({ ...old, is_active: false })).toMatchObject({ status: 'inactive' })
  })

  test('combos are left out', () => {
    const combos = ['future_combo', 'option_combo'].map((kind) => ({
      ...deribitRow,
      kind,
      instrument_name: `BTC-${kind}`,
    }))
    expect(all(...combos, deribitRow).map((each) => each.symbol)).toEqual(['BTC-PERPETUAL'])
  })
})

describe('canonical names', () => {
  const base = { base: 'BTC', quote: 'USD' } as const
  const expiryUs = Date.UTC(2025, 5, 27, 8) * 1000

  test.each([
    [{ ...base, kind: 'spot' }, 'BTC-USD'],
    [{ ...base, kind: 'spot', settle: 'BTC' }, 'BTC-USD'],
    [{ ...base, kind: 'perpetual', settle: 'USD' }, 'BTC-USD-PERP'],
    [{ ...base, kind: 'perpetual', settle: 'BTC' }, 'BTC-USD-PERP:BTC'],
    [{ ...base, kind: 'future', expiryUs, settle: 'BTC' }, 'BTC-USD-250627:BTC'],
    [{ ...base, kind: 'option', expiryUs, strike: '0.625', optionType: 'put' }, 'BTC-USD-250627-0.625-P'],
    [
      { ...base, kind: 'option', expiryUs, strike: '100000', optionType: 'call', settle: 'BTC' },
      'BTC-USD-250627-100000-C:BTC',
    ],
  ] as const)('%j is %s', (contract, name) => expect(canonicalName(contract)).toBe(name))

  test('no two contracts of one venue share one', () => {
    const variants = (['spot', 'perpetual', 'future', 'option'] as const).flatMap((kind) =>
      ['USD', 'BTC'].flatMap((settle) =>
        [expiryUs, expiryUs + 7 * 86_400_000_000].flatMap((expiry) =>
          ['100', '100.5'].flatMap((strike) =>
            (['call', 'put'] as const).map((optionType) => {
              const dated = kind === 'future' || kind === 'option' ? { expiryUs: expiry } : {}
              const settled = kind === 'spot' ? {} : { settle }
              return { ...base, kind, ...settled, ...dated, ...(kind === 'option' ? { strike, optionType } : {}) }
            }),
          ),
        ),
      ),
    )
    const distinct = new Map(variants.map((contract) => [JSON.stringify(contract), contract]))
    const names = [...distinct.values()].map(canonicalName)
    expect(new Set(names).size).toBe(names.length)
  })
})

describe.each(venues.map((venue) => [venue.id, venue] as const))('%s: one odd row', (id, venue) => {
  const rows = { binance: spotRow, 'binance-usdm': usdmRow, okx: okxRow, deribit: deribitRow }[id]
  const answer = (...list: unknown[]) => ({ symbols: list, data: list, result: list })
  const name = id === 'okx' ? 'instId' : id === 'deribit' ? 'instrument_name' : 'symbol'
  let deep: unknown = 1
  for (let i = 0; i < 50_000; i++) deep = [deep]

  test.each([
    ['null', null],
    ['text', 'x'],
    ['a row without a symbol', { ...rows, [name]: undefined }],
    ['a symbol with a separator', { ...rows, [name]: 'A:B' }],
    [
      'an expiry beyond the calendar',
      {
        ...rows,
        instType: 'FUTURES',
        contractType: 'QUARTER',
        settlement_period: 'month',
        expTime: '9e99',
        deliveryDate: 1e300,
        expiration_timestamp: 1e300,
      },
    ],
    [
      'a tick that is no number',
      { ...rows, tickSz: 'NaN', tick_size: 'NaN', filters: [{ filterType: 'PRICE_FILTER', tickSize: 'NaN' }] },
    ],
    ['a row nested deeper than the stack', { ...rows, filters: deep, extra: deep }],
  ])('%s costs only itself', (_what, odd) => {
    const symbols = parsed(venue, answer(odd, rows)).map((each) => each.symbol)
    expect(symbols.at(-1)).toBe((rows as Record<string, unknown>)[name])
    expect(symbols.length).toBeLessThanOrEqual(2)
    for (const each of parsed(venue, answer(odd, rows))) expect(() => JSON.stringify(each)).not.toThrow()
  })

  test('an answer that is no list at all is malformed', () => {
    for (const body of [null, {}, { symbols: {}, data: {}, result: {} }, [], 'x']) {
      expect(() => parsed(venue, body)).toThrow('expected')
    }
  })
})
