/** Round numbers for an axis. */

/** A step of 1, 2 or 5 times a power of ten, so that at most `count` of them reach `max`. */
export function niceStep(max: number, count: number): number {
  if (!(max > 0)) return 1
  const raw = max / count
  const power = 10 ** Math.floor(Math.log10(raw))
  return ([1, 2, 5, 10].find((factor) => factor * power >= raw * 0.999_999) ?? 10) * power
}

/** Zero and the steps up to the first that is not below `max`. */
export function ticks(max: number, count: number): number[] {
  const step = niceStep(max, count)
  const steps = Math.max(1, Math.ceil(max / step - 1e-9))
  return Array.from({ length: steps + 1 }, (_, index) => index * step)
}
