/** Fixed-point numbers: integers in units of 10^-decimals, and the text that venues write. */

/** `unitsText(120, 2)` is `1.20`. */
export function unitsText(units: number | bigint, decimals: number): string {
  const digits = String(units).padStart(decimals + 1, '0')
  return decimals === 0 ? digits : `${digits.slice(0, -decimals)}.${digits.slice(-decimals)}`
}

/** The inverse of {@link unitsText}. Errors: text with more decimals than asked is cut. */
export function textUnits(text: string, decimals: number): bigint {
  const [whole = '0', fraction = ''] = text.split('.')
  return BigInt(whole + fraction.slice(0, decimals).padEnd(decimals, '0'))
}
