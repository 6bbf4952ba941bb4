import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Silence } from '../../src/feed/silence.ts'
import { Window } from '../../src/feed/window.ts'
import { Backoff } from '../../src/platform/backoff.ts'
import { seededRandom } from '../../src/platform/random.ts'
import { findVenue } from '../../src/venues/index.ts'
import type { Venue } from '../../src/venues/venue.ts'

describe('window', () => {
  test('never holds more than its limit in any stretch of its length', () => {
    const steps = fc.array(
      fc.record({ weight: fc.integer({ min: 1, max: 60 }), pauseMs: fc.integer({ min: 0, max: 400 }) }),
    )
    fc.assert(
      fc.property(steps, (spends) => {
        const window = new Window(100, 1_000)
        const log: { atMs: number; weight: number }[] = []
        let nowMs = 0
        for (const { weight, pauseMs } of spends) {
          nowMs += pauseMs
          for (let waitMs = window.waitMs(weight, nowMs); waitMs > 0; waitMs = window.waitMs(weight, nowMs))
            nowMs += waitMs
          window.spend(weight, nowMs)
          log.push({ atMs: nowMs, weight })
        }
        for (const { atMs } of log) {
          const sum = log
            .filter((spend) => spend.atMs > atMs - 1_000 && spend.atMs <= atMs)
            .reduce((s, spend) => s + spend.weight, 0)
          expect(sum).toBeLessThanOrEqual(100)
        }
      }),
      { seed: 1 },
    )
  })

  test('OKX takes three connections a second: ours are not more, though they arrive closer together than they were opened', () => {
    const { count, windowMs } = (findVenue('okx') as Venue).socketLimits.connects
    const delays = fc.array(fc.integer({ min: 0, max: 249 }), { minLength: 10, maxLength: 30 })
    fc.assert(
      fc.property(delays, (delaysMs) => {
        const window = new Window(count, windowMs)
        let nowMs = 0
        const arrivedMs = delaysMs.map((delayMs) => {
          nowMs += window.waitMs(1, nowMs)
          window.spend(1, nowMs)
          return nowMs + delayMs
        })
        for (const fromMs of arrivedMs)
          expect(arrivedMs.filter((atMs) => atMs >= fromMs && atMs < fromMs + 1_000).length).toBeLessThanOrEqual(3)
      }),
      { seed: 1 },
    )
  })

  test('lets a weight beyond its limit through when it is empty, so that nothing waits for ever', () => {
    const window = new Window(10, 1_000)
    expect(window.waitMs(50, 0)).toBe(0)
    window.spend(50, 0)
    expect(window.waitMs(1, 999)).toBe(1)
    expect(window.waitMs(1, 1_000)).toBe(0)
  })
})

describe('backoff', () => {
  test('doubles up to its cap, with full jitter, and starts small again after a reset', () => {
    const ceilings = (random: () => number) => {
      const backoff = new Backoff({ firstMs: 500, maxMs: 30_000, random })
      return Array.from({ length: 9 }, () => backoff.nextMs())
    }
    expect(ceilings(() => 1)).toEqual([500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000])
    expect(ceilings(() => 0)).toEqual(Array(9).fill(0))
    const backoff = new Backoff({ firstMs: 500, maxMs: 30_000, random: () => 1 })
    for (let i = 0; i < 2_000; i++) expect(backoff.nextMs()).toBeLessThanOrEqual(30_000)
    backoff.reset()
    expect(backoff.nextMs()).toBe(500)
  })

  test('spreads clients that failed together', () => {
    const waits = Array.from({ length: 200 }, (_, seed) =>
      new Backoff({ firstMs: 1_000, maxMs: 1_000, random: seededRandom(seed + 1) }).nextMs(),
    )
    expect(Math.min(...waits)).toBeLessThan(100)
    expect(Math.max(...waits)).toBeGreaterThan(900)
  })
})

describe('silence', () => {
  const heardEvery = (silence: Silence, gapMs: number, count: number): number => {
    let nowMs = 0
    for (let i = 0; i < count; i++) {
      nowMs += gapMs
      silence.heard(nowMs)
    }
    return nowMs
  }

  test('a busy stream has the short limit, a quiet one a long one, an unknown one the first', () => {
    const limits = { min: 10_000, max: 300_000 }
    expect(new Silence(limits).limitMs).toBe(300_000)
    expect(new Silence({ ...limits, first: 15_000 }).limitMs).toBe(15_000)
    const busy = new Silence(limits)
    const lastMs = heardEvery(busy, 100, 50)
    expect(busy.limitMs).toBe(10_000)
    expect(busy.isTooLong(lastMs + 10_000)).toBe(false)
    expect(busy.isTooLong(lastMs + 10_001)).toBe(true)
    const quiet = new Silence(limits)
    heardEvery(quiet, 4_000, 50)
    expect(quiet.limitMs).toBe(120_000)
    const asleep = new Silence(limits)
    heardEvery(asleep, 60_000, 50)
    expect(asleep.limitMs).toBe(300_000)
  })

  test('a burst at the start, and bursts later on, do not make a quiet stream late', () => {
    const silence = new Silence({ min: 15_000, max: 600_000 })
    const firstMs = heardEvery(silence, 10, 3)
    expect(silence.isTooLong(firstMs + 60_000)).toBe(false)
    let nowMs = firstMs
    for (let burst = 0; burst < 30; burst++) {
      nowMs += 20_000
      for (let i = 0; i < 10; i++) silence.heard(nowMs + i)
    }
    expect(silence.isTooLong(nowMs + 25_000)).toBe(false)
    expect(silence.isTooLong(nowMs + 120_000)).toBe(true)
  })

  test('without the longest gap, one pause does not make the next silence take longer to be found', () => {
    const limits = { min: 8_000, max: 60_000, gaps: 12 }
    const pausing = (silence: Silence) => {
      const nowMs = heardEvery(silence, 100, 100) + 5_000
      silence.heard(nowMs)
      return silence.limitMs
    }
    expect(pausing(new Silence({ ...limits, longestGaps: 0 }))).toBe(8_000)
    expect(pausing(new Silence(limits))).toBe(15_000)
  })

  test('a silence that was taken for a fault is no habit, unless it comes again soon', () => {
    const silence = new Silence({ min: 10_000, max: 300_000 })
    const faultAfter = (messages: number): void => {
      const lastMs = (silence.lastMs ?? 0) + 1
      for (let i = 0; i < messages; i++) silence.heard(lastMs + i * 500)
      silence.fault()
      silence.restart(lastMs + messages * 500 + 11_000)
      silence.heard(lastMs + messages * 500 + 60_000)
    }
    faultAfter(100)
    expect(silence.limitMs).toBeLessThan(16_000)
    faultAfter(600)
    expect(silence.limitMs).toBeLessThan(16_000)
    faultAfter(100)
    expect(silence.limitMs).toBeGreaterThan(100_000)
  })

  test('before anything is awaited nothing is late', () => {
    expect(new Silence({ min: 1, max: 1 }).isTooLong(1e9)).toBe(false)
  })
})
