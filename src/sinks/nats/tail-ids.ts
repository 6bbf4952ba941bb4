import type { Clock } from '../../platform/platform.ts'

/** The ids of the end of the stream, for as long as the server itself would know them. */
export class TailIds {
  readonly #clock: Clock
  readonly #untilMs: number
  #ids: ReadonlySet<string>

  constructor(ids: ReadonlySet<string>, ms: number, clock: Clock) {
    this.#clock = clock
    this.#untilMs = clock.monotonicMs() + ms
    this.#ids = ids
  }

  /** There is nothing to ask for. */
  get isEmpty(): boolean {
    return this.#ids.size === 0
  }

  has(id: string): boolean {
    if (this.#clock.monotonicMs() > this.#untilMs) this.#ids = new Set()
    return this.#ids.has(id)
  }
}
