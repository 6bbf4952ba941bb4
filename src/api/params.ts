/** Query parameters. Names are case-sensitive, values are not; a repeated parameter is an error. */

import { z } from 'zod'

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

/** One of `values`, or `all` of them, which is the default. */
export function choiceParam<Value extends string>(name: string, values: readonly Value[], description: string) {
  const choices: readonly ('all' | Value)[] = ['all', ...values]
  const error = `Invalid ${name} parameter. Valid values: ${choices.join(', ')}`
  return z.preprocess(lowerCase, z.enum(choices, { error })).meta({ description, default: 'all' })
}

const lowerCase = (value: unknown): unknown => (typeof value === 'string' ? value.toLowerCase() : (value ?? 'all'))
