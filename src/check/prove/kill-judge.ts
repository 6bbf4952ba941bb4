/** Holds the gaps of a service against the ends of its processes. */

import type { Exit, GapRecord } from './child.ts'
import { feedKey } from './delivery-judge.ts'

export interface ProcessEnd {
  readonly signal: 'SIGKILL' | 'SIGTERM'
  readonly atUs: number
  readonly exit: Exit
  /** By stream: when the venue last sent before it, and first after it. */
  readonly lastBeforeUs: ReadonlyMap<string, number>
  readonly firstAfterUs: Map<string, number>
  /** By venue: when the next process had its list of instruments. */
  readonly listedUs: Map<string, number>
}

export interface EndsVerdict {
  /** Streams that an end cut off, and no gap says so. */
  readonly uncovered: readonly string[]
  /** Gaps of no end, or with another cause. */
  readonly unexplained: readonly string[]
  /** Gaps of trades that are neither healed nor without a loss. */
  readonly unhealed: readonly string[]
  /** Of each gap: by how much it is wider than from the last frame before to the first after that was of use. */
  readonly excessMs: readonly number[]
  /** The widest of them, in words. */
  readonly widest: string
}

const CAUSES = { SIGKILL: 'process_down', SIGTERM: 'shutdown' } as const
/** Between the signal and the process's last moment. */
const DYING_US = 1_000_000
/** A frame is on its way. */
const SLACK_US = 50_000

interface Window {
  readonly gap: GapRecord
  readonly startUs: number
  readonly endUs: number
}

/** `wholeUs`: when the stream of a gap could be whole after its end at the soonest; `undefined`: it sent nothing more. */
export function judgeEnds(
  ends: readonly ProcessEnd[],
  gaps: readonly GapRecord[],
  wholeUs: (gap: GapRecord, end: ProcessEnd) => number | undefined,
): EndsVerdict {
  const windows = new Map<string, Window[]>()
  for (const gap of gaps) {
    const stream = feedKey(gap)
    windows.set(stream, [...(windows.get(stream) ?? []), windowOf(gap)])
  }
  const uncovered: string[] = []
  const unexplained: string[] = []
  const unhealed: string[] = []
  const excessMs: number[] = []
  let [widestMs, widest] = [0, '']
  for (const [stream, ofStream] of windows) {
    for (const { signal, atUs, lastBeforeUs } of ends) {
      if (!lastBeforeUs.has(stream)) continue
      const isCovered = ofStream.some(({ startUs, endUs }) => startUs <= atUs + DYING_US && endUs >= atUs)
      if (!isCovered) uncovered.push(`${stream} at ${atUs} (${signal})`)
    }
    for (const window of ofStream) {
      const { gap, startUs, endUs } = window
      const covered = ends.filter(({ atUs }) => startUs <= atUs + DYING_US && endUs >= atUs)
      const [first] = covered
      const last = covered.at(-1)
      if (first === undefined || last === undefined || !covered.some(({ signal }) => CAUSES[signal] === gap.cause)) {
        unexplained.push(`${stream} ${gap.cause} ${gap.start_time} to ${gap.end_time}`)
        continue
      }
      const before = first.lastBeforeUs.get(stream) ?? startUs
      const after = (wholeUs(gap, last) ?? endUs) + SLACK_US
      const [earlyMs, lateMs] = [(before - startUs) / 1000, (endUs - after) / 1000]
      const excess = Math.max(0, earlyMs) + Math.max(0, lateMs)
      excessMs.push(excess)
      if (excess > widestMs)
        [widestMs, widest] = [excess, `${stream} ${gap.start_time}: ${earlyMs} ms early, ${lateMs} ms late`]
      if (gap.channel === 'trade' && gap.state !== 'healed' && gap.lost !== 0)
        unhealed.push(`${stream} ${gap.state} ${gap.start_time}: ${gap.healed} of ${gap.lost}`)
    }
  }
  return { uncovered, unexplained, unhealed, excessMs, widest }
}

const windowOf = (gap: GapRecord): Window => ({
  gap,
  startUs: Date.parse(gap.start_time) * 1000,
  endUs: gap.end_time === null ? Number.POSITIVE_INFINITY : Date.parse(gap.end_time) * 1000,
})
