/** Outages of a server, one after the other until it is enough. */

import { sleep } from '../../platform/clock.ts'
import type { Clock, Random } from '../../platform/platform.ts'

/** One way to be gone. */
export interface Failing {
  readonly kind: string
  begin(): Promise<void> | void
  end(): Promise<void> | void
}

export interface OutagesOptions {
  readonly clock: Clock
  readonly random: Random
  readonly ways: readonly Failing[]
  /** Outages of these lengths come after a few short ones, in this order. */
  readonly longMs: readonly number[]
}

const SHORT_MS_MAX = 2_000
const CALM_MS_MAX = 6_000
const FIRST_SHORT = 3

export class Outages {
  /** How many of each kind. */
  readonly counts: Record<string, number> = {}
  longestMs = 0
  readonly #options: OutagesOptions
  #isEnding = false
  #wake = (): void => {}
  readonly #running: Promise<void>

  constructor(options: OutagesOptions) {
    this.#options = options
    this.#running = this.#run()
  }

  /** Resolves when the server is there for good; an outage that has begun lasts as long as it was to. Errors: rejects with what could not be done to it. */
  async end(): Promise<void> {
    this.#isEnding = true
    this.#wake()
    await this.#running
  }

  async #run(): Promise<void> {
    const { random, ways, longMs, clock } = this.#options
    for (let index = 0; !this.#isEnding && ways.length > 0; index++) {
      await Promise.race([sleep(clock, random() * CALM_MS_MAX), this.#ending()])
      const way = ways[Math.floor(random() * ways.length)] as Failing
      const ms = longMs[index - FIRST_SHORT] ?? random() * SHORT_MS_MAX
      if (this.#isEnding) return
      await way.begin()
      const startMs = clock.monotonicMs()
      await sleep(clock, ms)
      await way.end()
      this.counts[way.kind] = (this.counts[way.kind] ?? 0) + 1
      this.longestMs = Math.max(this.longestMs, clock.monotonicMs() - startMs)
    }
  }

  #ending(): Promise<void> {
    if (this.#isEnding) return Promise.resolve()
    return new Promise((resolve) => {
      this.#wake = resolve
    })
  }
}
