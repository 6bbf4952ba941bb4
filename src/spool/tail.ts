/**
 * The newest part of the log in memory: what is not on disk yet, and as much before it as there is room for. Records are
 * encoded once, into blocks that are written to disk as they stand and read by the pumps; a block is never used again.
 */

import { frameBytes, frameEnd, type Kind, type LogRecord, readFrame, type Stream, writeFrame } from './frame.ts'

const BLOCK_BYTES_MAX = 256 * 1024
/** Memory is made of so many blocks at least. */
const BLOCKS_MIN = 8
/** Gap records may take so much more when there is no room for data. */
const GAP_BYTES = 1024 * 1024

export interface ReadLimits {
  readonly recordsMax: number
  /** Of bodies; one record is read, however long it is. */
  readonly bytesMax: number
}

interface Block {
  readonly bytes: Buffer
  readonly firstLsn: number
  used: number
  lastLsn: number
  next: Block | undefined
}

/** A place behind a record. */
interface Place {
  readonly block: Block
  readonly used: number
  /** The record's number. */
  readonly lsn: number
  /** Bytes of the log before it, since the start of the process. */
  readonly total: number
}

/** Records whose numbers follow each other, as they are to be written. */
export interface Batch {
  readonly parts: readonly Uint8Array[]
  readonly bytes: number
  readonly firstLsn: number
  readonly end: Place
}

export class Tail {
  readonly #bytesMax: number
  readonly #blockBytes: number
  #first: Block
  #last: Block
  #bytes: number
  #total = 0
  #written: Place
  #saved: Place
  /** Numbers up to here are not given. Within a block there are no holes. */
  #skippedLsn = 0

  constructor(nextLsn: number, bytesMax: number) {
    this.#bytesMax = bytesMax
    this.#blockBytes = Math.min(BLOCK_BYTES_MAX, Math.floor(bytesMax / BLOCKS_MIN))
    this.#bytes = this.#blockBytes
    this.#first = newBlock(nextLsn, this.#blockBytes)
    this.#last = this.#first
    this.#written = { block: this.#first, used: 0, lsn: nextLsn - 1, total: 0 }
    this.#saved = this.#written
  }

  /** The newest record. */
  get lastLsn(): number {
    return this.#last.lastLsn
  }

  /** The oldest record that is in memory, or will be. */
  get firstLsn(): number {
    return this.#first.firstLsn
  }

  get writtenLsn(): number {
    return this.#written.lsn
  }

  /** Nothing can happen any more to records up to here. */
  get savedLsn(): number {
    return this.#saved.lsn
  }

  get unwrittenBytes(): number {
    return this.#total - this.#written.total
  }

  get unsavedBytes(): number {
    return this.#total - this.#saved.total
  }

  /** Memory of all blocks. */
  get bytes(): number {
    return this.#bytes
  }

  /** The record's number; `undefined`: there is no room before older ones are on disk. */
  append(kind: Kind, stream: Stream, timeUs: number, body: Uint8Array): number | undefined {
    const bytes = frameBytes(stream, body.length)
    let block = this.#last
    if (block.used + bytes > block.bytes.length || this.#skippedLsn > block.lastLsn) {
      if (!this.#makeRoom(Math.max(bytes, this.#blockBytes), kind)) return undefined
      block = this.#last
    }
    const lsn = block.lastLsn + 1
    block.used = writeFrame(block.bytes, block.used, lsn, kind, stream, timeUs, body)
    block.lastLsn = lsn
    this.#total += bytes
    return lsn
  }

  /** Would a record of so many bytes be taken? */
  hasRoom(stream: Stream, bodyBytes: number): boolean {
    const bytes = frameBytes(stream, bodyBytes)
    const isInBlock = this.#last.used + bytes <= this.#last.bytes.length && this.#skippedLsn <= this.#last.lastLsn
    return isInBlock || this.#hasRoomFor(Math.max(bytes, this.#blockBytes))
  }

  /** Not only for what still fits into the last block. */
  get hasRoomForBlock(): boolean {
    return this.#hasRoomFor(this.#blockBytes)
  }

  #hasRoomFor(bytes: number): boolean {
    return this.unsavedBytes + bytes <= this.#bytesMax - this.#blockBytes
  }

