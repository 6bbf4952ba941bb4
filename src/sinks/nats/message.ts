/** What is sent of a record: bytes as they go on the wire, made without text between. */

import type { LogRecord } from '../../spool/frame.ts'
import { eventId, eventIdStart, plainIdEnd } from '../event-id.ts'
import { digitsOf, writeDigits } from './digits.ts'
import { headerParts, isHeaderValue } from './headers.ts'
import { perStream, subjectOf } from './subject.ts'

/** Where the messages of one stream go. */
interface Target {
  readonly subject: string
  /** `HPUB <subject> `; where the server is to answer, `HPUB <subject> <inbox>`, to which the number of the sending is added. */
  readonly command: Buffer
  readonly askingCommand: Buffer
}

export interface Message {
  readonly record: LogRecord
  readonly target: Target
  /** Where the id stands in the body; -1: not as it goes into the header. */
  readonly idAt: number
  readonly idBytes: number
  readonly oddId: Buffer | undefined
  readonly headerBytes: number
  /** Of headers and body. */
  readonly bytes: number
}

/** No server can take the record. */
export interface Refusal {
  readonly refusal: string
}

export interface MessageWriter {
  messageOf(record: LogRecord): Message | Refusal
  /** Room that {@link write} needs at most. */
  room(message: Message): number
  /** Writes it and yields its end. `sending`: the number under which the server is to answer; `undefined`: it is not. */
  write(message: Message, sending: number | undefined, block: Buffer, at: number): number
}

export interface MessageWriterOptions {
  readonly prefix: string
  readonly logId: string
  /** Headers and body of one message. */
  readonly bytesMax: number
  /** Answers come to it and the number of the sending. */
  readonly inbox: string
}

/** Three numbers, blanks and ends of lines. */
const COMMAND_BYTES_MAX = 64
const [SPACE, CR, LF] = [0x20, 0x0d, 0x0a]

export function idOf({ record, idAt, idBytes, oddId }: Message): string {
  return oddId?.toString() ?? record.body.toString('latin1', idAt, idAt + idBytes)
}

export function messageWriter({ prefix, logId, bytesMax, inbox }: MessageWriterOptions): MessageWriter {
  const headers = headerParts(logId)
  const fixedBytes = headers.start.length + headers.middle.length + headers.end.length
  const targetOf = perStream((stream): Target | undefined => {
    const subject = subjectOf(prefix, stream)
    return subject === undefined ? undefined : targetTo(subject, inbox)
  })
  const message = (record: LogRecord, idAt: number, idBytes: number, oddId: Buffer | undefined) => {
    const target = targetOf(record.stream)
    if (target === undefined) return { refusal: `its stream makes no subject: ${JSON.stringify(record.stream)}` }
    const headerBytes = fixedBytes + idBytes + digitsOf(record.lsn)
    const bytes = headerBytes + record.bodyBytes
    if (bytes > bytesMax) {
      return {
        refusal: `it has ${bytes} bytes with its headers; NATS takes ${bytesMax} (max_payload, or max_msg_size of the stream)`,
      }
    }
    return { record, target, idAt, idBytes, oddId, headerBytes, bytes }
  }
  return {
    messageOf(record) {
      const { body } = record
      const idAt = eventIdStart(body)
      const idEnd = idAt < 0 ? -1 : plainIdEnd(body, idAt)
      if (idEnd > 0) return message(record, idAt, idEnd - idAt, undefined)
      const id = eventId(body)
      if (id === undefined || !isHeaderValue(id)) return { refusal: 'it has no `id` that a header can carry' }
      const oddId = Buffer.from(id)
      return message(record, -1, oddId.length, oddId)
    },
    room: ({ target, bytes }) => COMMAND_BYTES_MAX + target.askingCommand.length + bytes,
    write({ record, target, idAt, idBytes, oddId, headerBytes, bytes }, sending, block, start) {
      const { lsn, body } = record
      let at = put(block, sending === undefined ? target.command : target.askingCommand, start)
      if (sending !== undefined) {
        at = writeDigits(block, sending, at)
        block[at++] = SPACE
      }
      at = writeDigits(block, headerBytes, at)
      block[at++] = SPACE
      at = writeDigits(block, bytes, at)
      at = endLine(block, at)
      at = put(block, headers.start, at)
      if (oddId !== undefined) at = put(block, oddId, at)
      else for (let i = 0; i < idBytes; i++) block[at++] = body[idAt + i] as number
      at = put(block, headers.middle, at)
      at = writeDigits(block, lsn, at)
      at = put(block, headers.end, at)
      at = put(block, body, at)
      return endLine(block, at)
    },
  }
}

const targetTo = (subject: string, inbox: string): Target => ({
  subject,
  command: Buffer.from(`HPUB ${subject} `),
  askingCommand: Buffer.from(`HPUB ${subject} ${inbox}`),
})

function put(target: Buffer, bytes: Uint8Array, at: number): number {
  target.set(bytes, at)
  return at + bytes.length
}

function endLine(target: Buffer, at: number): number {
  target[at] = CR
  target[at + 1] = LF
  return at + 2
}
