/** Which trades of one stream left the collector, by the numbers that gaps count, and under which ids. */

import type { EpochUs } from '../model/event.ts'
import type { Numbers } from './oracle-promises.ts'

/** Deliveries whose ids are remembered. */
const RECENT_MAX = 4_096

export interface Delivery extends Numbers {
  readonly id: string
  /** How often the process had been killed before. */
  readonly kills: number
  readonly atUs: EpochUs
}

export class Deliveries {
  /** Ascending, apart from each other. */
  readonly #spans: { first: number; last: number }[] = []
  #recent: Delivery[] = []
  /** The first that was ever delivered. */
  first: number | undefined
  /** In the market's numbers: the newest that was delivered, the newest that was made, those too young to be missed. */
  newest: number | undefined
  truth: number | undefined
  young: { atUs: EpochUs; before: number | undefined }[] = []

  /** The greatest number that was delivered. */
  get top(): number | undefined {
    return this.#spans.at(-1)?.last
  }

  /** Earlier deliveries of these numbers, as far as they are remembered; `undefined`: there was none. */
  earlier({ first, last }: Numbers): readonly Delivery[] | undefined {
    const { top } = this
    if (top === undefined || first > top) return undefined
    if (this.countMissing({ first, last }) === last - first + 1) return undefined
    return this.#recent.filter((each) => each.first <= last && first <= each.last)
  }

  /** The newest deliveries. */
  recent(): readonly Delivery[] {
    return this.#recent
  }

  add(delivery: Delivery): void {
    this.first ??= delivery.first
    this.#recent.push(delivery)
    if (this.#recent.length > 2 * RECENT_MAX) this.#recent = this.#recent.slice(-RECENT_MAX)
    const newest = this.#spans.at(-1)
    if (newest !== undefined && delivery.first === newest.last + 1) newest.last = delivery.last
    else if (newest === undefined || delivery.first > newest.last)
      this.#spans.push({ first: delivery.first, last: delivery.last })
    else this.#merge(delivery)
  }

  /** The parts of `within` that were not delivered. */
  missing({ first, last }: Numbers): Numbers[] {
    const parts: Numbers[] = []
    let from = first
    for (let i = this.#indexOf(first); i < this.#spans.length && from <= last; i++) {
      const span = this.#spans[i] as Numbers
      if (span.first > from) parts.push({ first: from, last: Math.min(last, span.first - 1) })
      from = Math.max(from, span.last + 1)
    }
    if (from <= last) parts.push({ first: from, last })
    return parts
  }

  countMissing(within: Numbers): number {
    return countOf(this.missing(within))
  }

  /** The recent delivery that ends with this number. */
  endingAt(number: number): Delivery | undefined {
    return this.#recent.findLast(({ last }) => last === number)
  }

  #merge({ first, last }: Numbers): void {
    // One before, so that neighbours join.
    const start = this.#indexOf(first - 1)
    let end = start
    let span = { first, last }
    for (let each = this.#spans[end]; each !== undefined && each.first <= last + 1; each = this.#spans[++end])
      span = { first: Math.min(span.first, each.first), last: Math.max(span.last, each.last) }
    this.#spans.splice(start, end - start, span)
  }

  /** Of the first span that ends at or behind `number`. */
  #indexOf(number: number): number {
    let low = 0
    let high = this.#spans.length
    while (low < high) {
      const middle = (low + high) >> 1
      if ((this.#spans[middle] as Numbers).last < number) low = middle + 1
      else high = middle
    }
    return low
  }
}

export const countOf = (parts: readonly Numbers[]): number =>
  parts.reduce((sum, { first, last }) => sum + last - first + 1, 0)

/** What is left of `parts` outside `cut`. */
export const without = (parts: readonly Numbers[], cut: Numbers): Numbers[] =>
  parts.flatMap(({ first, last }) => {
    if (cut.last < first || last < cut.first) return [{ first, last }]
    return [
      { first, last: cut.first - 1 },
      { first: cut.last + 1, last },
    ].filter((part) => part.first <= part.last)
  })

export const rangeText = ({ first, last }: Numbers): string =>
  first === last ? `${first}` : `${first} to ${last} (${last - first + 1})`
