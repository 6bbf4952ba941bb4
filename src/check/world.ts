/** Everything that a simulated run consists of: venues, network, machine, and the trace of what happens between them. */

import { CHANNELS, type Channel } from '../model/event.ts'
import type { Logger } from '../ops/log.ts'
import type { Random } from '../platform/platform.ts'
import { partSeed, seededRandom } from '../platform/random.ts'
import type { SimVenue } from '../sim/exchange.ts'
import {
  createFaultPlan,
  type FaultPlan,
  type FaultSpec,
  type PlannedFault as PlannedFrameFault,
} from '../sim/faults.ts'
import type { DrivenMarket } from '../sim/market.ts'
import { START_US, type Wall } from '../sim/virtual/clock.ts'
import { VirtualDisk } from '../sim/virtual/disk.ts'
import { Scope, VirtualLoop } from '../sim/virtual/loop.ts'
import { VirtualNetwork } from '../sim/virtual/net.ts'
import type { SinkFactory } from '../sinks/index.ts'
import { onceHeard } from './hearing.ts'
import { Machine } from './machine.ts'
import { type Scenario, topicNamed } from './scenario.ts'
import type { StreamKey, TraceEntry } from './trace.ts'
import { BookFrames, ForgedBooks } from './world-frames.ts'
import { createWorldVenue, isGone, pauseMs, type WorldVenue } from './world-venue.ts'

export type { WorldVenue } from './world-venue.ts'

export interface WorldOptions {
  readonly scenario: Scenario
  readonly seed: number
  readonly logger?: Logger | undefined
  readonly sinks?: readonly SinkFactory[] | undefined
  trace(entry: TraceEntry): void
}

/** What a fault's effects are confined to. */
export type FaultScope = Partial<StreamKey>

interface Armed {
  readonly name: string
  readonly scope: FaultScope
  /** What else happens when it strikes. */
  readonly then: (() => void) | undefined
}

