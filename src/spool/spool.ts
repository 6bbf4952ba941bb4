/**
 * The durable log: everything that leaves the collector is appended here first, in order, and every sink reads it at its
 * own pace. Appending costs no promise and no system call; see writer.ts for what happens then.
 */

import type { EpochUs } from '../model/event.ts'
import { writeEnd } from './end.ts'
import { BODY_BYTES_MAX, type Kind, type Stream, streamOf } from './frame.ts'
import { GapRecords } from './gap-records.ts'
import { type LossCause, Losses } from './loss.ts'
import type { Recovery, SpoolCounts } from './options.ts'
import { LogReader } from './reader.ts'
import { Refusals } from './refusals.ts'
import { Retention } from './retention.ts'
import type { Segment } from './segment.ts'
import type { SpoolParts } from './spool-parts.ts'
import { Tail } from './tail.ts'
import { Waiting } from './waiting.ts'
import { Writer } from './writer.ts'

const TICK_MS = 1_000

export class Spool {
  readonly recovery: Recovery
  readonly counts: SpoolCounts
  /** What is wrong with the disk; `undefined`: nothing. */
  problem: string | undefined
  readonly #parts: SpoolParts
  readonly #tail: Tail
  readonly #writer: Writer
  readonly #retention: Retention
  readonly #gaps: GapRecords
  readonly #streams = new Map<string, Stream>()
  readonly #refusals: Refusals
  #stopTick = (): void => {}
  readonly #waiting = new Waiting()
  readonly #losses: Losses
  #state: 'open' | 'closing' | 'closed' = 'open'

