import type { Random } from './platform.ts'

export interface BackoffOptions {
  readonly firstMs: number
  readonly maxMs: number
  readonly random: Random
}

/**
 * Waiting times that double up to a cap, with full jitter: uniform between 0 and the doubled time, so that many
 * clients that failed together do not come back together.
 */
export class Backoff {
  readonly #options: BackoffOptions
  #attempts = 0

  constructor(options: BackoffOptions) {
    this.#options = options
  }

  get attempts(): number {
    return this.#attempts
  }

  nextMs(): number {
    const { firstMs, maxMs, random } = this.#options
    // The exponent is bounded so that the power stays finite however long an outage lasts.
    const ceilingMs = Math.min(maxMs, firstMs * 2 ** Math.min(this.#attempts, 30))
    this.#attempts++
    return random() * ceilingMs
  }

  reset(): void {
    this.#attempts = 0
  }
}
