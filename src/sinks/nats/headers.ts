/** The headers of a message: the id, the record's number, and what all messages of a log have. */

/** What the server knows a message by: the same id within the duplicate window is stored once. */
export const ID_HEADER = 'Nats-Msg-Id'
/** The record's number in our log. */
export const LSN_HEADER = 'Mp-Lsn'
/** The log that counts it. */
export const LOG_HEADER = 'Mp-Log'

/** A header ends with the line, and blanks around a value are not part of it. */
const UNFIT = /[\p{Cc}]|^\s|\s$/u

/** Can a header carry this text as it is? */
export const isHeaderValue = (text: string): boolean => text !== '' && !UNFIT.test(text)

/** The parts between the changing ones: `start id middle lsn end`. */
export interface HeaderParts {
  readonly start: Buffer
  readonly middle: Buffer
  readonly end: Buffer
}

export const headerParts = (logId: string): HeaderParts => ({
  start: Buffer.from(`NATS/1.0\r\n${ID_HEADER}: `),
  middle: Buffer.from(`\r\n${LSN_HEADER}: `),
  end: Buffer.from(`\r\n${LOG_HEADER}: ${logId}\r\nContent-Type: application/json\r\n\r\n`),
})