  constructor(parts: SpoolParts) {
    const { options, cursors, segments, counts, startLsn, recovery } = parts
    const { folder, files, clock, limits, sync, whenFull } = options
    this.#parts = parts
    this.recovery = recovery
    this.counts = counts
    this.#tail = new Tail(startLsn, limits.memoryBytes)
    this.#losses = new Losses(cursors, options.onLoss)
    this.#refusals = new Refusals({ clock, onLoss: options.onLoss })
    this.#gaps = new GapRecords({
      cursors,
      take: ({ stream, timeUs, body }) => this.#take(this.stream(stream), 'gap', timeUs, body),
      isNewest: options.isNewest ?? (() => true),
      oldestLsn: () => this.oldestLsn,
      counts,
      onWaiting: options.onGapsWaiting,
    })
    const common = { folder, files, clock, limits, counts, segments, previousLsn: recovery.lastLsn }
    this.#retention = new Retention({
      ...common,
      whenFull,
      cursors,
      writtenLsn: () => this.#writer.settledLsn,
      lastLsn: () => this.lastLsn,
      areGapsWaiting: () => this.#gaps.waiting > 0,
      savedLsn: () => this.#tail.savedLsn,
      onLoss: (loss, gaps) => {
        // What is told may make gap records old.
        this.#losses.evicted(loss)
        this.#gaps.move(gaps)
      },
      onFound: (cause, firstLsn, lastLsn, sinceUs) => this.#lost(cause, firstLsn, lastLsn, undefined, sinceUs),
      startLsn,
    })
    this.#writer = new Writer({
      ...common,
      sync,
      tail: this.#tail,
      room: (hasRefused) => this.#retention.room(hasRefused),
      hasRoom: () => this.#retention.hasRoom(),
      onVisible: () => this.#wake(),
      onProblem: (problem) => {
        this.problem = problem
        options.onProblem?.(problem)
      },
      onDurable: () => {
        this.#retention.settle()
        options.onDurable?.()
      },
      onSync: options.onSync ?? (() => {}),
    })
  }

  /** Reads what else lies in the folder, and begins to keep order in it. Errors: the system's. */
  async open(names: readonly string[]): Promise<void> {
    await this.#retention.open(names)
    this.#writer.begin()
    this.#stopTick = this.#parts.options.clock.every(TICK_MS, () => void this.#tick())
  }

  /** The stream of this name; keep it where it is used. Errors: throws a RangeError for a name of more than 255 bytes. */
  stream(key: string): Stream {
    let stream = this.#streams.get(key)
    if (stream === undefined) {
      stream = streamOf(key)
      this.#streams.set(key, stream)
    }
    return stream
  }

  /**
   * Appends a record and yields its number. `timeUs`: when its data was received. The bytes are copied.
   * `undefined`: there is no room for it, on disk or in memory, or it is longer than a record can be; it is counted, and
   * its stream told before the next record that is taken. A gap record waits for room, and data with it.
   */
  append(stream: Stream, kind: Kind, timeUs: EpochUs, body: Buffer): number | undefined {
    const isOver = kind === 'gap' ? this.#state === 'closed' : this.isClosed
    if (body.length > BODY_BYTES_MAX || isOver) return this.#refuse(stream, timeUs)
    if (kind === 'gap') return this.#gaps.add({ stream: stream.key, timeUs, body })
    this.#gaps.retry()
    if (this.#refusals.isUntold && this.#hasRoom(stream, body.length)) this.#refusals.tellFirsts()
    const isTight = this.#refusals.isOngoing && !this.#hasRoom(stream, body.length)
    const isRefused = this.#retention.isFull || isTight || this.#gaps.waiting > 0
    return (isRefused ? undefined : this.#take(stream, kind, timeUs, body)) ?? this.#refuse(stream, timeUs)
  }

  #refuse(stream: Stream, timeUs: EpochUs): undefined {
    if (!this.isClosed) this.#refusals.add(stream.key, timeUs)
    this.counts.refused++
  }

  #take(stream: Stream, kind: Kind, timeUs: EpochUs, body: Buffer): number | undefined {
    const lsn = this.#tail.append(kind, stream, timeUs, body)
    if (lsn === undefined) return undefined
    this.counts.records++
    this.counts.recordBytes += body.length
    this.#writer.notice()
    return lsn
  }

  /** Names this log: another one, or this one after its folder was emptied, counts from 1 again. */
  get id(): string {
    return this.#parts.id
  }

  /** The newest record. */
  get lastLsn(): number {
    return this.#tail.lastLsn
  }

  /** Records up to here survive the end of the process; with the policy `always`, of the machine. */
  get writtenLsn(): number {
    return this.#writer.writtenLsn
  }

  /** Nothing can happen any more to records up to here. */
  get durableLsn(): number {
    return this.#tail.savedLsn
  }

  /** Records up to here can be read. */
  get readableLsn(): number {
    return this.#writer.visibleLsn
  }

  /** The oldest record that can be read. */
  get oldestLsn(): number {
    return this.#parts.segments[0]?.firstLsn ?? this.#tail.firstLsn
  }

  /** On disk, all files together; and in memory. */
  get bytes(): { readonly disk: number; readonly memory: number; readonly segments: number } {
    return { disk: this.#retention.bytes, memory: this.#tail.bytes, segments: this.#parts.segments.length }
  }

  /** Data were refused, and nothing of that would be known after a kill. */
  get hasUntold(): boolean {
    return this.#refusals.isUntold
  }

  /** There is room for gap records only. */
  get isFull(): boolean {
    return this.#retention.isFull
  }

  /** A reader that begins with this record, or the first one behind it that there is. What the sink has had is passed over. */
  reader(fromLsn: number, sink?: string): LogReader {
    const { options, segments, counts, startLsn, recovery } = this.#parts
    return new LogReader(
      {
        files: options.files,
        clock: options.clock,
        tail: this.#tail,
        counts,
        segments,
        visibleLsn: () => this.readableLsn,
        had: () => (sink === undefined ? undefined : this.#gaps.had(sink)),
        startLsn,
        previousLsn: recovery.lastLsn,
        onLost: (cause, firstLsn, lastLsn, segment, sinceUs) => this.#lost(cause, firstLsn, lastLsn, segment, sinceUs),
      },
      fromLsn,
    )
  }

  get isClosed(): boolean {
    return this.#state !== 'open'
  }

  /** Resolves when the record can be read, or the log was closed. */
  untilReadable(lsn: number): Promise<void> {
    if (lsn <= this.readableLsn || this.isClosed) return Promise.resolve()
    return this.#waiting.until(lsn)
  }

  /** The last record that the sink has for certain. */
  cursor(sink: string): number {
    return this.#parts.cursors.get(sink)
  }

  /** The sink has everything up to here. Errors: throws a RangeError for what was never appended. */
  ack(sink: string, lsn: number): void {
    const { cursors } = this.#parts
    if (lsn > this.#tail.lastLsn)
      throw new RangeError(`${sink} has had ${lsn}, but the log ends at ${this.#tail.lastLsn}`)
    cursors.set(sink, Math.max(lsn, cursors.get(sink)))
    this.#gaps.passOver(sink)
    // What cannot be written need not be, once everyone has it.
    if (this.#writer.isFailing && Number.isFinite(cursors.ackedLsn)) this.#tail.release(cursors.ackedLsn)
  }

  /** The sink has lost what it had behind this record. Yields where it continues from: the oldest that is left, at worst. */
  rewind(sink: string, lsn: number): number {
    const { cursors } = this.#parts
    const target = Math.min(Math.max(lsn, this.oldestLsn - 1), cursors.get(sink))
    cursors.set(sink, target)
    this.#gaps.rewound(sink, lsn)
    return target
  }

  /** Numbers up to here belong to other records: the next one gets a higher. */
  skip(lsn: number): void {
    this.#tail.skip(lsn)
  }

  /** Brings everything to disk and gives the folder free. */
  async close(): Promise<void> {
    this.#refusals.end()
    this.#gaps.retry()
    this.#state = 'closing'
    this.#stopTick()
    await this.#retention.close()
    await this.#writer.close()
    this.#state = 'closed'
    const { cursors, lock, options, recovery, startLsn } = this.#parts
    const isSettled = this.#retention.isSettled && (await cursors.flush(this.#writer.settledLsn))
    let isClean = isSettled && this.#tail.unwrittenBytes === 0
    const lastLsn = this.lastLsn < startLsn ? recovery.lastLsn : this.lastLsn
    if (isClean)
      await writeEnd(options.folder, options.files, lastLsn).catch(() => {
        this.counts.ioErrors.cursor++
        isClean = false
      })
    await lock.release(isClean).catch(() => this.counts.ioErrors.remove++)
    this.#wake()
  }

  #hasRoom(stream: Stream, bodyBytes: number): boolean {
    return !this.#retention.isFull && this.#tail.hasRoom(stream, bodyBytes)
  }

  async #tick(): Promise<void> {
    const { cursors } = this.#parts
    this.#gaps.retry()
    const isFull = this.#retention.isFull || this.#gaps.waiting > 0
    this.#refusals.tick(!isFull && this.#tail.hasRoomForBlock)
    if (this.#retention.isSettled) await cursors.flush(this.#writer.settledLsn)
    try {
      await this.#retention.prune()
    } catch {
      this.counts.ioErrors.remove++
    }
  }

  #wake(): void {
    this.#retention.progress()
    this.#waiting.wake(this.isClosed ? Number.POSITIVE_INFINITY : this.readableLsn)
  }

  #lost(cause: LossCause, firstLsn: number, lastLsn: number, segment: Segment | undefined, sinceUs: number): void {
    if (!this.#losses.found(cause, firstLsn, lastLsn, sinceUs)) return
    this.counts.spoilt++
    if (segment !== undefined) this.#retention.keep(segment).catch(() => this.counts.ioErrors.read++)
  }
}
