/** A log file that keeps its size: `collector.log`, then `.1` (newer) to `.N` (oldest). */

import { closeSync, fstatSync, mkdirSync, openSync, readdirSync, renameSync, rmSync, writeSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'

export interface LogFileOptions {
  readonly path: string
  /** A file grows no further once the next line would take it past this. */
  readonly bytesMax: number
  /** Files in all, the current one included. */
  readonly countMax: number
}

export interface LogFile {
  /** Appends one line, at once: what was logged before a crash is in the file. Never throws. */
  write(line: string): void
  /** Lines that could not be written (disk full, folder gone). */
  readonly lostLines: number
  close(): void
}

/** Errors: throws when the folder cannot be made or the file not opened, so that a wrong path is noticed at the start. */
export function openLogFile({ path, bytesMax, countMax }: LogFileOptions): LogFile {
  mkdirSync(dirname(path), { recursive: true })
  removeSurplus(path, countMax)
  let descriptor: number | undefined = openSync(path, 'a')
  let size = fstatSync(descriptor).size
  let lostLines = 0

  const close = (): void => {
    if (descriptor !== undefined) closeSync(descriptor)
    descriptor = undefined
  }
  const reopen = (): number => {
    mkdirSync(dirname(path), { recursive: true })
    descriptor = openSync(path, 'a')
    size = fstatSync(descriptor).size
    return descriptor
  }
  return {
    get lostLines() {
      return lostLines
    },
    write(line) {
      const bytes = Buffer.from(line)
      try {
        if (size > 0 && size + bytes.length > bytesMax) {
          close()
          rotate(path, countMax)
        }
        const target = descriptor ?? reopen()
        for (let written = 0; written < bytes.length; ) {
          const count = writeSync(target, bytes, written)
          written += count
          size += count
        }
      } catch {
        lostLines++
      }
    },
    close,
  }
}

function rotate(path: string, countMax: number): void {
  rmSync(countMax === 1 ? path : `${path}.${countMax - 1}`, { force: true })
  for (let index = countMax - 2; index >= 0; index--) {
    try {
      renameSync(index === 0 ? path : `${path}.${index}`, `${path}.${index + 1}`)
    } catch (error) {
      // A file in the row is not there yet: the first rotations, or someone deleted it.
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    }
  }
}

/** Removes files of an earlier run that kept more. */
function removeSurplus(path: string, countMax: number): void {
  const prefix = `${basename(path)}.`
  for (const file of readdirSync(dirname(path))) {
    const index = file.startsWith(prefix) ? file.slice(prefix.length) : ''
    if (/^\d{1,3}$/.test(index) && Number(index) >= countMax) rmSync(join(dirname(path), file), { force: true })
  }
}
