/** How far a stream falls behind: the venue's times against ours, less what clocks and distance always make of it. */

import type { EpochUs } from '../model/event.ts'

/** Weight of the newest message. */
const NEWEST_WEIGHT = 0.1
/** So much later than usual is behind; half of it is well again. */
const BEHIND_MS = 5_000
/** The usual lag may grow so much with each message: clocks drift. */
const DRIFT_MS = 0.01
/** By so much our clock was put forward between two messages, rather than read late. */
const STEP_MS = 1_000

export class Lag {
  #usualMs: number | undefined
  /** Our clock against the one that only grows. */
  #skewMs: number | undefined
  #behindMs = 0
  #isBehind = false

  /** Later than usual, in ms: the mean of the last messages. */
  get behindMs(): number {
    return this.#behindMs
  }

  /** How much later than usual one message came, in ms; `undefined`: times do not tell. */
  latenessMs(exchangeUs: EpochUs | undefined, receiveUs: EpochUs): number | undefined {
    if (exchangeUs === undefined || this.#usualMs === undefined) return undefined
    return Math.max(0, (receiveUs - exchangeUs) / 1000 - this.#usualMs)
  }

  get isBehind(): boolean {
    return this.#isBehind
  }

  /** A message came, at `nowMs` of the clock that only grows. True: the stream has just fallen behind. */
  heard(exchangeUs: EpochUs | undefined, receiveUs: EpochUs, nowMs = receiveUs / 1000): boolean {
    if (exchangeUs === undefined) return false
    const lagMs = (receiveUs - exchangeUs) / 1000
    const skewMs = receiveUs / 1000 - nowMs
    const stepMs = skewMs - (this.#skewMs ?? skewMs)
    this.#skewMs = skewMs
    if (this.#usualMs !== undefined && stepMs > STEP_MS) this.#usualMs += stepMs
    this.#usualMs = Math.min(lagMs, (this.#usualMs ?? lagMs) + DRIFT_MS)
    // Each message against what was usual when it came: a subscription may begin with something that is minutes old.
    this.#behindMs += NEWEST_WEIGHT * (lagMs - this.#usualMs - this.#behindMs)
    const wasBehind = this.#isBehind
    this.#isBehind = this.#behindMs > (wasBehind ? BEHIND_MS / 2 : BEHIND_MS)
    return this.#isBehind && !wasBehind
  }
}
