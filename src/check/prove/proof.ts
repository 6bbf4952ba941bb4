/** What a proof on real sockets is: a run that comes to figures, each held against a bound. */

import type { Clock } from '../../platform/platform.ts'

export interface ProofOptions {
  /** How often; each proof says of what. Absent: as often as the published figures. */
  readonly count?: number | undefined
  readonly seed: number
  /** An empty folder to work in; the caller removes it. */
  readonly folder: string
  /** The built program, `dist/main.js`. */
  readonly main: string
  readonly clock: Clock
  /** Tells how it goes. */
  say(text: string): void
}

/** One figure that decides: `most` or `least` is the bound, inclusive. */
export interface Bound {
  readonly what: string
  readonly found: number
  readonly most?: number
  readonly least?: number
}

export interface ProofResult {
  readonly figures: Readonly<Record<string, number | string>>
  readonly bounds: readonly Bound[]
}

export interface Proof {
  readonly name: string
  /** What it shows, in one sentence. */
  readonly about: string
  /** What `count` counts, and how many of it the published figures rest on. */
  readonly counts: string
  readonly usualCount: number
  /** Errors: rejects when the run did not come to figures at all. */
  run(options: ProofOptions): Promise<ProofResult>
}

export const holds = ({ found, most = Number.POSITIVE_INFINITY, least = Number.NEGATIVE_INFINITY }: Bound): boolean =>
  found <= most && found >= least

/** For one line of a terminal. */
export function boundText(bound: Bound): string {
  const { what, found, most, least } = bound
  const limit = [most === undefined ? [] : `at most ${most}`, least === undefined ? [] : `at least ${least}`].flat()
  return `${holds(bound) ? 'pass' : 'FAIL'}  ${what}: ${found} (${limit.join(', ')})`
}
