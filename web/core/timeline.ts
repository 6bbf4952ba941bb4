import type { Gap } from './types.ts'

const SPAN_MS: Readonly<Record<string, number>> = { '15m': 9e5, '1h': 3.6e6, '6h': 2.16e7, '24h': 8.64e7 }

/** Length of a window that the page offers. */
export const spanMs = (window: string): number => SPAN_MS[window] ?? 3.6e6

export interface Bar {
  readonly gap: Gap
  /** Percent of the window. */
  readonly from: number
  readonly width: number
}

/** Where a gap lies in a window that ends at `endMs`. */
export function barOf(gap: Gap, startMs: number, endMs: number): Bar {
  const at = (ms: number): number => ((Math.max(startMs, Math.min(endMs, ms)) - startMs) / (endMs - startMs)) * 100
  const from = at(Date.parse(gap.start_time))
  return { gap, from, width: at(gap.end_time === null ? endMs : Date.parse(gap.end_time)) - from }
}
