/** Reading fields of a venue's JSON: the documented type, or a MalformedError that says which field and what came. */

import { isDecimal, isUnsignedDecimal, numberText } from '../model/decimal.ts'
import type { Decimal, EpochUs, Level, Side } from '../model/event.ts'
import { hashText } from '../model/hash.ts'
import { epochUs } from '../model/time.ts'
import { type Decoded, MalformedError } from './venue.ts'

/** A JSON object of the venue. Its fields are checked one by one; it is never merged or spread. */
export type Raw = Readonly<Record<string, unknown>>

/** A symbol longer than this is no symbol. */
const SYMBOL_LENGTH_MAX = 64

/** Longest part of a venue's text that goes into a reason. */
const TEXT_SHOWN_MAX = 300

/** One level deep: nesting can be deeper than the stack that writing all of it would need. */
const shown = (value: unknown): string => (JSON.stringify(value, oneLevel(value)) ?? 'nothing').slice(0, 60)

const oneLevel = (top: unknown) => (_key: string, value: unknown) =>
  value !== top && typeof value === 'object' && value !== null ? '…' : value

/** A code or message of the venue for a reason: text as it is, anything else as JSON. */
export const word = (value: unknown): string =>
  typeof value === 'string' ? value.slice(0, TEXT_SHOWN_MAX) : shown(value)

/** Always throws. */
export function malformed(field: string, expected: string, value: unknown): never {
  throw new MalformedError(`${field}: expected ${expected}, received ${shown(value)}`)
}

export const isRaw = (value: unknown): value is Raw =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

export const raw = (value: unknown, field: string): Raw => (isRaw(value) ? value : malformed(field, 'an object', value))

export const list = (value: unknown, field: string): readonly unknown[] =>
  Array.isArray(value) ? value : malformed(field, 'a list', value)

export const text = (value: unknown, field: string): string =>
  typeof value === 'string' && value !== '' ? value : malformed(field, 'text', value)

/** A symbol: text without the separator of our ids and without control characters or spaces. */
export function symbolText(value: unknown, field: string): string {
  const symbol = text(value, field)
  if (symbol.length > SYMBOL_LENGTH_MAX) malformed(field, `a symbol of at most ${SYMBOL_LENGTH_MAX} characters`, value)
  for (let i = 0; i < symbol.length; i++) {
    const code = symbol.charCodeAt(i)
    if (code <= 32 || code === 58 || code === 127) malformed(field, 'a symbol', value)
  }
  return symbol
}

/** A price or quantity: decimal text as sent, or a JSON number as its shortest text; not negative. */
export function decimal(value: unknown, field: string): Decimal {
  const digits = typeof value === 'number' ? numberText(value) : value
  return isUnsignedDecimal(digits) ? digits : malformed(field, 'a decimal that is not negative', value)
}

/** A decimal that may be negative (a change), or `undefined` where the venue sent nothing, `null` or `""`. */
export function signedOrAbsent(value: unknown, field: string): Decimal | undefined {
  if (value === undefined || value === null || value === '') return undefined
  const digits = typeof value === 'number' ? numberText(value) : value
  return isDecimal(digits) ? digits : malformed(field, 'a decimal', value)
}

/** {@link decimal}, or `undefined` where the venue sent nothing, `null` or `""`. */
export const decimalOrAbsent = (value: unknown, field: string): Decimal | undefined =>
  value === undefined || value === null || value === '' ? undefined : decimal(value, field)

/** An id or sequence: an integer that a number can hold exactly. */
export const integer = (value: unknown, field: string): number =>
  Number.isSafeInteger(value) ? (value as number) : malformed(field, 'an integer below 2^53', value)

export const integerOrAbsent = (value: unknown, field: string): number | undefined =>
  value === undefined || value === null ? undefined : integer(value, field)

/** An id as text, sent as text or as an integer. */
export const idText = (value: unknown, field: string): string =>
  typeof value === 'string' ? symbolText(value, field) : String(integer(value, field))

export const boolean = (value: unknown, field: string): boolean =>
  typeof value === 'boolean' ? value : malformed(field, 'true or false', value)

export const side = (value: unknown, field: string): Side =>
  value === 'buy' || value === 'sell' ? value : malformed(field, 'buy or sell', value)

/** The venue's time in ms or µs. Year 2001 to 2100, so that a wrong unit is caught. */
export function time(value: unknown, field: string): EpochUs {
  const timeUs = epochUs(value)
  if (timeUs === undefined || timeUs < 1e15 || timeUs > 4.2e15) malformed(field, 'a time since the epoch', value)
  return timeUs
}

/** Price levels `[price, quantity, …]`; fields after the second are left out. Deduplicated by the book, not here. */
export function levels(value: unknown, field: string): Level[] {
  const rows = list(value, field)
  const result: Level[] = new Array(rows.length)
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i]
    if (!Array.isArray(row) || !isUnsignedDecimal(row[0]) || !isUnsignedDecimal(row[1])) {
      malformed(field, 'rows of [price, quantity]', row)
    }
    result[i] = row.length === 2 ? (row as unknown as Level) : [row[0], row[1]]
  }
  return result
}

/**
 * The rows that are as documented. One odd row must not cost all others; a configured symbol that is missed thereby
 * is reported by name.
 */
export const goodRows = <Result>(rows: readonly unknown[], parse: (row: Raw) => Result | undefined): Result[] =>
  rows.flatMap((row) => {
    try {
      return parse(raw(row, 'row')) ?? []
    } catch (error) {
      if (error instanceof MalformedError) return []
      throw error
    }
  })

/** A hash of all that the venue says of an instrument. Errors: MalformedError for a row nested too deep. */
export function fingerprint(row: Raw): string {
  try {
    return hashText(JSON.stringify(row))
  } catch {
    throw new MalformedError('row: expected a few levels, received one nested too deep')
  }
}

const decoder = new TextDecoder('utf-8', { fatal: true })

/** The frame as JSON. Errors: MalformedError for invalid UTF-8 or JSON. */
export function parseJson(frame: Uint8Array): unknown {
  try {
    return JSON.parse(decoder.decode(frame))
  } catch {
    throw new MalformedError(`frame: expected JSON, received ${frame.length} bytes that are none`)
  }
}

/** Bytes of a broken frame in which its owner is looked for; venues name it first. */
const HEAD_BYTES = 256

const headDecoder = new TextDecoder('utf-8')

/** The text of the member `key` in JSON that may be broken, as it is written; `undefined` if it is not there whole. */
export function memberText(head: string, key: string): string | undefined {
  const opening = `"${key}":"`
  const at = head.indexOf(opening)
  const from = at + opening.length
  const end = head.indexOf('"', from)
  return at < 0 || end < 0 ? undefined : head.slice(from, end)
}

/** How a venue tells whose data a frame was that cannot be decoded. */
export interface Blame {
  /** By the frame's value, as far as it says. */
  owner(value: unknown): Pick<Extract<Decoded, { kind: 'malformed' }>, 'channel' | 'symbol'>
  /** From the beginning of a frame that is no JSON: what `owner` needs of it. */
  salvage(head: string): unknown
}

/** Runs a venue's decoder; what it throws as malformed becomes a value. */
export function totally(frame: Uint8Array, decode: (value: unknown) => Decoded, blame: Blame): Decoded {
  let value: unknown
  try {
    value = parseJson(frame)
    return decode(value)
  } catch (error) {
    if (!(error instanceof MalformedError)) throw error
    value ??= blame.salvage(headDecoder.decode(frame.subarray(0, HEAD_BYTES)))
    return { kind: 'malformed', reason: error.message, ...blame.owner(value) }
  }
}
