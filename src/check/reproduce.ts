/** Runs one seed again, for people: the first broken promise, and what happened before it. */

import { type LogFields, type Logger, silentLogger } from '../ops/log.ts'
import { createOracle, type Violation } from './oracle.ts'
import type { PlannedFault } from './plan.ts'
import { type RunResult, runSeed } from './run.ts'
import { shrink } from './shrink.ts'
import type { TraceEntry } from './trace.ts'
import { traceLine } from './trace-text.ts'
import { violationText } from './verdict.ts'

export interface Reproduction {
  readonly result: RunResult
  readonly violations: readonly Violation[]
  /** The last lines before the first broken promise, oldest first. */
  readonly lines: readonly string[]
}

export interface ReproduceOptions {
  readonly plan?: readonly PlannedFault[]
  /** Lines of all streams, not only of the one whose promise is broken. */
  readonly isEverything?: boolean
  readonly linesMax?: number
}

const LINES_MAX = 50

export async function reproduce(seed: number, options: ReproduceOptions = {}): Promise<Reproduction> {
  const { plan, isEverything = false, linesMax = LINES_MAX } = options
  const given = plan === undefined ? {} : { plan }
  const oracle = createOracle()
  const result = await runSeed(seed, { ...given, sinks: [oracle] })
  const violations = oracle.finish()
  const [first] = violations
  const untilUs = first?.atUs ?? Number.POSITIVE_INFINITY
  const lines: string[] = []
  const write = (line: string) => {
    lines.push(line)
    if (lines.length > linesMax) lines.shift()
  }
  let isOver = false
  let nowUs = 0
  const sink = {
    add(entry: TraceEntry) {
      nowUs = entry.atUs
      isOver ||= nowUs > untilUs
      if (!isOver && (isEverything || isAbout(entry, first?.stream))) write(traceLine(entry))
    },
  }
  const logger = lineLogger((line) => {
    if (!isOver) write(line)
  })
  await runSeed(seed, { ...given, sinks: [sink], logger })
  return { result, violations, lines }
}

/** The smallest plan that breaks the same promise. Errors: throws if `plan` breaks none. */
export async function shrinkPlan(
  seed: number,
  plan: readonly PlannedFault[],
  promise: string,
  onProgress: (length: number) => void,
): Promise<readonly PlannedFault[]> {
  const breaks = async (smaller: readonly PlannedFault[]): Promise<boolean> => {
    const oracle = createOracle()
    const { crash } = await runSeed(seed, { plan: smaller, sinks: [oracle] })
    return promise === 'crash' ? crash !== undefined : oracle.finish().some((broken) => broken.promise === promise)
  }
  if (!(await breaks(plan))) throw new Error(`seed ${seed} does not break ${promise}`)
  return shrink(plan, breaks, onProgress)
}

/** What a reader needs of `venue:channel:symbol`: its own entries, and what touches its connections. */
function isAbout(entry: TraceEntry, stream: string | undefined): boolean {
  const [venue, channel, symbol] = stream?.split(':') ?? []
  if (venue === undefined) return entry.kind !== 'frame'
  if (entry.kind === 'process') return true
  if (entry.kind === 'durable') return false
  const about = entry.kind === 'event' ? entry.event : entry
  if ('venue' in about && about.venue !== undefined && about.venue !== venue) return false
  if ('symbol' in about && about.symbol !== undefined && about.symbol !== symbol) return false
  if (entry.kind === 'event' && entry.event.type !== 'gap') return channelOf(entry.event.type) === channel
  return !('channel' in about) || about.channel === undefined || about.channel === channel
}

const channelOf = (type: string): string => (type.startsWith('book') ? 'book' : type)

function lineLogger(write: (line: string) => void): Logger {
  const log = (level: string) => (event: string, message: string, fields?: LogFields) =>
    write(`                log         ${level} ${event}: ${message} ${JSON.stringify(fields ?? {})}`)
  return { ...silentLogger, info: log('INFO'), warning: log('WARNING'), error: log('ERROR') }
}

/** The outcome for a terminal. */
export function reproductionText(seed: number, { result, violations, lines }: Reproduction): string {
  const [first] = violations
  const outcome =
    result.crash ??
    (first === undefined
      ? 'no promise was broken'
      : `${violations.length} broken promises; the first:\n${violationText(first)}\n\nand what happened before it:`)
  const facts = `seed ${seed}: hash ${result.hash}, ${result.events} events in ${Math.round(result.virtualMs / 1000)} virtual s, ${result.plan.length} faults`
  return [facts, outcome, ...(first === undefined ? [] : lines)].join('\n')
}
