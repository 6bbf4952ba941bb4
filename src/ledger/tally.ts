/** Which running numbers of a stream were delivered: everything up to `last`, but for the `missing` spans. Pure. */

import type { EpochUs } from '../model/event.ts'

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

/** A number that was delivered, and when the venue made what has it, as far as it told. */
export interface NumberedAt {
  readonly number: number
  readonly madeUs: EpochUs | undefined
}

/** Whoever waits for missing numbers gives up the oldest beyond so many spans: the journal keeps them all with each mark. */
export const SPANS_MAX = 1_000

export class Tally {
  #last: number | undefined
  /** The greatest number that was delivered, and the one from which the last jump led over missing ones; fields, for each trade sets them. */
  #newest = Number.NEGATIVE_INFINITY
  #newestUs: EpochUs | undefined
  #jumpedFrom = Number.NEGATIVE_INFINITY
  #jumpedFromUs: EpochUs | undefined
  readonly #missing: NumberSpan[] = []
  /** The number before the first that was delivered, while nothing else was. */
  before: number | undefined

  /** `madeUs`: when the venue made the newest of what was delivered up to `last`. */
  constructor(last?: number, madeUs?: EpochUs) {
    this.#last = last
    if (last === undefined || madeUs === undefined) return
    this.#newest = last
    this.#newestUs = madeUs
  }

  /** The greatest number that was delivered or is known to be missing. */
  get last(): number | undefined {
    return this.#last
  }

  /** What was delivered with `number`, if that is the newest, or the last before numbers that were missing at once. */
  delivered(number: number): NumberedAt | undefined {
    if (this.within({ first: number, last: number }).length > 0) return undefined
    if (number === this.#newest) return { number, madeUs: this.#newestUs }
    return number === this.#jumpedFrom ? { number, madeUs: this.#jumpedFromUs } : undefined
  }

  /** Ascending. */
  get missing(): readonly NumberSpan[] {
    return this.#missing
  }

  /** Takes note that `span` is delivered, unless the answer is `overlap` or `known`. */
  offer(span: NumberSpan, madeUs?: EpochUs): Offer {
    const offer = this.#place(span)
    const isDelivered = offer !== 'overlap' && offer !== 'known'
    if (!isDelivered || span.last <= this.#newest) return offer
    if (offer === 'ahead') {
      this.#jumpedFrom = this.#newest
      this.#jumpedFromUs = this.#newestUs
    }
    this.#newest = span.last
    this.#newestUs = madeUs
    return offer
  }

  #place(span: NumberSpan): Offer {
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
    const lacking = this.#missing[this.#at(span.first)]
    if (lacking === undefined || lacking.first > span.last) return 'known'
    if (lacking.first > span.first || lacking.last < span.last) return 'overlap'
    this.drop(span)
    return 'late'
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
    const at = this.#at(first)
    const dropped = this.within({ first, last }).length
    if (dropped === 0) return
    const left = [
      { first: (this.#missing[at] as NumberSpan).first, last: first - 1 },
      { first: last + 1, last: (this.#missing[at + dropped - 1] as NumberSpan).last },
    ]
    this.#missing.splice(at, dropped, ...left.filter((part) => part.first <= part.last))
  }

  /** The missing parts of `span`. */
  within({ first, last }: NumberSpan): NumberSpan[] {
    const parts: NumberSpan[] = []
    for (let i = this.#at(first); i < this.#missing.length; i++) {
      const gap = this.#missing[i] as NumberSpan
      if (gap.first > last) break
      parts.push({ first: Math.max(gap.first, first), last: Math.min(gap.last, last) })
    }
    return parts
  }

  /** Index of the first missing span that ends at or behind `number`. */
  #at(number: number): number {
    let low = 0
    let high = this.#missing.length
    while (low < high) {
      const middle = (low + high) >> 1
      if ((this.#missing[middle] as NumberSpan).last < number) low = middle + 1
      else high = middle
    }
    return low
  }

  #miss(span: NumberSpan): void {
    this.#missing.push(span)
  }
}

export const countOf = (spans: readonly NumberSpan[]): number =>
  spans.reduce((sum, { first, last }) => sum + last - first + 1, 0)
