/** Copies of spoilt segments, for people to look into. Bounded in number; the first to go when room is needed. */

import { dirname, join } from 'node:path'
import type { Files } from '../platform/platform.ts'
import { parseSegmentName } from './segment.ts'

const QUARANTINE_MAX = 4
const SUFFIX = '.bad'
const CHUNK_BYTES = 1024 * 1024

interface Copy {
  readonly path: string
  readonly bytes: number
}

export const quarantinePath = (path: string): string => `${path}${SUFFIX}`

export const isQuarantine = (name: string): boolean =>
  name.endsWith(SUFFIX) && parseSegmentName(name.slice(0, -SUFFIX.length)) !== undefined

export class Quarantine {
  readonly #files: Files
  #copies: Copy[] = []

  constructor(files: Files) {
    this.#files = files
  }

  async load(folder: string, names: readonly string[]): Promise<void> {
    const paths = names
      .filter(isQuarantine)
      .sort()
      .map((name) => join(folder, name))
    for (const path of paths) this.#copies.push({ path, bytes: (await this.#files.size(path)) ?? 0 })
  }

  get bytes(): number {
    return this.#copies.reduce((sum, { bytes }) => sum + bytes, 0)
  }

  /** Keeps a copy of the file unless there is one, or it would be larger than `bytesMax`. False: there is none. */
  async add(path: string, bytesMax: number): Promise<boolean> {
    const target = quarantinePath(path)
    if (this.#copies.some((copy) => copy.path === target)) return true
    const bytes = (await this.#files.size(path)) ?? 0
    if (bytes > bytesMax) return false
    while (this.#copies.length >= QUARANTINE_MAX) await this.removeOldest()
    try {
      await copyFile(this.#files, path, target)
    } catch {
      await this.#files.remove(target).catch(() => {})
      return false
    }
    this.#copies.push({ path: target, bytes })
    return true
  }

  /** False: there is none. Errors: the system's. */
  async removeOldest(): Promise<boolean> {
    const oldest = this.#copies.shift()
    if (oldest !== undefined) await this.#files.remove(oldest.path)
    return oldest !== undefined
  }
}

/** A copy, of the first `bytesMax` bytes at most, that is on disk when it resolves. Errors: the system's, EEXIST too. */
export async function copyFile(
  files: Files,
  from: string,
  to: string,
  bytesMax = Number.POSITIVE_INFINITY,
): Promise<void> {
  const target = await files.create(to)
  try {
    for (let at = 0; at < bytesMax; at += CHUNK_BYTES) {
      const chunk = await files.readAt(from, at, Math.min(CHUNK_BYTES, bytesMax - at))
      await target.append([chunk])
      if (chunk.length < CHUNK_BYTES) break
    }
    await target.sync()
  } finally {
    await target.close()
  }
  await files.syncFolder(dirname(to))
}
