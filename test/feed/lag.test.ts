import { expect, test } from 'vitest'
import { Lag } from '../../src/feed/lag.ts'

const SECOND = 1_000_000

test('clocks that differ are not a lag', () => {
  const lag = new Lag()
  for (let at = 0; at < 100; at++) expect(lag.heard(at * SECOND, (at + 3600) * SECOND)).toBe(false)
  expect(lag.behindMs).toBeLessThan(10)
})

test('a stream that falls behind says so once, and is well when it has caught up', () => {
  const lag = new Lag()
  const told: number[] = []
  for (let at = 0; at < 300; at++) {
    const lateUs = at < 50 ? 0 : at < 150 ? 8 * SECOND : 0
    if (lag.heard(at * SECOND, at * SECOND + 50_000 + lateUs)) told.push(at)
    if (at === 140) expect(lag.isBehind).toBe(true)
  }
  expect(told).toHaveLength(1)
  expect(told[0]).toBeGreaterThan(50)
  expect(told[0]).toBeLessThan(65)
  expect(lag.isBehind).toBe(false)
})

test('one late message is no lag, nor is one without a time', () => {
  const lag = new Lag()
  for (let at = 0; at < 20; at++) lag.heard(at * SECOND, at * SECOND)
  expect(lag.heard(20 * SECOND, 40 * SECOND)).toBe(false)
  expect(lag.heard(undefined, 90 * SECOND)).toBe(false)
})

test('a stream that begins with something old is not behind when it goes on with new data', () => {
  const lag = new Lag()
  expect(lag.heard(0, 600 * SECOND)).toBe(false)
  expect(lag.heard(601 * SECOND, 601 * SECOND + 50_000)).toBe(false)
  expect(lag.behindMs).toBe(0)
})

test('a clock that is put forward makes nothing late', () => {
  const lag = new Lag()
  for (let at = 0; at < 60; at++) lag.heard(at * SECOND, (at - 6) * SECOND, at * 1_000)
  for (let at = 60; at < 120; at++) expect(lag.heard(at * SECOND, at * SECOND + 50_000, at * 1_000)).toBe(false)
  expect(lag.behindMs).toBeLessThan(100)
})
