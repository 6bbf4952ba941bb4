/**
 * What a failure means, by ClickHouse's numbers of errors. Pure.
 * Source: https://github.com/ClickHouse/ClickHouse/blob/master/src/Common/ErrorCodes.cpp
 */

import { ClickHouseError } from '@clickhouse/client'
import { errorText, PrismError } from '../../model/errors.ts'

/** The text of a row cannot become values of its columns. It never will: the row is refused for good. */
const SPOILT = new Set([6, 25, 26, 27, 32, 33, 38, 41, 53, 69, 72, 117, 130, 190, 321, 349, 407, 467, 469])

/** The server has too much to do: too many parts, memory, queries, or it is too slow. */
const OVERLOADED = new Set([159, 201, 202, 209, 241, 252])

const ACCESS_DENIED = 497
const UNKNOWN_TABLE = 60
const UNKNOWN_DATABASE = 81

/** The number of the server's error; 0: it did not answer, or with something else. */
export const codeOf = (error: unknown): number => (error instanceof ClickHouseError ? Number(error.code) : 0)

export const isSpoilt = (error: unknown): boolean => SPOILT.has(codeOf(error))
export const isDenied = (error: unknown): boolean => codeOf(error) === ACCESS_DENIED
export const isMissing = (error: unknown): boolean => [UNKNOWN_TABLE, UNKNOWN_DATABASE].includes(codeOf(error))

/** Would it help to send fewer, larger batches? An answer that did not come in time counts. */
export const isOverloaded = (error: unknown): boolean =>
  OVERLOADED.has(codeOf(error)) || (error instanceof Error && error.message === 'Timeout error.')

/** What to do, where the server's words do not say it. */
const ADVICE: Readonly<Record<number, string>> = {
  16: 'the table lacks a column; start with a user who may change tables, or see docs/CLICKHOUSE.md',
  60: 'the table is missing; start with a user who may create tables, or see docs/CLICKHOUSE.md',
  81: 'the database is missing; start with a user who may create it, or see docs/CLICKHOUSE.md',
  164: 'the user may only read; give it INSERT',
  193: 'user or password is wrong',
  194: 'a password is needed',
  241: 'the server is short of memory; batches get rarer',
  242: 'the table is read-only',
  243: "the server's disk is full",
  252: 'the server is overloaded with parts; batches get rarer',
  497: 'the user needs the right that is named',
  516: 'user or password is wrong',
}

const TEXT_LENGTH_MAX = 500

/** One line without versions and stack. */
export const wordsOf = (error: unknown): string => {
  const code = codeOf(error)
  const text = errorText(error).split('\n')[0]?.slice(0, TEXT_LENGTH_MAX) ?? ''
  if (code === 0) return text === 'Timeout error.' ? 'no answer in time; rows may be stored, and are sent again' : text
  return `error ${code}: ${text}`
}

/** The failure as this program tells it: what was done, what came, what to do. */
export function failure(doing: string, error: unknown): PrismError {
  if (error instanceof PrismError) return error
  const advice = ADVICE[codeOf(error)]
  const words = `ClickHouse, ${doing}: ${wordsOf(error)}${advice === undefined ? '' : ` (${advice})`}`
  return new PrismError('SERVICE_UNAVAILABLE', words, { code: codeOf(error) }, { cause: error })
}
