/** What one socket sends: in order, within the venue's rate. Answers that the venue waits for go first. */

import type { Clock } from '../platform/platform.ts'
import { Window } from './window.ts'

/** How much closer together frames may arrive than they were sent. */
const SLACK_MS = 250
const WINDOW_MS = 1_000 + SLACK_MS
/** By then a process that stood still has read the pings that came meanwhile. */
const PAUSE_MS = 100

/** A frame that waits for its turn; `requestId` where an answer to it is awaited. */
export interface Unsent {
  readonly text: string
  readonly requestId?: string | undefined
}

export interface OutboxOptions {
  readonly clock: Clock
  readonly sendsPerSecondMax: number
  send(text: string): void
  /** The request has gone out: its answer can be awaited from now on. */
  sent(requestId: string): void
}

export class Outbox {
  readonly #options: OutboxOptions
  readonly #sends: Window
  readonly #unsent: Unsent[] = []
  #cancelSend: (() => void) | undefined
  #isOpen = false
  #pausedUntilMs = Number.NEGATIVE_INFINITY
  /** When the frames since the peer's last byte went out, monotonic: if the network stands still they arrive together. */
  #unheardMs: number[] = []

  constructor(options: OutboxOptions) {
    this.#options = options
    this.#sends = new Window(options.sendsPerSecondMax, WINDOW_MS)
  }

  /** A byte came: what went out before it has arrived, maybe only now. */
  heard(): void {
    if (this.#unheardMs.length === 0) return
    const nowMs = this.#options.clock.monotonicMs()
    const late = this.#unheardMs.filter((sentMs) => nowMs - sentMs > SLACK_MS)
    this.#unheardMs = []
    if (late.length > 0) this.#sends.spend(late.length, nowMs)
    this.#drain()
  }

  /** A ping of the peer was answered: that counts as a frame, and after a standstill there are several at once. */
  answered(): void {
    this.#sends.spend(1, this.#options.clock.monotonicMs())
  }

  /** The process stood still: nothing goes out before the pings that wait have been answered. */
  pause(): void {
    this.#pausedUntilMs = this.#options.clock.monotonicMs() + PAUSE_MS
  }

  /** Nothing goes out before. */
  open(): void {
    this.#isOpen = true
    this.#drain()
  }

  /** Forgets what waits. */
  close(): void {
    this.#isOpen = false
    this.#cancelSend?.()
    this.#unsent.length = 0
  }

  push(frame: Unsent): void {
    this.#unsent.push(frame)
    this.#drain()
  }

  /** Before all that waits; an answer that waits already serves every question that was asked since. */
  pushFirst(text: string): void {
    if (this.#unsent[0]?.text !== text) this.#unsent.unshift({ text })
    this.#drain()
  }

  /** Takes the place of one frame for a control frame; false: the rate does not allow it now. */
  takePlace(): boolean {
    if (this.#isFull || this.#waitMs() > 0) return false
    this.#spend()
    return true
  }

  get #isFull(): boolean {
    return this.#unheardMs.length >= this.#options.sendsPerSecondMax
  }

  #waitMs(): number {
    const nowMs = this.#options.clock.monotonicMs()
    return Math.max(this.#pausedUntilMs - nowMs, this.#sends.waitMs(1, nowMs))
  }

  #spend(): void {
    const nowMs = this.#options.clock.monotonicMs()
    this.#unheardMs.push(nowMs)
    this.#sends.spend(1, nowMs)
  }

  #drain(): void {
    this.#cancelSend?.()
    this.#cancelSend = undefined
    const { clock, send, sent } = this.#options
    while (this.#unsent.length > 0 && this.#isOpen && !this.#isFull) {
      const waitMs = this.#waitMs()
      if (waitMs > 0) {
        const dueMs = clock.monotonicMs() + waitMs
        this.#cancelSend = clock.after(waitMs, () => {
          if (clock.monotonicMs() - dueMs > SLACK_MS) this.pause()
          this.#drain()
        })
        return
      }
      const { text, requestId } = this.#unsent.shift() as Unsent
      if (requestId !== undefined) sent(requestId)
      this.#spend()
      send(text)
    }
  }
}
