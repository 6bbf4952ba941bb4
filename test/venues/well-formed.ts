import type { MarketEvent } from '../../src/model/event.ts'

const UNSIGNED = /^\d{1,40}(\.\d{1,39})?$/
const SIGNED = /^-?\d{1,40}(\.\d{1,39})?$/
const SIGNED_FIELDS = new Set(['price_change_24h', 'price_change_percent_24h'])
const DECIMAL_FIELD = /^(price|quantity|iv|.*_price|.*_quantity|.*_24h)$/
const LEVEL_FIELDS = new Set(['bids', 'asks'])
const REQUIRED = ['type', 'exchange', 'venue', 'market', 'symbol', 'id'] as const

/** What is wrong with an event, in words; `undefined` when nothing is. Absent fields are absent or `undefined`. */
export function fault(event: MarketEvent): string | undefined {
  for (const field of REQUIRED) if (typeof event[field] !== 'string') return `${field} is missing`
  for (const [field, value] of Object.entries(event)) {
    const wrong = LEVEL_FIELDS.has(field) ? levelFault(value) : fieldFault(field, value)
    if (wrong !== undefined) return `${field} ${wrong}: ${JSON.stringify(value)?.slice(0, 80)}`
  }
  return undefined
}

function fieldFault(field: string, value: unknown): string | undefined {
  switch (typeof value) {
    case 'undefined':
    case 'boolean':
      return undefined
    case 'number':
      return Number.isSafeInteger(value) ? undefined : 'is no integer'
    case 'string':
      if (value === '') return 'is empty'
      if (!DECIMAL_FIELD.test(field)) return undefined
      return (SIGNED_FIELDS.has(field) ? SIGNED : UNSIGNED).test(value) ? undefined : 'is no decimal'
    default:
      return 'is no plain value'
  }
}

function levelFault(value: unknown): string | undefined {
  if (!Array.isArray(value)) return 'is no list'
  const isLevel = (row: unknown) =>
    Array.isArray(row) && row.length === 2 && row.every((text) => typeof text === 'string' && UNSIGNED.test(text))
  return value.every(isLevel) ? undefined : 'has a row that is no pair of decimals'
}
