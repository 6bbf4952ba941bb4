/** What stays on disk: everything that a sink lacks, and the rest for a while, as far as quota and disk have room. */

import type { EpochUs } from '../model/event.ts'
import type { Clock, Files } from '../platform/platform.ts'
import { hasCode } from '../platform/system-error.ts'
import type { Cursors } from './cursors.ts'
import type { LogRecord } from './frame.ts'
import { type Loss, LossTally, type StreamLoss } from './loss.ts'
import type { FullPolicy, SpoolCounts, SpoolLimits } from './options.ts'
import { Quarantine } from './quarantine.ts'
import { Reserve } from './reserve.ts'
import { type Segment, SegmentReader } from './segment.ts'

/** A segment is not begun with less room, or there would be thousands of them. */
const ROOM_BYTES_MIN = 1024 * 1024

export interface RetentionParts {
  readonly folder: string
  readonly files: Files
  readonly clock: Clock
  readonly limits: SpoolLimits
  readonly whenFull: FullPolicy
  readonly cursors: Cursors
  readonly counts: SpoolCounts
  /** In order; changed here when one is removed. */
  readonly segments: Segment[]
  readonly writtenLsn: () => number
  /** The newest record. */
  readonly lastLsn: () => number
  /** Records behind it are in memory, and will be written again if their file has failed. */
  readonly savedLsn: () => number
  /** `gaps`: the gap records among what is lost. */
  readonly onLoss: (loss: Loss, gaps: readonly LogRecord[]) => void
  /** Among what is lost are records of which nobody can tell the stream. `sinceUs`: see {@link Loss}; 0: not known. */
  readonly onSpoilt: (firstLsn: number, lastLsn: number, sinceUs: EpochUs) => void
}

/** Records of a segment that makes room. */
interface Counted {
  readonly streams: readonly StreamLoss[]
  readonly gaps: readonly LogRecord[]
  readonly spoilt: readonly (readonly [firstLsn: number, lastLsn: number, sinceUs: EpochUs])[]
}

export class Retention {
  readonly #parts: RetentionParts
  readonly #quarantine: Quarantine
  readonly #reserve: Reserve
  /** There is room for gap records only. */
  isFull = false
  /** By sinks: when they lost something last, the newest record behind that was told, and of which outage. */
  readonly #told = new Map<string, { readonly lsn: number; readonly outage: number }>()
  #outages = 0
  /** One at a time: the writer asks for room, the clock for order. */
  #turn: Promise<unknown> = Promise.resolve()

  constructor(parts: RetentionParts) {
    this.#parts = parts
    this.#quarantine = new Quarantine(parts.files)
    this.#reserve = new Reserve(parts.files, parts.folder, parts.limits.reserveBytes)
  }

  async open(names: readonly string[]): Promise<void> {
    await this.#quarantine.load(this.#parts.folder, names)
    await this.#reserve.load()
    await this.prune()
  }

  /** All files of the log together. */
  get bytes(): number {
    const { segments } = this.#parts
    return segments.reduce((sum, { bytes }) => sum + bytes, 0) + this.#quarantine.bytes + this.#reserve.bytes
  }

  /**
   * How many bytes the next segment may have; 0: there is no room. Removes what must go for it, the oldest first.
   * `hasRefused`: the disk has just refused a write for lack of room, whatever it says it has.
   */
  room(hasRefused: boolean): Promise<number> {
    return this.#inTurn(async () => {
      let isEnough = !hasRefused
      for (;;) {
        const bytes = await this.#free()
        if (isEnough && bytes >= this.#need) return Math.min(bytes, this.#parts.limits.segmentBytes)
        isEnough = true
        if (await this.#removeOldest()) continue
        const isSpent = await this.#reserve.spend()
        this.isFull = true
        if (!isSpent) return bytes >= this.#need && !hasRefused ? bytes : 0
      }
    })
  }

  /** The next segment can begin, and nothing must go for it. */
  hasRoom(): Promise<boolean> {
    return this.#inTurn(async () => (await this.#free()) >= this.#need)
  }

  /** Removes what every sink has had for long enough, and makes up for the reserve that was spent. */
  prune(): Promise<void> {
    return this.#inTurn(async () => {
      const { segments, cursors, clock, limits } = this.#parts
      const nowMs = clock.monotonicMs()
      for (const segment of segments) {
        if (segment.lastLsn > cursors.ackedLsn) segment.ackedAtMs = undefined
        else segment.ackedAtMs ??= nowMs
      }
      for (let [oldest] = segments; oldest !== undefined && !oldest.isOpen; [oldest] = segments) {
        if (oldest.ackedAtMs === undefined || nowMs - oldest.ackedAtMs < limits.keepMs) break
        if (!(await this.#remove(oldest))) break
      }
      if (!this.#reserve.isThere) await this.#makeReserve()
    })
  }

  /** Keeps a copy of a spoilt segment, if there is room for one. */
  keep(segment: Segment): Promise<boolean> {
    return this.#inTurn(async () => this.#quarantine.add(segment.path, (await this.#free()) - this.#need))
  }

  get #need(): number {
    return Math.min(ROOM_BYTES_MIN, this.#parts.limits.segmentBytes)
  }

  async #free(): Promise<number> {
    const { files, folder, limits } = this.#parts
    return Math.min(limits.quotaBytes - this.bytes, await files.freeBytes(folder))
  }

