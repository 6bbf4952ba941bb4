/**
 * Requests that a client sends over a Binance stream connection, and the venue's texts for what is wrong with them.
 * Source: https://developers.binance.com/docs/binance-spot-api-docs/web-socket-streams (error texts), copy of 2026-07-21.
 */

const METHODS = ['SUBSCRIBE', 'UNSUBSCRIBE', 'LIST_SUBSCRIPTIONS', 'SET_PROPERTY', 'GET_PROPERTY'] as const
type Method = (typeof METHODS)[number]

/** Spot takes integers, short alphanumeric strings and null; futures unsigned integers only. */
export type IdRule = 'spot' | 'futures'

export interface ControlRequest {
  readonly method: Method
  readonly params: readonly unknown[]
  readonly id: number | string | null
}

export type ControlParse = { readonly request: ControlRequest } | { readonly error: string }

export function parseControl(text: string, idRule: IdRule): ControlParse {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    return failure(3, `Invalid JSON: expected value at line 1 column ${errorColumn(error, text)}`)
  }
  const {
    method,
    params = [],
    id,
  } = (typeof value === 'object' && value !== null ? value : {}) as Record<string, unknown>
  if (method === undefined) return invalid(`missing field \`method\` at line 1 column ${text.length}`)
  if (!isMethod(method)) {
    const name = String(method)
    const expected = METHODS.map((each) => `\`${each}\``).join(', ')
    const column = text.indexOf(name) + name.length + 1
    return invalid(`unknown variant \`${name}\`, expected one of ${expected} at line 1 column ${column}`)
  }
  if (!isId(id, idRule)) return invalid('request ID must be an unsigned integer')
  // The venue's text for these is not documented.
  if (!Array.isArray(params)) return invalid(`invalid type: expected a sequence at line 1 column ${text.length}`)
  return { request: { method, params, id: id ?? null } }
}

/** The venue's error frame. */
export const failureText = (code: number, msg: string, id?: ControlRequest['id']): string =>
  JSON.stringify({ code, msg, ...(id === undefined ? {} : { id }) })

const failure = (code: number, msg: string): ControlParse => ({ error: failureText(code, msg) })
const invalid = (what: string): ControlParse => failure(2, `Invalid request: ${what}`)

const isMethod = (value: unknown): value is Method => METHODS.includes(value as Method)

function isId(value: unknown, rule: IdRule): value is ControlRequest['id'] | undefined {
  if (typeof value === 'number') return Number.isSafeInteger(value) && (rule === 'spot' || value >= 0)
  if (rule === 'futures') return false
  return value === undefined || value === null || (typeof value === 'string' && /^[0-9A-Za-z]{1,36}$/.test(value))
}

/** Where the JSON breaks: Node names the position, or the first character that is wrong. */
function errorColumn(error: unknown, text: string): number {
  const message = error instanceof Error ? error.message : ''
  const position = /position (\d+)/.exec(message)?.[1]
  if (position !== undefined) return Number(position) + 1
  const token = /^Unexpected token '(.)'/.exec(message)?.[1]
  return token === undefined ? Math.max(1, text.length) : text.indexOf(token) + 1
}
