/** The subscriptions that one link asked for and has no answer to yet. */

import type { OutgoingFrame, Topic } from '../venues/venue.ts'

export const ANSWER_TIMEOUT_MS = 10_000

interface Asked {
  readonly topics: readonly Topic[]
  /** Absent while the request waits for its turn. */
  sentMs?: number
}

export class Requests {
  readonly #asked = new Map<string, Asked>()
  /** None was left without an answer since the newest answer. */
  areAnswered = true

  add({ requestId, topics }: OutgoingFrame): void {
    this.#asked.set(requestId, { topics })
  }

  /** An answer is awaited from when the request went out. */
  sent(requestId: string, nowMs: number): void {
    const asked = this.#asked.get(requestId)
    if (asked !== undefined) asked.sentMs = nowMs
  }

  /** The topics of an answered request; `undefined`: nothing was asked, or it was answered before. */
  answered(requestId: string | undefined): readonly Topic[] | undefined {
    if (requestId === undefined) return undefined
    const asked = this.#asked.get(requestId)
    if (this.#asked.delete(requestId)) this.areAnswered = true
    return asked?.topics
  }

  /** The topics of each request that was not answered in time; they are no longer awaited. */
  overdue(nowMs: number): (readonly Topic[])[] {
    const late = [...this.#asked].filter(([, { sentMs = nowMs }]) => nowMs - sentMs >= ANSWER_TIMEOUT_MS)
    for (const [requestId] of late) this.#asked.delete(requestId)
    if (late.length > 0) this.areAnswered = false
    return late.map(([, { topics }]) => topics)
  }

  /** Every wait starts again. */
  excuse(nowMs: number): void {
    for (const asked of this.#asked.values()) if (asked.sentMs !== undefined) asked.sentMs = nowMs
  }

  clear(): void {
    this.#asked.clear()
  }
}
