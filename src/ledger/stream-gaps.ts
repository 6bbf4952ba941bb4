/** The gaps of one stream that are not over: at most one outage (no end known yet), and ended ones that are being healed. */

import type { EpochUs, Gap } from '../model/event.ts'
import type { FeedLedgerHooks } from './feed-ledger-ports.ts'
import {
  endOf,
  isOfProcess,
  type LossEnd,
  type LossStart,
  type Outcome,
  openGap,
  revise,
  type StreamIdentity,
} from './records.ts'
import { newerOutage, outcomesOfUnnumbered } from './restored.ts'

/** How a gap stands when its end is known. `open`: what was missed is being fetched. */
export type EndState = 'open' | 'closed' | 'final'

export class StreamGaps {
  readonly #stream: () => StreamIdentity
  readonly #hooks: FeedLedgerHooks
  readonly #healing = new Map<string, Gap>()
  #outage: Gap | undefined
  #lastEndUs = 0

  constructor(stream: () => StreamIdentity, hooks: FeedLedgerHooks) {
    this.#stream = stream
    this.#hooks = hooks
  }

  get outage(): Gap | undefined {
    return this.#outage
  }

  get healing(): Iterable<Gap> {
    return this.#healing.values()
  }

  get openCount(): number {
    return this.#healing.size + (this.#outage === undefined ? 0 : 1)
  }

  /** End of the newest gap: no gap that is told later begins before. */
  get lastEndUs(): EpochUs {
    return this.#lastEndUs
  }

  /** A new gap cannot begin before. The end of one that lies ahead was told by a clock that has been set back since. */
  get earliestUs(): EpochUs {
    return this.#lastEndUs <= this.#hooks.nowUs() ? this.#lastEndUs : 0
  }

  /** The outage begins. */
  begin(start: LossStart): void {
    this.#outage = this.#new(start)
    this.#hooks.record(this.#outage)
  }

  /** Data came again. Nothing happens without an outage. */
  end(end: LossEnd, state: EndState, reason?: string): Gap | undefined {
    const gap = this.#outage
    if (gap === undefined) return undefined
    this.#outage = undefined
    // A process that ended was well until its last beat, unless what is fetched shows that the stream was not.
    const sinceUs = isOfProcess(gap) ? gap.start_time_us : (end.startUs ?? gap.start_time_us)
    const startUs = Math.min(gap.start_time_us, Math.max(sinceUs, this.earliestUs))
    const change = { ...endOf(gap, end), start_time_us: startUs, state, ...(reason !== undefined && { reason }) }
    return this.#settle(revise(gap, change), end.nextUs)
  }

  /** A loss that was noticed when it was over already. */
  lose(start: LossStart, end: LossEnd, state: EndState): Gap {
    const startUs = Math.max(start.startUs, Math.min(this.earliestUs, end.endUs))
    const gap = this.#new({ ...start, startUs })
    // It is over when it is found, so it leaves as one event.
    return this.#settle({ ...gap, ...endOf(gap, end), state }, end.nextUs)
  }

  /** The end of healing. */
  resolve(gapId: string, outcome: Outcome): void {
    const gap = this.#healing.get(gapId)
    if (gap === undefined) return
    this.#healing.delete(gapId)
    this.#hooks.record(revise(gap, { ...outcome, reason: outcome.reason ?? gap.reason }))
  }

  /** More is missing than its numbers say. */
  unbound(gapId: string, reason: string): void {
    const gap = this.#healing.get(gapId)
    if (gap === undefined || gap.lost === undefined) return
    const why = gap.reason === undefined ? reason : `${gap.reason}; ${reason}`
    const revised = revise(gap, { lost: undefined, reason: why })
    this.#healing.set(gapId, revised)
    this.#hooks.record(revised)
  }

  /** Nothing more can be fetched. */
  giveUp(reason: string): void {
    for (const gapId of [...this.#healing.keys()]) this.resolve(gapId, { state: 'final', reason })
  }

  /** The numbers of before tell nothing any more: the outage begins behind none of them. */
  unnumber(): void {
    if (this.#outage?.last_sequence === undefined) return
    this.#outage = revise(this.#outage, { last_sequence: undefined })
    this.#hooks.record(this.#outage)
  }

  /** Those of an earlier process that ended, and nothing says where. */
  settleUnnumbered(): void {
    for (const [gapId, outcome] of outcomesOfUnnumbered(this.#healing.values(), this.#stream()))
      this.resolve(gapId, outcome)
  }

  /** Takes up a gap of an earlier process. */
  restore(gap: Gap): void {
    if (gap.state === 'open') {
      const [outage, ended] = gap.end_time_us === undefined ? newerOutage(gap, this.#outage) : [this.#outage, gap]
      this.#outage = outage
      if (ended !== undefined) this.#healing.set(ended.gap_id, ended)
    }
    this.#lastEndUs = Math.max(this.#lastEndUs, gap.end_time_us ?? 0)
  }

  /** A newer revision of it is to be taken up. */
  withdraw(gapId: string): void {
    if (this.#outage?.gap_id === gapId) this.#outage = undefined
    this.#healing.delete(gapId)
  }

  #new(start: LossStart): Gap {
    return openGap(this.#stream(), this.#hooks.nextGapId(), start, this.#hooks.nowUs())
  }

  /** The end of `gap` is known. */
  #settle(gap: Gap, nextUs = gap.end_time_us): Gap {
    this.#lastEndUs = Math.max(this.#lastEndUs, nextUs ?? 0)
    if (gap.state === 'open') this.#healing.set(gap.gap_id, gap)
    this.#hooks.record(gap)
    return gap
  }
}
