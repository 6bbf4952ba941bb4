/** Finds records in bytes that nobody can vouch for. Whatever the bytes are, it yields records and problems and goes on. */

import { FRAME_BYTES_MIN, frameEnd, frameLsn, isProven, type LogRecord, readFrame } from './frame.ts'

export type ProblemKind =
  /** Bytes that are no record, with records behind them. */
  | 'corrupt'
  /** Bytes that are no record, up to the end of the file. */
  | 'torn'
  /** Whole records, but numbers between them are not there. */
  | 'missing'
  /** A whole record with a number that has been before. */
  | 'repeated'
  /** A whole record that this version cannot read. */
  | 'unknown'
  /** The head of the file is not as it was written. */
  | 'head'

export interface Problem {
  readonly kind: ProblemKind
  /** Where in the file, and how many bytes are passed over. */
  readonly offset: number
  readonly bytes: number
  /** Records that are not there. */
  readonly firstLsn: number
  /** `undefined`: to the end of the file, and nobody knows how many. Below `firstLsn`: none is lost. */
  readonly lastLsn: number | undefined
}

export type Item =
  /** `end`: where in the file the record ends. */
  | { readonly record: LogRecord; readonly end: number; readonly problem?: undefined }
  | { readonly problem: Problem; readonly record?: undefined }

/** How far behind a spoilt place the next record's number can be: a number that is spoilt too must not pass for it. */
const LOST_MAX = 2 ** 24
const NOTHING = Buffer.alloc(0)
/** No record is here; nobody can tell without more bytes. Else: where it ends. */
const NONE = -1
const MORE = -2

export class Scanner {
  /** Bytes that cannot be judged before more are there, and where they begin in the file. */
  #rest: Buffer = NOTHING
  #offset: number
  #nextLsn: number
  /** Where records ended; `undefined`: every byte so far belongs to one. */
  #spoiltFrom: number | undefined

  constructor(offset: number, nextLsn: number) {
    this.#offset = offset
    this.#nextLsn = nextLsn
  }

  /** The number that the next record should have. */
  get nextLsn(): number {
    return this.#nextLsn
  }

  /** Where the last record ended. */
  get end(): number {
    return this.#spoiltFrom ?? this.#offset
  }

  /** The next bytes of the file. `isEnd`: there are no more. */
  push(chunk: Buffer, isEnd: boolean): Item[] {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk])
    const items: Item[] = []
    let at = 0
    while (at < bytes.length) {
      const end = this.#recordEnd(bytes, at, isEnd)
      if (end === MORE) break
      if (end === NONE) {
        this.#spoiltFrom ??= this.#offset + at
        at++
      } else {
        this.#take(items, bytes, at, end)
        at = end
      }
    }
    this.#rest = bytes.subarray(at)
    this.#offset += at
    if (isEnd && this.#spoiltFrom !== undefined) {
      const offset = this.#spoiltFrom
      const bytes = this.#offset - offset
      items.push({ problem: { kind: 'torn', offset, bytes, firstLsn: this.#nextLsn, lastLsn: undefined } })
    }
    return items
  }

  #recordEnd(bytes: Buffer, at: number, isEnd: boolean): number {
    if (at + FRAME_BYTES_MIN > bytes.length) return isEnd ? NONE : MORE
    const end = frameEnd(bytes, at)
    if (end === undefined) return NONE
    if (this.#spoiltFrom !== undefined && !this.#canFollow(frameLsn(bytes, at))) return NONE
    if (end > bytes.length) return isEnd ? NONE : MORE
    return isProven(bytes, at, end) ? end : NONE
  }

  #canFollow(lsn: number): boolean {
    return lsn >= this.#nextLsn && lsn < this.#nextLsn + LOST_MAX
  }

  #take(items: Item[], bytes: Buffer, at: number, end: number): void {
    const lsn = frameLsn(bytes, at)
    const firstLsn = this.#nextLsn
    const offset = this.#offset + at
    if (this.#spoiltFrom !== undefined) {
      const spoilt = this.#spoiltFrom
      this.#spoiltFrom = undefined
      items.push({
        problem: { kind: 'corrupt', offset: spoilt, bytes: offset - spoilt, firstLsn, lastLsn: lsn - 1 },
      })
    } else if (lsn < firstLsn) {
      items.push({ problem: { kind: 'repeated', offset, bytes: end - at, firstLsn, lastLsn: firstLsn - 1 } })
      return
    } else if (lsn > firstLsn) {
      items.push({ problem: { kind: 'missing', offset, bytes: 0, firstLsn, lastLsn: lsn - 1 } })
    }
    this.#nextLsn = lsn + 1
    const record = readFrame(bytes, at, end)
    if (record !== undefined) items.push({ record, end: this.#offset + end })
    else items.push({ problem: { kind: 'unknown', offset, bytes: end - at, firstLsn: lsn, lastLsn: lsn } })
  }
}
