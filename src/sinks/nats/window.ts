/** What is sent and not yet acknowledged: bounded in messages, bytes and the span of numbers. Pure bookkeeping. */

import type { Message } from './message.ts'
import { LSN_SPAN } from './options.ts'
import type { Work } from './work.ts'

/** One message that is under way. */
export interface Pending {
  readonly message: Message
  readonly work: Work
  /** When it was sent first; monotonic. */
  readonly firstMs: number
  /** When last; never, for what is being refused. */
  sentMs: number
  /** It gets an answer of its own. Of others, the answer to the next that does speaks for them. */
  isAsking: boolean
}

export interface WindowLimits {
  readonly windowMessages: number
  readonly windowBytes: number
}

/** Who waits for room gets an eighth of the window at once: one write to the socket for many messages. */
const ROOMY_SHARE = 7 / 8

/** Places of the ring at first; it doubles when what is under way spans more sendings. */
const PLACES = 1024

export class Window {
  readonly #limits: WindowLimits
  /**
   * A ring: a sending's place is its number modulo the length. A repeated sending has a number of its own: the answer to
   * the first is none to it.
   */
  #ring: (Pending | undefined)[] = new Array(PLACES).fill(undefined)
  #messages = 0
  #bytes = 0
  /** Sendings before are over. */
  #first = 1
  #next = 1
  /** None is lower; may lie behind. */
  #oldestLsn = 0

  constructor(limits: WindowLimits) {
    this.#limits = limits
  }

  get messages(): number {
    return this.#messages
  }

  get bytes(): number {
    return this.#bytes
  }

  /** May this record be sent now? An empty window takes any. */
  hasRoom({ record: { lsn }, bytes }: Message): boolean {
    const { windowMessages, windowBytes } = this.#limits
    if (this.#messages === 0) this.#oldestLsn = lsn
    else if (this.#messages >= windowMessages || this.#bytes + bytes > windowBytes) return false
    if (lsn - this.#oldestLsn < LSN_SPAN) return true
    this.#oldestLsn = this.lowestLsn ?? lsn
    return lsn - this.#oldestLsn < LSN_SPAN
  }

  /** Is there room worth waking up for? */
  get isRoomy(): boolean {
    const { windowMessages, windowBytes } = this.#limits
    return this.#messages <= windowMessages * ROOMY_SHARE && this.#bytes <= windowBytes * ROOMY_SHARE
  }

  /** Yields the number of the sending. */
  add(pending: Pending): number {
    if (this.#next - this.#first === this.#ring.length) this.#grow()
    this.#bytes += pending.message.bytes
    this.#messages++
    this.#ring[this.#next % this.#ring.length] = pending
    return this.#next++
  }

  get(sending: number): Pending | undefined {
    if (sending < this.#first || sending >= this.#next) return undefined
    return this.#ring[sending % this.#ring.length]
  }

  remove(sending: number): void {
    const pending = this.get(sending)
    if (pending === undefined) return
    this.#ring[sending % this.#ring.length] = undefined
    this.#messages--
    this.#bytes -= pending.message.bytes
    while (this.#first < this.#next && this.get(this.#first) === undefined) this.#first++
  }

  /** What the answer to this sending speaks for: itself, and those before it that have not asked. Newest first. */
  run(sending: number): number[] {
    const run = [sending]
    for (let before = sending - 1; this.get(before)?.isAsking === false; before--) run.push(before)
    return run
  }

  /** No answer will come: it stays until it is removed. */
  hold(sending: number): void {
    const pending = this.get(sending)
    if (pending !== undefined) pending.sentMs = Number.POSITIVE_INFINITY
  }

  /** What was sent before `sinceMs` and has no answer; oldest first. */
  unanswered(sinceMs: number): number[] {
    const found: number[] = []
    for (let sending = this.#first; sending < this.#next; sending++) {
      const sentMs = this.get(sending)?.sentMs ?? Number.POSITIVE_INFINITY
      if (sentMs <= sinceMs) found.push(sending)
      else if (sentMs !== Number.POSITIVE_INFINITY) break
    }
    return found
  }

  /** The oldest record that is under way. */
  get lowestLsn(): number | undefined {
    let lowest = Number.POSITIVE_INFINITY
    for (const pending of this.#ring) lowest = Math.min(lowest, pending?.message.record.lsn ?? lowest)
    return this.#messages === 0 ? undefined : lowest
  }

  clear(): void {
    this.#ring.fill(undefined)
    this.#first = this.#next
    this.#messages = 0
    this.#bytes = 0
  }

  #grow(): void {
    const ring: (Pending | undefined)[] = new Array(this.#ring.length * 2).fill(undefined)
    for (let sending = this.#first; sending < this.#next; sending++) ring[sending % ring.length] = this.get(sending)
    this.#ring = ring
  }
}
