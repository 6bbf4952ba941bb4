/** Query parameters. Names are case-sensitive, values are not; a repeated parameter is an error. */

import { z } from 'zod'
import { CHANNELS, type Channel } from '../model/event.ts'
import { durationUs, momentUs } from './moment.ts'

export const LIMIT = { min: 1, max: 100 } as const
export const DEPTH = { min: 1, max: 400 } as const

const DIGITS = /^[+-]?\d+$/

/** A whole number in decimal digits, nothing else: no `1e2`, no `0x10`, no blank. */
export function integerParam(name: string, min: number, max: number, fallback: number, description: string) {
  const range = `${name} parameter must be between ${min} and ${max}`
  const number = z.int({ error: `${name} parameter must be a valid integer` })
  return z
    .preprocess(integer, number.min(min, { error: range }).max(max, { error: range }).default(fallback))
    .describe(description)
}

/** Digits beyond the safe integers are some number far out of any range. */
function integer(value: unknown): unknown {
  if (typeof value !== 'string' || !DIGITS.test(value)) return value
  const number = Number(value)
  return Math.max(Number.MIN_SAFE_INTEGER, Math.min(Number.MAX_SAFE_INTEGER, number))
}

/** One of `values`, or `all` of them, which is the default. `synonyms`: other words for some of them. */
export function choiceParam<Value extends string>(
  name: string,
  values: readonly Value[],
  description: string,
  synonyms: ReadonlyMap<unknown, Value> = new Map(),
) {
  const choices: readonly ('all' | Value)[] = ['all', ...values]
  const error = `Invalid ${name} parameter. Valid values: ${choices.join(', ')}`
  const chosen = (value: unknown): unknown => {
    const word = lowerCase(value)
    return synonyms.get(word) ?? word
  }
  return z.preprocess(chosen, z.enum(choices, { error })).meta({ description, default: 'all' })
}

const lowerCase = (value: unknown): unknown => (typeof value === 'string' ? value.toLowerCase() : (value ?? 'all'))

/** The categories of `/api/v1/collector/data`, as channels. */
const CATEGORY_CHANNELS: ReadonlyMap<unknown, Channel> = new Map([
  ['trades', 'trade'],
  ['tickers', 'ticker'],
  ['quotes', 'quote'],
  ['orderbooks', 'book'],
])

export const channelParam = (name: string) =>
  choiceParam(
    name,
    CHANNELS,
    'One channel; `trades`, `tickers`, `quotes`, `orderbooks` are understood too.',
    CATEGORY_CHANNELS,
  )

const SYMBOL_LENGTH_MAX = 64

/** A venue's symbol, in any case. */
export function symbolParam(description: string) {
  const error = `symbol parameter must be one symbol of 1 to ${SYMBOL_LENGTH_MAX} characters`
  return z.string({ error }).min(1, { error }).max(SYMBOL_LENGTH_MAX, { error }).optional().describe(description)
}

const GAP_ID_LENGTH_MAX = 64

export function gapIdParam(name: string, description: string) {
  const error = `${name} parameter must be one gap_id`
  return z.string({ error }).min(1, { error }).max(GAP_ID_LENGTH_MAX, { error }).optional().describe(description)
}

/** A moment; {@link momentUs} reads what has passed. */
export function momentParam(name: string, description: string) {
  const error = `${name} parameter must be an ISO-8601 time with its offset (2025-06-29T04:07:49Z) or how long ago (90s, 15m, 1h, 2d)`
  return z
    .string({ error })
    .refine((text) => momentUs(text, 0) !== undefined, { error })
    .optional()
    .describe(`${description} An ISO-8601 time with its offset, or how long ago: \`15m\`, \`2d\`.`)
}

/** A length of time above zero; {@link durationUs} reads what has passed. */
export function durationParam(name: string, description: string) {
  const error = `${name} parameter must be a length of time above zero: 60s, 5m, 1h or 1d`
  return z
    .string({ error })
    .refine((text) => (durationUs(text) ?? 0) > 0, { error })
    .optional()
    .describe(description)
}
