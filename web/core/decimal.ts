/** Exact arithmetic on decimals as text. */

const FORM = /^(-?)(\d+)(?:\.(\d+))?$/

interface Scaled {
  readonly units: bigint
  readonly digits: number
}

function scaled(text: string): Scaled | undefined {
  const [, sign = '', whole, fraction = ''] = FORM.exec(text) ?? []
  return whole === undefined ? undefined : { units: BigInt(`${sign}${whole}${fraction}`), digits: fraction.length }
}

/** `a - b` with as many fraction digits as the longer of both; `undefined` when one of them is no decimal. */
export function subtract(a: string, b: string): string | undefined {
  const [left, right] = [scaled(a), scaled(b)]
  if (left === undefined || right === undefined) return undefined
  const digits = Math.max(left.digits, right.digits)
  const at = ({ units, digits: own }: Scaled): bigint => units * 10n ** BigInt(digits - own)
  return text(at(left) - at(right), digits)
}

function text(units: bigint, digits: number): string {
  const sign = units < 0n ? '-' : ''
  const all = String(units < 0n ? -units : units).padStart(digits + 1, '0')
  return digits === 0 ? `${sign}${all}` : `${sign}${all.slice(0, -digits)}.${all.slice(-digits)}`
}
