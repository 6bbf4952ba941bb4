/** How long a stream may be silent: learned from its own rate, within limits. */

/** Weight of the newest gap in the running mean. */
const NEWEST_WEIGHT = 0.05

export interface SilenceLimits {
  /** The limit of a busy stream. */
  readonly min: number
  /** The limit of a very quiet stream. */
  readonly max: number
  /** The limit while the rate is not known yet; `max` unless said otherwise. */
  readonly first?: number
  /** A silence of so many usual gaps is not chance. */
  readonly gaps?: number
}

/** All limits in milliseconds. */
export class Silence {
  readonly #limits: Required<SilenceLimits>
  #lastMs: number | undefined
  #meanGapMs: number | undefined

  constructor(limits: SilenceLimits) {
    this.#limits = { first: limits.max, gaps: 30, ...limits }
  }

  /** A message came. */
  heard(nowMs: number): void {
    if (this.#lastMs !== undefined) {
      const gapMs = nowMs - this.#lastMs
      this.#meanGapMs =
        this.#meanGapMs === undefined ? gapMs : this.#meanGapMs + NEWEST_WEIGHT * (gapMs - this.#meanGapMs)
    }
    this.#lastMs = nowMs
  }

  /** Waiting starts now: a new subscription owes its first message. What was learned stays. */
  restart(nowMs: number): void {
    this.#lastMs = nowMs
  }

  silentMs(nowMs: number): number {
    return this.#lastMs === undefined ? 0 : nowMs - this.#lastMs
  }

  get limitMs(): number {
    const { min, max, first, gaps } = this.#limits
    return this.#meanGapMs === undefined ? first : Math.min(max, Math.max(min, gaps * this.#meanGapMs))
  }

  isTooLong(nowMs: number): boolean {
    return this.silentMs(nowMs) > this.limitMs
  }
}
