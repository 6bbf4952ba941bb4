/**
 * Which messages share an answer. The sequence that the last of a run was stored at tells that all of it was, as long as
 * nobody else publishes into the stream; when somebody does, each message gets an answer of its own for a while.
 */

const PAUSE_MS = 60_000
const PAUSE_MS_MAX = 3_600_000

/** `others`: messages that are not ours stand between. `fewer`: the server knew some already, or the stream was set back. */
export type RunVerdict = 'stored' | 'others' | 'fewer'

/** `reachedSeq`: of the message before the run. */
export function judgeRun(seq: number, reachedSeq: number, count: number): RunVerdict {
  if (seq - reachedSeq === count) return 'stored'
  return seq - reachedSeq > count ? 'others' : 'fewer'
}

/** Outlives connections. */
export class Sharing {
  #pauseMs = PAUSE_MS
  #untilMs = 0

  isOn(nowMs: number): boolean {
    return nowMs >= this.#untilMs
  }

  /** Each pause is twice as long as the one before. */
  pause(nowMs: number): void {
    this.#untilMs = nowMs + this.#pauseMs
    this.#pauseMs = Math.min(2 * this.#pauseMs, PAUSE_MS_MAX)
  }
}
