/** How long a book has been crossed. For a moment that is normal: one message can raise the bid, the next the ask. */

import type { BookDelta, BookSnapshot, EpochUs } from '../model/event.ts'

/** A book crossed after so many messages in a row, or for so long, is wrong. */
const MESSAGES_MAX = 3
export const CROSSED_US_MAX = 2_000_000

export class Crossing {
  #deltas = 0
  #sinceUs: EpochUs | undefined

  /** Receive time of the message since which the book has been crossed. */
  get sinceUs(): EpochUs | undefined {
    return this.#sinceUs
  }

  clear(): void {
    this.#deltas = 0
    this.#sinceUs = undefined
  }

  /** `isCrossed`: the book after `message`. True: it has been so for too long. */
  note(isCrossed: boolean, message: BookSnapshot | BookDelta): boolean {
    if (!isCrossed) {
      this.clear()
      return false
    }
    if (message.type === 'book_delta') this.#deltas++
    const nowUs = message.receive_time_us
    this.#sinceUs ??= nowUs
    const isLong = nowUs !== undefined && this.#sinceUs !== undefined && nowUs - this.#sinceUs > CROSSED_US_MAX
    return this.#deltas >= MESSAGES_MAX || isLong
  }
}
