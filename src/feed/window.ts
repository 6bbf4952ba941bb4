/** A sliding window: at most so much in any stretch of time. Pure but for what it is told of the time. */

export class Window {
  readonly #windowMs: number
  #limit: number
  /** What was spent, oldest first. */
  readonly #spent: { readonly atMs: number; readonly weight: number }[] = []
  #sum = 0

  constructor(limit: number, windowMs: number) {
    this.#limit = limit
    this.#windowMs = windowMs
  }

  get limit(): number {
    return this.#limit
  }

  used(nowMs: number): number {
    this.#forget(nowMs)
    return this.#sum
  }

  /** Milliseconds until `weight` fits; 0: now. A weight beyond the limit fits when the window is empty. */
  waitMs(weight: number, nowMs: number): number {
    this.#forget(nowMs)
    let over = this.#sum + Math.min(weight, this.#limit) - this.#limit
    if (over <= 0) return 0
    for (const { atMs, weight: spent } of this.#spent) {
      over -= spent
      if (over <= 0) return Math.max(1, atMs + this.#windowMs - nowMs)
    }
    return this.#windowMs
  }

  spend(weight: number, nowMs: number): void {
    this.#spent.push({ atMs: nowMs, weight })
    this.#sum += weight
  }

  #forget(nowMs: number): void {
    const spent = this.#spent
    let count = 0
    while (count < spent.length && (spent[count] as { atMs: number }).atMs + this.#windowMs <= nowMs) {
      this.#sum -= (spent[count] as { weight: number }).weight
      count++
    }
    if (count > 0) spent.splice(0, count)
  }
}
