/** Runs one seed again, for people: the first broken promise, and what happened before it. */

import { type LogFields, type Logger, silentLogger } from '../ops/log.ts'
import { createOracle, type Violation } from './oracle.ts'
import { RUN_OPTIONS } from './oracle-promises.ts'
import type { PlannedFault } from './plan.ts'
import { type RunResult, runSeed } from './run.ts'
import { shrink } from './shrink.ts'
import type { TraceEntry } from './trace.ts'
import { traceLine } from './trace-text.ts'
import { violationText } from './verdict.ts'

export interface Reproduction {
  readonly result: RunResult
  readonly violations: readonly Violation[]
  /** The last lines before the first broken promise and the first behind it, oldest first. */
  readonly lines: readonly string[]
}

export interface ReproduceOptions {
  readonly plan?: readonly PlannedFault[]
  /** Lines of all streams, not only of the one whose promise is broken. */
  readonly isEverything?: boolean
  /** Lines before the first broken promise, and behind it. */
  readonly linesMax?: number
  readonly laterMax?: number
}

const LINES_MAX = 50
const LATER_MAX = 10

export async function reproduce(seed: number, options: ReproduceOptions = {}): Promise<Reproduction> {
  const { plan, isEverything = false, linesMax = LINES_MAX, laterMax = LATER_MAX } = options
  const given = plan === undefined ? {} : { plan }
  const oracle = createOracle(RUN_OPTIONS)
  const result = await runSeed(seed, { ...given, sinks: [oracle] })
  const violations = oracle.finish()
  const [first] = violations
  const untilUs = first?.atUs ?? Number.POSITIVE_INFINITY
  const lines: string[] = []
  const later: string[] = []
  let isLater = false
  const write = (line: string) => {
    if (isLater) {
      if (later.length < laterMax) later.push(line)
      return
    }
    lines.push(line)
    if (lines.length > linesMax) lines.shift()
  }
  const sink = {
    add(entry: TraceEntry) {
      isLater ||= entry.atUs > untilUs
      if (isEverything || isAbout(entry, first?.stream)) write(traceLine(entry))
    },
  }
  const logger = lineLogger(write)
  await runSeed(seed, { ...given, sinks: [sink], logger })
  return { result, violations, lines: [...lines, ...(later.length > 0 ? ['… and behind it:'] : []), ...later] }
}

/** The smallest plan that breaks the same promise. Errors: throws if `plan` breaks none. */
export async function shrinkPlan(
  seed: number,
  plan: readonly PlannedFault[],
  promise: string,
  onProgress: (length: number) => void,
): Promise<readonly PlannedFault[]> {
  const breaks = async (smaller: readonly PlannedFault[]): Promise<boolean> => {
    const oracle = createOracle(RUN_OPTIONS)
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
  if (entry.kind === 'durable') return entry.id.startsWith(`${venue}:gap:${symbol}:`)
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
