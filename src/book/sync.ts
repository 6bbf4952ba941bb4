/** Keeps one book in step with its venue: snapshot, deltas, gap, resync. Says what to emit and what to ask for; does no I/O. */

import type { BookDelta, BookReason, BookSnapshot, BookState, BookStateName, EpochUs } from '../model/event.ts'
import { hashText } from '../model/hash.ts'
import { OrderBook } from './order-book.ts'
import type { SequenceRule } from './sequence.ts'

/** How one venue's books work. */
export interface BookRules {
  readonly rule: SequenceRule
  readonly snapshotFrom: 'stream' | 'rest'
  /** Levels a side that the venue keeps; deeper ones are cut off after each message. */
  readonly depthMax?: number | undefined
  /** CRC32 of the book as the venue computes it. */
  readonly checksum?: ((book: OrderBook) => number) | undefined
}

/** Deltas, and levels in them, held while a snapshot is on its way. Beyond this the book starts over. */
const BUFFERED_DELTAS_MAX = 10_000
const BUFFERED_LEVELS_MAX = 200_000
/** A book crossed after so many messages in a row is wrong. */
const CROSSED_MESSAGES_MAX = 3

export type BookOutput = BookSnapshot | BookDelta | BookState

export interface BookStep {
  /** To publish, in order. The book already stands behind the last of them. */
  readonly emit: readonly BookOutput[]
  /** Set when the book cannot go on alone: fetch a snapshot, or subscribe anew so that the venue sends one. */
  readonly need?: BookReason | undefined
  /** The message changed nothing: repeated, older than the book, or came while no book was there. */
  readonly isIgnored?: boolean
}

const NOTHING: BookStep = { emit: [] }
const IGNORED: BookStep = { emit: [], isIgnored: true }

type Phase = 'waiting' | 'candidate' | 'live'

/**
 * `waiting`: no snapshot. `candidate`: a fetched snapshot stands, no delta has joined it yet. `live`: proven.
 * A snapshot from the stream is proven at once, because the venue chains the next delta to it.
 */
export class BookSync {
  readonly book = new OrderBook()
  readonly #rules: BookRules
  #phase: Phase = 'waiting'
  #candidate: BookSnapshot | undefined
  /** Last applied sequence; `undefined` where the venue sends none and the checksum alone proves. */
  #last: number | undefined
  #buffer: BookDelta[] = []
  #bufferedLevels = 0
  #crossedMessages = 0
  /** Silent for too long; the chain is unbroken as far as is known. */
  #isSuspended = false
  /** A delta has joined the snapshot that the book began with. */
  #isJoined = false
  #depthMax: number | undefined
  #state: BookStateName | undefined
  #reason: BookReason = 'subscribed'
  /** The newest event of this book, whose identity the states carry. */
  #newest: BookSnapshot | BookDelta | undefined
  /** The newest event that the book contains. */
  #applied: BookSnapshot | BookDelta | undefined

  constructor(rules: BookRules) {
    this.#rules = rules
  }

  get state(): BookStateName {
    return this.#state ?? 'syncing'
  }

  get reason(): BookReason {
    return this.#reason
  }

  get sequence(): number | undefined {
    return this.#last
  }

  get applied(): BookSnapshot | BookDelta | undefined {
    return this.#applied
  }

  get isLive(): boolean {
    return this.#phase === 'live' && !this.#isSuspended
  }

