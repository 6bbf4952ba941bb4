/** Delta debugging: the smallest part of a plan that still breaks the same promise. */

import type { PlannedFault } from './plan.ts'

/** Runs that one search may take. */
const RUNS_MAX = 400

/**
 * Leaves out ever smaller parts of the plan for as long as `breaks` holds of the rest.
 * `onProgress` is told the length after each success.
 */
export async function shrink(
  plan: readonly PlannedFault[],
  breaks: (plan: readonly PlannedFault[]) => Promise<boolean>,
  onProgress: (length: number) => void = () => {},
): Promise<readonly PlannedFault[]> {
  let smallest = plan
  let runs = 0
  for (let partLength = Math.ceil(plan.length / 2); partLength >= 1; ) {
    let hasShrunk = false
    for (let at = 0; at < smallest.length && runs < RUNS_MAX; ) {
      const rest = [...smallest.slice(0, at), ...smallest.slice(at + partLength)]
      runs++
      if (await breaks(rest)) {
        smallest = rest
        hasShrunk = true
        onProgress(smallest.length)
      } else at += partLength
    }
    if (runs >= RUNS_MAX || (partLength === 1 && !hasShrunk)) break
    if (!hasShrunk || partLength > smallest.length) partLength = Math.max(1, Math.floor(partLength / 2))
  }
  return smallest
}