  async #makeReserve(): Promise<void> {
    const wanted = this.#reserve.size + this.#need
    while ((await this.#free()) < wanted) if (!this.isFull || !(await this.#removeOldest())) return
    await this.#reserve.make()
    if (this.#reserve.isThere || this.#reserve.size === 0) this.isFull = false
  }

  /** False: nothing may go, or can. */
  async #removeOldest(): Promise<boolean> {
    const { segments, cursors, whenFull, counts } = this.#parts
    try {
      if (await this.#quarantine.removeOldest()) return true
    } catch {
      counts.ioErrors.remove++
    }
    const [oldest] = segments
    if (oldest === undefined || oldest.isOpen) return false
    if (oldest.lastLsn > cursors.ackedLsn) {
      if (whenFull === 'refuse') return false
      await this.#giveUp(oldest)
    }
    return this.#remove(oldest)
  }

  /** Tells what the sinks lose with the segment, and takes them past it. */
  async #giveUp(segment: Segment): Promise<void> {
    const { cursors, counts, segments, savedLsn, lastLsn: lastAppendedLsn, onLoss, onSpoilt } = this.#parts
    // What was, or will be, written again to the next segment is not lost.
    const againLsn = Math.min(segments[1]?.firstLsn ?? Number.POSITIVE_INFINITY, savedLsn() + 1)
    const lastLsn = Math.min(segment.lastLsn, againLsn - 1)
    const behind = cursors.all.filter(({ lsn }) => lsn < lastLsn)
    if (behind.length === 0) return
    const firstLsn = Math.max(segment.firstLsn, cursors.ackedLsn + 1)
    const { streams, gaps, spoilt } = await this.#count(segment, firstLsn, lastLsn)
    counts.evicted += streams.reduce((sum, { records }) => sum + records, 0)
    const sinks = behind.map(({ sink }) => sink)
    const told = this.#told.get(String(sinks))
    const goesOn = told !== undefined && behind.every(({ lsn }) => lsn < told.lsn)
    const outage = goesOn ? told.outage : ++this.#outages
    // A loss without streams says already that it may be any.
    if (streams.length > 0) for (const range of spoilt) onSpoilt(...range)
    onLoss({ cause: 'evicted', firstLsn, lastLsn, streams, sinks, outage }, gaps)
    this.#told.set(String(sinks), { lsn: lastAppendedLsn(), outage })
    for (const { sink } of behind) cursors.set(sink, Math.max(cursors.get(sink), lastLsn))
  }

  async #count({ path, firstLsn: start }: Segment, firstLsn: number, lastLsn: number): Promise<Counted> {
    const { files, counts } = this.#parts
    const tally = new LossTally()
    const gaps: LogRecord[] = []
    const spoilt: [number, number, EpochUs][] = []
    const reader = new SegmentReader(files, path, start)
    let sinceUs = 0
    const add = (from: number, to: number): void => {
      const range = [Math.max(from, firstLsn), Math.min(to, lastLsn)] as const
      if (range[0] <= range[1]) spoilt.push([...range, sinceUs])
    }
    try {
      for (let items = await reader.next(); items !== undefined; items = await reader.next()) {
        for (const { record, problem } of items) {
          if (record === undefined) {
            if (problem.lastLsn !== undefined) add(problem.firstLsn, problem.lastLsn)
            continue
          }
          sinceUs = record.timeUs
          if (record.lsn < firstLsn || record.lsn > lastLsn) continue
          tally.add(record)
          if (record.kind === 'gap') gaps.push(record)
        }
      }
    } catch {
      // What cannot be read cannot be counted; its range is told all the same.
      counts.ioErrors.read++
    }
    add(reader.nextLsn, lastLsn)
    return { streams: tally.streams, gaps, spoilt }
  }

  /** The cursors on disk never point to what is gone. */
  async #remove(segment: Segment): Promise<boolean> {
    const { files, cursors, counts, segments, writtenLsn } = this.#parts
    if (cursors.storedLsn < segment.lastLsn && !(await this.#storeCursors(writtenLsn()))) return false
    try {
      await files.remove(segment.path)
    } catch (error) {
      if (!hasCode(error, 'ENOENT')) {
        counts.ioErrors.remove++
        return false
      }
    }
    segments.splice(segments.indexOf(segment), 1)
    return true
  }

  /** On a full disk even a cursor needs room that must be made. */
  async #storeCursors(writtenLsn: number): Promise<boolean> {
    const { cursors } = this.#parts
    if (await cursors.flush(writtenLsn)) return true
    if (!(await this.#reserve.spend())) return false
    this.isFull = true
    return cursors.flush(writtenLsn)
  }

  #inTurn<Result>(act: () => Promise<Result>): Promise<Result> {
    const result = this.#turn.then(act)
    this.#turn = result.catch(() => {})
    return result
  }
}
