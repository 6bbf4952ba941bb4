import type { Clock } from '../../platform/platform.ts'

const LOOK_MS = 10

export const sleep = (clock: Clock, ms: number): Promise<void> =>
  new Promise((resolve) => void clock.after(ms, () => resolve()))

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