  /** The next record gets a number above this one. */
  skip(lsn: number): void {
    this.#skippedLsn = Math.max(this.#skippedLsn, lsn)
  }

  /** What is to be written next, whole blocks as far as `bytesMax` allows, but one at least. `undefined`: nothing. */
  batch(bytesMax: number): Batch | undefined {
    const parts: Uint8Array[] = []
    let { block, used, total, lsn } = this.#written
    let firstLsn = lsn + 1
    let bytes = 0
    for (let next: Block | undefined = block; next !== undefined; next = next.next) {
      const from = next === this.#written.block ? this.#written.used : 0
      if (next.used === from) continue
      const isBehindSkipped = next.firstLsn > lsn + 1
      if (parts.length > 0 && (isBehindSkipped || bytes + next.used - from > bytesMax)) break
      if (isBehindSkipped) firstLsn = next.firstLsn
      parts.push(next.bytes.subarray(from, next.used))
      bytes += next.used - from
      block = next
      used = next.used
      lsn = next.lastLsn
    }
    total += bytes
    if (parts.length === 0) return undefined
    return { parts, bytes, firstLsn, end: { block, used, lsn, total } }
  }

  /** Meanwhile more may have been released. */
  wrote({ end }: Batch): void {
    if (end.total > this.#written.total) this.#written = end
  }

  /** What is written now; what a sync that begins now will prove. */
  get writtenPlace(): Place {
    return this.#written
  }

  saved(place: Place): void {
    if (place.total > this.#saved.total) this.#saved = place
  }

  /** What is not proven to be on disk is to be written again. */
  rewind(): void {
    this.#written = this.#saved
  }

  /** Gives up whole blocks that everyone has had, though they are not on disk: it takes nothing, and memory is short. */
  release(ackedLsn: number): void {
    let { total } = this.#saved
    let block: Block | undefined = this.#saved.block
    let used = this.#saved.used
    while (block?.next !== undefined && block.lastLsn <= ackedLsn) {
      total += block.used - used
      used = 0
      block = block.next
    }
    if (block === undefined || block === this.#saved.block) return
    this.#saved = { block, used: 0, lsn: block.firstLsn - 1, total }
    if (this.#written.total < total) this.#written = this.#saved
  }

  /** Records from `fromLsn` to `untilLsn`; `undefined`: memory does not reach back so far. */
  read(fromLsn: number, untilLsn: number, { recordsMax, bytesMax }: ReadLimits): LogRecord[] | undefined {
    if (fromLsn < this.#first.firstLsn) return undefined
    const records: LogRecord[] = []
    let bytes = 0
    let block: Block | undefined = this.#first
    while (block !== undefined && block.lastLsn < fromLsn) block = block.next
    for (; block !== undefined; block = block.next) {
      let lsn = block.firstLsn
      for (let at = 0; at < block.used; lsn++) {
        const end = frameEnd(block.bytes, at) as number
        if (lsn > untilLsn || records.length >= recordsMax) return records
        if (lsn >= fromLsn) {
          const record = readFrame(block.bytes, at, end) as LogRecord
          bytes += record.bodyBytes
          if (bytes > bytesMax && records.length > 0) return records
          records.push(record)
        }
        at = end
      }
    }
    return records
  }

  /** A new last block, in the place of old ones if need be. */
  #makeRoom(bytes: number, kind: Kind): boolean {
    const bytesMax = kind === 'gap' ? this.#bytesMax + GAP_BYTES : this.#bytesMax
    // The places must stay in memory.
    while (this.#bytes + bytes > bytesMax && this.#first !== this.#last && this.#first !== this.#saved.block) {
      this.#bytes -= this.#first.bytes.length
      this.#first = this.#first.next as Block
    }
    if (this.#bytes + bytes > bytesMax && this.#saved.lsn < this.#last.lastLsn) return false
    const block = newBlock(Math.max(this.#last.lastLsn, this.#skippedLsn) + 1, bytes)
    this.#last.next = block
    this.#last = block
    this.#bytes += bytes
    return true
  }
}

const newBlock = (firstLsn: number, bytes: number): Block => ({
  bytes: Buffer.allocUnsafeSlow(bytes),
  firstLsn,
  used: 0,
  lastLsn: firstLsn - 1,
  next: undefined,
})
