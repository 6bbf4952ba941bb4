/** A small file system of its own, which can be filled up beside what uses it. */

import { spawnSync } from 'node:child_process'
import { closeSync, mkdirSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { errorText } from '../../../model/errors.ts'

const CHUNK = Buffer.alloc(64 * 1024)

/** Why none can be had; `undefined`: it can. */
export function smallDiskMissing(): string | undefined {
  const folder = mkdtempSync(join(tmpdir(), 'disk-'))
  try {
    SmallDisk.mount(folder, 1).unmount()
    return undefined
  } catch (error) {
    return errorText(error)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

export class SmallDisk {
  readonly folder: string
  readonly #ballast: string

  private constructor(folder: string) {
    this.folder = folder
    this.#ballast = join(folder, 'ballast')
  }

  /** Errors: throws with the reason where nothing can be mounted. */
  static mount(folder: string, mebibytes: number): SmallDisk {
    mkdirSync(folder, { recursive: true })
    const args = ['-t', 'tmpfs', '-o', `size=${mebibytes}m`, 'tmpfs', folder]
    const { status, stderr, error } = spawnSync('mount', args, { encoding: 'utf8' })
    if (status !== 0) throw new Error(`a file system of its own cannot be mounted: ${stderr?.trim() || error?.message}`)
    return new SmallDisk(folder)
  }

  /** Somebody else's file takes so many bytes, or all that there is. Yields how many it got. */
  fill(bytesMax: number): number {
    const file = openSync(this.#ballast, 'a')
    let bytes = 0
    try {
      while (bytes < bytesMax) bytes += writeSync(file, CHUNK, 0, Math.min(CHUNK.length, bytesMax - bytes))
    } catch {
      // Full.
    }
    closeSync(file)
    return bytes
  }

  /** The file is removed. */
  free(): void {
    rmSync(this.#ballast, { force: true })
  }

  unmount(): void {
    spawnSync('umount', ['-l', this.folder])
  }
}
