/** Keeps long work from holding up the sockets that share the thread. */

import type { Clock } from '../../platform/platform.ts'
import { turn } from '../../platform/turn.ts'

/** Work goes on so long without a break. */
const STRETCH_MS = 5

export class Pace {
  readonly #clock: Clock
  #startMs: number

  constructor(clock: Clock) {
    this.#clock = clock
    this.#startMs = clock.monotonicMs()
  }

  /** Is it time to let others go on? */
  get isDue(): boolean {
    return this.#clock.monotonicMs() - this.#startMs >= STRETCH_MS
  }

  async rest(): Promise<void> {
    await turn()
    this.#startMs = this.#clock.monotonicMs()
  }
}
