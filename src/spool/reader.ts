/** Reads the log from one record on: from memory, or from disk when it is behind. One reader for each pump. */

import type { EpochUs } from '../model/event.ts'
import { sleep } from '../platform/clock.ts'
import type { Clock, Files } from '../platform/platform.ts'
import { hasCode } from '../platform/system-error.ts'
import type { LogRecord } from './frame.ts'
import type { LossCause } from './loss.ts'
import type { SpoolCounts } from './options.ts'
import type { Problem } from './scanner.ts'
import { type Segment, SegmentReader } from './segment.ts'
import type { ReadLimits, Tail } from './tail.ts'
import { timeBefore } from './time-before.ts'
import { READ_RETRY_MS, READ_TRIES_MAX } from './unreadable.ts'

export interface ReaderParts {
  readonly files: Files
  readonly clock: Clock
  readonly tail: Tail
  readonly counts: SpoolCounts
  readonly segments: readonly Segment[]
  readonly visibleLsn: () => number
  /** Records that whoever reads has had; `undefined`: none. */
  readonly had: () => ReadonlyMap<number, unknown> | undefined
  /** The first record of this process, and the last one before. */
  readonly startLsn: number
  readonly previousLsn: number
  /** Records that will never be read, and where they were. */
  readonly onLost: (
    cause: LossCause,
    firstLsn: number,
    lastLsn: number,
    segment: Segment | undefined,
    /** When the last record before was received, µs; 0: not known. */
    sinceUs: EpochUs,
  ) => void
}

interface Lost {
  readonly cause: LossCause
  readonly firstLsn: number
  readonly lastLsn: number
  readonly segment: Segment | undefined
  readonly sinceUs: EpochUs
}

interface Source {
  readonly segment: Segment
  readonly reader: SegmentReader
}

export class LogReader {
  readonly #parts: ReaderParts
  #nextLsn: number
  /** The segment that is being read, and what of it has been read ahead. */
  #source: Source | undefined
  #ready: LogRecord[] = []
  /** Failures to read, one after another. */
  #tries = 0
  /** Of records that are written twice: which copies of this one are spoilt, and which is read next. */
  #triedLsn = 0
  readonly #tried = new Set<Segment>()
  #turnTo: Segment | undefined
  /** Of the record before the next one, as far as it was read; 0: none was. */
  #lastTimeUs = 0
  /** Losses up to here were told, or are about to be. */
  #toldLsn = 0
  #untold: Lost[] = []

  constructor(parts: ReaderParts, nextLsn: number) {
    this.#parts = parts
    this.#nextLsn = nextLsn
  }

  /** The record that comes next, or the first one behind it that there is. */
  get nextLsn(): number {
    return this.#nextLsn
  }

  /** Continues with another record. */
  seek(lsn: number): void {
    this.#nextLsn = lsn
    this.#source = undefined
    this.#ready = []
    this.#lastTimeUs = 0
  }

