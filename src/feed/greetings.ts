/** What a link asks for on its own account right after opening: asked again until the venue takes it or refuses it for good. */

import type { OutgoingFrame } from '../venues/venue.ts'

/** A venue in maintenance refuses everything; what it will announce must be asked for when that is over. */
const AGAIN_MS = 30_000

interface Open {
  readonly frame: OutgoingFrame
  readonly askedMs: number
}

export class Greetings {
  readonly #open = new Map<string, Open>()

  /** The link has opened. Returns what to send. */
  start(frames: readonly OutgoingFrame[], nowMs: number): readonly OutgoingFrame[] {
    for (const frame of frames) this.#open.set(frame.requestId, { frame, askedMs: nowMs })
    return frames
  }

  /** Taken, or refused for good. */
  settle(requestId: string | undefined): void {
    if (requestId !== undefined) this.#open.delete(requestId)
  }

  /** What is to be sent again, counted as sent now. */
  due(nowMs: number): OutgoingFrame[] {
    const due = [...this.#open.values()].filter(({ askedMs }) => nowMs - askedMs >= AGAIN_MS)
    for (const { frame } of due) this.#open.set(frame.requestId, { frame, askedMs: nowMs })
    return due.map(({ frame }) => frame)
  }
}
