/** The headers of a message, written as the block of bytes that goes on the wire. */

import type { MsgHdrs } from '@nats-io/transport-node'

/** What the server knows a message by: the same id within the duplicate window is stored once. */
export const ID_HEADER = 'Nats-Msg-Id'
/** The record's number in our log. */
export const LSN_HEADER = 'Mp-Lsn'
/** The log that counts it. */
export const LOG_HEADER = 'Mp-Log'

/** A header ends with the line, and blanks around a value are not part of it. */
const UNFIT = /[\p{Cc}]|^\s|\s$/u

/** Can a header carry this id as it is? */
export const isHeaderValue = (text: string): boolean => text !== '' && !UNFIT.test(text)

/** Writes the headers of one log's records. */
export function headerWriter(logId: string): (id: string, lsn: number) => Buffer {
  const end = `\r\n${LOG_HEADER}: ${logId}\r\nContent-Type: application/json\r\n\r\n`
  return (id, lsn) => Buffer.from(`NATS/1.0\r\n${ID_HEADER}: ${id}\r\n${LSN_HEADER}: ${lsn}${end}`)
}

/**
 * Headers that are bytes already. The client library asks those that it publishes for nothing but `encode`, at once, and
 * building its own kind costs more than the rest of publishing.
 */
export class EncodedHeaders {
  bytes: Uint8Array = new Uint8Array(0)

  encode(): Uint8Array {
    return this.bytes
  }

  /** As the library wants to see them. */
  asHeaders(): MsgHdrs {
    return this as unknown as MsgHdrs
  }
}
