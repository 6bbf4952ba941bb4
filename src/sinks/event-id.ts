/** The id of a record, found in its bytes: sinks need nothing else of a body, and parsing it whole costs ten times as much. */

const KEY = Buffer.from('"id":"')
const QUOTE = 0x22
const BACKSLASH = 0x5c
const SPACE = 0x20
const DELETE = 0x7f

/**
 * The `id` of an event's JSON. Within a JSON string every quote has a backslash before it, so the bytes `"id":"` can only
 * be a key; and an event has no object below it whose key it could be.
 * `undefined`: there is none, so the body is no event.
 */
export function eventId(body: Buffer): string | undefined {
  const start = eventIdStart(body)
  if (start < 0) return undefined
  const end = closingQuote(body, start)
  if (end < 0) return undefined
  const text = body.toString('utf8', start, end)
  return text.includes('\\') ? unescaped(text) : text
}

/** Where the text of {@link eventId} begins; -1: nowhere. */
export function eventIdStart(body: Buffer): number {
  const found = body.indexOf(KEY)
  return found < 0 ? -1 : found + KEY.length
}

/**
 * Where an id ends that begins at `start` and stands there as it is: visible ASCII without an escape, as nearly all are.
 * -1: it does not, or is empty.
 */
export function plainIdEnd(body: Buffer, start: number): number {
  for (let at = start; at < body.length; at++) {
    const byte = body[at] as number
    if (byte === QUOTE) return at > start ? at : -1
    if (byte <= SPACE || byte >= DELETE || byte === BACKSLASH) return -1
  }
  return -1
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
