/** How far each sink has got: one small file a sink, replaced as a whole. */

import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import type { Files } from '../platform/platform.ts'

const NAME = /^[a-z0-9_-]{1,64}$/
const FILE = /^cursor-([a-z0-9_-]{1,64})$/

export interface Cursor {
  readonly sink: string
  /** The last record that the sink has for certain, with everything before it. */
  readonly lsn: number
}

/** `undefined`: no name of a cursor's file. */
export const cursorSink = (name: string): string | undefined => FILE.exec(name)?.[1]
export const cursorPath = (folder: string, sink: string): string => join(folder, `cursor-${sink}`)

export function lsnText(lsn: number): string {
  const text = String(lsn)
  return `${crc32(text).toString(16).padStart(8, '0')} ${text}\n`
}

/** `undefined`: not as it was written. */
export function parseLsn(text: string): number | undefined {
  const [, checksum = '', lsn = ''] = /^([0-9a-f]{8}) (\d{1,16})\n$/.exec(text) ?? []
  return lsn !== '' && Number.parseInt(checksum, 16) === crc32(lsn) ? Number(lsn) : undefined
}

export interface CursorsOptions {
  readonly folder: string
  readonly files: Files
  readonly sinks: readonly string[]
  /** Told when a cursor cannot be written. */
  readonly onError: (error: unknown) => void
}

interface Entry {
  lsn: number
  /** What is on disk. */
  storedLsn: number | undefined
}

export class Cursors {
  readonly #options: CursorsOptions
  readonly #entries = new Map<string, Entry>()
  #flushing: Promise<boolean> = Promise.resolve(true)

  /** Errors: throws a RangeError for a sink whose name makes no file name. */
  constructor(options: CursorsOptions) {
    this.#options = options
    for (const sink of options.sinks) {
      if (!NAME.test(sink)) throw new RangeError(`a sink's name is made of a-z, 0-9, _ and -: ${sink}`)
    }
  }

  /**
   * Reads the files. A cursor that is missing or spoilt stands before `oldestLsn`: what the sink has had comes again. One
   * that is ahead of the log stands at its end. The result tells people what was wrong. Errors: the system's.
   */
  async load(oldestLsn: number, lastLsn: number): Promise<string[]> {
    const notes: string[] = []
    for (const sink of this.#options.sinks) {
      const text = await this.#options.files.read(cursorPath(this.#options.folder, sink))
      const storedLsn = text === undefined ? undefined : parseLsn(text)
      if (text !== undefined && storedLsn === undefined) notes.push(`cursor of ${sink} is spoilt; starts at the oldest`)
      if ((storedLsn ?? 0) > lastLsn)
        notes.push(`cursor of ${sink} was ahead: ${storedLsn}, the log ends at ${lastLsn}`)
      this.#entries.set(sink, { lsn: Math.min(storedLsn ?? oldestLsn - 1, lastLsn), storedLsn })
    }
    return notes
  }

  get all(): Cursor[] {
    return [...this.#entries].map(([sink, { lsn }]) => ({ sink, lsn }))
  }

  /** Every sink has had the records up to here. Without sinks: all there are. */
  get ackedLsn(): number {
    let lsn = Number.POSITIVE_INFINITY
    for (const entry of this.#entries.values()) lsn = Math.min(lsn, entry.lsn)
    return lsn
  }

  /** The same, of what is on disk. */
  get storedLsn(): number {
    let lsn = Number.POSITIVE_INFINITY
    for (const { storedLsn = 0 } of this.#entries.values()) lsn = Math.min(lsn, storedLsn)
    return lsn
  }

  /** The same, of those that are on disk: sinks that are new lack nothing of what is gone. */
  get knownLsn(): number {
    return Math.min(...[...this.#entries.values()].map(({ storedLsn = Number.POSITIVE_INFINITY }) => storedLsn))
  }

  /** The furthest of all, as it is on disk. */
  get furthestLsn(): number {
    return Math.max(0, ...[...this.#entries.values()].map(({ storedLsn = 0 }) => storedLsn))
  }

  /** Who lacks records up to here, while others have them; empty: it is the same for all. */
  behind(lastLsn: number): string[] {
    const behind = this.all.filter(({ lsn }) => lsn < lastLsn)
    return behind.length === this.#entries.size ? [] : behind.map(({ sink }) => sink)
  }

  get(sink: string): number {
    return this.#entry(sink).lsn
  }

  set(sink: string, lsn: number): void {
    this.#entry(sink).lsn = lsn
  }

  /**
   * Writes what has changed, but no further than `settledLsn`. Resolves when it is on disk, or false when it cannot be.
   */
  flush(settledLsn: number): Promise<boolean> {
    this.#flushing = this.#flushing.then(() => this.#write(settledLsn))
    return this.#flushing
  }

  async #write(settledLsn: number): Promise<boolean> {
    const { folder, files, onError } = this.#options
    let isWritten = true
    for (const [sink, entry] of this.#entries) {
      const lsn = Math.min(entry.lsn, settledLsn)
      if (lsn === entry.storedLsn) continue
      try {
        await files.replace(cursorPath(folder, sink), lsnText(lsn))
        entry.storedLsn = lsn
      } catch (error) {
        isWritten = false
        onError(error)
      }
    }
    return isWritten
  }

  #entry(sink: string): Entry {
    const entry = this.#entries.get(sink)
    if (entry === undefined) throw new RangeError(`the log knows no sink '${sink}'`)
    return entry
  }
}
