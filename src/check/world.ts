/** Everything that a simulated run consists of: venues, network, machine, and the trace of what happens between them. */

import { type BookDelta, type BookSnapshot, CHANNELS, type Channel, type MarketEvent } from '../model/event.ts'
import type { Logger } from '../ops/log.ts'
import type { Random } from '../platform/platform.ts'
import { partSeed, seededRandom } from '../platform/random.ts'
import type { Admission, SimVenue } from '../sim/exchange.ts'
import {
  createFaultPlan,
  type FaultPlan,
  type FaultSpec,
  type PlannedFault as PlannedFrameFault,
} from '../sim/faults.ts'
import { createMarket, type DrivenMarket } from '../sim/market.ts'
import { FORGED_QUANTITY } from '../sim/tamper.ts'
import { START_US, virtualClock, type Wall } from '../sim/virtual/clock.ts'
import { VirtualDisk } from '../sim/virtual/disk.ts'
import { Scope, VirtualLoop } from '../sim/virtual/loop.ts'
import { type Host, VirtualNetwork } from '../sim/virtual/net.ts'
import { Machine } from './machine.ts'
import type { Scenario } from './scenario.ts'
import type { StreamKey, TraceEntry } from './trace.ts'

export interface WorldOptions {
  readonly scenario: Scenario
  readonly seed: number
  readonly logger?: Logger | undefined
  trace(entry: TraceEntry): void
}

/** One venue as the faults see it. */
export interface WorldVenue extends Host {
  readonly id: string
  readonly symbols: readonly string[]
  readonly market: DrivenMarket
  /** The venue's own clock. */
  readonly wall: Wall
  /** What becomes of new subscriptions: by the end of a stream's name, in lower case. */
  readonly admissions: Map<string, Admission>
  /** REST answers come from a node that is so far behind. */
  staleMs: number
  /** It publishes nothing until then, in true time. */
  lockedUntilMs: number
  /** It has forbidden requests until then, in true time. */
  forbiddenUntilMs: number
}

/** What a fault's effects are confined to. */
export type FaultScope = Partial<StreamKey>

/** How far a node's answers can be behind. */
const LAG_MS_MAX = 10_000
/** How far they are at most when all is well. */
const USUAL_LAG_MS = 250
/** Rules that a client breaks by not answering, and for how long after a fault of its network or its process it may. */
const ANSWER_RULES: ReadonlySet<string> = new Set(['heartbeat', 'pong', 'idle'])
const EXCUSED_MS = 130_000
/** By then the machine has the answer that forbids requests, and no older request is under way. */
const FORBIDDEN_GRACE_MS = 700

export class World {
  readonly loop = new VirtualLoop()
  readonly random: Random
  readonly faults: FaultPlan
  readonly venues: ReadonlyMap<string, WorldVenue>
  readonly network: VirtualNetwork
  readonly disk: VirtualDisk
  readonly machine: Machine
  /** The machine's wall clock. */
  readonly wall: Wall = { offsetUs: 0 }
  /** Never dies: the venues, and the faults. */
  readonly scope = new Scope()
  readonly #trace: (entry: TraceEntry) => void
  /** Faults of frames and answers that wait for theirs: what the trace says when they strike. */
  readonly #armed = new Map<number, { readonly name: string; readonly scope: FaultScope }>()
  #disturbedUntilMs = 0
  readonly #forged = new Set<string>()
  /** Of each book: when its newest frame was made, and whether it came, as the last of all. */
  readonly #newest = new Map<string, { readonly madeMs: number; readonly isThere: boolean }>()

