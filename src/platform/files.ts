import { closeSync, fdatasyncSync, fstatSync, mkdirSync, openSync, statSync, writeSync } from 'node:fs'
import { type FileHandle, mkdir, open, readdir, readFile, rename, rmdir, stat, statfs, unlink } from 'node:fs/promises'
import { dirname } from 'node:path'
import { createDataFile } from './data-file.ts'
import type { AppendFile, Files } from './platform.ts'
import { hasCode } from './system-error.ts'

/** The machine's file system. */
export const systemFiles: Files = {
  read: (path) => unlessMissing(readFile(path, 'utf8')),
  async replace(path, text) {
    await mkdir(dirname(path), { recursive: true })
    const temporary = `${path}.${process.pid}.tmp`
    const file = await open(temporary, 'w')
    try {
      await file.writeFile(text)
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(temporary, path)
    await syncFolder(dirname(path))
  },
  append(path) {
    mkdirSync(dirname(path), { recursive: true })
    return new SystemAppendFile(path)
  },
  list: async (folder) => (await unlessMissing(readdir(folder))) ?? [],
  async makeFolder(folder) {
    await mkdir(folder, { recursive: true })
  },
  size: async (path) => (await unlessMissing(stat(path)))?.size,
  async readAt(path, at, bytes) {
    const file = await open(path, 'r')
    try {
      return await readUpTo(file, at, bytes)
    } finally {
      await file.close()
    }
  },
  create: createDataFile,
  async truncate(path, bytes) {
    const file = await open(path, 'r+')
    try {
      await file.truncate(bytes)
      await file.sync()
    } finally {
      await file.close()
    }
  },
  rename,
  remove: unlink,
  async removeFolder(folder) {
    try {
      await rmdir(folder)
    } catch (error) {
      if (!hasCode(error, 'ENOTEMPTY', 'EEXIST', 'ENOENT')) throw error
    }
  },
  syncFolder,
  async freeBytes(folder) {
    const { bavail, bsize } = await statfs(folder)
    return bavail * bsize
  },
}

async function unlessMissing<Result>(result: Promise<Result>): Promise<Result | undefined> {
  try {
    return await result
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined
    throw error
  }
}

async function readUpTo(file: FileHandle, at: number, bytes: number): Promise<Buffer> {
  const buffer = Buffer.allocUnsafeSlow(bytes)
  let length = 0
  while (length < bytes) {
    const { bytesRead } = await file.read(buffer, length, bytes - length, at + length)
    if (bytesRead === 0) break
    length += bytesRead
  }
  return buffer.subarray(0, length)
}

/** Until its folder is on disk too, a power failure can undo a rename. Some systems cannot open folders; theirs need not. */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r').catch(() => undefined)
  await folder?.sync().finally(() => folder.close())
}

class SystemAppendFile implements AppendFile {
  readonly #path: string
  readonly #descriptor: number
  #size: number

  constructor(path: string) {
    this.#path = path
    this.#descriptor = openSync(path, 'a')
    this.#size = fstatSync(this.#descriptor).size
  }

  get size(): number {
    return this.#size
  }

  append(text: string): void {
    const bytes = Buffer.from(text)
    // A write to a nearly full disk may take a part only; the next one then says why.
    for (let at = 0; at < bytes.length; ) {
      const count = writeSync(this.#descriptor, bytes, at)
      at += count
      this.#size += count
    }
  }

  sync(): void {
    fdatasyncSync(this.#descriptor)
    // A file that was removed takes everything, and nobody will find it.
    statSync(this.#path)
  }

  close(): void {
    closeSync(this.#descriptor)
  }
}