  /** The next records, in order; none when there are none yet. Calls must not overlap. */
  async read(limits: ReadLimits): Promise<LogRecord[]> {
    const { tail, visibleLsn } = this.#parts
    for (;;) {
      const untilLsn = visibleLsn()
      if ((this.#ready[0]?.lsn ?? this.#nextLsn) > untilLsn) return []
      const records = this.#ready.length > 0 ? this.#ready : tail.read(this.#nextLsn, untilLsn, limits)
      if (records === undefined) {
        await this.#readAhead()
        await this.#tell()
        continue
      }
      const batch = this.#deliver(records, untilLsn, limits)
      const had = this.#parts.had()
      const wanted = had === undefined ? batch : batch.filter(({ lsn }) => !had.has(lsn))
      if (wanted.length > 0 || batch.length === 0) return wanted
    }
  }

  /** The file may hold more than counts as written. */
  #deliver(records: LogRecord[], untilLsn: number, { recordsMax, bytesMax }: ReadLimits): LogRecord[] {
    let bytes = 0
    let count = 0
    for (const { lsn, bodyBytes } of records) {
      bytes += bodyBytes
      if (lsn > untilLsn || count >= recordsMax || (bytes > bytesMax && count > 0)) break
      count++
    }
    const batch = records.slice(0, count)
    this.#ready = records.slice(count)
    const last = batch.at(-1)
    if (last !== undefined) this.#lastTimeUs = last.timeUs
    this.#nextLsn = (last?.lsn ?? this.#nextLsn - 1) + 1
    return batch
  }

  /** One step on disk: records become ready, or the place moves on. */
  async #readAhead(): Promise<void> {
    const source = this.#source
    // What was read from memory meanwhile is passed over; what was read too far is read again.
    if (source === undefined || !has(source.segment, this.#nextLsn) || source.reader.nextLsn > this.#nextLsn)
      this.#source = this.#find()
    if (this.#source === undefined) return
    const { segment, reader } = this.#source
    const { isOpen, bytes, lastLsn } = segment
    try {
      const items = await reader.next(isOpen ? bytes : undefined)
      this.#tries = 0
      if (items === undefined) this.#leave(segment, lastLsn)
      for (const { record, problem } of items ?? []) {
        if (record === undefined) {
          if (!this.#pass(problem, segment)) break
        } else if (record.lsn >= this.#expected) this.#ready.push(record)
        else if (this.#ready.length === 0) this.#lastTimeUs = record.timeUs
      }
    } catch (error) {
      await this.#failed(error, segment)
    }
  }

  /** The number behind what is ready. */
  get #expected(): number {
    return (this.#ready.at(-1)?.lsn ?? this.#nextLsn - 1) + 1
  }

  /** The segment that has the next record, the newest of several; or the place moves on to where there is one. */
  #find(): Source | undefined {
    const { segments, tail, files, startLsn, previousLsn } = this.#parts
    const lsn = this.#nextLsn
    const other = this.#turnTo
    this.#turnTo = undefined
    const holder = other !== undefined && has(other, lsn) ? other : segments.findLast((segment) => has(segment, lsn))
    if (holder !== undefined) return { segment: holder, reader: new SegmentReader(files, holder.path, holder.firstLsn) }
    const next = segments.find(({ firstLsn }) => firstLsn > lsn)
    const firstLsn = Math.min(tail.firstLsn, next?.firstLsn ?? tail.firstLsn)
    // Numbers that were left out on purpose were never records.
    const leftOutAfter = firstLsn === startLsn ? previousLsn : (next?.previousLsn ?? firstLsn)
    this.#lost('missing', lsn, Math.min(leftOutAfter, firstLsn - 1), undefined)
    this.#nextLsn = firstLsn
    return undefined
  }

  /** False: another segment has what is spoilt here. */
  #pass({ kind, firstLsn, lastLsn = Number.POSITIVE_INFINITY }: Problem, segment: Segment): boolean {
    if (kind === 'head' || kind === 'repeated') return true
    const untilLsn = Math.min(lastLsn, segment.lastLsn)
    const fromLsn = Math.max(firstLsn, this.#expected)
    if (untilLsn < fromLsn) return true
    if (untilLsn >= this.#parts.tail.firstLsn && this.#ready.length > 0) {
      // Of what memory has nothing is lost: it is judged when it is what comes next.
      this.#source = undefined
      return false
    }
    if (this.#triedLsn !== fromLsn) this.#tried.clear()
    this.#triedLsn = fromLsn
    this.#tried.add(segment)
    const other = this.#parts.segments.find((each) => has(each, fromLsn) && !this.#tried.has(each))
    if (other === undefined) {
      this.#lost(kind === 'missing' ? 'missing' : 'corrupt', fromLsn, this.#onDisk(untilLsn), segment)
      if (untilLsn < this.#parts.tail.firstLsn) return true
      this.#nextLsn = this.#parts.tail.firstLsn
      this.#source = undefined
      return false
    }
    this.#turnTo = other
    this.#source = undefined
    return false
  }

  /** The segment ended; `lastLsn` is what it should end with. */
  #leave(segment: Segment, lastLsn: number): void {
    if (!segment.isOpen) this.#source = undefined
    const untilLsn = this.#onDisk(lastLsn)
    if (this.#nextLsn > untilLsn) return
    this.#lost('corrupt', this.#nextLsn, untilLsn, segment)
    this.#nextLsn = untilLsn + 1
  }

  /** The last record up to this one that memory does not have as well. */
  #onDisk(lastLsn: number): number {
    return Math.min(lastLsn, this.#parts.tail.firstLsn - 1)
  }

  async #failed(error: unknown, segment: Segment): Promise<void> {
    const { clock, counts, segments } = this.#parts
    this.#source = undefined
    // It was removed meanwhile.
    if (!segments.includes(segment)) return
    counts.ioErrors.read++
    if (++this.#tries < READ_TRIES_MAX) return sleep(clock, READ_RETRY_MS)
    this.#tries = 0
    const untilLsn = this.#onDisk(segment.lastLsn)
    this.#lost(hasCode(error, 'ENOENT') ? 'missing' : 'corrupt', this.#nextLsn, untilLsn, segment)
    this.#nextLsn = Math.max(this.#nextLsn, untilLsn + 1)
  }

  /** Told once, also when it is read again. */
  #lost(cause: LossCause, fromLsn: number, lastLsn: number, segment: Segment | undefined): void {
    const firstLsn = Math.max(fromLsn, this.#toldLsn + 1)
    if (lastLsn < firstLsn) return
    this.#toldLsn = lastLsn
    const sinceUs = this.#ready.at(-1)?.timeUs ?? this.#lastTimeUs
    this.#untold.push({ cause, firstLsn, lastLsn, segment, sinceUs })
  }

  /** Before anything behind it is delivered. */
  async #tell(): Promise<void> {
    const { files, segments, onLost } = this.#parts
    for (const { cause, firstLsn, lastLsn, segment, sinceUs } of this.#untold.splice(0))
      onLost(cause, firstLsn, lastLsn, segment, sinceUs || (await timeBefore(files, segments, firstLsn)))
  }
}

const has = ({ firstLsn, lastLsn }: Segment, lsn: number): boolean => firstLsn <= lsn && lsn <= lastLsn
