/** Tells a process that stood still (stopped, suspended) from a peer that is silent: by how late its own ticks come. */

/** Later than any load makes a tick. */
const LATE_MS = 5_000
/** What ends so soon after a stall ended because of it. */
const AFTERMATH_MS = 15_000

export class Stall {
  readonly #intervalMs: number
  #lastTickMs: number
  #stalledMs = Number.NEGATIVE_INFINITY

  /** `intervalMs`: how often {@link tick} is meant to be called. */
  constructor(intervalMs: number, nowMs: number) {
    this.#intervalMs = intervalMs
    this.#lastTickMs = nowMs
  }

  /** True: the process stood still since the tick before, so the silence since then proves nothing. */
  tick(nowMs: number): boolean {
    const isLate = this.#isLate(nowMs)
    if (isLate) this.#stalledMs = nowMs
    this.#lastTickMs = nowMs
    return isLate
  }

  /** The process stood still lately; also when the sockets speak before the tick that is late. */
  isRecent(nowMs: number): boolean {
    return this.#isLate(nowMs) || nowMs - this.#stalledMs <= AFTERMATH_MS
  }

  #isLate(nowMs: number): boolean {
    return nowMs - this.#lastTickMs - this.#intervalMs > LATE_MS
  }
}
