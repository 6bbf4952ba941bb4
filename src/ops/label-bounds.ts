/** Keeps the number of series bounded, whatever label values the rest of the program comes up with. */

import { LABELS, type LabelName, type LabelValues } from './metric-labels.ts'
import { METRICS, type MetricKey } from './metrics-catalogue.ts'

export type Labels = Readonly<Record<string, string>>

/** Stands for all values beyond a label's bound. */
const OTHER = 'other'
/** For errors and the like that belong to no venue. */
export const NO_VENUE = 'none'
const VALUE_LENGTH_MAX = 64

export class LabelBounds {
  readonly #venues: ReadonlySet<string>
  readonly #allowed = new Map<LabelName, ReadonlySet<string>>()
  /** Values seen so far of each metric's labels that are bounded by number. */
  readonly #seen = new Map<string, Set<string>>()
  readonly #overflowed: (key: MetricKey) => void

  constructor(venues: readonly string[], overflowed: (key: MetricKey) => void) {
    this.#venues = new Set([...venues, NO_VENUE])
    this.#overflowed = overflowed
    for (const label of Object.keys(LABELS) as LabelName[]) {
      const allowed = this.#allowedValues(LABELS[label])
      if (allowed !== undefined) this.#allowed.set(label, allowed)
    }
  }

  /** `labels` within the bounds, and the id that equal labels share. */
  bound(key: MetricKey, labels: Labels): { readonly id: string; readonly labels: Labels } {
    const bounded: Record<string, string> = {}
    for (const label of METRICS[key].labels) bounded[label] = this.#value(key, label, labels[label] ?? '')
    return { id: Object.values(bounded).join('\n'), labels: bounded }
  }

  #value(key: MetricKey, label: LabelName, value: string): string {
    if (value === OTHER) return OTHER
    const isKnown = this.#allowed.get(label)?.has(value) ?? this.#isWithinMax(key, label, value)
    if (isKnown) return value
    this.#overflowed(key)
    return OTHER
  }

  #isWithinMax(key: MetricKey, label: LabelName, value: string): boolean {
    const values: LabelValues = LABELS[label]
    if (values === 'venues' || !('max' in values)) return false
    if (value.length > VALUE_LENGTH_MAX) return false
    const id = `${key}\n${label}`
    const seen = this.#seen.get(id) ?? new Set<string>()
    this.#seen.set(id, seen)
    if (seen.has(value)) return true
    if (seen.size >= values.max) return false
    seen.add(value)
    return true
  }

  /** `undefined`: bounded by number. */
  #allowedValues(values: LabelValues): ReadonlySet<string> | undefined {
    if (values === 'venues') return this.#venues
    return 'max' in values ? undefined : new Set(values)
  }
}
