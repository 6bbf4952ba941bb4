/** Makes what is logged safe: bounded, without secrets, without control characters. */

const TEXT_LENGTH_MAX = 512
const STACK_LENGTH_MAX = 2048
const ENTRIES_MAX = 32
const DEPTH_MAX = 3

/** Names that pino writes itself; a field may not take their place. */
const RESERVED = new Set(['time', 'level', 'event', 'message', 'service', 'environment'])
const SECRET_KEY = /secret|token|password|passwd|authorization|cookie|api_?key|credential/i
const URL_CREDENTIALS = /\b([a-z][a-z0-9+.-]*:\/\/)[^\s/]*@/gi

/** Fields of one line. Reserved names get a trailing underscore; `undefined` is left out. */
export function cleanFields(fields: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const result: Record<string, unknown> = {}
  for (const [key, value] of Object.entries(fields)) {
    if (value !== undefined) result[RESERVED.has(key) ? `${key}_` : key] = cleanField(key, value, 0)
  }
  return result
}

/** Text without credentials in URLs, cut to 512 characters. */
export const cleanText = (text: string, lengthMax = TEXT_LENGTH_MAX): string => {
  // Cut before the search too: its time must not depend on what a peer sends.
  const bounded = text.length > lengthMax * 4 ? text.slice(0, lengthMax * 4) : text
  const safe = bounded.replace(URL_CREDENTIALS, '$1***@')
  return safe.length > lengthMax ? `${safe.slice(0, lengthMax)}…` : safe
}

/**
 * One line of JSON in which no character can move a terminal's cursor or break the line: what JSON itself
 * leaves unescaped (DEL, C1, line separators, text direction) becomes `\uXXXX`, so that nothing is lost.
 */
export const escapeControls = (line: string): string =>
  line.replace(
    /[\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )

function cleanField(key: string, value: unknown, depth: number): unknown {
  if (SECRET_KEY.test(key)) return '***'
  return cleanValue(value, depth)
}

function cleanValue(value: unknown, depth: number): unknown {
  switch (typeof value) {
    case 'string':
      return cleanText(value)
    case 'number':
      return Number.isFinite(value) ? value : String(value)
    case 'boolean':
      return value
    case 'object':
      return value === null ? null : cleanObject(value, depth)
    case 'undefined':
      return null
    default:
      return cleanText(String(value))
  }
}

function cleanObject(value: object, depth: number): unknown {
  if (value instanceof Error) return cleanError(value)
  if (depth >= DEPTH_MAX) return '…'
  if (Array.isArray(value)) {
    const shown = value.slice(0, ENTRIES_MAX).map((item) => cleanValue(item, depth + 1))
    return value.length > ENTRIES_MAX ? [...shown, `… ${value.length - ENTRIES_MAX} more`] : shown
  }
  const entries = Object.entries(value).slice(0, ENTRIES_MAX)
  return Object.fromEntries(entries.map(([key, child]) => [cleanText(key), cleanField(key, child, depth + 1)]))
}

function cleanError(error: Error): unknown {
  const { code } = error as NodeJS.ErrnoException
  return {
    type: error.name,
    message: cleanText(error.message),
    ...(code === undefined ? {} : { code: cleanText(String(code)) }),
    ...(error.stack === undefined ? {} : { stack: cleanText(error.stack, STACK_LENGTH_MAX) }),
    ...(error.cause instanceof Error ? { cause: cleanText(error.cause.message) } : {}),
  }
}
