/** What a link asks for on its own account right after opening: asked again until the venue takes it or refuses it for good. */

import type { OutgoingFrame } from '../venues/venue.ts'

/** A venue in maintenance refuses everything; what it will announce must be asked for when that is over. */
const AGAIN_MS = 30_000

interface Asked {
  readonly text: string
  atMs: number
}

export class Greetings {
  readonly #send: (text: string) => void
  /** Without an answer that settles them, by their request. */
  readonly #open = new Map<string, Asked>()

  constructor(send: (text: string) => void) {
    this.#send = send
  }

  start(frames: readonly OutgoingFrame[], nowMs: number): void {
    for (const { requestId, text } of frames) {
      this.#open.set(requestId, { text, atMs: nowMs })
      this.#send(text)
    }
  }

  /** Taken, or refused for good. */
  settle(requestId: string | undefined): void {
    if (requestId !== undefined) this.#open.delete(requestId)
  }

  repeat(nowMs: number): void {
    for (const asked of this.#open.values()) {
      if (nowMs - asked.atMs < AGAIN_MS) continue
      asked.atMs = nowMs
      this.#send(asked.text)
    }
  }
}
