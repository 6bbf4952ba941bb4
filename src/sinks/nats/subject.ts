/** Subjects: `<prefix>.<type>.<exchange>.<market>.<symbol>`, and back. What consumers see of it: docs/CONSUMERS.md. */

import type { EventType, Market } from '../../model/event.ts'
import { type Route, routeOf } from '../route.ts'

/** What a subject says of its messages. */
export type SubjectParts = Pick<Route, 'type' | 'exchange' | 'market' | 'symbol'>

/** More streams than a collector has; beyond it the cache begins anew. */
const CACHED_MAX = 100_000

/**
 * One token. Letters, digits, `-` and `_` stand for themselves; every other byte of the UTF-8 text is `%` and two
 * hexadecimal digits, as in URLs. Dots, stars, `>` and spaces have a meaning in subjects and can so never come up.
 * Errors: throws a URIError for text that is not well-formed Unicode.
 */
export const toToken = (text: string): string =>
  encodeURIComponent(text).replace(/[.!~*'()]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`)

/** Errors: throws a URIError for what {@link toToken} cannot have written. */
export const fromToken = (token: string): string => decodeURIComponent(token)

/** The subject of a record of this stream of the log; `undefined`: a part is empty or no text, which no subject can say. */
export function subjectOf(prefix: string, stream: string): string | undefined {
  const { type, exchange, market, symbol } = routeOf(stream)
  const parts = [type, exchange, market, symbol]
  if (parts.includes('')) return undefined
  try {
    return [prefix, ...parts.map(toToken)].join('.')
  } catch (error) {
    if (error instanceof URIError) return undefined
    throw error
  }
}

/** What {@link subjectOf} wrote; `undefined`: the subject is not of that form. */
export function partsOf(prefix: string, subject: string): SubjectParts | undefined {
  if (!subject.startsWith(`${prefix}.`)) return undefined
  const tokens = subject.slice(prefix.length + 1).split('.')
  if (tokens.length !== 4) return undefined
  const [type = '', exchange = '', market = '', symbol = ''] = tokens.map(fromToken)
  return { type: type as EventType, exchange, market: market as Market, symbol }
}

/** What is made of the name of a stream, remembered for each. */
export function perStream<Made>(make: (stream: string) => Made | undefined): (stream: string) => Made | undefined {
  const known = new Map<string, Made | undefined>()
  return (stream) => {
    const found = known.get(stream)
    if (found !== undefined) return found
    const made = make(stream)
    if (known.size >= CACHED_MAX) known.clear()
    known.set(stream, made)
    return made
  }
}
