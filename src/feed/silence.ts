/** How long a stream may be silent: learned from its own rate, within limits. */

/** Weight of the newest gap in the running mean. */
const NEWEST_WEIGHT = 0.05
/** Fewer gaps tell nothing: streams often begin with a burst. */
const KNOWN_GAPS_MIN = 20
/** What each message leaves of the longest gap. */
const LONGEST_KEPT = 0.995
/** A silence that was taken for a fault is no habit, unless one like it comes again within so many messages. */
const HABIT_MESSAGES = 500

export interface SilenceLimits {
  /** The limit of a busy stream. */
  readonly min: number
  /** The limit of a very quiet stream. */
  readonly max: number
  /** The limit while the rate is not known yet; `max` unless said otherwise. */
  readonly first?: number
  /** A silence of so many usual gaps is not chance. */
  readonly gaps?: number
  /** Nor one of so many times the longest gap seen, of which each message forgets a little; 0: that gap does not count. */
  readonly longestGaps?: number
}

/** All limits in milliseconds. */
export class Silence {
  readonly #limits: Required<SilenceLimits>
  /** What `max` has grown by. */
  #patience = 1
  #lastMs: number | undefined
  #meanGapMs = 0
  /** The longest gap; forgotten slowly. */
  #longestGapMs = 0
  #gapCount = 0
  /** The silence that goes on was taken for a fault; after how many gaps the last one was. */
  #isFault = false
  #faultCount = Number.NEGATIVE_INFINITY

  constructor(limits: SilenceLimits) {
    this.#limits = { first: limits.max, gaps: 30, longestGaps: 3, ...limits }
  }

  /** A message came. */
  heard(nowMs: number): void {
    const isHabit = !this.#isFault || this.#gapCount - this.#faultCount <= HABIT_MESSAGES
    if (this.#isFault) this.#faultCount = this.#gapCount
    this.#isFault = false
    if (this.#lastMs !== undefined && isHabit) {
      const gapMs = nowMs - this.#lastMs
      this.#meanGapMs += Math.max(NEWEST_WEIGHT, 1 / (this.#gapCount + 1)) * (gapMs - this.#meanGapMs)
      this.#longestGapMs = Math.max(gapMs, this.#longestGapMs * LONGEST_KEPT)
      this.#gapCount++
    }
    this.#lastMs = nowMs
  }

  /** The silence that goes on is taken for a fault: what was subscribed is asked for anew. */
  fault(): void {
    this.#isFault = true
  }

  /** Waiting starts now: a new subscription owes its first message. What was learned stays. */
  restart(nowMs: number): void {
    this.#lastMs = nowMs
  }

  /** A busy stream may be silent for so long. */
  get minMs(): number {
    return this.#limits.min
  }

  /** When the newest message came, or waiting for one began. */
  get lastMs(): number | undefined {
    return this.#lastMs
  }

  silentMs(nowMs: number): number {
    return this.#lastMs === undefined ? 0 : nowMs - this.#lastMs
  }

  /**
   * Starting afresh brought nothing either. Where `max` alone called the silence too long, the stream is just very
   * quiet: it may be silent for twice as long from now on, up to `ceilingMs`.
   */
  relax(ceilingMs: number): void {
    const { max } = this.#limits
    if (this.limitMs >= max * this.#patience) this.#patience = Math.min(this.#patience * 2, ceilingMs / max)
  }

  get limitMs(): number {
    const { min, first, gaps, longestGaps } = this.#limits
    const max = this.#limits.max * this.#patience
    if (this.#gapCount < KNOWN_GAPS_MIN) return first === this.#limits.max ? max : first
    return Math.min(max, Math.max(min, gaps * this.#meanGapMs, longestGaps * this.#longestGapMs))
  }

  /** Not longer than the longest gaps that were seen lately. */
  isUsual(nowMs: number): boolean {
    return this.silentMs(nowMs) <= this.#longestGapMs
  }

  isTooLong(nowMs: number): boolean {
    return this.silentMs(nowMs) > this.limitMs
  }
}
