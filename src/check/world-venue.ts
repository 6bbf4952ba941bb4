/** One venue of a simulated run: its market, its clock, its wire, and what faults may change of it. */

import { partSeed, seededRandom } from '../platform/random.ts'
import type { Admission, SimVenue } from '../sim/exchange.ts'
import { createMarket, type DrivenMarket } from '../sim/market.ts'
import { virtualClock, type Wall } from '../sim/virtual/clock.ts'
import type { Scope, VirtualLoop } from '../sim/virtual/loop.ts'
import type { Host } from '../sim/virtual/net.ts'
import type { TraceEntry } from './trace.ts'

/** One venue as the faults see it. */
export interface WorldVenue extends Host {
  readonly id: string
  readonly symbols: readonly string[]
  readonly market: DrivenMarket
  /** The venue's own clock. */
  readonly wall: Wall
  /** What it shows. */
  timeUs(): number
  /** Nothing but the time tells its new numbers from its old ones: its clock does not jump. */
  isClockFixed: boolean
  /** What becomes of new subscriptions: by the end of a stream's name, in lower case. */
  readonly admissions: Map<string, Treatment>
  /** REST answers come from a node that is so far behind. */
  staleMs: number
  /** It publishes nothing until then, in true time. */
  lockedUntilMs: number
  /** What it publishes of these books is crossed until then, in true time, whatever the market is. */
  readonly crossedUntilMs: Map<string, number>
  /** It has forbidden requests until then, in true time. */
  forbiddenUntilMs: number
  /** The longest handshake that a fault has made. */
  handshakeMs: number
  /** From when on nobody has a reason to ask for a symbol that is off the list, in true time. */
  readonly goneMs: Map<string, number>
  /** When it last announced that it will end its connections, in true time. */
  noticedMs: number
}

/** After so long everyone has asked for the list of instruments again. */
export const LIST_MS = 620_000

/** `refused-once`: the next request for it, and no other. */
export type Treatment = Admission | 'refused-once'

export interface WorldVenueParts {
  readonly venue: SimVenue
  readonly seed: number
  readonly loop: VirtualLoop
  readonly scope: Scope
  /** Requests may use so much weight a minute, where that is not the venue's own limit. */
  readonly weightLimit: number | undefined
  nowUs(): number
  trace(entry: TraceEntry): void
  /** What the collector tells of a stream goes into the trace. */
  show(stream: string): void
  /** The venue has confirmed a subscription. `isSilent`: and will bring nothing. */
  confirmed(stream: string, isSilent: boolean): void
  violated(rule: string): void
}

/** How far a node's answers can be behind. */
const LAG_MS_MAX = 10_000
/** How far they are at most when all is well. */
const USUAL_LAG_MS = 250

/** So long after a refusal someone looks what is told of it. */
const SHOWN_MS = 5_000

export function createWorldVenue(parts: WorldVenueParts): WorldVenue {
  const { venue, seed, loop, scope, weightLimit, violated } = parts
  const wall: Wall = { offsetUs: 0 }
  const clock = virtualClock(loop, scope, wall, true)
  const random = seededRandom(partSeed(seed, `${venue.id} wire`))
  const market = createMarket({ instruments: venue.instruments, seed: partSeed(seed, venue.id), clock })
  const made: Omit<WorldVenue, 'exchange'> = {
    id: venue.id,
    symbols: venue.instruments.map(({ symbol }) => symbol),
    market,
    wall,
    timeUs: () => clock.nowUs(),
    isClockFixed: false,
    admissions: new Map(),
    staleMs: 0,
    lockedUntilMs: 0,
    crossedUntilMs: new Map(),
    forbiddenUntilMs: 0,
    goneMs: new Map(),
    noticedMs: Number.NEGATIVE_INFINITY,
    isUnreachable: false,
    dial: undefined,
    handshakeMs: 0,
  }
  tellTrades(parts, market)
  const world = made as WorldVenue
  const exchange = venue.create({
    clock,
    random,
    market,
    violation: violated,
    timeScale: 1,
    snapshotLagMsMax: LAG_MS_MAX,
    snapshotLagMs: () => world.staleMs || random() * USUAL_LAG_MS,
    tradeLagMs: () => world.staleMs,
    admission: (stream) => admit(parts, world, stream),
  })
  if (weightLimit !== undefined) exchange.order('weight-limit', new URLSearchParams({ value: String(weightLimit) }))
  return Object.assign(world, { exchange })
}

/** The truth of trades is told before any frame of the same step. */
function tellTrades({ venue: { id }, nowUs, trace }: WorldVenueParts, market: DrivenMarket): void {
  market.onStep(({ instrument: { symbol }, trades }) => {
    const [first] = trades
    const last = trades.at(-1)
    if (first === undefined || last === undefined) return
    trace({ kind: 'traded', atUs: nowUs(), venue: id, symbol, first: first.id, last: last.id })
  })
}

/** What becomes of a wish to subscribe to `stream`. */
function admit(parts: WorldVenueParts, venue: WorldVenue, stream: string): Admission | undefined {
  const { admissions, id } = venue
  if (isGone(venue, stream.split(/[@:.]/), parts.loop.nowMs)) parts.violated('unlisted-subscribed')
  const name = stream.toLowerCase()
  const found = [...admissions].find(([part]) => name.includes(part))
  const answer = found?.[1] === 'refused-once' ? 'refused' : found?.[1]
  if (found?.[1] === 'refused-once') admissions.delete(found[0])
  parts.trace({ kind: 'asked', atUs: parts.nowUs(), venue: id, stream, answer: answer ?? 'taken' })
  if (answer === 'refused' || answer === 'busy')
    parts.loop.at(parts.loop.nowMs + SHOWN_MS, parts.scope, () => parts.show(stream))
  else parts.confirmed(stream, answer === 'silent')
  return answer
}

/** A request or a subscription that consists of `words` is for a symbol that has been off the list for long. */
export function isGone({ goneMs, forbiddenUntilMs }: WorldVenue, words: Iterable<string>, nowMs: number): boolean {
  // Who may not ask has no list.
  if (goneMs.size === 0 || nowMs < forbiddenUntilMs + LIST_MS) return false
  const asked = new Set([...words].map((word) => word.toUpperCase()))
  for (const [symbol, sinceMs] of goneMs) if (nowMs >= sinceMs && asked.has(symbol)) return true
  return false
}

/** A ban that does not say how long it lasts does so for two minutes, as is documented. */
export const pauseMs = (status: number, retryAfter: number): number =>
  status === 418 && retryAfter === 0 ? 120_000 : retryAfter * 1000
