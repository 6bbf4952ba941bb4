import type { Clock } from '../platform/platform.ts'

/** A rule of a venue that a client broke. */
export interface Violation {
  readonly venue: string
  readonly rule: string
  readonly detail: string
  readonly timeMs: number
}

export interface FrameCount {
  readonly venue: string
  readonly channel: string
  readonly symbol: string
  readonly count: number
}

/** What a server has sent, was asked, and has to complain of. */
export interface Tally {
  frame(venue: string, channel: string, symbol: string): void
  request(venue: string, path: string): void
  violation(venue: string, rule: string, detail: string): void
  frames(): readonly FrameCount[]
  requests(): Readonly<Record<string, number>>
  /** The first thousand, oldest first. */
  violations(): readonly Violation[]
}

const VIOLATIONS_KEPT_MAX = 1000

export function createTally(clock: Clock): Tally {
  const frames = new Map<string, { venue: string; channel: string; symbol: string; count: number }>()
  const requests: Record<string, number> = {}
  const violations: Violation[] = []
  return {
    frame(venue, channel, symbol) {
      const key = `${venue} ${channel} ${symbol}`
      const known = frames.get(key)
      if (known) known.count++
      else frames.set(key, { venue, channel, symbol, count: 1 })
    },
    request(venue, path) {
      const key = `${venue} ${path}`
      requests[key] = (requests[key] ?? 0) + 1
    },
    violation(venue, rule, detail) {
      if (violations.length >= VIOLATIONS_KEPT_MAX) return
      violations.push({ venue, rule, detail, timeMs: Math.floor(clock.nowUs() / 1000) })
    },
    frames: () => [...frames.values()],
    requests: () => requests,
    violations: () => violations,
  }
}
