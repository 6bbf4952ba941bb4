/** Removes the oldest files of the lake: dates that are too old, and what is more than there may be. */

import { basename, dirname, join } from 'node:path'
import { errorText } from '../../model/errors.ts'
import { hasCode } from '../../platform/system-error.ts'
import type { SinkPorts } from '../sink.ts'
import { type DateFolder, dateFolders, dateText, dayOf, fileNames } from './layout.ts'
import type { LakeSinkOptions } from './options.ts'

/** Operators move files away, and other collectors add some: what was counted is counted anew after it. */
const RECOUNT_MS = 3_600_000

interface Counts {
  removedFiles: number
  removedBytes: number
}

interface File {
  readonly path: string
  readonly bytes: number
}

export class LakeRetention {
  readonly #options: LakeSinkOptions
  readonly #ports: SinkPorts
  readonly #counts: Counts
  /** Bytes by folder, of all folders there are; `undefined`: not counted yet. */
  #bytes: Map<string, number> | undefined
  #countedMs = 0

  constructor(options: LakeSinkOptions, ports: SinkPorts, counts: Counts) {
    this.#options = options
    this.#ports = ports
    this.#counts = counts
  }

  /** Bytes of all files of the lake; 0 before the first check. */
  get bytes(): number {
    return [...(this.#bytes?.values() ?? [])].reduce((sum, bytes) => sum + bytes, 0)
  }

  /** To be called when files were added. Never rejects: what cannot be removed now is removed later. */
  async check(added: readonly File[]): Promise<void> {
    const nowMs = this.#ports.platform.clock.monotonicMs()
    try {
      if (this.#bytes === undefined || nowMs - this.#countedMs >= RECOUNT_MS) {
        this.#bytes = await this.#count()
        this.#countedMs = nowMs
      } else for (const { path, bytes } of added) this.#add(dirname(path), bytes)
      await this.#removeOld()
      await this.#removeExcess()
    } catch (error) {
      this.#bytes = undefined
      this.#ports.logger.warning('lake_retention_failed', 'old files of the lake cannot be removed', {
        problem: errorText(error),
      })
    }
  }

  async #count(): Promise<Map<string, number>> {
    const { files } = this.#ports.platform
    const bytes = new Map<string, number>()
    for (const { path } of await dateFolders(files, this.#options.dir)) {
      let sum = 0
      for (const name of await fileNames(files, path)) sum += (await files.size(join(path, name))) ?? 0
      bytes.set(path, sum)
    }
    return bytes
  }

  #add(folder: string, bytes: number): void {
    this.#bytes?.set(folder, (this.#bytes.get(folder) ?? 0) + bytes)
  }

  async #removeOld(): Promise<void> {
    const { keepDays } = this.#options
    if (keepDays === 0) return
    const { clock, files } = this.#ports.platform
    const oldestKept = dateText(dayOf(clock.nowUs()) - keepDays)
    for (const path of [...(this.#bytes?.keys() ?? [])]) {
      if (basename(path).slice('date='.length) >= oldestKept) continue
      for (const name of await fileNames(files, path)) await this.#remove(path, name, 'age')
      await this.#removeFolder(path)
    }
  }

  async #removeExcess(): Promise<void> {
    const { bytesMax, dir } = this.#options
    if (bytesMax === 0 || this.bytes <= bytesMax) return
    for (const folders of byDate(await dateFolders(this.#ports.platform.files, dir))) {
      for (const { path, name } of await this.#oldestFirst(folders)) {
        if (this.bytes <= bytesMax) return
        await this.#remove(path, name, 'size')
      }
      for (const { path } of folders) await this.#removeFolder(path)
    }
  }

  /** The files of one date, as their records were received. */
  async #oldestFirst(folders: readonly DateFolder[]): Promise<{ path: string; name: string }[]> {
    const all: { path: string; name: string }[] = []
    for (const { path } of folders) {
      for (const name of await fileNames(this.#ports.platform.files, path)) all.push({ path, name })
    }
    return all.sort((a, b) => (a.name < b.name ? -1 : 1))
  }

  async #remove(folder: string, name: string, reason: 'age' | 'size'): Promise<void> {
    const { files } = this.#ports.platform
    const path = join(folder, name)
    const bytes = (await files.size(path)) ?? 0
    try {
      await files.remove(path)
    } catch (error) {
      if (!hasCode(error, 'ENOENT')) throw error
    }
    this.#add(folder, -bytes)
    this.#counts.removedFiles++
    this.#counts.removedBytes += bytes
    this.#ports.logger.info('lake_removed', 'a file of the lake has been removed', { path, bytes, reason })
  }

  /** Not one with somebody else's files in it. */
  async #removeFolder(folder: string): Promise<void> {
    await this.#ports.platform.files.removeFolder(folder)
    this.#bytes?.delete(folder)
  }
}

function byDate(folders: readonly DateFolder[]): DateFolder[][] {
  const dates = new Map<string, DateFolder[]>()
  for (const folder of folders) dates.set(folder.date, [...(dates.get(folder.date) ?? []), folder])
  return [...dates.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, same]) => same)
}
