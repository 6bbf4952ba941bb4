/** What a REST API shows of the past. */

import type { BookState, Fill, Stream } from './market.ts'
import type { Memory } from './wire.ts'

export const visible = (stream: Stream | undefined, { untilUs, keep }: Memory): readonly Fill[] =>
  (stream?.fills ?? []).filter(({ atUs }) => atUs <= untilUs).slice(-keep)

export const stateAt = (stream: Stream, { untilUs }: Memory): BookState =>
  stream.states.findLast(({ atUs }) => atUs <= untilUs) ?? (stream.states[0] as BookState)

export const symbolsOf = (all: readonly Stream[]): string[] => [...new Set(all.map(({ symbol }) => symbol))]
