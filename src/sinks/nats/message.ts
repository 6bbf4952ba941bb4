/** What is sent of a record. */

import type { LogRecord } from '../../spool/frame.ts'
import { eventId } from '../event-id.ts'
import { headerWriter, isHeaderValue } from './headers.ts'
import { subjects } from './subject.ts'

export interface Message {
  readonly record: LogRecord
  readonly id: string
  readonly subject: string
  readonly headers: Uint8Array
  /** Of headers and body. */
  readonly bytes: number
}

/** No server can take the record. */
export interface Refusal {
  readonly refusal: string
}

export type MessageWriter = (record: LogRecord) => Message | Refusal

export function messageWriter(prefix: string, logId: string, bytesMax: number): MessageWriter {
  const subjectOf = subjects(prefix)
  const headersOf = headerWriter(logId)
  return (record) => {
    const id = eventId(record.body)
    if (id === undefined || !isHeaderValue(id)) return { refusal: 'it has no `id` that a header can carry' }
    const subject = subjectOf(record.stream)
    if (subject === undefined) return { refusal: `its stream makes no subject: ${JSON.stringify(record.stream)}` }
    const headers = headersOf(id, record.lsn)
    const bytes = headers.length + record.body.length
    if (bytes > bytesMax) {
      return { refusal: `it has ${bytes} bytes with its headers; the server takes ${bytesMax} (max_payload)` }
    }
    return { record, id, subject, headers, bytes }
  }
}
