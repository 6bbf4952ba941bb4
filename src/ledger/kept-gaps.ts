/** How many gaps of all streams are kept: beyond that the oldest that are over go first, whatever stream they are of. */

import type { Gap } from '../model/event.ts'

/** The newest revision of each gap of one stream, in the order of their discovery. */
export type GapsOfStream = Map<string, Gap>

const GAPS_MAX = 100_000

export class KeptGaps {
  /** Those that are over, in the order in which they ended. */
  readonly #over = new Map<string, GapsOfStream>()
  #count = 0
  /** Gaps that had to be forgotten. */
  evicted = 0

  keep(gaps: GapsOfStream, gap: Gap): void {
    if (!gaps.has(gap.gap_id)) this.#count++
    gaps.set(gap.gap_id, gap)
    if (gap.state === 'open') this.#over.delete(gap.gap_id)
    else this.#over.set(gap.gap_id, gaps)
    if (this.#count > GAPS_MAX) this.#evict()
  }

  #evict(): void {
    for (const [oldest, gaps] of this.#over) {
      this.#over.delete(oldest)
      gaps.delete(oldest)
      this.#count--
      this.evicted++
      return
    }
  }
}
