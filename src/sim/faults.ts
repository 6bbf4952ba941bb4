/** The plan of what goes wrong: which frames and which answers, how often, and what has happened so far. */

import { z } from 'zod'
import { PrismError } from '../model/errors.ts'
import type { Random } from '../platform/platform.ts'
import { SPOILT, type Spoiling } from './tamper.ts'

/** Every kind of fault, with what it does. `--help` and the control endpoint print this table. */
export const FAULT_KINDS = {
  drop: 'the frame is never sent',
  duplicate: 'the frame is sent twice',
  reorder: 'the frame changes places with the next one of the same channel and symbol',
  delay: 'the frame and all behind it on the connection wait for `ms`',
  silence: 'from this frame on the open connection sends nothing; `pongs=false`: not even pongs',
  reset: 'instead of the frame comes a TCP reset',
  close: 'instead of the frame comes a close frame with `code`',
  malformed: `the frame is spoilt: \`how=\` ${Object.keys(SPOILT).join(', ')}`,
  forged: 'the book frame has a level that is not there (`how=ghost`) or that crosses the book (`how=crossed`)',
  rewind: 'after the frame the last `frames` of the same channel and symbol come again',
  mute: 'from this frame on its channel and symbol send nothing, until the client asks for the symbol again',
  'rest-status': 'the request is answered with `status` (429, 418, 503, …) and `retry_after` seconds',
  'rest-delay': 'the answer waits for `ms`',
  'rest-timeout': 'the request is never answered',
  'rest-malformed': 'the answer is truncated; or it is `how=garbage`, `how=empty`',
  'rest-forged': 'the answer has a book level that is not there (`how=ghost`)',
  'rest-reset': 'instead of the answer comes a TCP reset',
} as const

export type FaultKind = keyof typeof FAULT_KINDS

const kinds = Object.keys(FAULT_KINDS) as [FaultKind, ...FaultKind[]]

const faultSchema = z.strictObject({
  kind: z.enum(kinds),
  venue: z.string().optional(),
  channel: z.string().optional(),
  symbol: z.string().optional(),
  /** Id of one connection, as `/control/state` lists it. */
  connection: z.coerce.number().int().optional(),
  /** REST only: a part of the path. */
  path: z.string().optional(),
  /** How many frames; without it and without `probability` one, with `probability` all that the draw hits. */
  count: z.coerce.number().int().min(1).optional(),
  /** Matching frames to let pass first. */
  skip: z.coerce.number().int().min(0).default(0),
  probability: z.coerce.number().min(0).max(1).default(1),
  ms: z.coerce.number().min(0).default(1000),
  code: z.coerce.number().int().min(1000).max(4999).default(1001),
  frames: z.coerce.number().int().min(1).max(100).default(5),
  pongs: z.union([z.boolean(), z.stringbool()]).default(true),
  how: z.enum([...(Object.keys(SPOILT) as Spoiling[]), 'ghost', 'crossed', 'empty']).default('truncated'),
  status: z.coerce.number().int().min(400).max(599).default(503),
  retry_after: z.coerce.number().min(0).optional(),
})

export type Fault = Readonly<z.infer<typeof faultSchema>>
/** What a caller writes; everything but the kind has a default. */
export type FaultSpec = Readonly<z.input<typeof faultSchema>>

export interface PlannedFault extends Fault {
  readonly id: number
  fired: number
}

/** Where a fault struck. */
export interface FiredFault {
  readonly kind: FaultKind
  readonly fault: number
  readonly venue: string
  readonly target: string
  readonly timeMs: number
}

export interface FramePoint {
  readonly venue: string
  readonly channel: string
  readonly symbol: string
  readonly connection: number
}

export interface FaultPlan {
  /** Errors: throws `INVALID_PARAMETERS` for a specification that is none. */
  add(spec: FaultSpec): PlannedFault
  clear(): void
  /** The fault that strikes this frame, if any; it counts as fired. */
  frame(point: FramePoint): Fault | undefined
  /** Some planned fault may want frames again that have been sent. */
  readonly keepsFrames: boolean
  /** The fault that strikes this request, if any; it counts as fired. */
  request(venue: string, path: string): Fault | undefined
  planned(): readonly PlannedFault[]
  /** The newest, oldest first. */
  fired(): readonly FiredFault[]
  /** By kind, since the start. */
  counts(): Readonly<Record<string, number>>
}