  constructor({ scenario, seed, logger, trace }: WorldOptions) {
    this.#trace = (entry) => {
      if (entry.kind === 'event') this.#noteForged(entry.event)
      if (entry.kind === 'process' && entry.state !== 'started' && this.disk.isTroubled) this.#forgetBans()
      trace(entry)
    }
    this.random = seededRandom(partSeed(seed, 'world'))
    this.faults = createFaultPlan(
      seededRandom(partSeed(seed, 'faults')),
      () => this.loop.nowMs,
      (fault, target) => this.#fired(fault, target),
    )
    this.venues = new Map(scenario.venues.map((venue) => [venue.id, this.#venue(venue, seed)]))
    this.disk = new VirtualDisk(this.loop, seededRandom(partSeed(seed, 'disk')))
    this.disk.onDurable = (_path, text) => this.#durable(text)
    this.network = new VirtualNetwork({
      loop: this.loop,
      random: seededRandom(partSeed(seed, 'network')),
      serverScope: this.scope,
      hosts: this.venues,
      faults: this.faults,
      onState: (venue, connection, state) => {
        trace({ kind: 'connection', atUs: this.nowUs(), venue, connection, state })
      },
      onFrame: (venue, connection, channel, symbol, { isDelivered, madeMs }) => {
        if (!isChannel(channel)) return
        const fate = isDelivered ? 'delivered' : 'lost'
        if (channel === 'book') this.#noteNewest(`${venue} ${symbol}`, isDelivered, madeMs)
        trace({ kind: 'frame', atUs: this.nowUs(), venue, channel, symbol, connection, fate })
      },
      onJoined: (venue, connection, channel, symbol) => {
        if (isChannel(channel)) trace({ kind: 'subscribed', atUs: this.nowUs(), venue, channel, symbol, connection })
      },
      onRequest: (id) => {
        const { forbiddenUntilMs } = this.venue(id)
        if (this.loop.nowMs < forbiddenUntilMs)
          trace({ kind: 'violation', atUs: this.nowUs(), venue: id, rule: 'request-while-forbidden' })
      },
    })
    this.machine = new Machine({
      scenario,
      seed,
      loop: this.loop,
      network: this.network,
      disk: this.disk,
      wall: this.wall,
      logger,
      nowUs: () => this.nowUs(),
      trace: (entry) => this.#trace(entry),
    })
  }

  /** What the machine's wall clock shows. */
  nowUs(): number {
    return Math.floor(START_US + this.loop.nowMs * 1000 + this.wall.offsetUs)
  }

  trace(entry: TraceEntry): void {
    this.#trace(entry)
  }

  venue(id: string): WorldVenue {
    const venue = this.venues.get(id)
    if (venue === undefined) throw new RangeError(`no venue '${id}' in this world`)
    return venue
  }

  /** Nobody can say yet what the symbol's book should be: frames are held back or delayed, or the newest one was lost. */
  isUnderWay(venue: string, symbol: string): boolean {
    const isLocked = this.loop.nowMs < this.venue(venue).lockedUntilMs
    const isHeld = this.network
      .connections(venue)
      .some(({ link, peer }) => link.isHolding || peer.isFrozen || peer.isHolding(`book ${symbol}`))
    return isLocked || isHeld || this.machine.isStalled || this.#newest.get(`${venue} ${symbol}`)?.isThere === false
  }

  /** A frame that comes behind a newer one has nothing to follow, and that one is of no use. */
  #noteNewest(book: string, isDelivered: boolean, madeMs: number): void {
    const { madeMs: newestMs = 0 } = this.#newest.get(book) ?? {}
    const isNewest = madeMs >= newestMs
    this.#newest.set(book, { madeMs: Math.max(madeMs, newestMs), isThere: isDelivered && isNewest })
  }

  /** A forged change may wait for the snapshot that it follows. */
  #noteForged(event: MarketEvent): void {
    if (event.type !== 'book_snapshot' && event.type !== 'book_delta') return
    const book = `${event.venue} ${event.symbol}`
    if (hasForgedLevel(event)) this.#forged.add(book)
    else if (event.type === 'book_snapshot') this.#forged.delete(book)
  }

  /** A level was forged into the symbol's book since it was last built: it is wrong until someone finds out. */
  isForged(venue: string, symbol: string): boolean {
    return this.#forged.has(`${venue} ${symbol}`)
  }

  /** A fault goes on until someone does something about it, or until its time is over. */
  get isDisturbed(): boolean {
    const isCut = this.network
      .connections()
      .some(({ link, peer }) => link.isCut || link.isAlone || peer.isFrozen || peer.isMuted)
    return isCut || this.machine.isStalled
  }

  get hasForgedBooks(): boolean {
    return this.#forged.size > 0
  }

  /** A fault struck whose effects are confined to `scope`. */
  struck(name: string, scope: FaultScope, lastsMs?: number): void {
    const atUs = this.nowUs()
    const untilUs = lastsMs === undefined ? {} : { untilUs: atUs + lastsMs * 1000 }
    this.trace({ kind: 'fault', atUs, fault: name, ...scope, ...untilUs })
    if (scope.symbol === undefined)
      this.#disturbedUntilMs = Math.max(this.#disturbedUntilMs, this.loop.nowMs + (lastsMs ?? 0) + EXCUSED_MS)
  }

  /** The next frames or answers that match meet the fault; the trace has it when they do. */
  arm(name: string, scope: FaultScope, spec: FaultSpec): void {
    this.#armed.set(this.faults.add(spec).id, { name, scope })
  }

