/** The state of one book as others see it: announced when it changes. */

import type { BookDelta, BookReason, BookSnapshot, BookState, BookStateName, EpochUs } from '../model/event.ts'
import { hashText } from '../model/hash.ts'

export class BookStates {
  #state: BookStateName | undefined
  #reason: BookReason = 'subscribed'
  /** The newest event of the book, whose identity the states carry. */
  #newest: BookSnapshot | BookDelta | undefined
  /** How many states were told of one moment: our clock stands still for a while after the machine's was set back. */
  #told = { atUs: 0, count: 0 }

  get state(): BookStateName {
    return this.#state ?? 'syncing'
  }

  get reason(): BookReason {
    return this.#reason
  }

  heard(event: BookSnapshot | BookDelta): void {
    this.#newest = event
  }

  /** What is announced next was noticed at `nowUs`, later than the newest event. */
  noticed(nowUs: EpochUs): void {
    if (this.#newest !== undefined) this.#newest = { ...this.#newest, receive_time_us: nowUs }
  }

  /** The event that tells of the state; none when it is the same as before, or the book has no event to name it by. */
  announce(state: BookStateName, reason: BookReason, sequence: number | undefined): BookState[] {
    const event = this.#newest
    if (state === 'stale' && event === undefined) return []
    this.#reason = reason
    if (state === this.#state) return []
    this.#state = state
    if (event === undefined) return []
    const atUs = event.receive_time_us ?? 0
    this.#told = { atUs, count: this.#told.atUs === atUs ? this.#told.count + 1 : 0 }
    return [bookState(event, state, reason, sequence, this.#told.count)]
  }
}

function bookState(
  event: BookSnapshot | BookDelta,
  state: BookStateName,
  reason: BookReason,
  sequence: number | undefined,
  count: number,
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
    id: `${venue}:book_state:${symbol}:${receive_time_us ?? 0}:${hashText(`${state} ${reason} ${sequence}${count === 0 ? '' : ` ${count}`}`)}`,
    state,
    reason,
    sequence,
  }
}
