/** How long rows are gathered: much longer as soon as the server is overloaded, a little shorter with each success. */

/** Rarer than this helps no server. */
const AGE_MS_MAX = 30_000
const FACTOR = 2
/** So many successes make up for one overload. */
const STEPS_BACK = 10

export class Pace {
  readonly #leastMs: number
  #ageMs: number
  /** Given back with each success. */
  #stepMs = 0

  constructor(leastMs: number) {
    this.#leastMs = leastMs
    this.#ageMs = leastMs
  }

  get ageMs(): number {
    return this.#ageMs
  }

  overloaded(): void {
    this.#ageMs = Math.max(this.#leastMs, Math.min(AGE_MS_MAX, Math.max(1, this.#ageMs) * FACTOR))
    this.#stepMs = (this.#ageMs - this.#leastMs) / STEPS_BACK
  }

  stored(): void {
    this.#ageMs = Math.max(this.#leastMs, this.#ageMs - this.#stepMs)
  }
}