/** Rules that a client breaks by not answering, and for how long after a fault of its network or its process it may. */
const ANSWER_RULES: ReadonlySet<string> = new Set(['heartbeat', 'pong', 'idle'])
const EXCUSED_MS = 130_000
const RESTARTED_MS = 2_000
/** Faults whose ends are others when the machine's clock jumps or it stands still. */
const LASTING = /^(disk|sync|symbol|rest-(banned|limited))|stalled$/
/** What a fault leaves behind is noticed, and made good, within this. */
const RETOLD_MS = 30_000
/** Who was told to wait, for however short a time, does not ask again before this. */
const FORBIDDEN_MS_MIN = 1_000

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
  readonly #armed = new Map<number, Armed>()
  #disturbedUntilMs = 0
  readonly #forged = new ForgedBooks()
  readonly #bookFrames = new BookFrames()
  /** Faults that last, and until when, in true time. */
  readonly #lasting: { readonly name: string; readonly scope: FaultScope; readonly untilMs: number }[] = []
  #awaitedUntilMs = 0

  constructor({ scenario, seed, logger, sinks, trace }: WorldOptions) {
    this.#trace = (entry) => {
      if (entry.kind === 'event') this.#forged.note(entry.event)
      if (entry.kind === 'process' && entry.state !== 'started') this.#forgetBans()
      trace(entry)
    }
    this.random = seededRandom(partSeed(seed, 'world'))
    this.faults = createFaultPlan(
      seededRandom(partSeed(seed, 'faults')),
      () => this.loop.nowMs,
      (fault, target) => this.#fired(fault, target),
    )
    this.venues = new Map(scenario.venues.map((venue) => [venue.id, this.#venue(venue, seed, scenario)]))
    this.disk = new VirtualDisk(this.loop, seededRandom(partSeed(seed, 'disk')))
    this.disk.onDurable = (_path, text) => this.#durable(text)
    this.network = new VirtualNetwork({
      loop: this.loop,
      random: seededRandom(partSeed(seed, 'network')),
      serverScope: this.scope,
      hosts: this.venues,
      faults: this.faults,
      onState: (venue, connection, state, isOurs) => {
        trace({ kind: 'connection', atUs: this.nowUs(), venue, connection, state, ...(isOurs && { isOurs }) })
      },
      onDial: (venue, connection, endpoint) => {
        trace({ kind: 'connection', atUs: this.nowUs(), venue, connection, state: 'dialled', endpoint })
      },
      onForgotten: (venue) => this.#violated(venue, 'silent-client'),
      onFrame: (venue, connection, channel, symbol, frame) => {
        if (!isChannel(channel)) return
        const fate = frame.isDelivered ? 'delivered' : 'lost'
        if (channel === 'book') this.#bookFrames.note(`${venue} ${symbol}`, connection, frame)
        trace({ kind: 'frame', atUs: this.nowUs(), venue, channel, symbol, connection, fate })
      },
      onSubscribed: (venue, connection, channel, symbol, isOn) => {
        if (isChannel(channel))
          trace({ kind: isOn ? 'subscribed' : 'unsubscribed', atUs: this.nowUs(), venue, channel, symbol, connection })
      },
      onRequest: (id, query) => {
        const venue = this.venue(id)
        if (this.loop.nowMs < venue.forbiddenUntilMs) this.#violated(id, 'request-while-forbidden')
        if (isGone(venue, query.values(), this.loop.nowMs)) this.#violated(id, 'unlisted-requested')
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
      sinks,
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
    const { lockedUntilMs, crossedUntilMs } = this.venue(venue)
    const isLocked = this.loop.nowMs < Math.max(lockedUntilMs, crossedUntilMs.get(symbol) ?? 0)
    const isHeld = this.network
      .connections(venue)
      .some(({ link, peer }) => link.isHolding || peer.isFrozen || peer.isHolding(`book ${symbol}`))
    const isLost = this.#bookFrames.isLost(`${venue} ${symbol}`, (connection) => this.network.has(connection))
    return isLocked || isHeld || this.machine.isStalled || isLost
  }

  /** A level was forged into the symbol's book since it was last built: it is wrong until someone finds out. */
  isForged(venue: string, symbol: string): boolean {
    return this.#forged.has(`${venue} ${symbol}`)
  }

  /** The venue has confirmed that it sends the symbol's book, and does not: in a quiet market nobody can know. */
  isSilent(venue: string, symbol: string): boolean {
    return this.#bookFrames.isSilent(`${venue} ${symbol}`)
  }

  /** A fault goes on until someone does something about it, or until its time is over. */
  get isDisturbed(): boolean {
    const isCut = this.network
      .connections()
      .some(({ link, peer }) => link.isCut || link.isAlone || peer.isFrozen || peer.isMuted)
    const isUnheard = isCut || this.#bookFrames.hasSilent
    return isUnheard || this.machine.isStalled || this.loop.nowMs < this.#awaitedUntilMs
  }

  get hasForgedBooks(): boolean {
    return this.#forged.hasAny
  }

  /** A fault struck whose effects are confined to `scope`. `skippedMs`: the wall clock leaves so much out. */
  struck(name: string, scope: FaultScope, lastsMs?: number, { skippedMs = 0, isAgain = false } = {}): void {
    const atUs = this.nowUs()
    const untilUs = lastsMs === undefined ? {} : { untilUs: atUs + (lastsMs + skippedMs) * 1000 }
    this.trace({ kind: 'fault', atUs, fault: name, ...scope, ...untilUs, ...(isAgain && { isAgain }) })
    if (lastsMs !== undefined) this.#lasting.push({ name, scope, untilMs: this.loop.nowMs + lastsMs })
    if (scope.symbol === undefined)
      this.#disturbedUntilMs = Math.max(this.#disturbedUntilMs, this.loop.nowMs + (lastsMs ?? 0) + EXCUSED_MS)
  }

  /** The clock has jumped, or nobody notices anything for `lastsMs`: of what lasts the trace has the new times. */
  retell(lastsMs = 0): void {
    const { nowMs } = this.loop
    const untold = this.#lasting.splice(0).filter(({ name }) => LASTING.test(name))
    for (const { name, scope, untilMs } of untold)
      if (untilMs + RETOLD_MS > nowMs) this.struck(name, scope, Math.max(lastsMs, untilMs - nowMs), { isAgain: true })
  }

  /** The next frames or answers that match meet the fault; the trace has it when they do. */
  arm(name: string, scope: FaultScope, spec: FaultSpec, then?: () => void): void {
    this.#armed.set(this.faults.add(spec).id, { name, scope, then })
  }

  /** The run goes on for so long at least: what someone has to notice takes its time. */
  awaits(ms: number): void {
    this.#awaitedUntilMs = Math.max(this.#awaitedUntilMs, this.loop.nowMs + ms)
  }

  #fired({ id, kind, retry_after, venue = '', symbol = '', ...fault }: PlannedFrameFault, target: string): void {
    const armed = this.#armed.get(id)
    // What becomes of frames for a client that has gone touches nobody.
    const connection = CONNECTION.exec(target)?.[1]
    if (armed === undefined || (connection !== undefined && !this.network.has(Number(connection)))) return
    const lastsMs = kind === 'rest-status' && retry_after !== undefined ? pauseMs(fault.status, retry_after) : undefined
    this.struck(armed.name, armed.scope, lastsMs)
    armed.then?.()
    // Of other spoilt frames nobody can tell whose they are, and what is lost besides does not come at all.
    const isOwned = (fault.how === 'truncated' || fault.how === 'type') && !this.network.isCut(Number(connection))
    if (kind === 'malformed' && fault.channel === 'book' && isOwned) this.#bookFrames.spoil(`${venue} ${symbol}`)
    if (kind === 'forged') this.#forged.add(`${venue} ${symbol}`)
    else if (kind === 'rest-forged')
      for (const each of this.venue(venue).symbols) if (target.includes(each)) this.#forged.add(`${venue} ${each}`)
    // Requests that are under way do not know it yet.
    if (lastsMs !== undefined) this.#forbid(this.venue(venue), Math.max(FORBIDDEN_MS_MIN, lastsMs))
  }

  /** What the disk did not take before the process ended the next one cannot know. */
  #forgetBans(): void {
    if (!this.disk.isTroubled && !this.disk.isSlow) return
    for (const venue of this.venues.values()) venue.forbiddenUntilMs = 0
  }

  #forbid(venue: WorldVenue, lastsMs: number): void {
    const untilMs = this.loop.nowMs + lastsMs
    onceHeard(
      this.machine,
      (delayMs, action) => this.after(delayMs, action),
      () => {
        venue.forbiddenUntilMs = Math.max(venue.forbiddenUntilMs, untilMs)
      },
    )
  }

  after(delayMs: number, action: () => void): void {
    this.loop.at(this.loop.nowMs + delayMs, this.scope, action)
  }

  get markets(): readonly DrivenMarket[] {
    return [...this.venues.values()].map(({ market }) => market)
  }

  #venue(venue: SimVenue, seed: number, scenario: Scenario): WorldVenue {
    return createWorldVenue({
      venue,
      seed,
      loop: this.loop,
      scope: this.scope,
      weightLimit: scenario.weightLimits[venue.id],
      nowUs: () => this.nowUs(),
      trace: (entry) => this.#trace(entry),
      show: (stream) => this.machine.show(venue.id, stream),
      confirmed: (stream, isSilent) => {
        const { channel, symbol } = topicNamed(scenario, venue.id, stream) ?? {}
        if (channel === 'book') this.#bookFrames.subscribed(`${venue.id} ${symbol}`, isSilent)
      },
      violated: (rule) => {
        if (!this.#isExcused(rule, this.venue(venue.id))) this.#violated(venue.id, rule)
      },
    })
  }

  /** A process cannot answer what does not reach it, and knows nothing of how often the one before has connected. */
  #isExcused(rule: string, { handshakeMs }: WorldVenue): boolean {
    // Dials that were apart come together when a handshake takes seconds.
    if (rule === 'connects') return this.loop.nowMs < this.machine.restartedMs + RESTARTED_MS + handshakeMs
    return ANSWER_RULES.has(rule) && this.loop.nowMs < this.#disturbedUntilMs
  }

  #violated(venue: string, rule: string): void {
    this.#trace({ kind: 'violation', atUs: this.nowUs(), venue, rule })
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
const isChannel = (text: string): text is Channel => (CHANNELS as readonly string[]).includes(text)
