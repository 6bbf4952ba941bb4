import { sleep } from '../../platform/clock.ts'
import type { Clock } from '../../platform/platform.ts'
import { type Spread, spread } from '../oracle-figures.ts'

const LOOK_MS = 10
const LAG_EVERY_MS = 100

/** Resolves with whether `condition` came to hold within `deadlineMs`. */
export async function comes(clock: Clock, condition: () => boolean, deadlineMs: number): Promise<boolean> {
  const endMs = clock.monotonicMs() + deadlineMs
  while (!condition()) {
    if (clock.monotonicMs() > endMs) return false
    await sleep(clock, LOOK_MS)
  }
  return true
}

/** Errors: rejects when `condition` does not hold within `deadlineMs`, naming `what` it waited for. */
export async function until(clock: Clock, what: string, condition: () => boolean, deadlineMs: number): Promise<void> {
  if (!(await comes(clock, condition, deadlineMs))) throw new Error(`waited ${deadlineMs} ms in vain for: ${what}`)
}

/** How late the machine runs a timer: what a busy one adds to every time that is measured on it. The result ends it. */
export function watchLag(clock: Clock): () => Spread {
  const late: number[] = []
  let dueMs = clock.monotonicMs() + LAG_EVERY_MS
  const stop = clock.every(LAG_EVERY_MS, () => {
    const nowMs = clock.monotonicMs()
    late.push(Math.max(0, nowMs - dueMs))
    dueMs = nowMs + LAG_EVERY_MS
  })
  return () => {
    stop()
    return spread(late)
  }
}
