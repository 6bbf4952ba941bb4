/** One seed, run and judged: what a worker tells of it. Plain data. */

import { createOracle, type Figures, type Violation } from './oracle.ts'
import { RUN_OPTIONS } from './oracle-promises.ts'
import { type RunOptions, runSeed } from './run.ts'

export interface Verdict {
  readonly seed: number
  readonly hash: string
  /** The first broken promises, in the order of time; a crash is the first of all. */
  readonly broken: readonly string[]
  readonly brokenCount: number
  readonly promises: Readonly<Record<string, number>>
  readonly virtualMs: number
  readonly entries: number
  readonly figures: Figures
}

const BROKEN_SHOWN_MAX = 3

export async function judgeSeed(seed: number, options: RunOptions = {}): Promise<Verdict> {
  const oracle = createOracle(RUN_OPTIONS)
  const result = await runSeed(seed, { ...options, sinks: [oracle, ...(options.sinks ?? [])] })
  const violations = oracle.finish()
  const crashes = result.crash === undefined ? [] : [`crash: ${result.crash.split('\n').slice(0, 2).join(' ')}`]
  const promises: Record<string, number> = {}
  for (const { promise } of violations) promises[promise] = (promises[promise] ?? 0) + 1
  if (crashes.length > 0) promises.crash = crashes.length
  return {
    seed,
    hash: result.hash,
    broken: [...crashes, ...violations.map(violationText)].slice(0, BROKEN_SHOWN_MAX),
    brokenCount: crashes.length + violations.length,
    promises,
    virtualMs: result.virtualMs,
    entries: result.entries,
    figures: oracle.figures(),
  }
}

export const violationText = ({ promise, stream = '', text }: Violation): string => `${promise} ${stream} ${text}`
