/**
 * Brings what is appended to disk: at once after a pause, else one write for what came within the group time; one sync for
 * what was written within some more. A file that has failed is never used again: what it may not have kept is written to a new one.
 */

import { hasCode } from '../platform/system-error.ts'
import { IoFailure, io } from './io-failure.ts'
import { newSegment } from './segment.ts'
import { SegmentFile, timedSync } from './segment-file.ts'
import type { Batch } from './tail.ts'
import type { WriterParts } from './writer-parts.ts'

/** Handed to the system at once. */
const BATCH_BYTES_MAX = 4 * 1024 * 1024
/** Waits after a failure: none, then these, growing. */
const RETRY_MS = 1_000
const RETRY_MS_MAX = 30_000
/** Of the memory: what may be written and not synced before a sync does not wait for its time. */
const UNSAVED_SHARE_MAX = 0.25
/** A file that fails when the log is closed is worth another one, and one that fails then is not. */
const CLOSE_TRIES_MAX = 3

export class Writer {
  readonly #parts: WriterParts
  #file: SegmentFile | undefined
  #lastStartMs = Number.NEGATIVE_INFINITY
  #isStarting = false
  #cancelGroup: (() => void) | undefined
  #cancelSync: (() => void) | undefined
  #running: Promise<void> | undefined
  #syncing: Promise<void> | undefined
  #syncFailure: IoFailure | undefined
  /** Failures since the disk last proved that it works. */
  #failures = 0
  #hasRefused = false
  #cancelRetry: (() => void) | undefined
  #writtenLsn: number
  /** Of memory, when the disk worked again: readers may have got so far. */
  #shownLsn = 0
  /** The last record of the segment before; `undefined`: it did not end in order. */
  #previousLsn: number | undefined
  #isClosing = false

  constructor(parts: WriterParts) {
    this.#parts = parts
    this.#writtenLsn = parts.tail.writtenLsn
    this.#previousLsn = parts.previousLsn
  }

  /** Records up to here survive the end of the process; with `always`, of the machine. */
  get writtenLsn(): number {
    return this.#writtenLsn
  }

