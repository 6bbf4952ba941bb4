import type { Labels } from './label-bounds.ts'

/** One series of a histogram: a count for each bucket. Observing costs a few nanoseconds and makes no object. */
export class HistogramSeries {
  /** Upper bounds of the buckets; beyond the last there is one more. */
  readonly bounds: Float64Array
  readonly #counts: Float64Array
  readonly #labels: Labels
  readonly #clamped: { value: number }
  #sum = 0

  /** `bounds` ascend; values above the last one only count in `+Inf`. `clamped` counts values below zero. */
  constructor(bounds: readonly number[], labels: Labels, clamped: { value: number }) {
    this.bounds = Float64Array.from(bounds)
    this.#counts = new Float64Array(bounds.length + 1)
    this.#labels = labels
    this.#clamped = clamped
  }

  /** Seconds; below zero counts as zero, what is no number not at all. */
  observe(seconds: number): void {
    if (!Number.isFinite(seconds)) return
    let value = seconds
    if (value < 0) {
      value = 0
      this.#clamped.value++
    }
    const { bounds } = this
    let index = 0
    while (index < bounds.length && value > (bounds[index] as number)) index++
    this.#counts[index] = (this.#counts[index] as number) + 1
    this.#sum += value
  }

  /** Observations in each bucket so far: a copy. */
  counts(): Float64Array {
    return this.#counts.slice()
  }

  /** Samples of the text format: cumulative buckets, sum, count. */
  values(name: string): { metricName: string; labels: Record<string, string | number>; value: number }[] {
    const samples: { metricName: string; labels: Record<string, string | number>; value: number }[] = []
    let count = 0
    this.#counts.forEach((inBucket, index) => {
      count += inBucket
      const le = this.bounds[index] ?? '+Inf'
      samples.push({ metricName: `${name}_bucket`, labels: { ...this.#labels, le }, value: count })
    })
    samples.push({ metricName: `${name}_sum`, labels: this.#labels, value: this.#sum })
    samples.push({ metricName: `${name}_count`, labels: this.#labels, value: count })
    return samples
  }
}