const FIRED_KEPT_MAX = 1000

/** A seeded plan: the same frames in the same order meet the same faults. */
export function createFaultPlan(
  random: Random,
  nowMs: () => number,
  onFire: (fault: PlannedFault, target: string) => void = () => {},
): FaultPlan {
  let plan: PlannedFault[] = []
  let lastId = 0
  const skipped = new Map<number, number>()
  const fired: FiredFault[] = []
  const counts: Record<string, number> = {}

  /** Counts the match, and says whether it is hit. */
  function strikes(fault: PlannedFault): boolean {
    const seen = skipped.get(fault.id) ?? 0
    if (seen < fault.skip) {
      skipped.set(fault.id, seen + 1)
      return false
    }
    return fault.probability === 1 || random() < fault.probability
  }

  function fire(fault: PlannedFault, venue: string, target: string): Fault {
    fault.fired++
    onFire(fault, target)
    counts[fault.kind] = (counts[fault.kind] ?? 0) + 1
    fired.push({ kind: fault.kind, fault: fault.id, venue, target, timeMs: nowMs() })
    if (fired.length > FIRED_KEPT_MAX) fired.shift()
    return fault
  }

  function find(venue: string, target: string, matches: (fault: Fault) => boolean): Fault | undefined {
    for (const fault of plan) {
      if (fault.fired >= countMax(fault) || !isIn(fault.venue, venue) || !matches(fault)) continue
      if (strikes(fault)) return fire(fault, venue, target)
    }
    return undefined
  }

  return {
    add(spec) {
      const fault: PlannedFault = { ...parse(spec), id: ++lastId, fired: 0 }
      plan.push(fault)
      return fault
    },
    clear() {
      plan = []
      skipped.clear()
    },
    frame: ({ venue, channel, symbol, connection }) =>
      find(
        venue,
        `${channel} ${symbol} #${connection}`,
        (fault) =>
          !isRest(fault) &&
          isIn(fault.channel, channel) &&
          (fault.channel !== undefined || channel !== 'answer') &&
          isIn(fault.symbol, symbol) &&
          isIn(fault.connection, connection),
      ),
    request: (venue, path) => find(venue, path, (fault) => isRest(fault) && path.includes(fault.path ?? '')),
    get keepsFrames() {
      return plan.some(({ kind }) => kind === 'rewind')
    },
    planned: () => plan,
    fired: () => fired,
    counts: () => counts,
  }
}

/** `drop,venue=okx,channel=book,count=2`: what `--fault` takes. The same names and values as the control endpoint's. */
export function faultFromText(text: string): FaultSpec {
  const [kind = '', ...pairs] = text.split(',')
  return faultFromQuery(new URLSearchParams([['kind', kind], ...pairs.map(pair)]))
}

/** Errors: throws `INVALID_PARAMETERS` for anything that is no fault. */
export function faultFromQuery(query: URLSearchParams): FaultSpec {
  const given = Object.fromEntries(query)
  parse(given)
  return given as unknown as FaultSpec
}

function parse(given: unknown): Fault {
  const result = faultSchema.safeParse(given)
  if (result.success) return result.data
  const problems = result.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`)
  throw new PrismError('INVALID_PARAMETERS', `not a fault: ${problems.join('; ')}`)
}

const pair = (text: string): [string, string] => {
  const at = text.indexOf('=')
  return at < 0 ? [text, 'true'] : [text.slice(0, at), text.slice(at + 1)]
}

const isIn = <Value>(wanted: Value | undefined, value: Value): boolean => wanted === undefined || wanted === value

const isRest = (fault: Fault): boolean => fault.kind.startsWith('rest-')

const countMax = (fault: Fault): number => fault.count ?? (fault.probability < 1 ? Number.POSITIVE_INFINITY : 1)
