/** Notices that something between us and the venue ends connections: several in a row, each after a short time. */

/** A connection is meant to live for hours. */
const SHORT_MS = 120_000
const COUNT = 3

export class Steadiness {
  #shortLives = 0

  /** A link ended, not by our doing and unannounced. True, once for each such row: it was the third short one. */
  ended(livedMs: number): boolean {
    this.#shortLives = livedMs < SHORT_MS ? this.#shortLives + 1 : 0
    return this.#shortLives === COUNT
  }
}
