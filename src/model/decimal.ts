/** Decimal numbers as text: checked, compared and printed without ever becoming floating point. */

import type { Decimal } from './event.ts'

/** Longest decimal accepted from a venue, in characters. Real ones stay below 30. */
const DECIMAL_LENGTH_MAX = 40

const MINUS = 45
const DOT = 46
const ZERO = 48
const NINE = 57

/** Plain digits with at most one dot and a digit on both sides of it; optional leading minus. */
export function isDecimal(value: unknown): value is Decimal {
  if (typeof value !== 'string') return false
  const start = value.charCodeAt(0) === MINUS ? 1 : 0
  const length = value.length
  if (length === start || length > DECIMAL_LENGTH_MAX) return false
  let hasDot = false
  for (let i = start; i < length; i++) {
    const code = value.charCodeAt(i)
    if (code === DOT) {
      if (hasDot || i === start || i === length - 1) return false
      hasDot = true
    } else if (code < ZERO || code > NINE) return false
  }
  return true
}

/** A decimal that is not negative: what a price level may hold. */
export const isUnsignedDecimal = (value: unknown): value is Decimal => isDecimal(value) && value.charCodeAt(0) !== MINUS

/** `0`, `0.000`: a quantity that removes its level. */
export function isZero(value: Decimal): boolean {
  for (let i = 0; i < value.length; i++) {
    const code = value.charCodeAt(i)
    if (code !== ZERO && code !== DOT) return false
  }
  return true
}

/**
 * A JSON number as the shortest text that reads back as the same number, never in exponent form.
 * Errors: `undefined` for NaN and infinities.
 */
export function numberText(value: number): Decimal | undefined {
  if (!Number.isFinite(value)) return undefined
  const text = String(value)
  const match = /^(-?)(\d)(?:\.(\d+))?e([+-]\d+)$/.exec(text)
  if (!match) return text
  const [, sign = '', first = '', rest = '', exponentText = '0'] = match
  const digits = first + rest
  const exponent = Number(exponentText)
  return exponent < 0 ? `${sign}0.${'0'.repeat(-exponent - 1)}${digits}` : `${sign}${digits.padEnd(exponent + 1, '0')}`
}

/** Exact order of two unsigned decimals: negative, zero or positive, whatever their number of digits. */
export function compareDecimals(a: Decimal, b: Decimal): number {
  const [aWhole, aFraction] = split(a)
  const [bWhole, bFraction] = split(b)
  if (aWhole.length !== bWhole.length) return aWhole.length - bWhole.length
  if (aWhole !== bWhole) return aWhole < bWhole ? -1 : 1
  const width = Math.max(aFraction.length, bFraction.length)
  const left = aFraction.padEnd(width, '0')
  const right = bFraction.padEnd(width, '0')
  return left === right ? 0 : left < right ? -1 : 1
}

function split(value: Decimal): [whole: string, fraction: string] {
  const dot = value.indexOf('.')
  const whole = (dot < 0 ? value : value.slice(0, dot)).replace(/^0+(?=\d)/, '')
  return [whole, dot < 0 ? '' : value.slice(dot + 1)]
}

/** The exact product of two unsigned decimals, without trailing zeros after the point. */
export function multiplyDecimals(a: Decimal, b: Decimal): Decimal {
  const [aWhole, aFraction] = split(a)
  const [bWhole, bFraction] = split(b)
  const decimals = aFraction.length + bFraction.length
  const digits = (BigInt(aWhole + aFraction) * BigInt(bWhole + bFraction)).toString().padStart(decimals + 1, '0')
  if (decimals === 0) return digits
  const fraction = digits.slice(-decimals).replace(/0+$/, '')
  return fraction === '' ? digits.slice(0, -decimals) : `${digits.slice(0, -decimals)}.${fraction}`
}
