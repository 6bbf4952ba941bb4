import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { epochUs, isoTime, isoTimeOrNull } from '../../src/model/time.ts'

fc.configureGlobal({ seed: 20261123 })

describe('epochUs', () => {
  test.each([
    ['milliseconds', 1_672_515_782_136, 1_672_515_782_136_000],
    ['microseconds', 1_672_515_782_136_123, 1_672_515_782_136_123],
    ['milliseconds with a fraction', 1_626_993_723_844.026, 1_626_993_723_844_026],
    ['digits', '1597026383085', 1_597_026_383_085_000],
    ['digits of microseconds', '1597026383085123', 1_597_026_383_085_123],
    ['digits with a fraction', '1626993723844.026', 1_626_993_723_844_026],
  ])('reads %s', (_what, value, timeUs) => expect(epochUs(value)).toBe(timeUs))

  test('keeps microseconds written as milliseconds with three decimals', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1e15, max: 4.1e15 }), (timeUs) => {
        expect(epochUs(timeUs / 1000)).toBe(timeUs)
      }),
      { numRuns: 2_000 },
    )
  })

  test.each([
    ...[0, -1, -1_672_515_782_136, Number.NaN, Number.POSITIVE_INFINITY],
    ...['', ' ', 'now', '0', '-5', '1e12', '0x16b', ' 1597026383085', '2021-07-22', '1_000'],
    ...[null, undefined, true, {}, [], [1_672_515_782_136], new Date(0)],
  ])('has no time for %j', (value) => expect(epochUs(value)).toBeUndefined())

  test.each([1e300, 1e17, '9'.repeat(30), Number.MAX_VALUE])('has no time for %d, which no integer holds', (value) => {
    expect(epochUs(value)).toBeUndefined()
  })
})

describe('isoTime', () => {
  test.each([
    [1_751_170_069_066_285, '2025-06-29T04:07:49.066285+00:00'],
    [0, '1970-01-01T00:00:00.000000+00:00'],
    [1, '1970-01-01T00:00:00.000001+00:00'],
    [999_999, '1970-01-01T00:00:00.999999+00:00'],
    [-1, '1969-12-31T23:59:59.999999+00:00'],
    [1_626_993_723_844_026.5, '2021-07-22T22:42:03.844026+00:00'],
  ])('writes %d as %s', (timeUs, text) => expect(isoTime(timeUs)).toBe(text))

  test('has six digits and reads back', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 4.2e15 }), (timeUs) => {
        const text = isoTime(timeUs)
        expect(text).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}\+00:00$/)
        expect(Date.parse(`${text.slice(0, 23)}Z`) * 1000 + Number(text.slice(23, 26))).toBe(timeUs)
      }),
      { numRuns: 2_000 },
    )
  })

  test.each([Number.NaN, Number.POSITIVE_INFINITY, 9e18])('throws a RangeError for %d', (timeUs) => {
    expect(() => isoTime(timeUs)).toThrow(RangeError)
  })

  test('an unknown time is null', () => {
    expect(isoTimeOrNull(undefined)).toBeNull()
    expect(isoTimeOrNull(1)).toBe('1970-01-01T00:00:00.000001+00:00')
  })
})
