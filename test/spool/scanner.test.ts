import { crc32 } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { FRAME_BYTES_MIN, frameBytes, KINDS, type Kind, streamOf, writeFrame } from '../../src/spool/frame.ts'
import { type Item, type Problem, Scanner } from '../../src/spool/scanner.ts'
import { numbers } from './rig.ts'

const STREAM = streamOf('okx book BTC-USDT')

function frame(lsn: number, body: string, kind: Kind = 'event'): Buffer {
  const bytes = Buffer.alloc(frameBytes(STREAM, Buffer.byteLength(body)))
  expect(writeFrame(bytes, 0, lsn, kind, STREAM, 1_795_392_000_000_000 + lsn, Buffer.from(body))).toBe(bytes.length)
  return bytes
}

const bodyOf = (lsn: number): string =>
  JSON.stringify({ type: 'trade', id: `okx:trade:BTC-USDT:0:${lsn}`, price: '1.5' })
const frames = (first: number, last: number): Buffer =>
  Buffer.concat(numbers(first, last).map((lsn) => frame(lsn, bodyOf(lsn))))

/** Everything in `bytes`, handed over in chunks of `chunkBytes`. */
function scan(bytes: Buffer, firstLsn = 1, chunkBytes = bytes.length || 1): Item[] {
  const scanner = new Scanner(0, firstLsn)
  const items: Item[] = []
  for (let at = 0; at < bytes.length; at += chunkBytes)
    items.push(...scanner.push(bytes.subarray(at, at + chunkBytes), false))
  return [...items, ...scanner.push(Buffer.alloc(0), true)]
}

const lsnsOf = (items: readonly Item[]): number[] => items.flatMap(({ record }) => (record ? [record.lsn] : []))
const problemsOf = (items: readonly Item[]): Problem[] => items.flatMap(({ problem }) => (problem ? [problem] : []))

describe('a frame', () => {
  test('comes back as it was written, whatever it holds', () => {
    const whole = fc.record({
      lsn: fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
      kind: fc.constantFrom(...KINDS),
      key: fc.string({ unit: 'grapheme', maxLength: 60 }).filter((key) => Buffer.byteLength(key) <= 255),
      timeUs: fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }),
      body: fc.uint8Array({ maxLength: 500 }),
    })
    fc.assert(
      fc.property(whole, ({ lsn, kind, key, timeUs, body }) => {
        const stream = streamOf(key)
        const bytes = Buffer.alloc(frameBytes(stream, body.length))
        writeFrame(bytes, 0, lsn, kind, stream, timeUs, body)
        const [item, ...others] = scan(bytes, lsn)
        expect(others).toEqual([])
        expect(item?.record).toMatchObject({ lsn, kind, stream: key, timeUs, bodyBytes: body.length })
        expect(item?.record?.body).toEqual(Buffer.from(body))
      }),
      { seed: 1 },
    )
  })
})

describe('records one after another', () => {
  test.each([1, 7, FRAME_BYTES_MIN, 100, 4096])('are found in chunks of %i bytes', (chunkBytes) => {
    const items = scan(frames(5, 24), 5, chunkBytes)
    expect(lsnsOf(items)).toEqual(numbers(5, 24))
    expect(problemsOf(items)).toEqual([])
  })

  test('that are cut at any byte end with the last whole one', () => {
    const bytes = frames(1, 6)
    const length = bytes.length / 6
    for (let end = 0; end < bytes.length; end++) {
      const whole = Math.floor(end / length)
      const items = scan(bytes.subarray(0, end))
      expect(lsnsOf(items)).toEqual(numbers(1, whole))
      const torn = {
        kind: 'torn',
        offset: whole * length,
        bytes: end - whole * length,
        firstLsn: whole + 1,
        lastLsn: undefined,
      }
      expect(problemsOf(items)).toEqual(end % length === 0 ? [] : [torn])
    }
  })

  test('of which any bit is wrong lose that record alone, and say which', () => {
    const bytes = frames(1, 5)
    const length = bytes.length / 5
    for (let at = 0; at < bytes.length; at++) {
      for (const bit of [1, 0x80]) {
        const spoilt = Buffer.from(bytes)
        spoilt[at] = (spoilt[at] as number) ^ bit
        const lost = Math.floor(at / length) + 1
        for (const chunkBytes of [64, bytes.length]) {
          const items = scan(spoilt, 1, chunkBytes)
          expect(lsnsOf(items), `byte ${at}`).toEqual(numbers(1, 5).filter((lsn) => lsn !== lost))
          const offset = (lost - 1) * length
          const problem = lost === 5 ? { kind: 'torn', lastLsn: undefined } : { kind: 'corrupt', lastLsn: lost }
          expect(problemsOf(items), `byte ${at}`).toEqual([{ offset, bytes: length, firstLsn: lost, ...problem }])
        }
      }
    }
  })

  test('are found again behind zeros, noise and a piece that is gone', () => {
    const noise = Buffer.from(numbers(1, 3000).map((n) => (n * 7919) % 251))
    for (const between of [Buffer.alloc(5000), noise, Buffer.alloc(0)]) {
      const items = scan(Buffer.concat([frames(1, 3), between, frames(8, 9)]), 1, 512)
      expect(lsnsOf(items)).toEqual([1, 2, 3, 8, 9])
      const kind = between.length === 0 ? 'missing' : 'corrupt'
      expect(problemsOf(items)).toMatchObject([{ kind, bytes: between.length, firstLsn: 4, lastLsn: 7 }])
    }
  })

  test('that come twice are passed over', () => {
    const items = scan(Buffer.concat([frames(1, 3), frames(2, 5)]))
    expect(lsnsOf(items)).toEqual(numbers(1, 5))
    expect(problemsOf(items).map(({ kind }) => kind)).toEqual(['repeated', 'repeated'])
  })

  test('of a kind that is not known are passed over and told', () => {
    const bytes = frames(1, 3)
    const strange = frame(2, bodyOf(2))
    strange[16] = 9
    // The checksum of a later version would be right.
    strange.writeUInt32LE(crc32(strange.subarray(8), strange.readUInt32LE(0)), 4)
    strange.copy(bytes, bytes.length / 3)
    const items = scan(bytes)
    expect(lsnsOf(items)).toEqual([1, 3])
    expect(problemsOf(items)).toMatchObject([{ kind: 'unknown', firstLsn: 2, lastLsn: 2 }])
  })

  test('are never made up, whatever the bytes are', () => {
    const piece = fc.oneof(
      fc.uint8Array({ maxLength: 80 }).map((bytes) => Buffer.from(bytes)),
      fc.integer({ min: 1, max: 20 }).map((lsn) => frame(lsn, bodyOf(lsn))),
      fc
        .tuple(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 60 }))
        .map(([lsn, end]) => frame(lsn, bodyOf(lsn)).subarray(0, end)),
    )
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 30 }), fc.integer({ min: 1, max: 300 }), (pieces, chunkBytes) => {
        const bytes = Buffer.concat(pieces)
        const items = scan(bytes, 1, chunkBytes)
        let last = 0
        for (const { record } of items) {
          if (record === undefined) continue
          expect(record.lsn).toBeGreaterThan(last)
          expect(record.body.toString()).toBe(bodyOf(record.lsn))
          last = record.lsn
        }
        // In one piece it says the same.
        expect(scan(bytes)).toEqual(items)
      }),
      { numRuns: 500, seed: 1 },
    )
  })
})
