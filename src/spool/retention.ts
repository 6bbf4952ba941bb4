/** What stays on disk: everything that a sink lacks, and the rest for a while, as far as quota and disk have room. */

import type { EpochUs } from '../model/event.ts'
import type { Clock, Files } from '../platform/platform.ts'
import { hasCode } from '../platform/system-error.ts'
import { countRecords } from './count.ts'
import type { Cursors } from './cursors.ts'
import type { LogRecord } from './frame.ts'
import type { Loss, LossCause } from './loss.ts'
import type { FullPolicy, SpoolCounts, SpoolLimits } from './options.ts'
import { Quarantine } from './quarantine.ts'
import { Reserve } from './reserve.ts'
import { againLsn, type Segment } from './segment.ts'

/** A segment is not begun with less room, or there would be thousands of them. */
const ROOM_BYTES_MIN = 1024 * 1024
/** Of a segment: when so much of it is written, room is made for the next. */
const PREPARE_SHARE = 0.5

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
  /** There was no room for some gap records yet. */
  readonly areGapsWaiting: () => boolean
  /** Records behind it are in memory, and will be written again if their file has failed. */
  readonly savedLsn: () => number
  /** `gaps`: the gap records among what is lost. */
  readonly onLoss: (loss: Loss, gaps: readonly LogRecord[]) => void
  /** Records of which nobody can tell the stream are lost, or were not there. `sinceUs`: see {@link Loss}; 0: not known. */
  readonly onFound: (cause: LossCause, firstLsn: number, lastLsn: number, sinceUs: EpochUs) => void
  /** The first record of this process, and the last one before. */
  readonly startLsn: number
  readonly previousLsn: number
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
  /** When the last record that was given up was received; 0: none was. */
  #lastTimeUs = 0
  /** What can go when the log is safe up to that record: its gap records are in memory alone until then; `undefined`: they wait. */
  readonly #givenUp = new Map<Segment, number | undefined>()
  /** Of the segment that is being written. */
  #bytesMax = 0
  #isPrepared = true
  #isClosed = false
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
        if (isEnough && bytes >= this.#need) return this.#grant(Math.min(bytes, this.#parts.limits.segmentBytes))
        isEnough = true
        if (await this.#makeRoom(true)) continue
        const isSpent = await this.#reserve.spend()
        this.isFull = true
        if (!isSpent) return this.#grant(bytes >= this.#need && !hasRefused ? bytes : 0)
      }
    })
  }

  /** The segment has grown. What must go for the next is given up before that begins, so that this one has its gap records. */
  progress(): void {
    const { segments, whenFull } = this.#parts
    const open = segments.at(-1)
    if (this.#isPrepared || open?.isOpen !== true || open.bytes < this.#bytesMax * PREPARE_SHARE) return
    this.#isPrepared = true
    if (whenFull === 'evict') this.#beside(() => this.#prepare())
  }

  /** More is safe on disk: what was given up may go. */
  settle(): void {
    if ([...this.#givenUp.keys()].some((segment) => this.#isSafe(segment))) this.#beside(() => this.#removeGivenUp())
  }

  /** The cursors may be stored: no gap record is in memory alone of what they were taken past. */
  get isSettled(): boolean {
    return [...this.#givenUp.keys()].every((segment) => this.#isSafe(segment))
  }

  /** Resolves when nothing is given up any more but what the writer needs. */
  close(): Promise<void> {
    this.#isClosed = true
    return this.#inTurn(async () => {})
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
        if (this.#givenUp.has(oldest) || oldest.ackedAtMs === undefined) break
        if (nowMs - oldest.ackedAtMs < limits.keepMs || !(await this.#remove(oldest))) break
      }
      await this.#removeGivenUp()
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

  #grant(bytes: number): number {
    this.#bytesMax = bytes
    this.#isPrepared = bytes === 0
    return bytes
  }

  async #prepare(): Promise<void> {
    const { segments } = this.#parts
    const open = segments.at(-1)
    const bytesLeft = open?.isOpen === true ? this.#bytesMax - open.bytes : 0
    let bytes = (await this.#free()) - bytesLeft + this.#quarantine.bytes
    for (const segment of segments) {
      if (bytes >= this.#need || segment.isOpen) return
      await this.#giveUp(segment)
      bytes += segment.bytes
    }
  }

  #isSafe(segment: Segment): boolean {
    const { lastLsn, savedLsn, areGapsWaiting } = this.#parts
    if (!this.#givenUp.has(segment)) return true
    const untilLsn = this.#givenUp.get(segment) ?? (areGapsWaiting() ? undefined : lastLsn())
    this.#givenUp.set(segment, untilLsn)
    return untilLsn !== undefined && untilLsn <= savedLsn()
  }

  async #removeGivenUp(): Promise<void> {
    for (const segment of this.#givenUp.keys()) {
      // A sink may have been set back into it.
      await this.#giveUp(segment)
      if (!this.#isSafe(segment) || !(await this.#remove(segment))) break
    }
    if (!this.#reserve.isThere) await this.#makeReserve()
  }

  async #makeReserve(): Promise<void> {
    const wanted = this.#reserve.size + this.#need
    while ((await this.#free()) < wanted) if (!this.isFull || !(await this.#makeRoom(false))) return
    await this.#reserve.make()
    if (this.#reserve.isThere || this.#reserve.size === 0) this.isFull = false
  }

  /** Removes the oldest. False: nothing may go, or can; or (unless `isUrgent`) not before its gap records are safe. */
  async #makeRoom(isUrgent: boolean): Promise<boolean> {
    const { segments, cursors, whenFull, counts } = this.#parts
    try {
      if (await this.#quarantine.removeOldest()) return true
    } catch {
      counts.ioErrors.remove++
    }
    const [oldest] = segments
    if (oldest === undefined || oldest.isOpen) return false
    if (oldest.lastLsn > cursors.ackedLsn && whenFull === 'refuse') return false
    await this.#giveUp(oldest)
    if (!isUrgent && !this.#isSafe(oldest)) return false
    // The reserve has room for them; without it they are in danger for as long as a write takes.
    return (!this.#isSafe(oldest) && (await this.#reserve.spend())) || this.#remove(oldest)
  }

  /** Tells what the sinks lose with the segment, if they lack something of it, and takes them past it. */
  async #giveUp(segment: Segment): Promise<void> {
    const { files, cursors, counts, segments, savedLsn, areGapsWaiting, onLoss, onFound } = this.#parts
    const { lastLsn: lastAppendedLsn } = this.#parts
    const lastLsn = Math.min(segment.lastLsn, againLsn(segment, segments, savedLsn()) - 1)
    const behind = cursors.all.filter(({ lsn }) => lsn < lastLsn)
    if (behind.length === 0) return
    this.#tellHole(segment)
    const firstLsn = Math.max(segment.firstLsn, cursors.ackedLsn + 1)
    const { streams, gaps, spoilt, lastTimeUs, hasFailed } = await countRecords(files, segment, firstLsn, lastLsn)
    if (hasFailed) counts.ioErrors.read++
    this.#lastTimeUs = lastTimeUs
    counts.evicted += streams.reduce((sum, { records }) => sum + records, 0)
    const sinks = behind.map(({ sink }) => sink)
    const told = this.#told.get(String(sinks))
    const goesOn = told !== undefined && behind.every(({ lsn }) => lsn < told.lsn)
    const outage = goesOn ? told.outage : ++this.#outages
    // A loss without streams says already that it may be any.
    if (streams.length > 0) for (const range of spoilt) onFound('corrupt', ...range)
    onLoss({ cause: 'evicted', firstLsn, lastLsn, streams, sinks, outage }, gaps)
    this.#told.set(String(sinks), { lsn: lastAppendedLsn(), outage })
    for (const { sink } of behind) cursors.set(sink, Math.max(cursors.get(sink), lastLsn))
    this.#givenUp.set(segment, areGapsWaiting() ? undefined : lastAppendedLsn())
  }

  /** No reader will come upon records before the segment that are not there. */
  #tellHole({ firstLsn, previousLsn }: Segment): void {
    const { cursors, startLsn, previousLsn: lastLsnBefore, onFound } = this.#parts
    // Numbers that were left out on purpose were never records.
    const lastLsn = Math.min(firstLsn === startLsn ? lastLsnBefore : previousLsn, firstLsn - 1)
    onFound('missing', cursors.ackedLsn + 1, lastLsn, this.#lastTimeUs)
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
    this.#givenUp.delete(segment)
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

  #beside(act: () => Promise<void>): void {
    if (!this.#isClosed) this.#inTurn(act).catch(() => this.#parts.counts.ioErrors.remove++)
  }

  #inTurn<Result>(act: () => Promise<Result>): Promise<Result> {
    const result = this.#turn.then(act)
    this.#turn = result.catch(() => {})
    return result
  }
}
