/** A virtual day without faults: every promise holds, and there is no gap at all. */

import { START_US } from '../sim/virtual/clock.ts'
import { createOracle } from './oracle.ts'
import { RUN_OPTIONS } from './oracle-promises.ts'
import { runSeed } from './run.ts'
import { dayScenario } from './scenario.ts'
import type { TraceEntry } from './trace.ts'
import { violationText } from './verdict.ts'

export interface DayVerdict {
  readonly hash: string
  readonly broken: readonly string[]
  readonly brokenCount: number
  readonly gaps: number
  readonly entries: number
  readonly events: number
}

const HOUR_MS = 3_600_000

export async function judgeDay(
  seed: number,
  hours: number,
  onProgress: (virtualHours: number) => void,
): Promise<DayVerdict> {
  const oracle = createOracle(RUN_OPTIONS)
  let gaps = 0
  const counter = {
    add(entry: TraceEntry) {
      if (entry.kind === 'event' && entry.event.type === 'gap') gaps++
      if (entry.kind === 'checkpoint') onProgress((entry.atUs - START_US) / 1000 / HOUR_MS)
    },
  }
  const result = await runSeed(seed, {
    scenario: dayScenario(),
    plan: [],
    faultsEndMs: hours * HOUR_MS,
    checkEveryMs: HOUR_MS / 6,
    sinks: [oracle, counter],
  })
  const violations = oracle.finish()
  const crashes = result.crash === undefined ? [] : [result.crash]
  return {
    hash: result.hash,
    broken: [...crashes, ...violations.map(violationText)].slice(0, 20),
    brokenCount: crashes.length + violations.length,
    gaps,
    entries: result.entries,
    events: result.events,
  }
}
