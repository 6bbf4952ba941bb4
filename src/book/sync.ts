/** Keeps one book in step with its venue: snapshot, deltas, gap, resync. Says what to emit and what to ask for; does no I/O. */

import type { BookDelta, BookReason, BookSnapshot, BookStateName, EpochUs } from '../model/event.ts'
import { BookStates } from './book-states.ts'
import { Crossing } from './crossing.ts'
import { HeldDeltas, HoldingRoom } from './held-deltas.ts'
import { isEmptySnapshot, isRepeated, Numbering } from './numbering.ts'
import { OrderBook } from './order-book.ts'
import { Past } from './past.ts'
import { type BookRules, LEVELS_MAX } from './rules.ts'
import { type BookOutput, type BookStep, IGNORED, NOTHING } from './step.ts'

type Phase = 'waiting' | 'candidate' | 'live'

/**
 * `waiting`: no snapshot. `candidate`: a fetched snapshot stands, no delta has joined it yet. `live`: proven.
 * A snapshot from the stream is proven at once, because the venue chains the next delta to it.
 */
export class BookSync {
  readonly book = new OrderBook()
  readonly #rules: BookRules
  readonly #held: HeldDeltas
  readonly #states = new BookStates()
  readonly #crossing = new Crossing()
  readonly #numbering = new Numbering()
  #phase: Phase = 'waiting'
  #candidate: BookSnapshot | undefined
  /** No delta has come since the candidate. */
  #isQuiet = false
  /** Last applied sequence; `undefined` where the venue sends none and the checksum alone proves. */
  #last: number | undefined
  /** Silent for too long; the chain is unbroken as far as is known. */
  #isSuspended = false
  /** A delta has joined the snapshot that the book began with. */
  #isJoined = false
  #depthMax: number | undefined
  #applied: BookSnapshot | BookDelta | undefined
  /** The newest delta of a stream that has not brought its snapshot: what broke the book, or came since. */
  #passed: BookDelta | undefined
  #past: Past | undefined

  /** `room`: what this book may hold together with others. */
  constructor(rules: BookRules, room = new HoldingRoom()) {
    this.#rules = rules
    this.#held = new HeldDeltas(room)
  }

  get state(): BookStateName {
    return this.#states.state
  }

  get reason(): BookReason {
    return this.#states.reason
  }

  /** Where the book stands, or stood when it was last good. */
  get sequence(): number | undefined {
    return this.#last
  }

  /** The newest message that the book contains, or contained when it was last good: its last change or heartbeat. */
  get applied(): BookSnapshot | BookDelta | undefined {
    return this.#applied
  }

  /** Its chain is unbroken as far as is known, silent or not. */
  get isProven(): boolean {
    return this.#phase === 'live'
  }

  get isLive(): boolean {
    return this.#phase === 'live' && !this.#isSuspended
  }

  /** Changes have come that are newer than the book by their time, and older by their ids: the venue counts anew. */
  get isRenumbered(): boolean {
    return this.#numbering.isBehind(this.#applied)
  }

  /** Receive time of the message since which the live book has been crossed. */
  get crossedSinceUs(): EpochUs | undefined {
    return this.#crossing.sinceUs
  }

  /** Where the fetched snapshot stands that no delta has come behind yet. */
  get candidateSequence(): number | undefined {
    return this.#isQuiet ? this.#candidate?.sequence : undefined
  }

  /** Keeps the past of the live book from now on. `undefined`: it has no sequence to find anything by, or is not live. */
  record(): Past | undefined {
    if (!this.isLive || this.#last === undefined) return undefined
    this.#past = new Past(this.book.copy(), this.#last, this.#depthMax)
    return this.#past
  }

  /** The past that was kept is not needed any more. */
  stopRecording(): void {
    this.#past = undefined
  }

