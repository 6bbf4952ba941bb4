/** Until when each REST host forbids requests. Kept in a file, so that a restart does not break a ban. */

import { z } from 'zod'
import type { EpochUs } from '../model/event.ts'
import type { Files } from '../platform/platform.ts'

const stored = z.record(z.string(), z.number())

export class Bans {
  readonly #path: string
  readonly #files: Files
  readonly #untilUs = new Map<string, EpochUs>()
  #writing: Promise<void> = Promise.resolve()

  constructor(path: string, files: Files) {
    this.#path = path
    this.#files = files
  }

  /** Errors: a file that is no ban list is reported by the returned text and taken as empty. */
  async load(): Promise<string | undefined> {
    const text = await this.#files.read(this.#path)
    if (text === undefined) return undefined
    let value: unknown
    try {
      value = JSON.parse(text)
    } catch {
      value = undefined
    }
    const result = stored.safeParse(value)
    if (!result.success) return `${this.#path}: expected {"host": microseconds}; taken as empty`
    for (const [host, untilUs] of Object.entries(result.data)) this.#untilUs.set(host, untilUs)
    return undefined
  }

  /** `undefined`: not banned now. */
  untilUs(host: string, nowUs: EpochUs): EpochUs | undefined {
    const untilUs = this.#untilUs.get(host)
    return untilUs !== undefined && untilUs > nowUs ? untilUs : undefined
  }

  /** Remembers the ban; resolves when it is on disk. Writes follow each other, so the newest state is the last. */
  async set(host: string, untilUs: EpochUs, nowUs: EpochUs): Promise<void> {
    this.#untilUs.set(host, untilUs)
    for (const [known, end] of this.#untilUs) if (end <= nowUs) this.#untilUs.delete(known)
    const text = JSON.stringify(Object.fromEntries(this.#untilUs))
    this.#writing = this.#writing.catch(() => {}).then(() => this.#files.replace(this.#path, text))
    await this.#writing
  }
}
