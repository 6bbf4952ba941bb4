import { performance } from 'node:perf_hooks'
import type { Clock } from './platform.ts'

/** A Node timer with a longer delay fires after 1 ms. */
const TIMER_MS_MAX = 2 ** 31 - 1
/** Wall clock steps beyond this are followed; smaller differences are jitter of the two readings. */
const DRIFT_MS_MAX = 5

/**
 * The machine's clock. The wall time is the monotonic clock plus an anchor, so that it has microseconds and never
 * runs backwards; when the machine's wall clock is set forward the anchor follows, when it is set back ours waits.
 */
export function systemClock(): Clock {
  let anchorMs = Date.now() - performance.now()
  let lastUs = 0
  return {
    nowUs() {
      const monotonicMs = performance.now()
      const wallMs = Date.now()
      if (Math.abs(wallMs - (anchorMs + monotonicMs)) > DRIFT_MS_MAX) anchorMs = wallMs - monotonicMs
      lastUs = Math.max(lastUs, Math.floor((anchorMs + monotonicMs) * 1000))
      return lastUs
    },
    monotonicMs: () => performance.now(),
    after(delayMs, action) {
      const timer = setTimeout(action, clampDelay(delayMs))
      return () => clearTimeout(timer)
    },
    every(intervalMs, action) {
      const timer = setInterval(action, clampDelay(intervalMs))
      return () => clearInterval(timer)
    },
  }
}

const clampDelay = (delayMs: number): number => Math.min(TIMER_MS_MAX, Math.max(0, delayMs))

/** Resolves after `delayMs` of `clock`. */
export const sleep = (clock: Clock, delayMs: number): Promise<void> =>
  new Promise((resolve) => {
    clock.after(delayMs, resolve)
  })
