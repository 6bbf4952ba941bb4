/** Frames that break a venue's promise, made from good ones of any venue. */

/** How a frame can be spoilt, with what the client sees. */
export const SPOILT = {
  truncated: 'JSON that ends in the middle',
  type: 'valid JSON with an object where a value belongs',
  garbage: 'no JSON, and nothing that says whose it is',
  utf8: 'bytes that are no UTF-8',
  huge: 'a message longer than any client takes',
  fields: 'one unknown field more, as venues add them: no harm',
} as const
export type Spoiling = keyof typeof SPOILT

/** Fields whose value a spoilt frame replaces, innermost first. */
const SPOILT_FIELDS = ['bids', 'asks', 'b', 'a', 'px', 'p', 'price', 'c', 'last_price', 'last', 'data']
const HUGE_BYTES = 17 * 2 ** 20

export function spoil(text: string, how: Spoiling): string | Buffer {
  switch (how) {
    case 'garbage':
      return '\u0007<html>502 Bad Gateway</html>'
    case 'utf8':
      return Buffer.concat([Buffer.from(text.slice(0, -2)), Buffer.from([0xc3, 0x28])])
    case 'huge':
      return text + ' '.repeat(HUGE_BYTES)
    case 'fields':
      return text.replace('{', '{"unknown_since_today":{"x":[1,null]},')
    case 'truncated':
      return text.slice(0, Math.ceil(text.length / 2))
    case 'type': {
      const field = SPOILT_FIELDS.find((name) => text.includes(`"${name}":`))
      if (field === undefined) return text.slice(0, Math.ceil(text.length / 2))
      return text.replace(`"${field}":`, `"${field}":{},"spoilt":`)
    }
  }
}

/** `ghost`: a level is there that the venue does not have. `crossed`: so is one that crosses the book. */
export type Forgery = 'ghost' | 'crossed'

/** Of every forged level; no market has as much. */
export const FORGED_QUANTITY = 7_654_321

/** The book frame or answer with a forged bid, or `undefined` if no bids can be found in it. */
export function forge(text: string, how: Forgery): string | undefined {
  const value: unknown = JSON.parse(text)
  const bids = findSide(value, BID_FIELDS)
  const asks = findSide(value, ASK_FIELDS)
  const model = bids?.[0] ?? asks?.[0]
  if (bids === undefined || model === undefined) return undefined
  // Deribit puts a word before the price.
  const at = typeof model[0] === 'string' && Number.isNaN(Number(model[0])) ? 1 : 0
  const price = Number(model[at]) * (how === 'crossed' ? 1.2 : 0.9)
  const row = [...model]
  if (at === 1) row[0] = 'new'
  row[at] = typeof model[at] === 'number' ? Math.ceil(price) : String(Math.ceil(price))
  row[at + 1] = typeof model[at + 1] === 'number' ? FORGED_QUANTITY : String(FORGED_QUANTITY)
  if (how === 'crossed') bids.unshift(row)
  else bids.push(row)
  return JSON.stringify(value)
}

const BID_FIELDS = ['bids', 'b']
const ASK_FIELDS = ['asks', 'a']

/** The first list of rows below one of these names. */
function findSide(value: unknown, names: readonly string[]): unknown[][] | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  for (const [name, child] of Object.entries(value)) {
    if (names.includes(name) && Array.isArray(child) && child.every(Array.isArray)) return child
    const found = findSide(child, names)
    if (found !== undefined) return found
  }
  return undefined
}

/** The body of a REST answer as a fault has it. */
export function spoiltBody(body: string, fault: { readonly kind: string; readonly how: string }): string {
  if (fault.kind === 'rest-forged') return forge(body, 'ghost') ?? body
  if (fault.how === 'garbage') return '<html><body>502 Bad Gateway</body></html>'
  return fault.how === 'empty' ? '' : body.slice(0, body.length / 2)
}
