/**
 * Gap records in the log. No room is made of them: they move to the end when what they stand among goes, unless there is
 * newer word on the gap, and those for which there is no room wait in memory. A sink that has had one is not given it again.
 */

import type { Cursors } from './cursors.ts'
import type { LogRecord } from './frame.ts'
import type { SpoolCounts, SpoolOptions } from './options.ts'

export type GapRecord = Pick<LogRecord, 'stream' | 'timeUs' | 'body'>

/** Numbers of a moved record, by the sinks that had it before: now, and when they had it. */
type Had = ReadonlyMap<number, number>

export interface GapRecordsParts {
  readonly cursors: Pick<Cursors, 'all' | 'get' | 'set'>
  /** The record's number; `undefined`: there is no room. */
  readonly take: (record: GapRecord) => number | undefined
  readonly isNewest: (record: GapRecord) => boolean
  /** The oldest record that can be read. */
  readonly oldestLsn: () => number
  readonly counts: Pick<SpoolCounts, 'gapsWaiting'>
  /** See {@link SpoolOptions.onGapsWaiting}. */
  readonly onWaiting: SpoolOptions['onGapsWaiting']
}

interface Waiting extends GapRecord {
  readonly hadBy: ReadonlyMap<string, number>
}

const NOBODY: ReadonlyMap<string, number> = new Map()
/** So many may wait before those that have become old are looked for. */
const WAITING_MIN = 1_000

export class GapRecords {
  readonly #parts: GapRecordsParts
  readonly #had = new Map<string, Map<number, number>>()
  #waiting: Waiting[] = []
  #waitingMax = WAITING_MIN

  constructor(parts: GapRecordsParts) {
    this.#parts = parts
  }

  get waiting(): number {
    return this.#waiting.length
  }

  /** The record's number; `undefined`: it waits for room. */
  add(record: GapRecord, hadBy = NOBODY): number | undefined {
    const lsn = this.#waiting.length > 0 ? undefined : this.#take(record, hadBy)
    if (lsn === undefined) this.#wait({ ...record, body: Buffer.from(record.body), hadBy })
    return lsn
  }

  /** What they stand among is given up; the cursors are still where they were. */
  move(records: readonly LogRecord[]): void {
    this.#forget()
    for (const record of records) if (this.#parts.isNewest(record)) this.add(record, this.#hadBy(record.lsn))
  }

  /** There may be room. */
  retry(): void {
    if (this.#waiting.length === 0) return
    let done = 0
    for (const record of this.#waiting) {
      if (this.#parts.isNewest(record) && this.#take(record, record.hadBy) === undefined) break
      done++
    }
    if (done === 0) return
    this.#waiting = this.#waiting.slice(done)
    this.#tell()
  }

  /** The sink has had what comes next, or has everything up to there. */
  passOver(sink: string): void {
    const { cursors } = this.#parts
    const had = this.#had.get(sink)
    let lsn = cursors.get(sink)
    while (had?.has(lsn + 1)) lsn++
    cursors.set(sink, lsn)
  }

  /** What the sink has had already of the records to come; `undefined`: nothing. */
  had(sink: string): Had | undefined {
    const had = this.#had.get(sink)
    return had?.size === 0 ? undefined : had
  }

  /** The sink has lost what it had behind this record. */
  rewound(sink: string, lsn: number): void {
    const had = this.#had.get(sink) ?? new Map<number, number>()
    for (const [movedLsn, hadLsn] of had) if (hadLsn > lsn) had.delete(movedLsn)
  }

  #take(record: GapRecord, hadBy: ReadonlyMap<string, number>): number | undefined {
    const lsn = this.#parts.take(record)
    if (lsn === undefined) return undefined
    for (const [sink, hadLsn] of hadBy) {
      const had = this.#had.get(sink) ?? new Map<number, number>()
      this.#had.set(sink, had.set(lsn, hadLsn))
      this.passOver(sink)
    }
    return lsn
  }

  #wait(record: Waiting): void {
    this.#waiting.push(record)
    if (this.#waiting.length > this.#waitingMax) {
      this.#waiting = this.#waiting.filter((each) => this.#parts.isNewest(each))
      this.#waitingMax = Math.max(WAITING_MIN, 2 * this.#waiting.length)
    }
    this.#tell()
  }

  #tell(): void {
    const { counts, onWaiting } = this.#parts
    const hadNone = counts.gapsWaiting === 0
    counts.gapsWaiting = this.#waiting.length
    if (hadNone || counts.gapsWaiting === 0) onWaiting?.(counts.gapsWaiting)
  }

  #hadBy(lsn: number): ReadonlyMap<string, number> {
    return new Map(
      this.#parts.cursors.all.flatMap(({ sink, lsn: cursorLsn }): [string, number][] => {
        const hadLsn = this.#had.get(sink)?.get(lsn) ?? lsn
        return hadLsn <= cursorLsn ? [[sink, hadLsn]] : []
      }),
    )
  }

  /** What cannot be read any more need not be known. */
  #forget(): void {
    const oldestLsn = this.#parts.oldestLsn()
    for (const had of this.#had.values()) {
      for (const lsn of had.keys()) {
        if (lsn >= oldestLsn) break
        had.delete(lsn)
      }
    }
  }
}
