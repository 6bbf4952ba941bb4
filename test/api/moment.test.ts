import { describe, expect, test } from 'vitest'
import { durationUs, momentUs } from '../../src/api/moment.ts'

const NOW_US = Date.UTC(2026, 10, 23, 12) * 1000

describe('a moment', () => {
  test.each([
    ['2025-06-29T04:07:49.066285+00:00', Date.UTC(2025, 5, 29, 4, 7, 49) * 1000 + 66_285],
    ['2025-06-29T04:07:49.066285 00:00', Date.UTC(2025, 5, 29, 4, 7, 49) * 1000 + 66_285],
    ['2025-06-29T04:07:49.5Z', Date.UTC(2025, 5, 29, 4, 7, 49, 500) * 1000],
    ['2025-06-29t04:07z', Date.UTC(2025, 5, 29, 4, 7) * 1000],
    ['2025-06-29T04:07:49-03:30', Date.UTC(2025, 5, 29, 7, 37, 49) * 1000],
    ['2025-06-29T04:07:49+08:00', Date.UTC(2025, 5, 28, 20, 7, 49) * 1000],
    ['2024-02-29T00:00:00Z', Date.UTC(2024, 1, 29) * 1000],
    ['1970-01-01T00:00:00.000001Z', 1],
    ['90s', NOW_US - 90e6],
    ['15m', NOW_US - 900e6],
    ['1h', NOW_US - 3600e6],
    ['2D', NOW_US - 172_800e6],
    ['0s', NOW_US],
    ['999999d', 0],
  ])('%s', (text, expected) => {
    expect(momentUs(text, NOW_US)).toBe(expected)
  })

  test.each([
    '',
    'now',
    'yesterday',
    '2025-06-29',
    '2025-06-29T04:07:49',
    '2025-06-29 04:07:49Z',
    '2025-02-29T00:00:00Z',
    '2025-02-30T00:00:00Z',
    '2025-13-01T00:00:00Z',
    '2025-06-29T24:00:00Z',
    '2025-06-29T04:60:00Z',
    '2025-06-29T04:07:60Z',
    '2025-06-29T04:07:49.0662851Z',
    '2025-06-29T04:07:49+99:00',
    '2025-06-29T04:07:49+00',
    '1969-12-31T23:59:59Z',
    '1970-01-01T00:00:00+01:00',
    '1751170069066285',
    '-1h',
    '1.5h',
    '1h30m',
    '1w',
    '1000000d',
    ' 1h',
    '١h',
  ])('%j is none', (text) => {
    expect(momentUs(text, NOW_US)).toBeUndefined()
  })
})

test('a duration is digits and a unit', () => {
  expect(['60s', '1m', '5M', '1h', '1d', '0s'].map(durationUs)).toEqual([60e6, 60e6, 300e6, 3600e6, 86_400e6, 0])
  expect(['60', 'm', '1 m', '1min', '', '1e3s', '0x1s'].map(durationUs)).toEqual(Array(7).fill(undefined))
})
