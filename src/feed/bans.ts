/** Until when each REST host forbids requests. Kept in a file, so that a restart does not break a ban. */

import { z } from 'zod'
import { errorText } from '../model/errors.ts'
import type { EpochUs } from '../model/event.ts'
import type { Platform } from '../platform/platform.ts'

/** Longest documented ban. */
export const BAN_MS_MAX = 3 * 24 * 3_600_000
/** A remembered ban that ends later than this was written by a clock that was wrong. */
const BELIEVED_MS_MAX = 2 * BAN_MS_MAX
/** A list that the disk did not take is written again after this, and again; so is one that a clock has made untrue. */
const WATCH_MS = 1_000
/** The wall clock may drift so far from the monotonic one. */
const DRIFT_US = 100_000

const stored = z.record(z.string(), z.number())

export class Bans {
  readonly #path: string
  readonly #platform: Pick<Platform, 'files' | 'clock'>
  /** When each ends, monotonic: what the wall clock does meanwhile cannot shorten it. */
  readonly #endMs = new Map<string, number>()
  #writing: Promise<void> = Promise.resolve()
  #cancelWatch: (() => void) | undefined
  #isStopped = false

  constructor(path: string, platform: Pick<Platform, 'files' | 'clock'>) {
    this.#path = path
    this.#platform = platform
  }

  /** Errors: a file that cannot be read, or is no ban list, is reported by the returned text and taken as empty. */
  async load(): Promise<string | undefined> {
    const { files, clock } = this.#platform
    let value: unknown
    try {
      const text = await files.read(this.#path)
      if (text === undefined) return undefined
      value = JSON.parse(text)
    } catch (error) {
      return `${this.#path}: ${errorText(error)}; taken as empty`
    }
    const result = stored.safeParse(value)
    if (!result.success) return `${this.#path}: expected {"host": microseconds}; taken as empty`
    for (const [host, untilUs] of Object.entries(result.data)) {
      const leftMs = (untilUs - clock.nowUs()) / 1000
      if (leftMs > 0 && leftMs < BELIEVED_MS_MAX) this.#endMs.set(host, clock.monotonicMs() + leftMs)
    }
    this.#watch(this.#clockUs())
    return undefined
  }

  /** For how much longer the host forbids requests; 0: it does not. */
  leftMs(host: string): number {
    return Math.max(0, (this.#endMs.get(host) ?? 0) - this.#platform.clock.monotonicMs())
  }

  /**
   * Remembers a ban of `forMs`; one that goes on for longer stays. Resolves when it is on disk. Errors: rejects if the disk
   * refuses it, which is tried again.
   */
  async set(host: string, forMs: number): Promise<void> {
    const nowMs = this.#platform.clock.monotonicMs()
    this.#endMs.set(host, nowMs + Math.max(forMs, this.leftMs(host)))
    for (const [known, endMs] of this.#endMs) if (endMs <= nowMs) this.#endMs.delete(known)
    await this.#write()
  }

  stop(): void {
    this.#isStopped = true
    this.#cancelWatch?.()
  }

  /** Writes follow each other, so the newest state is the last. */
  async #write(): Promise<void> {
    const { files, clock } = this.#platform
    const untilUs = (host: string): EpochUs => clock.nowUs() + Math.round(this.leftMs(host) * 1000)
    const text = JSON.stringify(Object.fromEntries([...this.#endMs.keys()].map((host) => [host, untilUs(host)])))
    this.#writing = this.#writing.catch(() => {}).then(() => files.replace(this.#path, text))
    this.#cancelWatch?.()
    try {
      await this.#writing
      this.#watch(this.#clockUs())
    } catch (error) {
      this.#watch(undefined)
      throw error
    }
  }

  /** Writes the list again if the wall clock does not stand as it did when it was written, or if it was not written. */
  #watch(writtenClockUs: number | undefined): void {
    this.#cancelWatch?.()
    if (this.#isStopped || [...this.#endMs.keys()].every((host) => this.leftMs(host) === 0)) return
    this.#cancelWatch = this.#platform.clock.after(WATCH_MS, () => {
      const isTrue = writtenClockUs !== undefined && Math.abs(this.#clockUs() - writtenClockUs) < DRIFT_US
      if (isTrue) this.#watch(writtenClockUs)
      else void this.#write().catch(() => {})
    })
  }

  /** How the wall clock stands to the monotonic one. */
  #clockUs(): number {
    const { clock } = this.#platform
    return clock.nowUs() - clock.monotonicMs() * 1000
  }
}
