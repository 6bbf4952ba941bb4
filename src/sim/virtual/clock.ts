import type { EpochUs } from '../../model/event.ts'
import type { Clock } from '../../platform/platform.ts'
import type { LoopEvent, Scope, VirtualLoop } from './loop.ts'

/** 2026-11-23T00:00:00Z: where virtual wall clocks start. */
export const START_US: EpochUs = 1_795_392_000_000_000

/** A wall clock beside the true time; several clocks may share one. */
export interface Wall {
  /** How far it is ahead of the truth, µs. A change is a jump. */
  offsetUs: number
}

/** A clock on the loop. Like the machine's, its wall time follows a jump forward and waits after a jump back. */
export function virtualClock(loop: VirtualLoop, scope: Scope, wall: Wall = { offsetUs: 0 }, mayGoBack = false): Clock {
  let lastUs = 0
  return {
    nowUs() {
      const nowUs = Math.floor(START_US + loop.nowMs * 1000 + wall.offsetUs)
      lastUs = mayGoBack ? nowUs : Math.max(lastUs, nowUs)
      return lastUs
    },
    monotonicMs: () => loop.nowMs,
    after(delayMs, action) {
      const event = loop.at(loop.nowMs + Math.max(0, delayMs), scope, action)
      return () => {
        event.action = undefined
      }
    },
    every(intervalMs, action) {
      let event: LoopEvent
      const next = () => {
        event = loop.at(loop.nowMs + Math.max(1, intervalMs), scope, () => {
          next()
          action()
        })
      }
      next()
      return () => {
        event.action = undefined
      }
    },
  }
}

/** The same clock for code whose timers go on with promises: the loop lets all of it happen before time passes. */
export function settlingClock(loop: VirtualLoop, clock: Clock): Clock {
  const settling = (action: () => void) => () => {
    loop.settled()
    action()
  }
  return {
    ...clock,
    after: (delayMs, action) => clock.after(delayMs, settling(action)),
    every: (intervalMs, action) => clock.every(intervalMs, settling(action)),
  }
}
