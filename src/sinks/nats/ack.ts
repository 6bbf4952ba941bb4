/** What the server answers to a message. https://docs.nats.io/reference/reference-protocols/nats_api_reference */

import { readDigits } from './digits.ts'

export type Ack =
  | { readonly kind: 'stored'; readonly seq: number }
  /** A message with this id was stored before. */
  | { readonly kind: 'duplicate'; readonly seq: number }
  /** It will never be stored, whatever is done on the server. */
  | { readonly kind: 'poison'; readonly reason: string }
  | { readonly kind: 'refused'; readonly reason: string; readonly code: number }

/** https://github.com/nats-io/nats-server/blob/main/server/errors.json: the message itself is what is wrong. */
const POISON_CODES: ReadonlySet<number> = new Set([
  10_054, // message size exceeds maximum allowed
  10_097, // header size exceeds maximum allowed of 64k
])

/** What to do about the usual refusals. */
const ADVICE: ReadonlyMap<number, string> = new Map([
  [10_077, 'the stream is full; raise its limits, or purge it'],
  [10_047, 'the server has no storage left for streams; raise its limit'],
  [10_023, 'the server has no resources left for streams'],
  [10_122, 'the stream takes no more messages of this subject; raise its limit'],
])

const NO_RESPONDERS = '503'
const STREAM = Buffer.from('{"stream":')
const SEQ = Buffer.from('"seq":')
const BRACE = 0x7d

/**
 * Reads what stands between `from` and `to`. `status`: of the answer's headers, which only the server's own answers have.
 */
export function readAck(bytes: Uint8Array, status?: string, from = 0, to = bytes.length): Ack {
  if (status?.startsWith(NO_RESPONDERS)) {
    const reason = 'no stream takes this subject: it was deleted, or JetStream is not running'
    return { kind: 'refused', reason, code: 503 }
  }
  const seq = seqAtEnd(bytes, from, to)
  return seq === undefined ? readWhole(bytes.subarray(from, to)) : { kind: 'stored', seq }
}

/** The number of `{"stream":…"seq":123}`, as nearly all answers are; saves parsing a hundred thousand a second. */
function seqAtEnd(bytes: Uint8Array, from: number, to: number): number | undefined {
  const end = to - 1
  if (end <= from || bytes[end] !== BRACE || !isAt(STREAM, bytes, from)) return undefined
  let at = end
  while (at > from && isDigit(bytes[at - 1] as number)) at--
  if (!isAt(SEQ, bytes, at - SEQ.length)) return undefined
  const seq = readDigits(bytes, at, end)
  return seq > 0 ? seq : undefined
}

function isAt(text: Uint8Array, bytes: Uint8Array, at: number): boolean {
  for (let i = 0; i < text.length; i++) if (bytes[at + i] !== text[i]) return false
  return true
}

const isDigit = (byte: number): boolean => byte >= 0x30 && byte <= 0x39

interface Answer {
  readonly seq?: unknown
  readonly duplicate?: unknown
  readonly error?: { readonly err_code?: unknown; readonly description?: unknown }
}

function readWhole(data: Uint8Array): Ack {
  const text = Buffer.from(data).toString()
  const { seq, duplicate, error } = parse(text)
  if (error !== undefined) {
    const code = Number(error.err_code ?? 0)
    const reason = `${String(error.description ?? text)} (${code})`
    if (POISON_CODES.has(code)) return { kind: 'poison', reason }
    const advice = ADVICE.get(code)
    return { kind: 'refused', reason: advice === undefined ? reason : `${reason}: ${advice}`, code }
  }
  if (typeof seq === 'number' && seq > 0) return { kind: duplicate === true ? 'duplicate' : 'stored', seq }
  return { kind: 'refused', reason: `an answer that is no acknowledgement: ${text.slice(0, 200)}`, code: 0 }
}

function parse(text: string): Answer {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? value : {}
  } catch {
    return {}
  }
}
