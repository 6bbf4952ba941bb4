import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  compareDecimals,
  isDecimal,
  isUnsignedDecimal,
  isZero,
  multiplyDecimals,
  numberText,
} from '../../src/model/decimal.ts'

fc.configureGlobal({ seed: 20261123 })

/** Unsigned decimals as venues write them: leading and trailing zeros, with or without a fraction. */
const decimals = fc
  .tuple(fc.stringMatching(/^[0-9]{1,18}$/), fc.option(fc.stringMatching(/^[0-9]{1,18}$/), { nil: undefined }))
  .map(([whole, fraction]) => (fraction === undefined ? whole : `${whole}.${fraction}`))

/** The value as an exact multiple of 10^-40. */
function exact(value: string): bigint {
  const [whole = '', fraction = ''] = value.split('.')
  return BigInt(whole + fraction.padEnd(40, '0'))
}

describe('isDecimal', () => {
  test.each(['0', '-1', '007', '95234.56', '0.00000001', '-0.5', '4.00000200', '9'.repeat(40)])('takes %s', (value) => {
    expect(isDecimal(value)).toBe(true)
    expect(isUnsignedDecimal(value)).toBe(!value.startsWith('-'))
  })

  test.each([
    ...['', '-', '.', '.5', '5.', '-.5', '--1', '+1', '1-', '1..2', '1.2.3', '1e5', '1E-8', '0x1f', '1,5', '1 ', ' 1'],
    ...['NaN', 'Infinity', '٣', '１', '1\n', '9'.repeat(41), `0.${'1'.repeat(39)}`, '9'.repeat(400)],
    ...[null, undefined, 1, true, [], ['1'], {}, { length: 1 }],
  ])('refuses %j', (value) => {
    expect(isDecimal(value)).toBe(false)
    expect(isUnsignedDecimal(value)).toBe(false)
  })
})

test('isZero: only zeros', () => {
  for (const value of ['0', '0.0', '000', '0.00000000']) expect(isZero(value), value).toBe(true)
  for (const value of ['1', '0.1', '10', '0.00000001', '1.000']) expect(isZero(value), value).toBe(false)
})

describe('compareDecimals', () => {
  test('orders as exact integers do', () => {
    fc.assert(
      fc.property(decimals, decimals, (a, b) => {
        const difference = exact(a) - exact(b)
        expect(Math.sign(compareDecimals(a, b))).toBe(difference === 0n ? 0 : difference < 0n ? -1 : 1)
      }),
      { numRuns: 2_000 },
    )
  })

  test('orders neighbours that differ in one digit', () => {
    fc.assert(
      fc.property(decimals, fc.nat(), fc.stringMatching(/^[0-9]$/), (a, at, digit) => {
        const position = at % a.length
        if (a[position] === '.') return
        const b = a.slice(0, position) + digit + a.slice(position + 1)
        const difference = exact(a) - exact(b)
        expect(Math.sign(compareDecimals(a, b))).toBe(difference === 0n ? 0 : difference < 0n ? -1 : 1)
      }),
      { numRuns: 2_000 },
    )
  })

  test('sees what a double does not', () => {
    expect(compareDecimals('1.00000000000000001', '1.00000000000000002')).toBeLessThan(0)
    expect(compareDecimals('9007199254740993', '9007199254740992')).toBeGreaterThan(0)
    expect(compareDecimals('1.10', '1.1')).toBe(0)
    expect(compareDecimals('0001', '1.000')).toBe(0)
  })
})

test('multiplyDecimals: the exact product, without trailing zeros', () => {
  fc.assert(
    fc.property(decimals, decimals, (a, b) => {
      const product = multiplyDecimals(a, b)
      expect(product).toMatch(/^(0|[1-9][0-9]*)(\.[0-9]*[1-9])?$/)
      const [whole = '', fraction = ''] = product.split('.')
      expect(BigInt(whole + fraction.padEnd(80, '0'))).toBe(exact(a) * exact(b))
    }),
    { numRuns: 2_000 },
  )
  expect(multiplyDecimals('1', '0.01')).toBe('0.01')
  expect(multiplyDecimals('0.000', '5.5')).toBe('0')
})

describe('numberText', () => {
  test('reads back as the same number and has no exponent', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
        const text = numberText(value)
        expect(text).toMatch(/^-?[0-9]+(\.[0-9]+)?$/)
        // JSON has no negative zero worth keeping.
        expect(Number(text)).toBe(value === 0 ? 0 : value)
      }),
      { numRuns: 5_000 },
    )
  })

  test.each([
    [0, '0'],
    [-0, '0'],
    [42500.0, '42500'],
    [2.11e-5, '0.0000211'],
    [1e-7, '0.0000001'],
    [1.5e-9, '0.0000000015'],
    [-2.5e-8, '-0.000000025'],
    [1e21, '1000000000000000000000'],
    [-1.25e22, '-12500000000000000000000'],
    [5e-324, `0.${'0'.repeat(323)}5`],
  ])('%d is %s', (value, text) => expect(numberText(value)).toBe(text))

  test.each([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])('%d is nothing', (value) => {
    expect(numberText(value)).toBeUndefined()
  })
})