  /** Of records up to here what is not on disk was given up, because everyone has had it: cursors may go so far. */
  get settledLsn(): number {
    return Math.max(this.#writtenLsn, this.#parts.tail.savedLsn)
  }

  /** Records up to here can be read: while the disk fails, those in memory, so that sinks get on. Never falls. */
  get visibleLsn(): number {
    return this.#failures > 0 ? this.#parts.tail.lastLsn : Math.max(this.#writtenLsn, this.#shownLsn)
  }

  get isFailing(): boolean {
    return this.#failures > 0
  }

  /** Begins a segment before there is anything to write, for that takes longer than a write; unless others must go for it. */
  begin(): void {
    const { tail, hasRoom } = this.#parts
    this.#running = this.#run(async () => {
      if (await io('open', hasRoom())) await this.#roll(tail.lastLsn + 1)
    })
  }

  /** Something was appended. */
  notice(): void {
    if ((this.#running !== undefined && this.#failures === 0) || this.#isStarting) return
    const { tail, limits, clock } = this.#parts
    const waitMs = this.#lastStartMs + limits.groupMs - clock.monotonicMs()
    if (this.#failures === 0 && tail.unwrittenBytes >= limits.groupBytes) this.#start()
    else if (this.#failures === 0 && waitMs <= 0) this.#startSoon()
    else this.#cancelGroup ??= clock.after(waitMs, this.#start)
  }

  /** With the rest of the same frame, and before anything else can hold up the thread. */
  #startSoon(): void {
    this.#isStarting = true
    queueMicrotask(() => {
      this.#isStarting = false
      this.#start()
    })
  }

  /** Resolves when everything is on disk, or cannot be brought there. */
  async close(): Promise<void> {
    const { tail } = this.#parts
    this.#isClosing = true
    for (let tries = 0; tries < CLOSE_TRIES_MAX; tries++) {
      this.#stopTimers()
      this.#start()
      await this.#running
      await this.#seal().catch((error: unknown) => this.#failed(error))
      if (tail.unwrittenBytes === 0) break
    }
    this.#stopTimers()
  }

  #stopTimers(): void {
    this.#cancelGroup?.()
    this.#cancelSync?.()
    this.#cancelRetry?.()
    this.#cancelGroup = undefined
    this.#cancelSync = undefined
    this.#cancelRetry = undefined
  }

  readonly #start = (): void => {
    this.#cancelGroup?.()
    this.#cancelGroup = undefined
    if (this.#running !== undefined) return
    this.#lastStartMs = this.#parts.clock.monotonicMs()
    // A retry is due later; until then memory is what there is.
    if (this.#cancelRetry !== undefined) this.#parts.onVisible()
    else this.#running = this.#run()
  }

  /** Writes what there is. Rejects only for a bug, which ends the process. */
  async #run(first: () => Promise<void> = () => this.#writeNext()): Promise<void> {
    const { tail, limits } = this.#parts
    try {
      await first()
      // Close brings everything to disk; else what is little may become more first.
      while (this.#isHurried(limits.groupBytes)) await this.#writeNext()
    } catch (error) {
      await this.#failed(error)
    }
    this.#running = undefined
    if (tail.unwrittenBytes > 0 && !this.#isClosing) this.notice()
  }

  #isHurried(groupBytes: number): boolean {
    const { unwrittenBytes } = this.#parts.tail
    return this.#syncFailure !== undefined || unwrittenBytes >= groupBytes || (this.#isClosing && unwrittenBytes > 0)
  }

  async #writeNext(): Promise<void> {
    const { tail, sync, onVisible } = this.#parts
    if (this.#syncFailure !== undefined) throw this.#syncFailure
    let batch = this.#nextBatch()
    // While a segment is begun, what it was to hold may have been released.
    while (batch !== undefined && !this.#fits(batch)) {
      await this.#roll(batch.firstLsn)
      batch = this.#nextBatch()
    }
    if (batch === undefined) return
    await this.#file?.append(batch)
    tail.wrote(batch)
    if (sync === 'always' && this.#file !== undefined) await this.#syncNow(this.#file)
    else if (sync === 'off') this.#proven(batch.end)
    else this.#syncLater()
    this.#writtenLsn = Math.max(this.#writtenLsn, batch.end.lsn)
    onVisible()
  }

  #nextBatch(): Batch | undefined {
    const roomBytes = this.#file?.roomBytes ?? BATCH_BYTES_MAX
    return this.#parts.tail.batch(Math.min(BATCH_BYTES_MAX, roomBytes))
  }

  /** Within a segment numbers have no holes; an empty one takes anything. */
  #fits({ firstLsn, bytes }: Batch): boolean {
    if (this.#file === undefined) return false
    const { segment, roomBytes } = this.#file
    return firstLsn === segment.lastLsn + 1 && (bytes <= roomBytes || segment.lastLsn < segment.firstLsn)
  }

  async #roll(firstLsn: number): Promise<void> {
    const { folder, files, segments, room, sync } = this.#parts
    await this.#seal()
    const bytesMax = await io('open', room(this.#hasRefused))
    this.#hasRefused = false
    if (bytesMax === 0) throw new IoFailure('write', new Error('no room: disk or spool.quota_bytes is full'))
    const segment = newSegment(folder, segments, firstLsn, this.#previousLsn ?? firstLsn)
    segments.push(segment)
    this.#file = new SegmentFile(this.#parts, segment, bytesMax)
    await this.#file.create()
    if (sync !== 'off') await timedSync(this.#parts, () => files.syncFolder(folder))
  }

  /** Ends the current segment in order: all of it is on disk. */
  async #seal(): Promise<void> {
    while (this.#syncing !== undefined) await this.#syncing
    if (this.#syncFailure !== undefined) throw this.#syncFailure
    const file = this.#file
    if (file === undefined) return
    const { tail, sync } = this.#parts
    if (sync !== 'off' && tail.savedLsn < tail.writtenLsn) await this.#syncNow(file)
    // It failed meanwhile and was given up: what it had is written anew.
    if (this.#file !== file) return
    const { lastLsn, firstLsn } = file.segment
    if (lastLsn < firstLsn) return this.#abandon()
    this.#leave()
    this.#previousLsn = lastLsn
    await file.close()
  }

  /** What has no record is removed. */
  async #abandon(): Promise<void> {
    const file = this.#leave()
    const { segments } = this.#parts
    if (file !== undefined && !(await file.abandon())) segments.splice(segments.indexOf(file.segment), 1)
  }

  #leave(): SegmentFile | undefined {
    this.#cancelSync?.()
    this.#cancelSync = undefined
    const file = this.#file
    this.#file = undefined
    return file
  }

  async #syncNow(file: SegmentFile): Promise<void> {
    const place = this.#parts.tail.writtenPlace
    await file.sync()
    this.#proven(place)
  }

  /** Not awaited by writes: they go on beside it. Sooner than usual when memory fills with what is not proven. */
  #syncLater(): void {
    const { clock, limits, tail } = this.#parts
    if (this.#syncing !== undefined) return
    const isUrgent = tail.unsavedBytes > limits.memoryBytes * UNSAVED_SHARE_MAX
    if (!isUrgent) this.#cancelSync ??= clock.after(limits.syncMs, () => this.#syncBeside())
    else {
      this.#cancelSync?.()
      this.#syncBeside()
    }
  }

  #syncBeside(): void {
    const { tail } = this.#parts
    this.#cancelSync = undefined
    if (this.#file === undefined) return
    this.#syncing = this.#syncNow(this.#file).then(
      () => {
        this.#syncing = undefined
        if (tail.savedLsn < tail.writtenLsn) this.#syncLater()
      },
      (failure: IoFailure) => {
        this.#syncing = undefined
        this.#syncFailure = failure
        this.#start()
      },
    )
  }

  /** Everything before `place` is as safe as the policy makes it: the disk works. */
  #proven(place: Batch['end']): void {
    const { tail, onProblem, onDurable } = this.#parts
    tail.saved(place)
    if (this.#failures > 0) {
      this.#failures = 0
      this.#shownLsn = tail.lastLsn
      onProblem(undefined)
    }
    onDurable()
  }

  /** The file is given up; what is not proven is written anew. */
  async #failed(error: unknown): Promise<void> {
    const { tail, counts, clock, onProblem, onVisible } = this.#parts
    if (!(error instanceof IoFailure)) throw error
    counts.ioErrors[error.operation]++
    this.#hasRefused = hasCode(error.cause, 'ENOSPC', 'EDQUOT')
    while (this.#syncing !== undefined) await this.#syncing
    this.#syncFailure = undefined
    await this.#abandon()
    tail.rewind()
    this.#previousLsn = undefined
    const delayMs = this.#failures === 0 ? 0 : Math.min(RETRY_MS_MAX, RETRY_MS * 2 ** (this.#failures - 1))
    this.#failures++
    onProblem(`${error.operation}: ${error.message}`)
    onVisible()
    if (this.#isClosing) return
    this.#cancelRetry = clock.after(delayMs, () => {
      this.#cancelRetry = undefined
      this.#start()
    })
  }
}
