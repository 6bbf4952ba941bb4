/** What the ledger knows of one stream: when it was collected, where it stands, and its gaps. */

import type { EpochUs, Gap } from '../model/event.ts'
import type { Stretch } from './completeness.ts'
import type { Delivered, FeedLedgerHooks } from './feed-ledger-ports.ts'
import { isOfProcess, type LossEnd, type LossStart, type Outcome, type StreamIdentity } from './records.ts'
import type { NewNumbering, StreamState } from './state.ts'
import { type EndState, StreamGaps } from './stream-gaps.ts'
import { Tally } from './tally.ts'
import { isFuture, newestMadeUs } from './trade-time.ts'

export class FeedLedger {
  readonly #hooks: FeedLedgerHooks
  readonly #gaps: StreamGaps
  #stream: StreamIdentity
  /** When it was collected; the last one is unfinished while it is. */
  stretches: Stretch[] = []
  /** When it was asked for; collecting begins with the first answer, or with the first that goes wrong. */
  #openedUs = 0
  /** Where it stood when it was last retired, by an earlier process. */
  #retired: Pick<FeedLedger, 'lastUs' | 'lastSequence' | 'tally'> | undefined
  /** Its last running number before it was retired; counts until it has one again. */
  former: number | undefined
  /** The newest message that was delivered. */
  lastUs: EpochUs | undefined
  lastSequence: number | undefined
  /** The newest exchange time of its trades. */
  newestTradeUs: EpochUs | undefined
  /** Running numbers that were delivered, where the stream has them. */
  tally = new Tally()
  /** Marks the numbering after a reset by the venue; 0 before any. */
  #epoch = 0
  /** Nothing was heard in this epoch: with the sequence of the one before, the next process would know numbers that are new. */
  #isRenumbered = false
  /** Written down before the log had anything of it. */
  #ahead: NewNumbering | undefined

  constructor(stream: StreamIdentity, hooks: FeedLedgerHooks) {
    this.#stream = stream
    this.#hooks = hooks
    this.#gaps = new StreamGaps(() => this.#stream, hooks)
  }

  get stream(): StreamIdentity {
    return this.#stream
  }

  /** The venue's metadata know better what the symbol is than its form. */
  describe({ market, instrument }: Pick<StreamIdentity, 'market' | 'instrument'>): void {
    this.#stream = { ...this.#stream, market, instrument }
  }

  /** The stream comes in another way from now on: its proof holds from now on, and numbers that count something else tell nothing of those before. */
  recount({ numbers, proof }: StreamIdentity): void {
    const { numbers: oldNumbers, proof: oldProof } = this.#stream
    this.#stream = { ...this.#stream, numbers, proof }
    const running = this.stretches.at(-1)
    if (proof !== oldProof && running !== undefined && this.isCollected) {
      const nowUs = this.#hooks.nowUs()
      this.#endStretch({ ...running, untilUs: nowUs }, { fromUs: nowUs, proof })
    }
    if (numbers === oldNumbers) return
    const reason = 'the stream comes by another channel, with other numbers'
    this.#gaps.giveUp(reason)
    this.#gaps.unnumber()
    this.#retired = undefined
    this.former = undefined
    this.lastSequence = undefined
    this.tally = new Tally()
    this.#hooks.stretched()
  }

  /** Where it stands, or stood when it was last retired and is not collected again yet. */
  get standing(): Pick<FeedLedger, 'lastUs' | 'lastSequence' | 'tally'> {
    return this.#retired ?? this
  }

  /** The gap whose end is not known yet. */
  get outage(): Gap | undefined {
    return this.#gaps.outage
  }

  /** Ended gaps whose missing data are being fetched. */
  get healing(): Iterable<Gap> {
    return this.#gaps.healing
  }

  get openCount(): number {
    return this.#gaps.openCount
  }

  /** No gap that is told later begins before. */
  get lastEndUs(): EpochUs {
    return this.#gaps.lastEndUs
  }

  get epoch(): number {
    return this.#epoch
  }

  get isCollected(): boolean {
    const last = this.stretches.at(-1)
    return last !== undefined && last.untilUs === undefined
  }

