/** Until when each REST host forbids requests. Kept in a file, so that a restart does not break a ban. */

import { z } from 'zod'
import { errorText } from '../model/errors.ts'
import type { EpochUs } from '../model/event.ts'
import type { Platform } from '../platform/platform.ts'

/** Longest documented ban. */
export const BAN_MS_MAX = 3 * 24 * 3_600_000
/** A remembered ban that ends later than this was written by a clock that was wrong. */
const BELIEVED_MS_MAX = 2 * BAN_MS_MAX
/** A list that the disk did not take is written again after this, and again. */
const RETRY_MS = 1_000

const stored = z.record(z.string(), z.number())

export class Bans {
  readonly #path: string
  readonly #platform: Pick<Platform, 'files' | 'clock'>
  readonly #untilUs = new Map<string, EpochUs>()
  #writing: Promise<void> = Promise.resolve()
  #cancelRetry: (() => void) | undefined
  #isStopped = false

  constructor(path: string, platform: Pick<Platform, 'files' | 'clock'>) {
    this.#path = path
    this.#platform = platform
  }

  /** Errors: a file that cannot be read, or is no ban list, is reported by the returned text and taken as empty. */
  async load(): Promise<string | undefined> {
    let value: unknown
    try {
      const text = await this.#platform.files.read(this.#path)
      if (text === undefined) return undefined
      value = JSON.parse(text)
    } catch (error) {
      return `${this.#path}: ${errorText(error)}; taken as empty`
    }
    const result = stored.safeParse(value)
    if (!result.success) return `${this.#path}: expected {"host": microseconds}; taken as empty`
    for (const [host, untilUs] of Object.entries(result.data)) this.#untilUs.set(host, untilUs)
    return undefined
  }

  /** `undefined`: not banned now. */
  untilUs(host: string, nowUs: EpochUs): EpochUs | undefined {
    const untilUs = this.#untilUs.get(host)
    const isRunning = untilUs !== undefined && untilUs > nowUs && untilUs < nowUs + BELIEVED_MS_MAX * 1000
    return isRunning ? untilUs : undefined
  }

  /** Remembers the ban; resolves when it is on disk. Errors: rejects if the disk refuses it, which is tried again. */
  async set(host: string, untilUs: EpochUs, nowUs: EpochUs): Promise<void> {
    this.#untilUs.set(host, untilUs)
    for (const [known, end] of this.#untilUs) if (end <= nowUs) this.#untilUs.delete(known)
    await this.#write()
  }

  stop(): void {
    this.#isStopped = true
    this.#cancelRetry?.()
  }

  /** Writes follow each other, so the newest state is the last. */
  async #write(): Promise<void> {
    const { files, clock } = this.#platform
    const text = JSON.stringify(Object.fromEntries(this.#untilUs))
    this.#writing = this.#writing.catch(() => {}).then(() => files.replace(this.#path, text))
    this.#cancelRetry?.()
    try {
      await this.#writing
    } catch (error) {
      if (!this.#isStopped) this.#cancelRetry = clock.after(RETRY_MS, () => void this.#write().catch(() => {}))
      throw error
    }
  }
}
