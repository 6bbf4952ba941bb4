/** Events of every type with extreme digits, and what a reader must find of them. */

import fc from 'fast-check'
import type { EventType, Level, MarketEvent } from '../../../src/model/event.ts'
import { type Column, LAKE_COLUMNS } from '../../../src/sinks/lake/columns.ts'
import { TIME_US } from './rig.ts'

export const TYPES = Object.keys(LAKE_COLUMNS) as EventType[]

const digits = (min: number, max: number) =>
  fc.array(fc.constantFrom(...'0123456789'), { minLength: min, maxLength: max }).map((all) => all.join(''))
/** Up to 21 digits before and 19 behind the point: a few have more than there is room for. */
const decimal = fc
  .tuple(
    fc.constantFrom('', '', '-'),
    fc.oneof({ weight: 9, arbitrary: digits(1, 20) }, { weight: 1, arbitrary: digits(21, 21) }),
    fc.option(fc.oneof({ weight: 9, arbitrary: digits(1, 18) }, { weight: 1, arbitrary: digits(19, 19) }), {
      nil: undefined,
    }),
  )
  .map(([sign, whole, fraction]) => `${sign}${whole}${fraction === undefined ? '' : `.${fraction}`}`)

const VALUES = {
  word: fc.constantFrom('buy', 'BTC-USDT', 'ü', '日本', ' ', 'a"b\\c', '😀'),
  text: fc.string({ maxLength: 40, unit: 'grapheme' }),
  decimal,
  time: fc.integer({ min: TIME_US, max: TIME_US + 86_399_999_999 }),
  integer: fc.oneof(
    fc.integer({ min: -(2 ** 53) + 1, max: 2 ** 53 - 1 }),
    fc.constantFrom(0, 2 ** 31, 2 ** 53 - 1, -(2 ** 53) + 1),
  ),
  flag: fc.boolean(),
  levels: fc.array(fc.tuple(decimal, decimal), { maxLength: 6 }),
}

/** Those of one type, on one day and of one exchange, so that they are in one file. */
export function eventOf(type: EventType): fc.Arbitrary<MarketEvent> {
  const field = ({ kind, isOptional }: Column) =>
    isOptional ? fc.option(VALUES[kind] as fc.Arbitrary<unknown>, { nil: undefined }) : VALUES[kind]
  const fields = Object.fromEntries(LAKE_COLUMNS[type].map((column) => [column.field, field(column)]))
  const symbol = fc.constantFrom('BTCUSDT', 'ETHUSDT', 'BTC-PERPETUAL')
  const venue = fc.constantFrom('binance', 'binance-usdm')
  return fc
    .record({ ...fields, symbol, venue, market: fc.constantFrom('spot', 'perpetual') })
    .map((event) => ({ type, exchange: 'binance', ...event }) as unknown as MarketEvent)
}

/** As DuckDB tells it in JSON. */
export function expectedRow(event: MarketEvent): Record<string, unknown> {
  const row: Record<string, unknown> = {}
  let isExact = true
  const number = (text: string) => {
    const shown = decimalText(text)
    if (shown === undefined) isExact = false
    return shown ?? null
  }
  for (const { field, name, kind } of LAKE_COLUMNS[event.type]) {
    const value = (event as unknown as Record<string, unknown>)[field]
    if (value === undefined) row[name] = null
    else if (kind === 'decimal') row[name] = number(value as string)
    else if (kind === 'integer') row[name] = String(value)
    else if (kind === 'time') row[name] = String(value)
    else if (kind === 'levels') {
      const levels = (value as Level[]).map(([price, quantity]) => ({
        price: number(price),
        quantity: number(quantity),
      }))
      row[name] = levels.some(({ price, quantity }) => price === null || quantity === null) ? null : levels
    } else row[name] = value
  }
  row.exact = isExact ? null : JSON.stringify(event)
  return row
}

/** With 18 digits behind the point; `undefined`: it does not fit. */
function decimalText(text: string): string | undefined {
  const [, sign = '', whole = '', fraction = ''] = /^(-?)0*(\d+?)(?:\.(\d*?)0*)?$/.exec(text) ?? []
  if (whole.length > 20 || fraction.length > 18) return undefined
  const isZero = /^0*$/.test(whole + fraction)
  return `${isZero ? '' : sign}${whole}.${fraction.padEnd(18, '0')}`
}

/** The columns of a type as {@link expectedRow} has them: times as whole microseconds. */
export const selection = (type: EventType): string =>
  [
    ...LAKE_COLUMNS[type].map(({ name, kind }) => (kind === 'time' ? `epoch_us("${name}") AS "${name}"` : `"${name}"`)),
    'exact',
  ].join(', ')
