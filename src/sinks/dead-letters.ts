/** Records that a store refuses for good, as lines of JSON: what was refused, by whom, why. */

import { dirname, join } from 'node:path'
import type { AppendFile, Clock, Files } from '../platform/platform.ts'
import type { LogRecord } from '../spool/frame.ts'

/** A full file is kept beside the next one; older ones go. */
const FILE_BYTES_MAX = 64 * 1024 * 1024

export interface DeadLettersOptions {
  readonly folder: string
  readonly sink: string
  readonly files: Files
  readonly clock: Clock
}

export class DeadLetters {
  readonly #options: DeadLettersOptions
  #file: AppendFile | undefined
  /** One at a time. */
  #turn: Promise<void> = Promise.resolve()
  count = 0

  constructor(options: DeadLettersOptions) {
    this.#options = options
  }

  /** Resolves when it is on disk. Errors: the system's; the record must be offered again. */
  add(record: LogRecord, reason: string): Promise<void> {
    const added = this.#turn.then(() => this.#add(record, reason))
    this.#turn = added.catch(() => {})
    return added
  }

  async #add({ lsn, stream, body }: LogRecord, reason: string): Promise<void> {
    const { sink, clock } = this.#options
    const line = { time_us: clock.nowUs(), sink, lsn, stream, reason, record: body.toString() }
    try {
      const file = await this.#open()
      file.append(`${JSON.stringify(line)}\n`)
      file.sync()
    } catch (error) {
      this.close()
      throw error
    }
    this.count++
  }

  close(): void {
    const file = this.#file
    this.#file = undefined
    try {
      file?.close()
    } catch {
      // What was written was synced.
    }
  }

  async #open(): Promise<AppendFile> {
    const { folder, sink, files } = this.#options
    const path = join(folder, `${sink}.jsonl`)
    if (this.#file !== undefined && this.#file.size > FILE_BYTES_MAX) {
      this.close()
      await files.rename(path, join(folder, `${sink}.old.jsonl`))
    }
    if (this.#file !== undefined) return this.#file
    const file = files.append(path)
    this.#file = file
    // What a full disk or a kill has cut stays a line of its own.
    if (file.size > 0 && (await files.readAt(path, file.size - 1, 1)).toString() !== '\n') file.append('\n')
    for (const each of [folder, dirname(folder)]) await files.syncFolder(each)
    return file
  }
}
