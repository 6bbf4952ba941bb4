import type { Clock } from '../../src/platform/platform.ts'

/** A clock that stands until it is told to move. Starts at 2025-06-29T04:07:49.066285Z. */
export interface FakeClock extends Clock {
  /** Moves on by `ms`, running what falls due on the way. */
  advance(ms: number): void
  /** Moves on by `ms` without running anything: the event loop was blocked. */
  block(ms: number): void
}

interface Timer {
  dueMs: number
  readonly everyMs: number | undefined
  readonly action: () => void
}

const START_US = 1_751_170_069_066_285

export function fakeClock(): FakeClock {
  const timers = new Set<Timer>()
  let nowMs = 0
  const add = (delayMs: number, everyMs: number | undefined, action: () => void) => {
    const timer = { dueMs: nowMs + delayMs, everyMs, action }
    timers.add(timer)
    return () => void timers.delete(timer)
  }
  return {
    nowUs: () => START_US + nowMs * 1000,
    monotonicMs: () => nowMs,
    after: (delayMs, action) => add(delayMs, undefined, action),
    every: (intervalMs, action) => add(intervalMs, intervalMs, action),
    block(ms) {
      nowMs += ms
    },
    advance(ms) {
      const endMs = nowMs + ms
      for (;;) {
        const due = [...timers].filter((timer) => timer.dueMs <= endMs).sort((a, b) => a.dueMs - b.dueMs)[0]
        if (due === undefined) break
        nowMs = Math.max(nowMs, due.dueMs)
        if (due.everyMs === undefined) timers.delete(due)
        else due.dueMs = nowMs + due.everyMs
        due.action()
      }
      nowMs = endMs
    },
  }
}
