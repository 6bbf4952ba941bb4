/** A disk in memory that loses what a real one loses: nothing when a process is killed, what was not synced when the power fails. */

import type { AppendFile, Files, Random } from '../../platform/platform.ts'
import type { Scope, VirtualLoop } from './loop.ts'

/** A part of a file that was written at once. After a failed sync nobody knows what of it is on disk, also after a good one. */
interface Piece {
  readonly text: string
  state: 'written' | 'synced' | 'doubtful'
}

interface StoredFile {
  /** On disk for certain. */
  durable: string
  /** What follows, oldest first. */
  tail: Piece[]
  bytes: number
}

export type DiskFault = 'full' | 'error' | 'sync'

/** Errors as Node reports them. */
const FAULTS: Readonly<Record<DiskFault, string>> = {
  full: 'ENOSPC: no space left on device, write',
  error: 'EIO: i/o error, write',
  sync: 'EIO: i/o error, fdatasync',
}

/** How long a whole file takes, usually. */
export const REPLACE_MS = 3
/** Who found the disk failing tries again after a while. */
const TROUBLE_MS = 6_000

export class VirtualDisk {
  /** What goes wrong now. */
  readonly faults = new Set<DiskFault>()
  /** How long a whole file takes now. */
  replaceMs = REPLACE_MS
  readonly #files = new Map<string, StoredFile>()
  readonly #loop: VirtualLoop
  readonly #random: Random
  /** When it last failed. */
  #failedMs = Number.NEGATIVE_INFINITY
  /** Told of each text that became durable. */
  onDurable: (path: string, text: string) => void = () => {}

  constructor(loop: VirtualLoop, random: Random) {
    this.#loop = loop
    this.#random = random
  }

  /** The text of a file as a process reads it. */
  text(path: string): string | undefined {
    const file = this.#files.get(path)
    return file && file.durable + file.tail.map(({ text }) => text).join('')
  }

  get paths(): readonly string[] {
    return [...this.#files.keys()]
  }

  /** It fails, or has failed so lately that a process may not have written again what it refused. */
  get isTroubled(): boolean {
    return this.faults.size > 0 || this.#loop.nowMs - this.#failedMs < TROUBLE_MS
  }

  /** What was not synced is gone, but for a part that happened to be written; the end of it may be torn. */
  losePower(): void {
    for (const [path, file] of this.#files) this.#files.set(path, storedFile(file.durable + this.#surviving(file.tail)))
  }

  #surviving(tail: readonly Piece[]): string {
    let text = ''
    for (const piece of tail) {
      if (piece.state === 'synced') text += piece.text
      else if (piece.state === 'doubtful') text += this.#random() < 0.5 ? piece.text : '\0'.repeat(piece.text.length)
      else if (this.#random() < 0.5) text += piece.text
      else return text + piece.text.slice(0, Math.floor(this.#random() * (piece.text.length + 1)))
    }
    return text
  }

  /** The disk as a process sees it: what it asks is answered only while it lives. */
  files(scope: Scope): Files {
    return {
      read: (path) => this.#later(scope, 1, () => this.text(path)),
      replace: (path, text) =>
        this.#later(scope, this.replaceMs, () => {
          this.#fail('full', 'error', 'sync')
          this.#files.set(path, storedFile(text))
          this.onDurable(path, text)
        }),
      append: (path) => this.#append(path),
    }
  }

  #append(path: string): AppendFile {
    this.#fail('error')
    const file = this.#files.get(path) ?? storedFile('')
    this.#files.set(path, file)
    return {
      get size() {
        return file.bytes
      },
      append: (text) => this.#write(file, text),
      sync: () => this.#sync(path, file),
      close() {},
    }
  }

  #write(file: StoredFile, text: string): void {
    const isTorn = this.faults.has('full') || this.faults.has('error')
    // A write that fails may have taken a part.
    const taken = isTorn ? text.slice(0, Math.floor(this.#random() * text.length)) : text
    file.tail.push({ text: taken, state: 'written' })
    file.bytes += Buffer.byteLength(taken)
    this.#fail('full', 'error')
  }

  #sync(path: string, file: StoredFile): void {
    const fresh = file.tail.filter(({ state }) => state === 'written')
    const hasFailed = this.faults.has('sync')
    for (const piece of fresh) piece.state = hasFailed ? 'doubtful' : 'synced'
    this.#fail('sync')
    while (file.tail[0]?.state === 'synced') file.durable += file.tail.shift()?.text
    if (fresh.length > 0) this.onDurable(path, fresh.map(({ text }) => text).join(''))
  }

  #fail(...kinds: readonly DiskFault[]): void {
    for (const kind of kinds) {
      if (!this.faults.has(kind)) continue
      this.#failedMs = this.#loop.nowMs
      throw new Error(FAULTS[kind])
    }
  }

  #later<Result>(scope: Scope, delayMs: number, act: () => Result): Promise<Result> {
    return new Promise((resolve, reject) => {
      this.#loop.at(
        this.#loop.nowMs + delayMs,
        scope,
        () => {
          try {
            resolve(act())
          } catch (error) {
            reject(error)
          }
        },
        true,
      )
    })
  }
}

const storedFile = (text: string): StoredFile => ({
  durable: text,
  tail: [],
  bytes: Buffer.byteLength(text),
})
