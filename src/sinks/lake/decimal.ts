/** Decimals as Parquet holds them: whole numbers of 16 bytes, big endian, that count units of 10^-18. */

import type { Decimal } from '../../model/event.ts'

/** DECIMAL(38, 18): 38 digits are what readers can take, 18 of them behind the point. */
export const DECIMAL_DIGITS = 38
export const DECIMAL_SCALE = 18
export const DECIMAL_BYTES = 16
const WHOLE_DIGITS_MAX = DECIMAL_DIGITS - DECIMAL_SCALE

/** Distinct numbers that are remembered; a book repeats its prices all day. */
const REMEMBERED_MAX = 65_536

/** Of any length: what is too long for its column is no mistake. */
const DECIMAL = /^-?\d+(?:\.\d+)?$/

const MINUS = 45
const ZERO = 48

/** The bytes of a decimal's exact value; `undefined`: it has more digits than there is room for. */
export function decimalBytes(text: Decimal): Uint8Array | undefined {
  const isNegative = text.charCodeAt(0) === MINUS
  let start = isNegative ? 1 : 0
  const dot = text.indexOf('.', start)
  const wholeEnd = dot < 0 ? text.length : dot
  let end = text.length
  if (dot >= 0) {
    while (text.charCodeAt(end - 1) === ZERO) end--
    if (end === dot + 1) end = dot
  }
  while (start < wholeEnd && text.charCodeAt(start) === ZERO) start++
  const scale = end > wholeEnd ? end - wholeEnd - 1 : 0
  if (wholeEnd - start > WHOLE_DIGITS_MAX || scale > DECIMAL_SCALE) return undefined
  limbs.fill(0)
  let group = 0
  let factor = 1
  for (let at = start, left = wholeEnd - start + DECIMAL_SCALE; left > 0; at++, left--) {
    if (at === dot) at++
    group = group * 10 + (at < end ? text.charCodeAt(at) - ZERO : 0)
    factor *= 10
    if (factor < GROUP_FACTOR_MAX && left > 1) continue
    multiplyAndAdd(factor, group)
    group = 0
    factor = 1
  }
  return limbBytes(isNegative)
}

/** The number that is being made, in words of 32 bits, lowest first. */
const limbs = new Float64Array(DECIMAL_BYTES / 4)
const TWO_32 = 2 ** 32
/** A word times it still is a whole number to a float. */
const GROUP_FACTOR_MAX = 1_000_000

function multiplyAndAdd(factor: number, summand: number): void {
  let carry = summand
  for (let i = 0; i < limbs.length; i++) {
    const product = (limbs[i] as number) * factor + carry
    carry = Math.floor(product / TWO_32)
    limbs[i] = product - carry * TWO_32
  }
}

function limbBytes(isNegative: boolean): Uint8Array {
  const bytes = new Uint8Array(DECIMAL_BYTES)
  // Two's complement: all bits turned around, plus one.
  let carry = isNegative ? 1 : 0
  for (let i = 0; i < limbs.length; i++) {
    let word = isNegative ? TWO_32 - 1 - (limbs[i] as number) + carry : (limbs[i] as number)
    carry = word >= TWO_32 ? 1 : 0
    word = word >>> 0
    for (let byte = 0; byte < 4; byte++) bytes[DECIMAL_BYTES - 1 - 4 * i - byte] = (word >>> (8 * byte)) & 0xff
  }
  return bytes
}

/** The number of units that the bytes hold. */
export function decimalUnits(bytes: Uint8Array): bigint {
  const view = new DataView(bytes.buffer, bytes.byteOffset, DECIMAL_BYTES)
  return (view.getBigInt64(0) << 64n) | view.getBigUint64(8)
}

/** Smallest and largest, by value. */
export function decimalRange(values: Iterable<Uint8Array | undefined>): { min: bigint; max: bigint } | undefined {
  let min: Uint8Array | undefined
  let max: Uint8Array | undefined
  for (const value of values) {
    if (value === undefined) continue
    if (min === undefined || isBelow(value, min)) min = value
    if (max === undefined || isBelow(max, value)) max = value
  }
  return min && max && { min: decimalUnits(min), max: decimalUnits(max) }
}

function isBelow(a: Uint8Array, b: Uint8Array): boolean {
  if (a === b) return false
  // The sign is the first bit: turned around, it sorts like the rest.
  const first = ((a[0] as number) ^ 128) - ((b[0] as number) ^ 128)
  if (first !== 0) return first < 0
  for (let i = 1; i < DECIMAL_BYTES; i++) {
    const difference = (a[i] as number) - (b[i] as number)
    if (difference !== 0) return difference < 0
  }
  return false
}

/** Makes the bytes of a number once: the writer finds its dictionary faster when equal numbers are one object. */
export class Decimals {
  readonly #known = new Map<unknown, Uint8Array>()

  /** See {@link decimalBytes}. Errors: throws a TypeError for what is no decimal. */
  bytes(value: unknown): Uint8Array | undefined {
    const known = this.#known.get(value)
    if (known !== undefined) return known
    if (typeof value !== 'string' || !DECIMAL.test(value)) throw new TypeError('a decimal as text')
    const bytes = decimalBytes(value)
    if (bytes === undefined) return undefined
    if (this.#known.size >= REMEMBERED_MAX) this.#known.clear()
    this.#known.set(value, bytes)
    return bytes
  }
}
