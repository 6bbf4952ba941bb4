import type { Clock, DataFile, Files } from '../platform/platform.ts'
import { io } from './io-failure.ts'
import { type Segment, segmentHead } from './segment.ts'
import type { Batch } from './tail.ts'

export interface SegmentFileParts {
  readonly files: Files
  readonly clock: Clock
  /** Seconds that a sync took. */
  readonly onSync: (seconds: number) => void
}

/** The segment that is being written. Errors of all methods: reject with an IoFailure; then it is to be abandoned. */
export class SegmentFile {
  readonly segment: Segment
  readonly #parts: SegmentFileParts
  readonly #bytesMax: number
  #file: DataFile | undefined
  #isTorn = false

  constructor(parts: SegmentFileParts, segment: Segment, bytesMax: number) {
    this.#parts = parts
    this.segment = segment
    this.#bytesMax = bytesMax
  }

  get roomBytes(): number {
    return this.#bytesMax - this.segment.bytes
  }

  async create(): Promise<void> {
    const { path, previousLsn } = this.segment
    this.#file = await io('open', this.#parts.files.create(path))
    await io('write', this.#file.append([segmentHead(previousLsn)]))
  }

  async append({ parts, bytes, end }: Batch): Promise<void> {
    this.#isTorn = true
    await io('write', this.#open.append(parts))
    this.#isTorn = false
    this.segment.bytes += bytes
    this.segment.lastLsn = end.lsn
  }

  sync(): Promise<void> {
    return timedSync(this.#parts, () => this.#open.sync())
  }

  async close(): Promise<void> {
    this.segment.isOpen = false
    await io('write', this.#open.close())
  }

  /**
   * Gives the file up after a failure: a descriptor that failed once may fail again. False: it is gone, it had no record.
   */
  async abandon(): Promise<boolean> {
    const { files } = this.#parts
    const { path, bytes, firstLsn, lastLsn } = this.segment
    this.segment.isOpen = false
    await this.#file?.close().catch(() => {})
    try {
      if (lastLsn < firstLsn) {
        await files.remove(path)
        return false
      }
      if (this.#isTorn) await files.truncate(path, bytes)
    } catch {
      // Readers pass over what is torn or empty.
    }
    return true
  }

  get #open(): DataFile {
    if (this.#file === undefined) throw new RangeError(`${this.segment.path} is not open`)
    return this.#file
  }
}

export async function timedSync({ clock, onSync }: SegmentFileParts, sync: () => Promise<void>): Promise<void> {
  const startMs = clock.monotonicMs()
  await io('sync', sync())
  onSync((clock.monotonicMs() - startMs) / 1000)
}
