/** The id of a record, found in its bytes: sinks need nothing else of a body, and parsing it whole costs ten times as much. */

const KEY = Buffer.from('"id":"')
const QUOTE = 0x22
const BACKSLASH = 0x5c

/**
 * The `id` of an event's JSON. Within a JSON string every quote has a backslash before it, so the bytes `"id":"` can only
 * be a key; and an event has no object below it whose key it could be.
 * `undefined`: there is none, so the body is no event.
 */
export function eventId(body: Buffer): string | undefined {
  const found = body.indexOf(KEY)
  if (found < 0) return undefined
  const start = found + KEY.length
  const end = closingQuote(body, start)
  if (end < 0) return undefined
  const text = body.toString('utf8', start, end)
  return text.includes('\\') ? unescaped(text) : text
}

/** The first quote that is not escaped: one with an even number of backslashes before it. */
function closingQuote(body: Buffer, start: number): number {
  for (let at = body.indexOf(QUOTE, start); at >= 0; at = body.indexOf(QUOTE, at + 1)) {
    let before = at
    while (before > start && body[before - 1] === BACKSLASH) before--
    if ((at - before) % 2 === 0) return at
  }
  return -1
}

function unescaped(text: string): string | undefined {
  try {
    return JSON.parse(`"${text}"`)
  } catch {
    return undefined
  }
}
