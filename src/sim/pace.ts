/** What venues count in time: pushes at most so often, requests at most so many, credits that refill. */

import type { Clock } from '../platform/platform.ts'

export interface Throttle {
  /** Runs the action now, or once when the interval since its last run is over. */
  request(): void
  stop(): void
}

export function createThrottle(clock: Clock, intervalMs: number, action: () => void): Throttle {
  let lastMs = Number.NEGATIVE_INFINITY
  let cancel: (() => void) | undefined
  function run(): void {
    cancel = undefined
    lastMs = clock.monotonicMs()
    action()
  }
  return {
    request() {
      if (cancel) return
      const waitMs = lastMs + intervalMs - clock.monotonicMs()
      if (waitMs <= 0) run()
      else cancel = clock.after(waitMs, run)
    },
    stop: () => cancel?.(),
  }
}

/** Counts requests of each key in fixed windows. `take` is false for the first request too many. */
export interface Quota {
  take(key: string): boolean
}

export function createQuota(clock: Clock, max: number, windowMs: number): Quota {
  const windows = new Map<string, { startMs: number; count: number }>()
  return {
    take(key) {
      const nowMs = clock.monotonicMs()
      const window = windows.get(key)
      if (!window || nowMs - window.startMs >= windowMs) {
        windows.set(key, { startMs: nowMs, count: 1 })
        return true
      }
      window.count += 1
      return window.count <= max
    },
  }
}

/** A pool of credits for each key that refills steadily. */
export interface Credits {
  /** False, and nothing is taken, if less than `cost` is left. */
  take(key: string): boolean
}

export function createCredits(clock: Clock, pool: { size: number; cost: number; refillPerSecond: number }): Credits {
  const levels = new Map<string, { credits: number; atMs: number }>()
  return {
    take(key) {
      const nowMs = clock.monotonicMs()
      const level = levels.get(key) ?? { credits: pool.size, atMs: nowMs }
      levels.set(key, level)
      level.credits = Math.min(pool.size, level.credits + ((nowMs - level.atMs) / 1000) * pool.refillPerSecond)
      level.atMs = nowMs
      if (level.credits < pool.cost) return false
      level.credits -= pool.cost
      return true
    },
  }
}