  #fired({ id, kind, retry_after, venue = '', symbol = '' }: PlannedFrameFault, target: string): void {
    const armed = this.#armed.get(id)
    // What becomes of frames for a client that has gone touches nobody.
    const connection = CONNECTION.exec(target)?.[1]
    if (armed === undefined || (connection !== undefined && !this.network.has(Number(connection)))) return
    const lastsMs = kind === 'rest-status' && retry_after !== undefined ? retry_after * 1000 : undefined
    this.struck(armed.name, armed.scope, lastsMs)
    if (kind === 'forged') this.#forged.add(`${venue} ${symbol}`)
    else if (kind === 'rest-forged')
      for (const each of this.venue(venue).symbols) if (target.includes(each)) this.#forged.add(`${venue} ${each}`)
    // Requests that are under way do not know it yet.
    if (lastsMs !== undefined && lastsMs > FORBIDDEN_GRACE_MS) this.#forbid(this.venue(venue), lastsMs)
  }

  /** What the disk did not take before the process ended the next one cannot know. */
  #forgetBans(): void {
    for (const venue of this.venues.values()) venue.forbiddenUntilMs = 0
  }

  #forbid(venue: WorldVenue, lastsMs: number): void {
    const untilMs = this.loop.nowMs + lastsMs
    this.after(FORBIDDEN_GRACE_MS, () => {
      venue.forbiddenUntilMs = Math.max(venue.forbiddenUntilMs, untilMs)
    })
  }

  after(delayMs: number, action: () => void): void {
    this.loop.at(this.loop.nowMs + delayMs, this.scope, action)
  }

  startMarkets(): void {
    for (const { market } of this.venues.values()) market.start()
  }

  stopMarkets(): void {
    for (const { market } of this.venues.values()) market.stop()
  }

  #venue(venue: SimVenue, seed: number): WorldVenue {
    const wall: Wall = { offsetUs: 0 }
    const clock = virtualClock(this.loop, this.scope, wall, true)
    const random = seededRandom(partSeed(seed, `${venue.id} wire`))
    const market = createMarket({ instruments: venue.instruments, seed: partSeed(seed, venue.id), clock })
    const admissions = new Map<string, Admission>()
    const made: Omit<WorldVenue, 'exchange'> = {
      id: venue.id,
      symbols: venue.instruments.map(({ symbol }) => symbol),
      market,
      wall,
      admissions,
      staleMs: 0,
      lockedUntilMs: 0,
      forbiddenUntilMs: 0,
      isUnreachable: false,
      dial: undefined,
    }
    // The truth of trades is told before any frame of the same step.
    market.onStep(({ instrument: { symbol }, trades }) => {
      const [first] = trades
      const last = trades.at(-1)
      if (first === undefined || last === undefined) return
      const range = { first: first.id, last: last.id }
      this.#trace({ kind: 'traded', atUs: this.nowUs(), venue: venue.id, symbol, ...range })
    })
    const world = made as WorldVenue
    const exchange = venue.create({
      clock,
      random,
      market,
      violation: (rule) => {
        if (!ANSWER_RULES.has(rule) || this.loop.nowMs >= this.#disturbedUntilMs)
          this.#trace({ kind: 'violation', atUs: this.nowUs(), venue: venue.id, rule })
      },
      timeScale: 1,
      snapshotLagMsMax: LAG_MS_MAX,
      snapshotLagMs: () => world.staleMs || random() * USUAL_LAG_MS,
      admission: (stream) => admissionOf(admissions, stream),
    })
    return Object.assign(world, { exchange })
  }

  /** Gap events that the machine's disk now holds for certain. */
  #durable(text: string): void {
    for (const [, id = ''] of text.matchAll(/"id":"([^"]+:gap:[^"]+)"/g)) {
      this.#trace({ kind: 'durable', atUs: this.nowUs(), id })
    }
  }
}

/** The connection in the name of a frame's stream. */
const CONNECTION = / #(\d+)$/

const hasForgedLevel = ({ bids }: BookSnapshot | BookDelta): boolean =>
  bids.some(([, quantity]) => Number(quantity) === FORGED_QUANTITY)

const isChannel = (text: string): text is Channel => (CHANNELS as readonly string[]).includes(text)

function admissionOf(admissions: ReadonlyMap<string, Admission>, stream: string): Admission | undefined {
  if (admissions.size === 0) return undefined
  const name = stream.toLowerCase()
  for (const [part, admission] of admissions) if (name.includes(part)) return admission
  return undefined
}
