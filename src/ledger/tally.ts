/** Which running numbers of a stream were delivered: everything up to `last`, but for the `missing` spans. Pure. */

export interface NumberSpan {
  readonly first: number
  readonly last: number
}

/**
 * `first`: nothing was known before. `next`: follows what was delivered. `ahead`: numbers before it are missing now.
 * `late`: was missing, and all of it is delivered now. `overlap`: partly delivered already; not to be delivered, what is
 * new of it is missing now. `known`: delivered already.
 */
export type Offer = 'first' | 'next' | 'ahead' | 'late' | 'overlap' | 'known'

/** More spans than this are not kept; the oldest are given up. */
const SPANS_MAX = 1_000

export class Tally {
  #last: number | undefined
  #missing: NumberSpan[] = []
  /** The number before the first that was delivered, while nothing else was. */
  before: number | undefined

  constructor(last?: number) {
    this.#last = last
  }

  /** The greatest number that was delivered or is known to be missing. */
  get last(): number | undefined {
    return this.#last
  }

  /** Ascending. */
  get missing(): readonly NumberSpan[] {
    return this.#missing
  }

  /** Takes note that `span` is delivered, unless the answer is `overlap` or `known`. */
  offer(span: NumberSpan): Offer {
    const last = this.#last
    this.before = last === undefined ? span.first - 1 : undefined
    if (last === undefined) {
      this.#last = span.last
      return 'first'
    }
    if (span.first > last) {
      if (span.first > last + 1) this.#miss({ first: last + 1, last: span.first - 1 })
      this.#last = span.last
      return span.first === last + 1 ? 'next' : 'ahead'
    }
    if (span.last > last) {
      this.expect(span.last)
      return 'overlap'
    }
    if (this.#missing.some((gap) => gap.first <= span.first && span.last <= gap.last)) {
      this.drop(span)
      return 'late'
    }
    return this.#missing.some((gap) => gap.first <= span.last && span.first <= gap.last) ? 'overlap' : 'known'
  }

  /** The stream is known to have reached `last`: what lies between is missing. */
  expect(last: number): void {
    if (this.#last !== undefined && last > this.#last) this.#miss({ first: this.#last + 1, last })
    this.#last = Math.max(last, this.#last ?? last)
  }

  /** Everything up to `last` is accounted for elsewhere: delivered, or in gaps of its own. */
  reach(last: number): void {
    this.#last = Math.max(last, this.#last ?? last)
  }

  /** Takes up numbers that were missing when an earlier process ended. */
  restore(span: NumberSpan): void {
    if (span.first <= span.last) this.#miss(span)
  }

  /** Waits no longer for the numbers of `span`: they were delivered, or cannot be. */
  drop({ first, last }: NumberSpan): void {
    this.#missing = this.#missing.flatMap((gap) => {
      if (gap.last < first || last < gap.first) return [gap]
      return [
        { first: gap.first, last: Math.min(gap.last, first - 1) },
        { first: Math.max(gap.first, last + 1), last: gap.last },
      ].filter((part) => part.first <= part.last)
    })
  }

  /** The missing parts of `span`. */
  within({ first, last }: NumberSpan): NumberSpan[] {
    return this.#missing
      .filter((gap) => gap.last >= first && gap.first <= last)
      .map((gap) => ({ first: Math.max(gap.first, first), last: Math.min(gap.last, last) }))
  }

  #miss(span: NumberSpan): void {
    this.#missing.push(span)
    if (this.#missing.length > SPANS_MAX) this.#missing.shift()
  }
}

export const countOf = (spans: readonly NumberSpan[]): number =>
  spans.reduce((sum, { first, last }) => sum + last - first + 1, 0)
