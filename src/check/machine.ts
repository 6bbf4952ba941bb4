/** The machine that the collector runs on: one process after another, on one disk, with one wall clock. */

import { Collector } from '../collector/collector.ts'
import { errorText } from '../model/errors.ts'
import { type Logger, silentLogger } from '../ops/log.ts'
import { createMetrics } from '../ops/metrics.ts'
import type { Clock, Platform, Random } from '../platform/platform.ts'
import { partSeed, seededRandom } from '../platform/random.ts'
import { virtualClock, type Wall } from '../sim/virtual/clock.ts'
import type { VirtualDisk } from '../sim/virtual/disk.ts'
import { Scope, type VirtualLoop } from '../sim/virtual/loop.ts'
import type { VirtualNetwork } from '../sim/virtual/net.ts'
import { VirtualProcesses } from '../sim/virtual/processes.ts'
import type { SinkFactory } from '../sinks/index.ts'
import { type Scenario, topicNamed } from './scenario.ts'
import type { TraceEntry } from './trace.ts'

export interface MachineParts {
  readonly scenario: Scenario
  readonly seed: number
  readonly loop: VirtualLoop
  readonly network: VirtualNetwork
  readonly disk: VirtualDisk
  readonly wall: Wall
  readonly logger?: Logger | undefined
  /** Where events go; there is a durable log then. */
  readonly sinks?: readonly SinkFactory[] | undefined
  nowUs(): number
  trace(entry: TraceEntry): void
}

export class Machine {
  readonly #parts: MachineParts
  readonly #processes = new VirtualProcesses()
  #starts = 0
  /** When the process began, if another one had ended before, in true time. */
  restartedMs = Number.NEGATIVE_INFINITY
  #stalls = 0
  #scope: Scope | undefined
  #collector: Collector | undefined
  #clock: Clock | undefined
  /** What ended a process that nobody ended. */
  crash: string | undefined

  constructor(parts: MachineParts) {
    this.#parts = parts
    parts.loop.onCrash = (error, scope) => {
      if (scope !== this.#scope) throw error
      this.crashed(error)
    }
  }

  /** `undefined` while no process runs. */
  get collector(): Collector | undefined {
    return this.#collector
  }

  /** Nothing happens while one runs. */
  start(): void {
    if (this.#scope !== undefined) return
    const { scenario, seed, logger = silentLogger, sinks = [] } = this.#parts
    if (this.#starts > 0) this.restartedMs = this.#parts.loop.nowMs
    this.#starts++
    const scope = new Scope()
    this.#scope = scope
    this.#process('started')
    const metrics = createMetrics({ venues: scenario.collected.map(({ id }) => id), constLabels: {} })
    const platform = this.#platform(scope, seededRandom(partSeed(seed, `process ${this.#starts}`)))
    const { config, collected } = scenario
    const collector = new Collector({ config, venues: collected, platform, metrics, logger, sinks })
    this.#collector = collector
    this.#clock = platform.clock
    collector.subscribe((event) => this.#parts.trace({ kind: 'event', atUs: this.#parts.nowUs(), event }))
    collector.start().catch((error: unknown) => {
      if (scope === this.#scope) this.crashed(error)
    })
  }

  /** As by `kill -9`; `isPowerLoss`: the whole machine. */
  kill(isPowerLoss = false): void {
    if (!this.#end()) return
    if (isPowerLoss) {
      this.#parts.disk.losePower()
      this.#processes.boot++
    }
    this.#process('killed', isPowerLoss)
  }

  /** As by SIGTERM. While the disk takes nothing that is no better than a kill. */
  stop(): void {
    const collector = this.#collector
    if (collector === undefined) return
    const stopped = collector.stop()
    const scope = this.#scope
    if (this.#parts.sinks === undefined) this.#stopped()
    // The log is closed first; a kill may come before.
    else void stopped.then(() => scope === this.#scope && this.#stopped())
  }

  #stopped(): void {
    this.#end()
    this.#process(this.#parts.disk.isTroubled ? 'killed' : 'stopped')
  }

  /** The process looks at its clock, so that it knows when the wall clock jumps. */
  readClock(): void {
    this.#clock?.nowUs()
  }

  /** Writes down what the process tells of the stream that the venue calls so. */
  show(venue: string, stream: string): void {
    const { scenario, nowUs, trace } = this.#parts
    const topic = topicNamed(scenario, venue, stream)
    const feed = this.#collector
      ?.feeds()
      .find((each) => each.venue === venue && each.channel === topic?.channel && each.symbol === topic.symbol)
    if (feed === undefined) return
    const { channel, symbol, state, reason, openGap } = feed
    const hasOpenGap = openGap !== undefined
    trace({ kind: 'shown', atUs: nowUs(), venue, channel, symbol, stream, state, reason, hasOpenGap })
  }

  get isStalled(): boolean {
    return this.#scope?.held !== undefined
  }

  /** The process gets no time until `wake`. */
  stall(): void {
    this.#stalls++
    if (this.#scope !== undefined) this.#parts.loop.stall(this.#scope)
  }

  /** The process goes on when every stall has ended. */
  wake(areTimersFirst: boolean): void {
    this.#stalls--
    if (this.#scope !== undefined && this.#stalls === 0) this.#parts.loop.wake(this.#scope, areTimersFirst)
  }

  /** An exception that nobody caught ends a process. */
  crashed(error: unknown): void {
    this.crash ??= error instanceof Error ? (error.stack ?? error.message) : errorText(error)
    this.kill()
  }

  #end(): boolean {
    const { network } = this.#parts
    if (this.#scope === undefined) return false
    this.#scope.isAlive = false
    network.abandon(this.#scope)
    this.#scope = undefined
    this.#collector = undefined
    return true
  }

  #platform(scope: Scope, random: Random): Platform {
    const { loop, network, disk, wall } = this.#parts
    return {
      clock: virtualClock(loop, scope, wall),
      random,
      net: network.net(scope),
      http: network.http(scope),
      files: disk.files(scope),
      processes: this.#processes.of(scope),
    }
  }

  #process(state: 'started' | 'killed' | 'stopped', isPowerLoss = false): void {
    this.#parts.trace({ kind: 'process', atUs: this.#parts.nowUs(), state, ...(isPowerLoss && { isPowerLoss }) })
  }
}
