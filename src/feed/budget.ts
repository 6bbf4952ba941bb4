/** What a venue lets us ask for in each window, by our own count and by what it reports. Pure: times are given. */

import type { RestBudget } from '../venues/venue.ts'
import { Window } from './window.ts'

/** Share of a venue's limit that we use; others may share our address. */
export const BUDGET_SHARE = 0.8
/** Who waits for another's answer is looked at when it comes, and so often. */
const PROBE_MS = 1_000

export class Budget {
  readonly #window: Window
  readonly #windowMs: number
  /** Weight that the venue reported as used in its window, which ends at `endMs`, monotonic. */
  #reported = { weight: 0, endMs: 0 }
  /** Weight of the requests under way, which no report contains for certain. */
  underWay = 0

  constructor({ limit, windowMs }: RestBudget) {
    this.#window = new Window(Math.max(1, Math.floor(limit * BUDGET_SHARE)), windowMs)
    this.#windowMs = windowMs
  }

  /** Weight that may be used in a window. */
  get limit(): number {
    return this.#window.limit
  }

  used(nowMs: number): number {
    return Math.max(this.#window.used(nowMs), this.#reportedAt(nowMs))
  }

  spend(weight: number, nowMs: number): void {
    this.#window.spend(weight, nowMs)
  }

  /** The venue says what is used in its present window. `venueMs`: its clock; windows end by it, whatever ours shows. */
  report(weight: number, venueMs: number, nowMs: number): void {
    const endMs = nowMs + this.#windowMs - (venueMs % this.#windowMs) + 1
    // Answers can overtake each other; within a window the weight only grows.
    this.#reported = { weight: Math.max(weight, this.#reportedAt(nowMs)), endMs }
  }

  /** Until a request of `weight` fits; 0: now. */
  waitMs(weight: number, nowMs: number): number {
    const ownMs = this.#window.waitMs(weight, nowMs)
    if (ownMs > 0) return ownMs
    if (this.#fitsReported(weight, nowMs)) return 0
    return nowMs < this.#reported.endMs ? this.#reported.endMs - nowMs : PROBE_MS
  }

  /** When the venue's window should be over, one request alone finds out: the clocks may differ. */
  #fitsReported(weight: number, nowMs: number): boolean {
    const { weight: reported, endMs } = this.#reported
    if (reported === 0 || nowMs >= endMs + this.#windowMs) return true
    if (reported + this.underWay + weight <= this.limit) return true
    return nowMs >= endMs && this.underWay === 0
  }

  #reportedAt(nowMs: number): number {
    return this.#reported.endMs > nowMs ? this.#reported.weight : 0
  }
}
