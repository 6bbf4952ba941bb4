/** Numbers as decimal digits in bytes, without the text between. */

const ZERO = 0x30

export function digitsOf(number: number): number {
  let count = 1
  for (let limit = 10; number >= limit; limit *= 10) count++
  return count
}

/** Writes a whole number that is not negative, and yields its end. */
export function writeDigits(target: Uint8Array, number: number, at: number): number {
  const end = at + digitsOf(number)
  let left = number
  for (let i = end - 1; i >= at; i--) {
    const tens = Math.floor(left / 10)
    target[i] = ZERO + (left - tens * 10)
    left = tens
  }
  return end
}

/** The number whose digits stand from `from` to `to`; NaN: something else does. */
export function readDigits(bytes: Uint8Array, from: number, to: number): number {
  if (from >= to) return Number.NaN
  let number = 0
  for (let i = from; i < to; i++) {
    const digit = (bytes[i] as number) - ZERO
    if (digit < 0 || digit > 9) return Number.NaN
    number = number * 10 + digit
  }
  return number
}
