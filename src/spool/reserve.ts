/** A file whose only use is to be removed: then there is room for gap records although the disk or the quota is full. */

import { join } from 'node:path'
import type { Files } from '../platform/platform.ts'

const PART_BYTES = 256 * 1024
/** Not zeros: a file system that compresses, or leaves holes, would keep no room for them. */
const PART = Buffer.alloc(PART_BYTES)
for (let at = 0, state = 1; at < PART_BYTES; at++) {
  state = Math.imul(state, 48271) >>> 0
  PART[at] = state >>> 24
}

export const RESERVE_NAME = 'reserve'

export class Reserve {
  readonly #files: Files
  readonly #path: string
  readonly #size: number
  isThere = false

  constructor(files: Files, folder: string, size: number) {
    this.#files = files
    this.#path = join(folder, RESERVE_NAME)
    this.#size = size
  }

  /** What it takes now. */
  get bytes(): number {
    return this.isThere ? this.#size : 0
  }

  /** What it takes when it is there. */
  get size(): number {
    return this.#size
  }

  /** Takes what an earlier process left, if it is whole. */
  async load(): Promise<void> {
    const found = await this.#files.size(this.#path)
    this.isThere = found === this.#size && this.#size > 0
    if (found !== undefined && !this.isThere) await this.#files.remove(this.#path)
  }

  /** Makes it; there may be no room, then there is none. */
  async make(): Promise<void> {
    if (this.isThere || this.#size === 0) return
    try {
      const file = await this.#files.create(this.#path)
      try {
        for (let left = this.#size; left > 0; left -= PART_BYTES) await file.append([PART.subarray(0, left)])
        await file.sync()
        this.isThere = true
      } finally {
        await file.close()
      }
    } catch {
      await this.#files.remove(this.#path).catch(() => {})
    }
  }

  /** Gives its room away. False: there was none. */
  async spend(): Promise<boolean> {
    if (!this.isThere) return false
    await this.#files.remove(this.#path)
    this.isThere = false
    return true
  }
}
