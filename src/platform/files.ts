import { closeSync, fdatasyncSync, fstatSync, mkdirSync, openSync, writeSync } from 'node:fs'
import { mkdir, open, readFile, rename } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { AppendFile, Files } from './platform.ts'

/** The machine's file system. */
export const systemFiles: Files = {
  async read(path) {
    try {
      return await readFile(path, 'utf8')
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
      throw error
    }
  },
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
    return new SystemAppendFile(openSync(path, 'a'))
  },
}

/** Until its folder is on disk too, a power failure can undo a rename. Some systems cannot open folders; theirs need not. */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r').catch(() => undefined)
  await folder?.sync().finally(() => folder.close())
}

class SystemAppendFile implements AppendFile {
  readonly #descriptor: number
  #size: number

  constructor(descriptor: number) {
    this.#descriptor = descriptor
    this.#size = fstatSync(descriptor).size
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
  }

  close(): void {
    closeSync(this.#descriptor)
  }
}
