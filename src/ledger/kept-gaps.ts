/** How many gaps of all streams are kept: beyond that the oldest that are over go first, whatever stream they are of. */

import type { Gap } from '../model/event.ts'

/** The newest revision of each gap of one stream, in the order of their discovery. */
export type GapsOfStream = Map<string, Gap>

const GAPS_MAX = 100_000

export class KeptGaps {
  /** Those that are over, in the order in which they ended. */
  readonly #over = new Map<string, GapsOfStream>()
  #count = 0
  /** Until one changes: sorting a hundred thousand takes a while. */
  #newestFirst: readonly Gap[] | undefined
  /** Gaps that had to be forgotten. */
  evicted = 0

  keep(gaps: GapsOfStream, gap: Gap): void {
    this.#newestFirst = undefined
    if (!gaps.has(gap.gap_id)) this.#count++
    gaps.set(gap.gap_id, gap)
    if (gap.state === 'open') this.#over.delete(gap.gap_id)
    else this.#over.set(gap.gap_id, gaps)
    if (this.#count > GAPS_MAX) this.#evict()
  }

  /** All of them, the newest start first. */
  newestFirst(streams: Iterable<GapsOfStream>): readonly Gap[] {
    this.#newestFirst ??= [...streams]
      .flatMap((gaps) => [...gaps.values()])
      .sort((a, b) => b.start_time_us - a.start_time_us)
    return this.#newestFirst
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
