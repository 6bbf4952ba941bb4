/** Events of every type, as extreme as the model allows. */

import fc from 'fast-check'
import type { EventType, Gap, MarketEvent, Quote, Trade } from '../../../src/model/event.ts'
import { type Column, fieldsOf, type Kind } from '../../../src/sinks/clickhouse/columns.ts'

/** 2026-11-29T12:00:00Z, in microseconds. */
export const NOON_US = 1_795_953_600_000_000

const base = (type: EventType, n: number) => ({
  exchange: 'okx',
  venue: 'okx',
  market: 'spot' as const,
  symbol: 'BTC-USDT',
  exchange_time_us: NOON_US + n,
  receive_time_us: NOON_US + n + 1000,
  id: `okx:${type}:BTC-USDT:0:${n}`,
})

export const trade = (n: number, more: Partial<Trade> = {}): Trade => ({
  type: 'trade',
  ...base('trade', n),
  trade_id: `${n}`,
  price: `100.${n}`,
  quantity: '1.5',
  side: 'buy',
  ...more,
})

export const quote = (n: number, more: Partial<Quote> = {}): Quote => ({
  type: 'quote',
  ...base('quote', n),
  bid_price: '99.5',
  ask_price: '100.25',
  sequence: n,
  ...more,
})

/** The revision stands at the end of the id. */
export const gap = (gapId: string, revision: number, more: Partial<Gap> = {}): Gap => ({
  type: 'gap',
  exchange: 'okx',
  venue: 'okx',
  market: 'spot',
  symbol: 'BTC-USDT',
  id: `okx:gap:BTC-USDT:${gapId}:${revision}`,
  channel: 'trade',
  gap_id: gapId,
  cause: 'disconnect',
  state: 'open',
  start_time_us: NOON_US,
  detected_time_us: NOON_US + 1,
  ...more,
})

const digits = (min: number, max: number) =>
  fc.array(fc.constantFrom(...'0123456789'), { minLength: min, maxLength: max }).map((list) => list.join(''))

/** All that the model's `isDecimal` takes, up to the 38 digits before the point that fit. */
export const decimals: fc.Arbitrary<string> = fc.oneof(
  fc
    .tuple(fc.constantFrom('', '-'), digits(1, 38), digits(0, 38))
    .map(([sign, whole, fraction]) => `${sign}${whole}${fraction === '' ? '' : `.${fraction}`}`)
    .filter((text) => text.length <= 40),
  fc.constantFrom(
    '0',
    '0.00000000000000000000000000000000000001',
    '0.12345678901234567890123456789012345678',
    '-0.1234567890123456789012345678901234567',
    '99999999999999999999999999999999999999',
    '-99999999999999999999999999999999999999',
    '1234567890123456789.0123456789012345678',
    '95234.5600',
  ),
)

const VALUES: Readonly<Record<Kind, fc.Arbitrary<unknown>>> = {
  text: fc.string({ unit: 'grapheme', maxLength: 20 }),
  word: fc.constantFrom('a', 'b', 'C D', '', '"\\/\n\t', 'ü€𝕏'),
  decimal: decimals,
  whole: fc.oneof(fc.integer(), fc.constantFrom(0, -1, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER)),
  flag: fc.boolean(),
  time: fc.oneof(
    fc.integer({ min: NOON_US - 86_400_000_000, max: NOON_US }),
    fc.constantFrom(0, 1, 9_908_870_399, 32_503_708_800_000_000),
  ),
  levels: fc.array(fc.tuple(decimals, decimals), { maxLength: 5 }),
}

/** An event of the type with any values in its fields; optional ones are there or not. */
export function anyEvent(type: EventType, ids: () => number): fc.Arbitrary<MarketEvent> {
  const fields = fieldsOf(type).filter(([field]) => field !== 'id')
  const values = fc.record(Object.fromEntries(fields.map(([field, column]) => [field, VALUES[column.kind]])), {
    requiredKeys: fields.filter(([, column]) => !column.isOptional).map(([field]) => field),
  })
  return values.map((some) => ({ type, ...some, id: `id-${ids()}` }) as unknown as MarketEvent)
}

/** The value of a field as text that is the same for equal numbers. */
export function plain(column: Column, value: unknown): string {
  if (value === undefined) return 'NULL'
  if (column.kind === 'decimal') return plainDecimal(value as string)
  if (column.kind !== 'levels') return `${value}`
  return (value as [string, string][]).map((pair) => pair.map(plainDecimal).join(' ')).join(', ')
}

/** Without zeros that say nothing. */
export function plainDecimal(text: string): string {
  const [, sign = '', whole = '', fraction = ''] = /^(-?)0*(\d*?)(?:\.(\d*?)0*)?$/.exec(text) ?? []
  const size = `${whole === '' ? '0' : whole}${fraction === '' ? '' : `.${fraction}`}`
  return size === '0' ? '0' : sign + size
}