  /** A snapshot came: on the stream, or fetched. */
  onSnapshot(snapshot: BookSnapshot, checksum?: number): BookStep {
    this.#newest = snapshot
    if (this.#rules.snapshotFrom === 'stream') return this.#start(snapshot, [], checksum)
    if (this.#phase === 'live') return IGNORED
    const confirmed = this.#candidate
    this.#phase = 'candidate'
    this.#candidate = snapshot
    this.#last = snapshot.sequence
    // Two snapshots at one sequence: nothing happened between them, so none of the silent stream is missing.
    return confirmed?.sequence === snapshot.sequence ? this.#start(snapshot, []) : this.#join()
  }

  onDelta(delta: BookDelta, checksum?: number): BookStep {
    this.#newest = delta
    switch (this.#phase) {
      case 'live':
        return this.#resume(this.#advance(delta, checksum))
      case 'candidate':
        if (!this.#hold(delta)) return this.#overflow()
        return this.#join()
      case 'waiting':
        // A stream's own snapshot starts a new chain: what comes before it belongs to no book.
        if (this.#rules.snapshotFrom === 'stream') return this.#announce('syncing', this.#reason, IGNORED)
        if (!this.#hold(delta)) return this.#overflow()
        return this.#announce('syncing', this.#reason, NOTHING)
    }
  }

  /** The book can no longer be trusted: lost connection, undecodable delta, silence. `nowUs`: when that was noticed. */
  invalidate(reason: BookReason, nowUs?: EpochUs): BookStep {
    this.#forget()
    if (this.#newest !== undefined && nowUs !== undefined) this.#newest = { ...this.#newest, receive_time_us: nowUs }
    return this.#announce('stale', reason, NOTHING)
  }

  /** Nothing has come for too long: not served as live until the next message shows that the chain goes on. */
  suspend(nowUs: EpochUs): BookStep {
    if (!this.isLive) return NOTHING
    this.#isSuspended = true
    if (this.#newest !== undefined) this.#newest = { ...this.#newest, receive_time_us: nowUs }
    return this.#announce('stale', 'silence', NOTHING)
  }

  #resume(step: BookStep): BookStep {
    if (!this.#isSuspended || this.#phase !== 'live' || step.isIgnored === true) return step
    this.#isSuspended = false
    const emit = [...step.emit]
    this.#announceInto(emit, 'live', 'resumed')
    return { ...step, emit }
  }

  /** A fetched snapshot is awaited again, after `invalidate`: the deltas from now on will join it. */
  #forget(): void {
    this.#phase = 'waiting'
    this.#candidate = undefined
    this.#buffer = []
    this.#bufferedLevels = 0
    this.#crossedMessages = 0
    this.#isSuspended = false
  }

  #hold(delta: BookDelta): boolean {
    this.#buffer.push(delta)
    this.#bufferedLevels += levelCount(delta)
    return this.#buffer.length <= BUFFERED_DELTAS_MAX && this.#bufferedLevels <= BUFFERED_LEVELS_MAX
  }

  #overflow(): BookStep {
    this.#forget()
    return { ...this.#announce('stale', 'buffer_overflow', NOTHING), need: 'buffer_overflow' }
  }

  /** Tries to join the buffered deltas to the candidate snapshot. */
  #join(): BookStep {
    const snapshot = this.#candidate as BookSnapshot
    const last = snapshot.sequence as number
    for (let i = 0; i < this.#buffer.length; i++) {
      const delta = this.#buffer[i] as BookDelta
      const verdict = this.#rules.rule(last, delta, true)
      if (verdict === 'gap') {
        // Too old: the stream is ahead of it. What follows the snapshot's successor is kept for the next one.
        for (const dropped of this.#buffer.splice(0, i)) this.#bufferedLevels -= levelCount(dropped)
        this.#phase = 'waiting'
        this.#candidate = undefined
        return { ...this.#announce('syncing', 'snapshot_too_old', NOTHING), need: 'snapshot_too_old' }
      }
      if (verdict === 'apply' || verdict === 'reset') return this.#start(snapshot, this.#buffer.slice(i))
      if (delta.last_sequence === last) return this.#start(snapshot, this.#buffer.slice(i + 1))
    }
    this.#buffer = []
    this.#bufferedLevels = 0
    return this.#announce('syncing', this.#reason, NOTHING)
  }

  /** The book becomes `snapshot` plus `deltas`, and is live unless one of them breaks the chain. */
  #start(snapshot: BookSnapshot, deltas: readonly BookDelta[], checksum?: number): BookStep {
    this.#forget()
    const { depthMax, snapshotFrom } = this.#rules
    this.#depthMax = depthMax === undefined ? undefined : Math.min(depthMax, snapshot.depth ?? depthMax)
    this.#isJoined = snapshotFrom === 'stream'
    this.book.replace(snapshot.bids, snapshot.asks)
    this.#trim()
    this.#last = snapshot.sequence
    if (!this.#isProven(checksum)) return this.#broken('checksum', [])
    this.#phase = 'live'
    this.#applied = snapshot
    const emit: BookOutput[] = [snapshot]
    for (const [i, delta] of deltas.entries()) {
      const step = this.#advance(delta)
      emit.push(...step.emit)
      if (step.need !== undefined) {
        for (const later of deltas.slice(i + 1)) this.#hold(later)
        return { emit, need: step.need }
      }
    }
    this.#announceInto(emit, 'live', 'snapshot')
    return { emit }
  }

  /** One delta on a live book. */
  #advance(delta: BookDelta, checksum?: number): BookStep {
    const hasNoSequence = this.#last === undefined && delta.last_sequence === undefined
    const verdict = hasNoSequence ? 'apply' : this.#rules.rule(this.#last ?? Number.NaN, delta, !this.#isJoined)
    if (verdict === 'unchanged') return NOTHING
    if (verdict === 'stale' && !this.#isBehindLostReset(delta)) return IGNORED
    if (verdict === 'stale' || verdict === 'gap') {
      const step = this.#broken('sequence_gap', [])
      if (this.#rules.snapshotFrom === 'rest') this.#hold(delta)
      return step
    }
    this.book.apply(delta.bids, delta.asks)
    this.#trim()
    this.#isJoined = true
    this.#last = delta.last_sequence
    if (!this.#isProven(checksum)) return this.#broken('checksum', [])
    this.#applied = delta
    this.#crossedMessages = this.book.isCrossed() ? this.#crossedMessages + 1 : 0
    if (this.#crossedMessages >= CROSSED_MESSAGES_MAX) return this.#broken('crossed_book', [delta])
    return { emit: [delta] }
  }

  /**
   * Older than the book by its ids, newer by its time: the message in which the numbering started anew is missing, or
   * one that was taken had an absurd id. What a fetched snapshot contains already may come after it.
   */
  #isBehindLostReset(delta: BookDelta): boolean {
    const isFetched = this.#rules.snapshotFrom === 'rest' && this.#applied?.type === 'book_snapshot'
    if (isFetched || delta.last_sequence === this.#last) return false
    const { exchange_time_us: appliedUs = Number.POSITIVE_INFINITY } = this.#applied ?? {}
    return (delta.exchange_time_us ?? 0) > appliedUs
  }

  #trim(): void {
    if (this.#depthMax !== undefined) this.book.trim(this.#depthMax)
  }

  /** A checksum that is offered must match; without a sequence it must be offered. */
  #isProven(checksum: number | undefined): boolean {
    if (checksum !== undefined && this.#rules.checksum !== undefined)
      return this.#rules.checksum(this.book) === checksum
    return this.#last !== undefined
  }

  #broken(reason: BookReason, emitted: BookOutput[]): BookStep {
    this.#forget()
    this.#announceInto(emitted, 'stale', reason)
    return { emit: emitted, need: reason }
  }

  #announce(state: BookStateName, reason: BookReason, step: BookStep): BookStep {
    const emit: BookOutput[] = []
    this.#announceInto(emit, state, reason)
    return emit.length === 0 ? step : { ...step, emit }
  }

  /** A state is announced when it changes; before the first event of a book there is nothing to name it by. */
  #announceInto(emit: BookOutput[], state: BookStateName, reason: BookReason): void {
    const event = this.#newest
    if (state === 'stale' && event === undefined) return
    this.#reason = reason
    if (state === this.#state) return
    this.#state = state
    if (event !== undefined) emit.push(bookState(event, state, reason, this.#last))
  }
}

const levelCount = (delta: BookDelta): number => delta.bids.length + delta.asks.length

function bookState(
  event: BookSnapshot | BookDelta,
  state: BookStateName,
  reason: BookReason,
  sequence: number | undefined,
): BookState {
  const { exchange, venue, market, symbol, instrument, receive_time_us } = event
  return {
    type: 'book_state',
    exchange,
    venue,
    market,
    symbol,
    instrument,
    receive_time_us,
    id: `${venue}:book_state:${symbol}:${receive_time_us ?? 0}:${hashText(`${state} ${reason} ${sequence}`)}`,
    state,
    reason,
    sequence,
  }
}
