/**
 * The value below which the share `q` (0 to 1) of the observations lies, as far as buckets tell: inside a bucket they are
 * taken as evenly spread, beyond the last bound as that bound (as Prometheus' `histogram_quantile` does).
 * `bounds` ascend; `counts` has one more. `undefined`: nothing was observed.
 */
export function quantile(bounds: ArrayLike<number>, counts: Float64Array, q: number): number | undefined {
  const total = counts.reduce((sum, count) => sum + count, 0)
  if (total === 0) return undefined
  const wanted = q * total
  let below = 0
  for (let index = 0; index < bounds.length; index++) {
    const count = counts[index] ?? 0
    const upper = bounds[index] ?? 0
    const lower = index === 0 ? 0 : (bounds[index - 1] ?? 0)
    if (count > 0 && below + count >= wanted) return lower + ((upper - lower) * (wanted - below)) / count
    below += count
  }
  return bounds[bounds.length - 1]
}
