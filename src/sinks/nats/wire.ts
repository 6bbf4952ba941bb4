/**
 * Below the public face of the client library (3.3.1, exactly): bytes of many messages at once to the server, and answers
 * read from the bytes that come. In public it builds a line of text for each message, and of each answer half a dozen
 * objects, which cost more than all the rest of a message. `test/sinks/nats/wire.test.ts` holds on to what is used here.
 */

import type { NatsConnection } from '@nats-io/transport-node'
import { readDigits } from './digits.ts'

interface Parser {
  /** 0: a message begins with the next byte. */
  readonly state: number
  parse(bytes: Uint8Array): void
}

interface Protocol {
  readonly parser: Parser
  sendCommand(bytes: Uint8Array): void
}

const [SPACE, CR, LF] = [0x20, 0x0d, 0x0a]
const LINE_END_BYTES = 2
/** No number on the line of an answer has more digits. */
const DIGITS_MAX = 16

/** Errors: throws for another version of the library. */
function protocolOf(connection: NatsConnection): Protocol {
  const { protocol } = connection as unknown as { readonly protocol?: Partial<Protocol> }
  if (typeof protocol?.sendCommand !== 'function' || typeof protocol.parser?.parse !== 'function')
    throw new Error('this version of the NATS library is not known: package-lock.json has the right one')
  return protocol as Protocol
}

/** Sends whole messages of the protocol; the bytes are the connection's from then on. */
export function byteSender(connection: NatsConnection): (bytes: Uint8Array) => void {
  const protocol = protocolOf(connection)
  return (bytes) => protocol.sendCommand(bytes)
}

/**
 * `onAnswer` gets every answer to `<inbox><number>` that is whole in what came and has no headers; it stands between `from`
 * and `to`. Everything else goes the library's own way, to the subscription that must be there.
 */
export function readAnswers(
  connection: NatsConnection,
  inbox: string,
  onAnswer: (sending: number, bytes: Uint8Array, from: number, to: number) => void,
): void {
  const { parser } = protocolOf(connection)
  const others = parser.parse.bind(parser)
  const head = Buffer.from(`MSG ${inbox}`)
  parser.parse = (bytes) => {
    for (let at = 0, end = 0; at < bytes.length; at = end) {
      end = parser.state === 0 ? takeAnswer(bytes, at, head, onAnswer) : at
      if (end > at) continue
      // The library gets no more than a line, since answers may come behind it; it takes pieces of any size.
      end = bytes.indexOf(LF, at) + 1 || bytes.length
      others(bytes.subarray(at, end))
    }
  }
}

/** `MSG <inbox><number> <subscription> <bytes>\r\n<answer>\r\n` at `at`: yields its end; `at`: something else is there. */
function takeAnswer(
  bytes: Uint8Array,
  at: number,
  head: Uint8Array,
  onAnswer: (sending: number, bytes: Uint8Array, from: number, to: number) => void,
): number {
  for (let i = 0; i < head.length; i++) if (bytes[at + i] !== head[i]) return at
  const numberAt = at + head.length
  const numberEnd = digitsEnd(bytes, numberAt, SPACE)
  let lengthAt = digitsEnd(bytes, numberEnd + 1, SPACE) + 1
  // nats-server leaves two blanks where a subject to answer to would stand.
  while (bytes[lengthAt] === SPACE) lengthAt++
  const lengthEnd = digitsEnd(bytes, lengthAt, CR)
  const from = lengthEnd + LINE_END_BYTES
  const to = from + readDigits(bytes, lengthAt, lengthEnd)
  // Not a number compares as false, too.
  if (!(to + LINE_END_BYTES <= bytes.length)) return at
  onAnswer(readDigits(bytes, numberAt, numberEnd), bytes, from, to)
  return to + LINE_END_BYTES
}

/** Where `mark` stands behind a few digits. NaN: nowhere, and so is all that is counted from it. */
function digitsEnd(bytes: Uint8Array, from: number, mark: number): number {
  for (let at = from; at <= from + DIGITS_MAX; at++) if (bytes[at] === mark) return at
  return Number.NaN
}
