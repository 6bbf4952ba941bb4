import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { build, captures, normalize } from './command.ts'
import { line, spotTrade } from './messages.ts'

const files = captures()
beforeAll(build, 120_000)
afterAll(files.remove)

const ids = (run: ReturnType<typeof normalize>): unknown[] => run.rows.map((row) => row.trade_id)
const good = (id: number): string => line('binance', spotTrade(id))

describe('gzip', () => {
  const count = 20_000
  const whole = gzipSync(`${Array.from({ length: count }, (_, i) => good(i)).join('\n')}\n`)
  const spoilt = (at: number): Buffer => {
    const copy = Buffer.from(whole)
    copy.fill(0xff, at, at + 4)
    return copy
  }

  test.each([
    ['in the middle', spoilt(whole.length >> 1), 5_000],
    ['in its check sum', spoilt(whole.length - 8), count - 500],
    ['by text behind it', Buffer.concat([whole, Buffer.from(`${good(count)}\n`)]), count - 500],
  ])('damaged %s: what stands before is used, the damage is told, 65', (name, bytes, least) => {
    const path = files.write(`${name}.gz`, bytes)
    for (const run of [normalize([path]), normalize(['-'], bytes)]) {
      expect(run.status).toBe(65)
      expect(run.errors).toMatch(/what stands before the damage was used\nframes \d+, events \d+/)
      expect(run.rows.length).toBeGreaterThan(least)
    }
  })

  test('the files behind a damaged one are read', () => {
    const run = normalize([files.write('spoilt.gz', spoilt(whole.length - 8)), files.write('next', [good(count)])])
    expect([run.status, run.rows.at(-1)?.trade_id]).toEqual([65, String(count)])
  })

  test('zeros behind it are padding, unless something follows them', () => {
    const one = gzipSync(`${good(1)}\n`)
    const zeros = Buffer.alloc(200_000)
    const padded = normalize([], Buffer.concat([one, one, zeros]))
    expect([ids(padded), padded.status]).toEqual([['1', '1'], 0])
    const lost = normalize([], Buffer.concat([one, zeros, one]))
    expect([ids(lost), lost.status]).toEqual([['1'], 65])
    expect(lost.errors).toContain('-: data behind the end of the compressed part')
  })
})
