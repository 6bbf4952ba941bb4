/** JSON with floats as Deribit writes them: `42500.0`, `2.11e-05`. `JSON.stringify` would write `42500`. */

/** A number that is a float on the wire, whatever its value. */
export class Float {
  readonly value: number
  constructor(value: number) {
    this.value = value
  }
}

/** Plain numbers must be whole: ids and times. */
export type Json = null | boolean | number | string | Float | readonly Json[] | JsonObject
export interface JsonObject {
  readonly [key: string]: Json | undefined
}

/** Text is a decimal of the market; it has few enough digits to survive as a double. */
export const float = (value: string | number): Float => new Float(Number(value))

/** Beyond these, numbers are written in exponent form. */
const DECIMAL_MIN = 1e-4
const DECIMAL_END = 1e16

/** The shortest digits that read back the same, in exponent form below 1e-4 and from 1e16 on, as C++ and Python print. */
export function floatText(value: number): string {
  const size = Math.abs(value)
  if (size === 0 || (size >= DECIMAL_MIN && size < DECIMAL_END))
    return Number.isInteger(value) ? `${value}.0` : String(value)
  const [mantissa = '0', exponentText = '0'] = value.toExponential().split('e')
  const exponent = Number(exponentText)
  return `${mantissa}e${exponent < 0 ? '-' : '+'}${String(Math.abs(exponent)).padStart(2, '0')}`
}

export function encode(value: Json): string {
  if (value instanceof Float) return floatText(value.value)
  if (value === null || typeof value !== 'object') return JSON.stringify(value)
  if (isList(value)) return `[${value.map(encode).join(',')}]`
  const fields: string[] = []
  for (const [key, field] of Object.entries(value)) {
    if (field !== undefined) fields.push(`${JSON.stringify(key)}:${encode(field)}`)
  }
  return `{${fields.join(',')}}`
}

const isList = (value: readonly Json[] | JsonObject): value is readonly Json[] => Array.isArray(value)
