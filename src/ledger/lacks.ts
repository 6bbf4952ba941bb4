/** What of one stream was delivered and is lost for good behind us: in the log, or because a store refused it. */

import type { Gap } from '../model/event.ts'
import { type LossEnd, type LossStart, revise } from './records.ts'

/** With the same reason and `outage` it is more of what was lost last. */
export type Lack = [start: LossStart, end: LossEnd, outage?: number | undefined]

export interface LacksHooks {
  /** A new gap that begins so. */
  create(start: LossStart): Gap
  /** Every revision of every gap, in order. */
  record(gap: Gap): void
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
    const isMore = last !== undefined && outage !== undefined && last.outage === outage
    const gap = isMore ? revise(last.gap, more(last.gap, start, end)) : this.#first(start, end)
    if (cause === 'log_full') this.#last.set(reason, { gap, outage })
    this.#hooks.record(gap)
  }

  #first(start: LossStart, end: LossEnd): Gap {
    const gap = this.#hooks.create(start)
    return { ...gap, ...more(gap, start, end) }
  }
}

/** What the loss changes of the gap: it is longer then. */
const more = (gap: Gap, { startUs }: LossStart, { endUs, lost }: LossEnd): Partial<Gap> => ({
  state: 'final',
  start_time_us: Math.min(gap.start_time_us, startUs),
  end_time_us: Math.max(gap.end_time_us ?? gap.start_time_us, endUs),
  lost: lost === undefined ? gap.lost : (gap.lost ?? 0) + lost,
})
