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
  readonly sentMs: number
}

export interface WindowLimits {
  readonly windowMessages: number
  readonly windowBytes: number
}

/** Who waits for room gets an eighth of the window at once: one write to the socket for many messages. */
const ROOMY_SHARE = 7 / 8

export class Window {
  readonly #limits: WindowLimits
  /** By the number of the sending, in order. A repeated sending has a number of its own: the answer to the first is none to it. */
  readonly #pending = new Map<number, Pending>()
  #bytes = 0
  #sendings = 0
  /** None is lower; may lie behind. */
  #oldestLsn = 0

  constructor(limits: WindowLimits) {
    this.#limits = limits
  }

  get messages(): number {
    return this.#pending.size
  }

  get bytes(): number {
    return this.#bytes
  }

  /** May this record be sent now? An empty window takes any. */
  hasRoom({ record: { lsn }, bytes }: Message): boolean {
    const { size } = this.#pending
    if (size === 0) this.#oldestLsn = lsn
    else if (size >= this.#limits.windowMessages || this.#bytes + bytes > this.#limits.windowBytes) return false
    if (lsn - this.#oldestLsn < LSN_SPAN) return true
    this.#oldestLsn = this.lowestLsn ?? lsn
    return lsn - this.#oldestLsn < LSN_SPAN
  }

  /** Is there room worth waking up for? */
  get isRoomy(): boolean {
    const { windowMessages, windowBytes } = this.#limits
    return this.#pending.size <= windowMessages * ROOMY_SHARE && this.#bytes <= windowBytes * ROOMY_SHARE
  }

  /** Yields the number of the sending. */
  add(pending: Pending): number {
    this.#bytes += pending.message.bytes
    this.#pending.set(++this.#sendings, pending)
    return this.#sendings
  }

  get(sending: number): Pending | undefined {
    return this.#pending.get(sending)
  }

  remove(sending: number): Pending | undefined {
    const pending = this.#pending.get(sending)
    if (pending === undefined) return undefined
    this.#pending.delete(sending)
    this.#bytes -= pending.message.bytes
    return pending
  }

  /** No answer will come: it stays until it is removed. */
  hold(sending: number): void {
    const pending = this.#pending.get(sending)
    if (pending !== undefined) this.#pending.set(sending, { ...pending, sentMs: Number.POSITIVE_INFINITY })
  }

  /** What was sent before `sinceMs` and has no answer; oldest first. */
  unanswered(sinceMs: number): number[] {
    const found: number[] = []
    for (const [sending, { sentMs }] of this.#pending) {
      if (sentMs <= sinceMs) found.push(sending)
      else if (sentMs !== Number.POSITIVE_INFINITY) break
    }
    return found
  }

  /** The oldest record that is under way. */
  get lowestLsn(): number | undefined {
    let lowest: number | undefined
    for (const { message } of this.#pending.values())
      lowest = Math.min(lowest ?? message.record.lsn, message.record.lsn)
    return lowest
  }

  clear(): void {
    this.#pending.clear()
    this.#bytes = 0
  }
}
