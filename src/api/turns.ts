import { PrismError } from '../model/errors.ts'
import type { Clock } from '../platform/platform.ts'

/**
 * Runs large jobs one after the other, so that their memory does not add up.
 * Errors: SERVICE_UNAVAILABLE when `jobsMax` run or wait already.
 */
export function turns(jobsMax: number): <Result>(job: () => Promise<Result>) => Promise<Result> {
  let last: Promise<unknown> = Promise.resolve()
  let jobs = 0
  return async (job) => {
    if (jobs >= jobsMax) {
      throw new PrismError('SERVICE_UNAVAILABLE', 'Too many large answers are being made. Ask again in a moment.')
    }
    jobs++
    const result = last.then(job)
    last = result.catch(() => undefined)
    return result.finally(() => jobs--)
  }
}

/** Lets other work run first, whenever this one has taken `sliceMs`. */
export function pauses(clock: Clock, sliceMs: number): () => Promise<void> {
  let sinceMs = clock.monotonicMs()
  return async () => {
    if (clock.monotonicMs() - sinceMs < sliceMs) return
    await new Promise<void>((resolve) => clock.after(0, resolve))
    sinceMs = clock.monotonicMs()
  }
}
