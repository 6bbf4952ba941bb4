/**
 * One record on disk, little endian: `length u32 | crc32 u32 | lsn u64 | type u8 | payload`. `length` is that of the payload.
 * The checksum covers everything but itself: it starts from the length and runs over all that follows it.
 * The payload of a record: `time_us u64 | key length u8 | stream key | body`.
 */

import { crc32 } from 'node:zlib'

const FRAME_HEAD_BYTES = 17
const PAYLOAD_HEAD_BYTES = 9
/** The shortest frame there is. */
export const FRAME_BYTES_MIN = FRAME_HEAD_BYTES + PAYLOAD_HEAD_BYTES
/** A longer payload is no payload. */
export const PAYLOAD_BYTES_MAX = 16 * 1024 * 1024
/** With a stream's key of full length it still makes a payload. */
export const BODY_BYTES_MAX = PAYLOAD_BYTES_MAX - 1024
const KEY_BYTES_MAX = 255

/** What a record is; its place in the list is its type on disk, from 1 on. */
export const KINDS = ['event', 'gap'] as const
export type Kind = (typeof KINDS)[number]

const TWO_32 = 2 ** 32
/** Above it a high word cannot belong to an integer that a number holds. */
const HIGH_WORD_MAX = 2 ** 21

/** A stream of the log. Made once by {@link streamOf} and kept by whoever appends. */
export interface Stream {
  readonly key: string
  readonly keyBytes: Uint8Array
}

export interface LogRecord {
  readonly lsn: number
  readonly kind: Kind
  readonly stream: string
  /** When its data was received, µs. */
  readonly timeUs: number
  readonly bodyBytes: number
  /** A view of the log's memory: it stays as it is, and holds some of its neighbours while it is kept. Ask for it once. */
  readonly body: Buffer
}

/** A record of a frame. Thousands of them wait in a pump, so the view of the body is made when it is wanted. */
class FrameRecord implements LogRecord {
  readonly lsn: number
  readonly kind: Kind
  readonly stream: string
  readonly timeUs: number
  readonly bodyBytes: number
  readonly #bytes: Buffer
  readonly #end: number

  constructor(kind: Kind, timeUs: number, bytes: Buffer, at: number, bodyAt: number, end: number) {
    this.lsn = frameLsn(bytes, at)
    this.kind = kind
    this.stream = keys.at(bytes, at + FRAME_BYTES_MIN, bodyAt)
    this.timeUs = timeUs
    this.bodyBytes = end - bodyAt
    this.#bytes = bytes
    this.#end = end
  }

  get body(): Buffer {
    return this.#bytes.subarray(this.#end - this.bodyBytes, this.#end)
  }
}

const KEY_SLOTS = 4096

/** The keys of streams as text: there are few, and each comes again and again. A slot has the key that was read last. */
class Keys {
  readonly #slots: (Stream | undefined)[] = new Array(KEY_SLOTS).fill(undefined)

  at(bytes: Buffer, from: number, to: number): string {
    let hash = 0
    for (let i = from; i < to; i++) hash = (hash * 31 + (bytes[i] as number)) | 0
    const slot = (hash >>> 0) % KEY_SLOTS
    const found = this.#slots[slot]
    if (found !== undefined && isAt(found.keyBytes, bytes, from, to)) return found.key
    const key = bytes.toString('utf8', from, to)
    this.#slots[slot] = { key, keyBytes: Uint8Array.from(bytes.subarray(from, to)) }
    return key
  }
}

function isAt(key: Uint8Array, bytes: Buffer, from: number, to: number): boolean {
  if (key.length !== to - from) return false
  for (let i = 0; i < key.length; i++) if (key[i] !== bytes[from + i]) return false
  return true
}

const keys = new Keys()

/** Errors: throws a RangeError for a key of more than 255 bytes. */
export function streamOf(key: string): Stream {
  const keyBytes = Buffer.from(key)
  if (keyBytes.length > KEY_BYTES_MAX) throw new RangeError(`a stream's key has at most ${KEY_BYTES_MAX} bytes: ${key}`)
  return { key, keyBytes }
}

export const frameBytes = (stream: Stream, bodyBytes: number): number =>
  FRAME_BYTES_MIN + stream.keyBytes.length + bodyBytes

/** Writes the frame at `at`, where there must be room for it, and yields its end. */
export function writeFrame(
  target: Buffer,
  at: number,
  lsn: number,
  kind: Kind,
  stream: Stream,
  timeUs: number,
  body: Uint8Array,
): number {
  const { keyBytes } = stream
  const length = PAYLOAD_HEAD_BYTES + keyBytes.length + body.length
  const end = at + FRAME_HEAD_BYTES + length
  target.writeUInt32LE(length, at)
  writeU64(target, lsn, at + 8)
  target[at + 16] = KINDS.indexOf(kind) + 1
  writeU64(target, timeUs, at + 17)
  target[at + 25] = keyBytes.length
  target.set(keyBytes, at + FRAME_BYTES_MIN)
  target.set(body, at + FRAME_BYTES_MIN + keyBytes.length)
  target.writeUInt32LE(crc32(target.subarray(at + 8, end), length), at + 4)
  return end
}

/** Where the frame at `at` ends, if one begins there; beyond `bytes` when it is not all there. `undefined`: none can. */
export function frameEnd(bytes: Buffer, at: number): number | undefined {
  if (at + 4 > bytes.length) return at + FRAME_BYTES_MIN
  const length = bytes.readUInt32LE(at)
  if (length < PAYLOAD_HEAD_BYTES || length > PAYLOAD_BYTES_MAX) return undefined
  return at + FRAME_HEAD_BYTES + length
}

/** The LSN that stands in a frame's head, proven or not; -1: none that a number holds. */
export const frameLsn = (bytes: Buffer, at: number): number => readU64(bytes, at + 8)

/** Is every bit of the frame from `at` to `end` as it was written? */
export const isProven = (bytes: Buffer, at: number, end: number): boolean =>
  crc32(bytes.subarray(at + 8, end), bytes.readUInt32LE(at)) === bytes.readUInt32LE(at + 4)

/** The record of a whole, proven frame; `undefined`: of a kind or form that this version does not know. */
export function readFrame(bytes: Buffer, at: number, end: number): LogRecord | undefined {
  const kind = KINDS[(bytes[at + 16] as number) - 1]
  const timeUs = readU64(bytes, at + 17)
  const bodyAt = at + FRAME_BYTES_MIN + (bytes[at + 25] as number)
  if (kind === undefined || bodyAt > end || timeUs < 0) return undefined
  return new FrameRecord(kind, timeUs, bytes, at, bodyAt, end)
}

export function writeU64(target: Buffer, value: number, at: number): void {
  target.writeUInt32LE(value % TWO_32, at)
  target.writeUInt32LE(Math.floor(value / TWO_32), at + 4)
}

/** -1: too large for a number. */
export function readU64(bytes: Buffer, at: number): number {
  const high = bytes.readUInt32LE(at + 4)
  return high < HIGH_WORD_MAX ? high * TWO_32 + bytes.readUInt32LE(at) : -1
}