  /** A snapshot came: on the stream, or fetched. */
  onSnapshot(snapshot: BookSnapshot, checksum?: number): BookStep {
    if (this.#rules.snapshotFrom === 'stream') {
      if (isRepeated(snapshot, this.isProven ? this.#applied : this.#passed, this.isProven)) return IGNORED
      this.#states.heard(snapshot)
      return this.#start(snapshot, [], checksum)
    }
    if (this.#phase === 'live') return this.#isSuspended ? this.#reprove(snapshot) : this.#widen(snapshot)
    this.#states.heard(snapshot)
    const confirmed = this.#candidate
    this.#phase = 'candidate'
    this.#candidate = snapshot
    // Two snapshots at one sequence: nothing happened between them, so none of the silent stream is missing.
    if (this.#isQuiet && confirmed?.sequence === snapshot.sequence) return this.#start(snapshot, [])
    const isDeaf = this.#isQuiet && (confirmed?.sequence ?? Number.POSITIVE_INFINITY) < (snapshot.sequence ?? 0)
    this.#isQuiet = true
    return { ...this.#join(), isDeaf }
  }

  onDelta(delta: BookDelta, checksum?: number): BookStep {
    this.#states.heard(delta)
    const step = this.#take(delta, checksum)
    this.#numbering.heard(delta)
    return step
  }

  #take(delta: BookDelta, checksum: number | undefined): BookStep {
    switch (this.#phase) {
      case 'live':
        return this.#resume(this.#advance(delta, checksum))
      case 'candidate':
        this.#isQuiet = false
        if (!this.#held.push(delta)) return this.#overflow()
        return this.#join()
      case 'waiting':
        // A stream's own snapshot starts a new chain: what comes before it belongs to no book.
        if (this.#rules.snapshotFrom === 'stream') {
          if ((delta.exchange_time_us ?? 0) >= (this.#passed?.exchange_time_us ?? 0)) this.#passed = delta
          return this.#announce('syncing', this.reason, IGNORED)
        }
        if (!this.#held.push(delta)) return this.#overflow()
        return this.#announce('syncing', this.reason, NOTHING)
    }
  }

  /** The book can no longer be trusted: lost connection, undecodable delta, silence. `nowUs`: when that was noticed. */
  invalidate(reason: BookReason, nowUs?: EpochUs): BookStep {
    this.#forget()
    if (nowUs !== undefined) this.#states.noticed(nowUs)
    return this.#announce('stale', reason, NOTHING)
  }

  /** Nothing has come for too long: not served as live until the next message shows that the chain goes on. */
  suspend(nowUs: EpochUs): BookStep {
    if (!this.isLive) return NOTHING
    this.#isSuspended = true
    this.#states.noticed(nowUs)
    return this.#announce('stale', 'silence', NOTHING)
  }

  #resume(step: BookStep): BookStep {
    if (!this.#isSuspended || this.#phase !== 'live' || step.isIgnored === true) return step
    this.#isSuspended = false
    return { ...step, emit: [...step.emit, ...this.#states.announce('live', 'resumed', this.#last)] }
  }

  /** A fetched snapshot is awaited again, after `invalidate`: the deltas from now on will join it. */
  #forget(passed?: BookDelta): void {
    this.#phase = 'waiting'
    this.#candidate = undefined
    this.#passed = passed
    this.#held.clear()
    this.#crossing.clear()
    this.#isSuspended = false
    this.#past?.end('the book was rebuilt')
    this.#past = undefined
  }

  #overflow(): BookStep {
    this.#forget()
    return { ...this.#announce('stale', 'buffer_overflow', NOTHING), need: 'buffer_overflow' }
  }

  /** Tries to join the held deltas to the candidate snapshot. */
  #join(): BookStep {
    const snapshot = this.#candidate as BookSnapshot
    const last = snapshot.sequence as number
    const held = this.#held.all
    for (const [i, delta] of held.entries()) {
      const verdict = this.#rules.rule(last, delta, true)
      if (verdict === 'stale' && delta.last_sequence !== last) continue
      // An answer without any level, where the stream goes on, is a failure of the venue rather than its book.
      if (verdict === 'gap' || isEmptySnapshot(snapshot)) {
        // Too old: the stream is ahead of it. What follows the snapshot's successor is kept for the next one.
        this.#held.dropFirst(i)
        this.#phase = 'waiting'
        this.#candidate = undefined
        return { ...this.#announce('syncing', 'snapshot_too_old', NOTHING), need: 'snapshot_too_old' }
      }
      return this.#start(snapshot, held.slice(verdict === 'stale' ? i + 1 : i))
    }
    this.#held.clear()
    return this.#announce('syncing', this.reason, NOTHING)
  }

  /** The book becomes `snapshot` plus `deltas`, and is live unless one of them breaks the chain. */
  #start(snapshot: BookSnapshot, deltas: readonly BookDelta[], checksum?: number): BookStep {
    this.#forget()
    const { depthMax, snapshotFrom } = this.#rules
    this.#depthMax = depthMax === undefined ? undefined : Math.min(depthMax, snapshot.depth ?? depthMax)
    this.#isJoined = snapshotFrom === 'stream'
    this.book.replace(snapshot.bids, snapshot.asks, snapshot.depth)
    this.#trim()
    if (!this.#isProven(snapshot.sequence, checksum)) return this.#broken('checksum', [])
    this.#last = snapshot.sequence
    this.#phase = 'live'
    this.#applied = snapshot
    this.#crossing.note(this.book.isCrossed(), snapshot)
    const emit: BookOutput[] = [snapshot]
    for (const [i, delta] of deltas.entries()) {
      const step = this.#advance(delta)
      emit.push(...step.emit)
      if (step.need === undefined) continue
      for (const later of deltas.slice(i + 1)) this.#held.push(later)
      // Of a book that breaks before it was live only its state is told.
      return { emit: emit.filter(({ type }) => type === 'book_state'), need: step.need }
    }
    emit.push(...this.#states.announce('live', 'snapshot', this.#last))
    return { emit }
  }

  /** A snapshot of a book that has been silent for too long: where the book stands, nothing has happened; or the stream is dead. */
  #reprove(snapshot: BookSnapshot): BookStep {
    const { sequence = 0 } = snapshot
    const last = this.#last ?? 0
    if (sequence !== last) return sequence > last ? { ...IGNORED, isDeaf: true } : IGNORED
    this.#states.heard(snapshot)
    return this.#resume(NOTHING)
  }

  /** A live book takes the sides that a snapshot of its kept past, brought up to now, knows farther out. */
  #widen(snapshot: BookSnapshot): BookStep {
    const wide = this.isLive ? this.#past?.resume(snapshot) : undefined
    if (wide === undefined || this.#last === undefined || !this.book.widen(wide)) return IGNORED
    return { emit: [this.book.snapshot(snapshot, this.#last, this.#applied?.exchange_time_us)] }
  }

  /** One delta on a live book. */
  #advance(delta: BookDelta, checksum?: number): BookStep {
    const { rule, snapshotFrom } = this.#rules
    const hasNoSequence = this.#last === undefined && delta.last_sequence === undefined
    const verdict = hasNoSequence ? 'apply' : rule(this.#last ?? Number.NaN, delta, !this.#isJoined)
    const isOld = () =>
      delta.last_sequence === this.#last || !this.#numbering.isAnew(delta, this.#applied, snapshotFrom)
    if (verdict === 'stale' && isOld()) return IGNORED
    if (verdict === 'stale' || verdict === 'gap') {
      const step = this.#broken('sequence_gap', [], delta)
      if (snapshotFrom === 'rest') this.#held.push(delta)
      return step
    }
    if (verdict !== 'unchanged') {
      this.book.apply(delta.bids, delta.asks)
      this.#trim()
      if (!this.#isProven(delta.last_sequence, checksum)) return this.#broken('checksum', [], delta)
      this.#past?.push(delta)
    }
    this.#isJoined = true
    this.#last = delta.last_sequence
    this.#applied = delta
    const emit = verdict === 'unchanged' ? [] : [delta]
    return this.#crossing.note(this.book.isCrossed(), delta) ? this.#broken('crossed_book', emit, delta) : { emit }
  }

  #trim(): void {
    if (this.#depthMax === undefined) this.book.trim(LEVELS_MAX)
    else this.book.keepWindow(this.#depthMax)
  }

  /** A checksum that is offered must match; without a sequence it must be offered. */
  #isProven(sequence: number | undefined, checksum: number | undefined): boolean {
    if (checksum !== undefined && this.#rules.checksum !== undefined)
      return this.#rules.checksum(this.book) === checksum
    return sequence !== undefined
  }

  #broken(reason: BookReason, emitted: readonly BookOutput[], by?: BookDelta): BookStep {
    this.#forget(by)
    return { emit: [...emitted, ...this.#states.announce('stale', reason, this.#last)], need: reason }
  }

  /** `step`, and the state where it is a new one. */
  #announce(state: BookStateName, reason: BookReason, step: BookStep): BookStep {
    const emit = this.#states.announce(state, reason, this.#last)
    return emit.length === 0 ? step : { ...step, emit }
  }
}
