import { type FileHandle, open } from 'node:fs/promises'
import type { DataFile } from './platform.ts'

/** Buffers that one system call takes (IOV_MAX). */
const PARTS_MAX = 1024

/** Creates a file that must not exist yet. */
export const createDataFile = async (path: string): Promise<DataFile> => new SystemDataFile(await open(path, 'ax'))

class SystemDataFile implements DataFile {
  readonly #handle: FileHandle

  constructor(handle: FileHandle) {
    this.#handle = handle
  }

  async append(parts: readonly Uint8Array[]): Promise<void> {
    for (let at = 0; at < parts.length; at += PARTS_MAX) await this.#write(parts.slice(at, at + PARTS_MAX))
  }

  /** A write to a nearly full disk may take a part only; the next one then says why. */
  async #write(parts: Uint8Array[]): Promise<void> {
    let left = parts
    while (left.length > 0) left = behind(left, (await this.#handle.writev(left)).bytesWritten)
  }

  sync(): Promise<void> {
    return this.#handle.datasync()
  }

  close(): Promise<void> {
    return this.#handle.close()
  }
}

/** What is left of `parts` behind the first `bytes` bytes. */
function behind(parts: readonly Uint8Array[], bytes: number): Uint8Array[] {
  let skip = bytes
  for (const [index, part] of parts.entries()) {
    if (skip < part.length) return [part.subarray(skip), ...parts.slice(index + 1)]
    skip -= part.length
  }
  return []
}
