/** How many gaps of all streams are kept: beyond that the oldest that are over go first, whatever stream they are of. */

import type { Gap } from '../model/event.ts'
import { isWhole } from './completeness.ts'
import { type StreamIdentity, streamKey } from './records.ts'

/** The newest revision of each gap of one stream, in the order of their discovery. */
export type GapsOfStream = Map<string, Gap>

const GAPS_MAX = 100_000

export class KeptGaps {
  /** Those that are over, in the order in which they ended. */
  readonly #over = new Map<string, GapsOfStream>()
  /** Of each stream: all that had to be forgotten and was not whole as one gap, from the first start to the last end. */
  readonly #forgotten = new Map<string, Gap>()
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

  /** Also from the journal, and more than once: what is known of it only grows. */
  forget(gap: Gap): void {
    const { start_time_us: startUs, end_time_us: endUs = startUs } = gap
    const before = this.#forgotten.get(streamKey(gap))
    this.#forgotten.set(streamKey(gap), {
      ...gap,
      state: 'final',
      start_time_us: Math.min(startUs, before?.start_time_us ?? startUs),
      end_time_us: Math.max(endUs, before?.end_time_us ?? endUs),
      lost: undefined,
      healed: undefined,
    })
  }

  /** What was forgotten, one gap a stream. */
  forgotten(): Iterable<Gap> {
    return this.#forgotten.values()
  }

  /** All that is known of one stream, with what was forgotten of it. */
  ofStream(stream: StreamIdentity, gaps: GapsOfStream): readonly Gap[] {
    const forgotten = this.#forgotten.get(streamKey(stream))
    return forgotten === undefined ? [...gaps.values()] : [forgotten, ...gaps.values()]
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
      const gap = gaps.get(oldest)
      if (gap !== undefined && !isWhole(gap)) this.forget(gap)
      this.#over.delete(oldest)
      gaps.delete(oldest)
      this.#count--
      this.evicted++
      return
    }
  }
}