  /** It is wanted from now on. */
  open(): void {
    this.#openedUs = this.#hooks.nowUs()
    this.#gaps.settleUnnumbered()
    if (this.isCollected) return
    // What came before it was last retired joins nothing that comes from now on, unless it only was off the list.
    const { lastUs, lastSequence, tally } = this
    if (this.stretches.length > 0) this.#retired ??= { lastUs, lastSequence, tally }
    this.former = tally.last ?? this.former
    this.lastUs = undefined
    this.lastSequence = undefined
    this.tally = new Tally()
  }

  /** Wanted again after the venue had taken it off its list: whatever it had meanwhile was missed. */
  resume(): void {
    const last = this.stretches.at(-1)
    if (last?.untilUs === undefined) {
      this.open()
      return
    }
    this.stretches = [...this.stretches.slice(0, -1), { fromUs: last.fromUs, proof: last.proof }]
    if (this.#retired !== undefined) Object.assign(this, this.#retired)
    this.#retired = undefined
    this.#hooks.stretched()
    this.begin({ cause: 'delisted', startUs: last.untilUs, reason: 'off the list of the venue until now' })
  }

  /** The venue has confirmed the stream, which it may do off the list too, or data came. */
  live(atUs: EpochUs): void {
    if (this.isCollected || this.isOffList) return
    this.#retired = undefined
    this.stretches.push({ fromUs: atUs, proof: this.#stream.proof })
    this.#hooks.stretched()
  }

  /** The venue had taken it off its list when it was last collected, and it is still wanted. */
  get isOffList(): boolean {
    return this.stretches.at(-1)?.isOffList === true
  }

  /** It is not wanted any more, or (`isOffList`) not listed: what is open ends as it is. */
  retire(reason: string, isOffList = false): void {
    const last = this.stretches.at(-1)
    const untilUs = last?.untilUs ?? this.#hooks.nowUs()
    // Also of a stretch that has ended: a process that was killed meanwhile may have told the end of that alone.
    this.end({ endUs: untilUs }, 'final', reason)
    this.#gaps.giveUp(reason)
    if (last === undefined || (last.untilUs !== undefined && (isOffList || !this.isOffList))) return
    this.#endStretch({ ...last, untilUs, isOffList: isOffList ? true : undefined })
  }

  /** A message was delivered, and nothing before it is missing unless a gap says so. */
  heard(sequence: number | undefined, receiveUs: EpochUs): void {
    const isBelow = sequence !== undefined && sequence < (this.lastSequence ?? Number.POSITIVE_INFINITY)
    const isFirst = isBelow || (this.#isRenumbered && sequence !== undefined)
    if (sequence !== undefined) this.lastSequence = sequence
    if (this.lastUs === undefined) this.live(receiveUs)
    this.lastUs = receiveUs
    // A process killed now must know where the stream stood.
    if (!isFirst) return
    this.#isRenumbered = false
    this.#hooks.stretched()
  }

  /** The venue counts anew: ids from now on carry `epoch`, in the next process too. */
  renumber(epoch: number): void {
    this.#epoch = epoch
    this.#isRenumbered = true
  }

  /** Data may be missing from now on, unless it is off the list. An outage that is open already goes on, with its own cause. */
  begin(start: Omit<LossStart, 'startUs'> & { readonly startUs?: EpochUs | undefined }): void {
    if (this.outage !== undefined || this.isOffList) return
    const startUs = Math.max(start.startUs ?? this.lastUs ?? this.#openedUs, this.#gaps.earliestUs)
    this.live(startUs)
    this.#gaps.begin({ lastSequence: this.lastSequence, ...start, startUs })
  }

  /** Data came again. `state` open: what was missed is being fetched. Nothing happens without an outage. */
  end(end: LossEnd, state: EndState = 'closed', reason?: string): Gap | undefined {
    return this.#gaps.end(end, state, reason)
  }

  /** A loss that was noticed when it was over already. */
  lose(start: LossStart, end: LossEnd, state: EndState = 'closed'): Gap {
    return this.#gaps.lose(start, end, state)
  }

  /** More is missing in it than its numbers say: however much is fetched, it does not count as healed. */
  unbound(gapId: string, reason: string): void {
    this.#gaps.unbound(gapId, reason)
  }

  /** The end of healing. */
  resolve(gapId: string, outcome: Outcome): void {
    this.#gaps.resolve(gapId, outcome)
  }

  /** An earlier process delivered this after what is known of the stream was written. */
  replay(delivered: Delivered | Gap): void {
    if ('gap_id' in delivered) this.#replayGap(delivered)
    else {
      const { span, epoch = this.#epoch, sequence, receiveUs, tradeUs, isLate } = delivered
      if (epoch > this.#epoch) this.#countAnew(epoch)
      // What left before the venue counted anew has other numbers, though they look the same.
      if (span !== undefined && epoch === this.#epoch) this.tally.offer(span, tradeUs)
      this.lastSequence = this.tally.last ?? sequence ?? this.lastSequence
      if (tradeUs !== undefined) this.newestTradeUs = newestMadeUs(this.newestTradeUs, tradeUs, receiveUs)
      // A stream that was retired since is not revived by what it had delivered before.
      const endUs = this.stretches.length === 0 ? 0 : (this.stretches.at(-1)?.untilUs ?? Number.POSITIVE_INFINITY)
      if (receiveUs > endUs) this.stretches.push({ fromUs: receiveUs, proof: this.#stream.proof })
      if (!isLate) this.lastUs = Math.max(receiveUs, this.lastUs ?? 0)
    }
  }

  /** The log has told all that it has: a new numbering of which it has nothing begins where it was written down. */
  catchUp(): void {
    const ahead = this.#ahead
    this.#ahead = undefined
    if (ahead === undefined || ahead.epoch <= this.#epoch) return
    this.#gaps.giveUp('the venue counts anew')
    this.#countAnew(ahead.epoch, ahead.before)
  }

  /** Takes up where an earlier process stood, with the numbers and the proof that the stream had then: see {@link recount}. */
  takeUp({ stream, stretches, lastUs, lastSequence, newestTradeUs, epoch, missing, former, ahead }: StreamState): void {
    const { proof, numbers } = stream
    this.#stream = { ...this.#stream, proof, numbers }
    this.stretches = stretches.map((stretch) => ({ proof, ...stretch }))
    this.former = former
    this.lastUs = lastUs
    this.lastSequence = lastSequence
    const cannotBe = isFuture(newestTradeUs ?? 0, this.#hooks.nowUs())
    this.newestTradeUs = cannotBe ? lastUs : newestTradeUs
    this.#epoch = epoch
    this.#ahead = ahead
    if (this.#stream.proof !== 'counter') return
    this.tally = new Tally(lastSequence, cannotBe ? undefined : newestTradeUs)
    for (const span of missing) this.tally.restore(span)
  }

  /** Takes up what an earlier process left open. */
  restore(gap: Gap): void {
    // What the log does not take is no outage of the stream.
    if (gap.state === 'open' && gap.cause === 'log_full') return
    if (gap.state === 'open') {
      // Found after the last beat: it knows better where the stream stood, and what it lacks is not in the tally yet.
      if (this.#stream.proof === 'counter' && gap.last_sequence !== undefined) this.tally.reach(gap.last_sequence)
      if (gap.first_sequence !== undefined) this.tally.expect(gap.first_sequence - 1)
      this.lastSequence = this.tally.last ?? this.lastSequence
      if (!isOfProcess(gap)) this.lastUs = Math.max(this.lastUs ?? 0, gap.start_time_us)
    }
    this.#gaps.restore(gap)
  }

  #replayGap(gap: Gap): void {
    this.#gaps.withdraw(gap.gap_id)
    this.restore(gap)
    const { state, last_sequence: last, first_sequence: first } = gap
    // It waits for none of them any more.
    if (state !== 'open' && last !== undefined && first !== undefined)
      this.tally.drop({ first: last + 1, last: first - 1 })
  }

  #countAnew(epoch: number, before?: number): void {
    this.#epoch = epoch
    this.tally = new Tally(before)
    this.lastSequence = before
  }

  /** The last stretch is as told, and `next` begins. */
  #endStretch(...lastAndNext: Stretch[]): void {
    this.stretches = [...this.stretches.slice(0, -1), ...lastAndNext]
    this.#hooks.stretched()
  }
}
