/**
 * The ledger's file: lines of `<crc32> <json>`, appended and synced before the data that follows a gap leaves. Two files
 * take turns: a full one is replaced by a fresh picture in the other. A torn or spoilt line is skipped and counted; every
 * record can be read twice and in any order, because revisions and numbers only grow.
 */

import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import { errorText } from '../model/errors.ts'
import type { AppendFile, Clock, Files } from '../platform/platform.ts'

const NAMES = ['journal-a.log', 'journal-b.log'] as const
/** A fresh picture is written when the file has grown by so much over the last one. */
const GROWTH_BYTES_MAX = 8 * 1024 * 1024
/** Wait after a failure before the disk is tried again. */
const RETRY_MS = 5_000

export interface JournalOptions {
  readonly folder: string
  readonly files: Files
  readonly clock: Clock
  /** Everything that must survive, as it stands now. */
  readonly picture: () => Iterable<object>
  /** Resolves when what a picture that was taken now says may be written. */
  readonly untilProven: () => Promise<void>
  /** `undefined`: the disk takes records (again). */
  readonly onProblem: (problem: string | undefined) => void
}

export interface LoadedJournal {
  readonly records: readonly unknown[]
  readonly spoiltLines: number
  /** Files that are there and cannot be read, in words. */
  readonly unreadable: readonly string[]
}

export class Journal {
  readonly #options: JournalOptions
  #current = 0
  #file: AppendFile | undefined
  #pictureBytes = 0
  #pending = ''
  /** Records since a new picture was taken; they go behind it. */
  #meanwhile: string | undefined
  /** Only the newest picture may take over: it alone has what came since the last failure. */
  #pictureNumber = 0
  /** Pictures reach the disk one after the other. */
  #writing: Promise<void> = Promise.resolve()
  #isFailing = false
  #cancelRetry: (() => void) | undefined
  #isClosed = false

  constructor(options: JournalOptions) {
    this.#options = options
  }

  /** Never rejects: what one file cannot tell, the other may. */
  async load(): Promise<LoadedJournal> {
    const records: unknown[] = []
    const unreadable: string[] = []
    let spoiltLines = 0
    for (const [at, name] of NAMES.entries()) {
      const text = await this.#options.files.read(this.#path(name)).catch((error: unknown) => {
        unreadable.push(`${name}: ${errorText(error)}`)
        // The first picture replaces this one, not the one that can be read.
        this.#current = 1 - at
        return undefined
      })
      for (const line of (text ?? '').split('\n')) {
        if (line === '') continue
        const record = parseLine(line)
        if (record === undefined) spoiltLines++
        else records.push(record)
      }
    }
    return { records, spoiltLines, unreadable }
  }

  /** Writes the first picture and is ready for records. What the disk refuses is told by `onProblem` and tried again. */
  async open(): Promise<void> {
    await this.#takePicture()
  }

  add(record: object): void {
    if (this.#file === undefined && this.#meanwhile === undefined) return
    this.#pending += lineOf(record)
  }

  /** Returns when every record that was added is on disk, or the disk has failed. */
  flush(): void {
    const text = this.#pending
    if (text === '') return
    this.#pending = ''
    if (this.#meanwhile !== undefined) this.#meanwhile += text
    if (this.#file === undefined) return
    try {
      this.#file.append(text)
      this.#file.sync()
    } catch (error) {
      this.#fail(error)
      return
    }
    if (this.#meanwhile === undefined && this.#file.size - this.#pictureBytes > GROWTH_BYTES_MAX)
      void this.#takePicture()
  }

  /** `isProven`: a picture that is taken now may be written. */
  close(isProven = true): void {
    this.flush()
    this.#isClosed = true
    this.#cancelRetry?.()
    if (this.#isWaiting && isProven) this.#writeLast()
    this.#file?.close()
    this.#file = undefined
  }

  /** It was opened, and no file takes records now. */
  get #isWaiting(): boolean {
    return this.#file === undefined && (this.#isFailing || this.#meanwhile !== undefined)
  }

  /** Nobody waits for another file any more: all of it goes behind what there is, the end of which may be torn. */
  #writeLast(): void {
    const { files, picture, onProblem } = this.#options
    try {
      const file = files.append(this.#path(NAMES[this.#current] as string))
      file.append(`\n${[...picture()].map(lineOf).join('')}`)
      file.sync()
      file.close()
    } catch (error) {
      onProblem(errorText(error))
    }
  }

  #path(name: string): string {
    return join(this.#options.folder, name)
  }

  /** Never rejects. Until the new file takes over, records go to the old one too. */
  async #takePicture(): Promise<void> {
    const { picture, untilProven } = this.#options
    const number = ++this.#pictureNumber
    const text = [...picture()].map(lineOf).join('')
    this.#meanwhile = ''
    await untilProven()
    this.#writing = this.#writing.then(() => this.#takeOver(number, text))
    await this.#writing
  }

  async #takeOver(number: number, text: string): Promise<void> {
    const { files, onProblem } = this.#options
    const isOver = () => this.#isClosed || number !== this.#pictureNumber
    if (isOver()) return
    const next = 1 - this.#current
    const path = this.#path(NAMES[next] as string)
    try {
      await files.replace(path, text)
      if (isOver()) return
      this.flush()
      // What could not be flushed is for the next picture.
      if (isOver()) return
      const file = files.append(path)
      file.append(this.#meanwhile ?? '')
      file.sync()
      this.#file?.close()
      this.#file = file
      this.#current = next
      this.#pictureBytes = file.size
      this.#meanwhile = undefined
      if (this.#isFailing) onProblem(undefined)
      this.#isFailing = false
    } catch (error) {
      if (!isOver()) this.#fail(error)
    }
  }

  /** What the file holds is in doubt now: the next try begins with a picture in the other file, which has all of it. */
  #fail(error: unknown): void {
    this.#pictureNumber++
    this.#meanwhile = undefined
    try {
      this.#file?.close()
    } catch {
      // A descriptor that failed once may fail again; it is given up either way.
    }
    this.#file = undefined
    this.#isFailing = true
    this.#options.onProblem(errorText(error))
    this.#cancelRetry?.()
    this.#cancelRetry = this.#options.clock.after(RETRY_MS, () => void this.#takePicture())
  }
}

function lineOf(record: object): string {
  const json = JSON.stringify(record)
  return `${crc32(json).toString(16).padStart(8, '0')} ${json}\n`
}

/** `undefined`: not as it was written. */
function parseLine(line: string): unknown {
  const json = line.slice(9)
  if (line[8] !== ' ' || Number.parseInt(line.slice(0, 8), 16) !== crc32(json)) return undefined
  try {
    return JSON.parse(json)
  } catch {
    return undefined
  }
}
