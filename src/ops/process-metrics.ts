/** What the process itself uses, and how late its event loop is. */

import { readdirSync } from 'node:fs'
import { totalmem } from 'node:os'
import type { Clock } from '../platform/platform.ts'
import type { RootLogger } from './log.ts'
import type { Metrics } from './metrics.ts'

/** The event loop is asked this often. */
const TICK_MS = 50
const SECONDS_KEPT = 60
const TICKS_PER_SECOND = 1000 / TICK_MS

/** How late timers are, in milliseconds. */
export interface EventLoopWatch {
  /** The last timer. */
  lagMs(): number
  /** The latest timer of the last minute. */
  lagMaxMs(): number
  stop(): void
}

/** Measures how late a timer of 50 ms is, again and again. */
export function watchEventLoop(clock: Clock): EventLoopWatch {
  const worst = new Float64Array(SECONDS_KEPT)
  let previousMs = clock.monotonicMs()
  let lastLagMs = 0
  let tick = 0
  const stop = clock.every(TICK_MS, () => {
    const nowMs = clock.monotonicMs()
    lastLagMs = Math.max(0, nowMs - previousMs - TICK_MS)
    previousMs = nowMs
    const slot = Math.floor(tick / TICKS_PER_SECOND) % SECONDS_KEPT
    worst[slot] = tick % TICKS_PER_SECOND === 0 ? lastLagMs : Math.max(worst[slot] ?? 0, lastLagMs)
    tick++
  })
  return { lagMs: () => lastLagMs, lagMaxMs: () => Math.max(...worst), stop }
}

export interface ProcessSources {
  readonly metrics: Metrics
  readonly clock: Clock
  /** The program's. */
  readonly version: string
  readonly loop: EventLoopWatch
  readonly logger: Pick<RootLogger, 'lostLines'>
}

/** Makes the process, its event loop and its log visible. */
export function exposeProcess({ metrics, clock, version, loop, logger }: ProcessSources): void {
  metrics.gauge('buildInfo', { version, node: process.version }).value = 1
  metrics.gauge('processStart', {}).value = clock.nowUs() / 1e6 - process.uptime()
  metrics.computed('processResident', () => [unlabelled(process.memoryUsage.rss())])
  metrics.computed('memoryLimit', () => [unlabelled(memoryLimitBytes())])
  metrics.computed('processHeap', () => [unlabelled(process.memoryUsage().heapUsed)])
  metrics.computed('processCpu', () => {
    const { user, system } = process.cpuUsage()
    return [unlabelled((user + system) / 1e6)]
  })
  metrics.computed('processFds', () => openDescriptors().map(unlabelled))
  metrics.computed('eventLoopLag', () => [unlabelled(loop.lagMs() / 1000)])
  metrics.computed('eventLoopLagMax', () => [unlabelled(loop.lagMaxMs() / 1000)])
  metrics.computed('logLinesLost', () => [unlabelled(logger.lostLines)])
}

const unlabelled = (value: number) => ({ labels: {}, value })

/** A container without a limit tells none, or one beyond what there is. */
function memoryLimitBytes(): number {
  const ofContainer = process.constrainedMemory()
  return ofContainer > 0 ? Math.min(ofContainer, totalmem()) : totalmem()
}

/** Nothing where the system has no `/proc`. */
function openDescriptors(): readonly number[] {
  try {
    return [readdirSync('/proc/self/fd').length]
  } catch {
    return []
  }
}
