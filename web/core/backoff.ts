const FIRST_MS = 500
const MAX_MS = 10_000

/** Waits that double up to ten seconds, each a random half of that or more. */
export class Backoff {
  #nextMs = FIRST_MS

  next(random: () => number = Math.random): number {
    const ms = this.#nextMs
    this.#nextMs = Math.min(MAX_MS, ms * 2)
    return ms * (0.5 + random() / 2)
  }

  reset(): void {
    this.#nextMs = FIRST_MS
  }
}
