/**
 * A segment: a file named by its first LSN, with a head of `MPSPOOL version | lsn before it u64 | crc32 u32`, then records.
 * When a disk has failed, the records that may be lost are written again to a new segment; its name may need a number behind.
 */

import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import type { Files } from '../platform/platform.ts'
import { readU64, writeU64 } from './frame.ts'
import { type Item, Scanner } from './scanner.ts'

const MAGIC = Buffer.from('MPSPOOL\x01', 'latin1')
export const SEGMENT_HEAD_BYTES = 20
/** Read from the disk at once. */
const CHUNK_BYTES = 1024 * 1024
const NAME = /^(\d{16})(?:-(\d{1,6}))?\.log$/

export interface SegmentName {
  readonly firstLsn: number
  /** How many segments began there before. */
  readonly attempt: number
}

/** One segment of the log as it is known in memory. */
export interface Segment extends SegmentName {
  readonly path: string
  /** The last record before it: numbers between were left out on purpose. `firstLsn`: not known. */
  readonly previousLsn: number
  /** Below `firstLsn`: it has no record. */
  lastLsn: number
  bytes: number
  /** It is being written. */
  isOpen: boolean
  /** Since when every sink has had all of it, on the monotonic clock. */
  ackedAtMs: number | undefined
}

export const segmentName = ({ firstLsn, attempt }: SegmentName): string =>
  `${String(firstLsn).padStart(16, '0')}${attempt === 0 ? '' : `-${attempt}`}.log`

/** `undefined`: no name of a segment. */
export function parseSegmentName(name: string): SegmentName | undefined {
  const [, lsn, attempt = '0'] = NAME.exec(name) ?? []
  const firstLsn = Number(lsn)
  return Number.isSafeInteger(firstLsn) && firstLsn > 0 ? { firstLsn, attempt: Number(attempt) } : undefined
}

/** A segment that is about to be written, beside those that are there. */
export function newSegment(
  folder: string,
  segments: readonly Segment[],
  firstLsn: number,
  previousLsn: number,
): Segment {
  const attempt = segments.reduce((next, each) => (each.firstLsn === firstLsn ? each.attempt + 1 : next), 0)
  const path = join(folder, segmentName({ firstLsn, attempt }))
  const state = { lastLsn: firstLsn - 1, bytes: SEGMENT_HEAD_BYTES, isOpen: true, ackedAtMs: undefined }
  return { firstLsn, attempt, path, previousLsn, ...state }
}

export const inOrder = (a: SegmentName, b: SegmentName): number => a.firstLsn - b.firstLsn || a.attempt - b.attempt

/**
 * From this record on the segment is, or will be, written again to later ones; behind `savedLsn` memory has it. Only if they
 * reach as far as the segment: a kill may have cut them short.
 */
export function againLsn(segment: Segment, segments: readonly Segment[], savedLsn: number): number {
  const later = segments.slice(segments.indexOf(segment) + 1)
  const firstLsn = Math.min(later[0]?.firstLsn ?? Number.POSITIVE_INFINITY, savedLsn + 1)
  const endLsn = later.reduce((lsn, each) => (each.firstLsn <= lsn ? Math.max(lsn, each.lastLsn + 1) : lsn), firstLsn)
  return endLsn > Math.min(segment.lastLsn, savedLsn) ? firstLsn : Number.POSITIVE_INFINITY
}

/** `previousLsn`: as in {@link Segment}. */
export function segmentHead(previousLsn: number): Buffer {
  const head = Buffer.alloc(SEGMENT_HEAD_BYTES)
  MAGIC.copy(head)
  writeU64(head, previousLsn, 8)
  head.writeUInt32LE(crc32(head.subarray(0, 16)), 16)
  return head
}

/** The `previousLsn` of the head; `undefined`: it is spoilt. */
export function readSegmentHead(bytes: Buffer): number | undefined {
  if (bytes.length < SEGMENT_HEAD_BYTES || !bytes.subarray(0, 8).equals(MAGIC)) return undefined
  if (crc32(bytes.subarray(0, 16)) !== bytes.readUInt32LE(16)) return undefined
  const lsn = readU64(bytes, 8)
  return lsn < 0 ? undefined : lsn
}

/** Reads a segment from one end to the other, chunk by chunk. */
export class SegmentReader {
  readonly #files: Files
  readonly #path: string
  readonly #scanner: Scanner
  #at: number
  #isAtEnd = false
  /** As the head says; `undefined` before the first chunk, or when it is spoilt. */
  previousLsn: number | undefined

  constructor(files: Files, path: string, firstLsn: number) {
    this.#files = files
    this.#path = path
    this.#scanner = new Scanner(SEGMENT_HEAD_BYTES, firstLsn)
    this.#at = 0
  }

  get nextLsn(): number {
    return this.#scanner.nextLsn
  }

  /** Where the last record ended. */
  get end(): number {
    return this.#scanner.end
  }

  /**
   * The next records and problems; may be none though more follow. `undefined`: the end.
   * `growsBeyond`: bytes that are known to be whole, of a file that still grows; there the end is only for now.
   * Errors: rejects with the system's error; the next call tries again.
   */
  async next(growsBeyond?: number): Promise<Item[] | undefined> {
    if (this.#isAtEnd) return undefined
    const wanted = Math.min(CHUNK_BYTES, (growsBeyond ?? Number.POSITIVE_INFINITY) - this.#at)
    if (wanted <= 0) return undefined
    const bytes = await this.#files.readAt(this.#path, this.#at, wanted)
    const isFirst = this.#at === 0
    this.#at += bytes.length
    this.#isAtEnd = growsBeyond === undefined && bytes.length < wanted
    if (!isFirst) return this.#scanner.push(bytes, this.#isAtEnd)
    this.previousLsn = readSegmentHead(bytes)
    const head = this.previousLsn === undefined ? [headProblem(bytes.length, this.nextLsn)] : []
    return [...head, ...this.#scanner.push(bytes.subarray(SEGMENT_HEAD_BYTES), this.#isAtEnd)]
  }
}

const headProblem = (bytes: number, nextLsn: number): Item => ({
  problem: {
    kind: 'head',
    offset: 0,
    bytes: Math.min(bytes, SEGMENT_HEAD_BYTES),
    firstLsn: nextLsn,
    lastLsn: nextLsn - 1,
  },
})
