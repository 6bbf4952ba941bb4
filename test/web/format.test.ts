import { expect, test } from 'vitest'
import { subtract } from '../../web/core/decimal.ts'
import {
  bytes,
  compact,
  count,
  duration,
  latency,
  quantity,
  rate,
  roughly,
  share,
  timeMs,
  whole,
} from '../../web/core/format.ts'
import { niceStep, ticks } from '../../web/core/scale.ts'

test('counts are written in full up to a million', () => {
  expect([whole(0), whole(1234567), compact(999_999), compact(1_234_567), compact(2.5e9)]).toEqual([
    '0',
    '1,234,567',
    '999,999',
    '1.23 M',
    '2.50 G',
  ])
  expect([count(1, 'gap'), count(2000, 'gap')]).toEqual(['1 gap', '2,000 gaps'])
  expect([rate(0), rate(99.96), rate(1234.5)]).toEqual(['0.0', '100.0', '1,235'])
  expect([bytes(0), bytes(1023), bytes(1536), bytes(5 * 1024 ** 3)]).toEqual(['0 B', '1023 B', '1.5 KiB', '5.0 GiB'])
})

test('times take the unit that fits', () => {
  expect([
    latency(null),
    latency(undefined),
    latency(0),
    latency(0.085),
    latency(1.23),
    latency(120),
    latency(1500),
  ]).toEqual(['–', '–', '0', '85 µs', '1.2 ms', '120 ms', '1.5 s'])
  expect([-5, 400, 34_900, 185_000, 7_440_000, 266_400_000, 60_000].map(duration)).toEqual([
    '0.0 s',
    '0.4 s',
    '34 s',
    '3 min 5 s',
    '2 h 4 min',
    '3 d 2 h',
    '1 min',
  ])
})

test('a rough time has one unit', () => {
  expect([400, 185_000, 266_400_000].map(roughly)).toEqual(['0.4 s', '3 min', '3 d'])
})

test('a share is never rounded up to a whole', () => {
  expect([1, 0.999999, 0.99, 0.5, 0].map(share)).toEqual(['100 %', '99.9999 %', '99 %', '50 %', '0 %'])
  expect([share(0.9999999), share(null)]).toEqual(['99.9999 %', '–'])
})

test('a time of the API, or nothing', () => {
  expect(timeMs('2025-06-29T04:07:49.066285+00:00')).toBe(Date.UTC(2025, 5, 29, 4, 7, 49, 66))
  expect(timeMs(null)).toBeUndefined()
})

test('a difference of decimals is exact', () => {
  expect(subtract('95000.30', '95000.2')).toBe('0.10')
  expect(subtract('0.1', '0.30000000')).toBe('-0.20000000')
  expect(subtract('100', '1')).toBe('99')
  expect(subtract('12345678901234567890.5', '0.5')).toBe('12345678901234567890.0')
  expect(subtract('1e5', '1')).toBeUndefined()
})

test('sums are short', () => {
  expect([0, 0.00123456, 12.3456, 12345.6, 2e7].map(quantity)).toEqual(['0', '0.001235', '12.35', '12,346', '20.00 M'])
})

test('axes have round steps that reach the top', () => {
  expect([niceStep(7, 5), niceStep(100, 4), niceStep(0, 4)]).toEqual([2, 50, 1])
  expect(ticks(7, 5)).toEqual([0, 2, 4, 6, 8])
  expect(ticks(0, 4)).toEqual([0, 1])
})
