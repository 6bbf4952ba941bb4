import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Decimals, decimalBytes, decimalRange, decimalUnits } from '../../../src/sinks/lake/decimal.ts'

const UNIT = 10n ** 18n
const units = (text: string) => {
  const bytes = decimalBytes(text)
  return bytes && decimalUnits(bytes)
}

/** The same by another way: text of up to 20 digits before the point and 18 behind it. */
function expectedUnits(text: string): bigint {
  const isNegative = text.startsWith('-')
  const [whole = '', fraction = ''] = text.replace('-', '').split('.')
  const value = BigInt(whole) * UNIT + BigInt(fraction.slice(0, 18).padEnd(18, '0'))
  return isNegative ? -value : value
}

const digits = (min: number, max: number) =>
  fc.array(fc.constantFrom(...'0123456789'), { minLength: min, maxLength: max }).map((all) => all.join(''))
const decimal = fc
  .tuple(
    fc.constantFrom('', '-'),
    digits(1, 20),
    fc.option(digits(1, 18), { nil: undefined }),
    fc.constantFrom('', '0'),
  )
  .map(([sign, whole, fraction, zeros]) => `${sign}${whole}${fraction === undefined ? '' : `.${fraction}${zeros}`}`)

test('every number of 20 digits before and 18 behind the point is held exactly', () => {
  fc.assert(
    fc.property(decimal, (text) => {
      expect(units(text)).toBe(expectedUnits(text))
    }),
    { numRuns: 3_000 },
  )
  expect(units('99999999999999999999.999999999999999999')).toBe(10n ** 38n - 1n)
  expect(units('-99999999999999999999.999999999999999999')).toBe(1n - 10n ** 38n)
  expect(units('-0.000000000000000001')).toBe(-1n)
  expect(units('-0')).toBe(0n)
})

test('zeros at both ends are no digits; one digit more than there is room for is refused, not cut', () => {
  expect(units('000000000000000000000000001.1000000000000000000000')).toBe(11n * 10n ** 17n)
  expect(units('100000000000000000000')).toBeUndefined()
  expect(units('0.0000000000000000001')).toBeUndefined()
  expect(units('1.1234567890123456789')).toBeUndefined()
})

test('smallest and largest are those of the values, below zero too', () => {
  fc.assert(
    fc.property(fc.array(decimal, { minLength: 1 }), (texts) => {
      const values = texts.map(expectedUnits).sort((a, b) => (a < b ? -1 : a > b ? 1 : 0))
      expect(decimalRange(texts.map(decimalBytes))).toEqual({ min: values[0], max: values.at(-1) })
    }),
  )
  expect(decimalRange([undefined])).toBeUndefined()
})

test('equal numbers are one object, and what is no decimal is refused', () => {
  const decimals = new Decimals()
  expect(decimals.bytes('95000.10')).toBe(decimals.bytes('95000.10'))
  for (const value of ['1e5', '', '.5', '5.', '+1', '1,5', 'NaN', ' 1', 1, null, undefined]) {
    expect(() => decimals.bytes(value), String(value)).toThrow(TypeError)
  }
})
