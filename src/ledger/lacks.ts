/** What of one stream was delivered and is lost for good behind us: in the log, or because a store refused it. */

import type { EpochUs, Gap } from '../model/event.ts'
import { type LossEnd, type LossStart, revise } from './records.ts'

/** Without `end` it goes on. With the same reason and `outage` it is more of what was lost last; so it is if that goes on. */
export type Lack = [start: LossStart, end: LossEnd | undefined, outage?: number | undefined]

export interface LacksHooks {
  /** A new gap that begins so. */
  create(start: LossStart): Gap
  /** Every revision of every gap, in order. `isKnown`: that something is missing was recorded before. */
  record(gap: Gap, isKnown: boolean): void
}

export class Lacks {
  readonly #hooks: LacksHooks
  /** What the log gave up last, by reason. */
  readonly #last = new Map<string, { readonly gap: Gap; readonly outage: number | undefined }>()

  constructor(hooks: LacksHooks) {
    this.#hooks = hooks
  }

  add(...[start, end, outage]: Lack): void {
    const { cause, reason = '' } = start
    const last = this.#last.get(reason)
    const isOpen = last?.gap.state === 'open'
    const before = isOpen || (outage !== undefined && last?.outage === outage) ? last?.gap : undefined
    if (isOpen && end === undefined && start.startUs >= last.gap.start_time_us) return
    const gap = before === undefined ? this.#first(start, end) : revise(before, more(before, start, end))
    if (cause === 'log_full') this.#last.set(reason, { gap, outage })
    this.#hooks.record(gap, isOpen)
  }

  /** An earlier process has left it. */
  restore(gap: Gap): void {
    const { cause, reason = '', state } = gap
    if (cause !== 'log_full') return
    if (state === 'open') this.#last.set(reason, { gap, outage: undefined })
    else if (this.#last.get(reason)?.gap.gap_id === gap.gap_id) this.#last.delete(reason)
  }

  /** What went on when the process ended did so until then; how much it was nobody knows. */
  end(endUs: EpochUs): void {
    for (const [reason, { gap }] of this.#last) {
      if (gap.state !== 'open') continue
      this.#last.delete(reason)
      this.#hooks.record(revise(gap, { state: 'final', end_time_us: Math.max(gap.start_time_us, endUs) }), true)
    }
  }

  #first(start: LossStart, end: LossEnd | undefined): Gap {
    const gap = this.#hooks.create(start)
    return { ...gap, ...more(gap, start, end) }
  }
}

/** What the loss changes of the gap: it is longer then. */
function more(gap: Gap, { startUs }: LossStart, end: LossEnd | undefined): Partial<Gap> {
  const start_time_us = Math.min(gap.start_time_us, startUs)
  if (end === undefined) return { state: 'open', start_time_us }
  const { endUs, lost } = end
  return {
    state: 'final',
    start_time_us,
    end_time_us: Math.max(gap.end_time_us ?? gap.start_time_us, endUs),
    lost: lost === undefined ? gap.lost : (gap.lost ?? 0) + lost,
  }
}
