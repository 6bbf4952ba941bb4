/** Cuts the log into batches: how far one goes, and its records when they are wanted. */

import { sleep } from '../platform/clock.ts'
import type { Clock } from '../platform/platform.ts'
import type { LogRecord } from '../spool/frame.ts'
import type { LogReader } from '../spool/reader.ts'
import type { Spool } from '../spool/spool.ts'
import type { Batch, SinkTraits } from './sink.ts'

/** The log, as far as a pump uses it. */
export type PumpLog = Pick<
  Spool,
  'id' | 'isClosed' | 'lastLsn' | 'readableLsn' | 'cursor' | 'ack' | 'rewind' | 'skip' | 'reader' | 'untilReadable'
>

/** A batch that is larger is read in such parts. */
const CHUNK_BYTES = 1024 * 1024
const CHUNK_RECORDS = 2_000

/** Of a batch. */
export type Bounds = Pick<Batch, 'firstLsn' | 'lastLsn'>

/** A batch, and what the pump needs to know of it. */
export interface CutBatch extends Batch {
  readonly count: number
  readonly bytes: number
  /** When the newest of its data was received, µs. */
  readonly lastTimeUs: number
}

export interface CutterOptions {
  readonly log: PumpLog
  /** The sink. */
  readonly name: string
  readonly clock: Clock
  readonly fromLsn: number
  /** Records that the store has already. */
  readonly further: ReadonlySet<number> | undefined
  /** The first batch, if it is one that may have been stored. */
  readonly first: Bounds | undefined
}

export class Cutter {
  readonly #options: CutterOptions
  readonly #reader: LogReader
  #first: Bounds | undefined
  /** Read, but behind the last batch. */
  #rest: LogRecord[] = []
  /** Hurried: nothing is waited for but records up to here. */
  #untilLsn: number | undefined
  #wake = (): void => {}

  constructor(options: CutterOptions) {
    this.#options = options
    this.#reader = options.log.reader(options.fromLsn, options.name)
    this.#first = options.first
  }

  /** Whatever there is goes at once from now on, and behind `untilLsn` {@link next} resolves with nothing: the end. */
  hurry(untilLsn: number): void {
    this.#untilLsn = untilLsn
    this.#wake()
  }

  /** The next batch, when it is full or old enough. */
  async next(traits: SinkTraits): Promise<CutBatch | undefined> {
    const first = this.#first
    this.#first = undefined
    if (first !== undefined) return this.#again(first)
    while (await this.#untilSome()) {
      const batch = traits.ageMs === 0 ? await this.#atOnce(traits) : await this.#collect(traits)
      // What was there may be spoilt.
      if (batch !== undefined) return batch
    }
    return undefined
  }

  /** Nothing more is waited for. */
  get #isOver(): boolean {
    return this.#untilLsn !== undefined && this.#reader.nextLsn > this.#untilLsn
  }

  /** False: hurried, and there is nothing. */
  async #untilSome(): Promise<boolean> {
    const { log } = this.#options
    while (this.#rest.length === 0 && this.#reader.nextLsn > log.readableLsn) {
      if (this.#isOver || log.isClosed) return false
      await this.#either(log.untilReadable(this.#reader.nextLsn))
    }
    return true
  }

  /** One read. */
  async #atOnce({ recordsMax, bytesMax }: SinkTraits): Promise<CutBatch | undefined> {
    const records = await this.#reader.read({ recordsMax, bytesMax })
    const [first] = records
    const last = records.at(-1)
    if (first === undefined || last === undefined) return undefined
    const { further } = this.#options
    const wanted = further === undefined ? records : records.filter(({ lsn }) => !further.has(lsn))
    return {
      firstLsn: first.lsn,
      lastLsn: last.lsn,
      count: wanted.length,
      bytes: wanted.reduce((sum, { bodyBytes }) => sum + bodyBytes, 0),
      lastTimeUs: last.timeUs,
      async *records() {
        if (wanted.length > 0) yield wanted
      },
    }
  }

  /** Reads on until it is full or old, and forgets what was read: the sink reads it again. */
  async #collect({ recordsMax, bytesMax, ageMs }: SinkTraits): Promise<CutBatch | undefined> {
    const { clock, log, name } = this.#options
    const dueMs = clock.monotonicMs() + ageMs
    let firstLsn: number | undefined
    let [count, bytes, lastLsn, lastTimeUs] = [0, 0, 0, 0]
    for (;;) {
      const records = this.#rest.length > 0 ? this.#rest : await this.#reader.read(CHUNK)
      this.#rest = []
      for (const [index, { lsn, bodyBytes, timeUs }] of records.entries()) {
        if (count >= recordsMax || (count > 0 && bytes + bodyBytes > bytesMax)) {
          this.#rest = records.slice(index)
          break
        }
        firstLsn ??= lsn
        lastLsn = lsn
        lastTimeUs = timeUs
        count++
        bytes += bodyBytes
      }
      const waitMs = dueMs - clock.monotonicMs()
      if (this.#rest.length > 0 || count >= recordsMax || waitMs <= 0) break
      if (this.#reader.nextLsn <= log.readableLsn) continue
      if (this.#isOver || log.isClosed) break
      await this.#either(Promise.race([sleep(clock, waitMs), log.untilReadable(this.#reader.nextLsn)]))
    }
    if (firstLsn === undefined) return undefined
    return { firstLsn, lastLsn, count, bytes, lastTimeUs, records: () => readRange(log, name, firstLsn, lastLsn) }
  }

  /** A batch whose bounds are known. Where the sink stands within it, what is before made room, and was told as lost. */
  async #again({ firstLsn, lastLsn }: Bounds): Promise<CutBatch> {
    const { log, name } = this.#options
    const fromLsn = Math.max(firstLsn, this.#options.fromLsn)
    let [count, bytes, lastTimeUs] = [0, 0, 0]
    for await (const records of readRange(log, name, fromLsn, lastLsn))
      for (const { bodyBytes, timeUs } of records) {
        count++
        bytes += bodyBytes
        lastTimeUs = timeUs
      }
    this.#reader.seek(lastLsn + 1)
    return { firstLsn, lastLsn, count, bytes, lastTimeUs, records: () => readRange(log, name, fromLsn, lastLsn) }
  }

  #either(event: Promise<void>): Promise<void> {
    const hurried = new Promise<void>((resolve) => {
      this.#wake = resolve
    })
    return Promise.race([event, hurried])
  }
}

const CHUNK = { recordsMax: CHUNK_RECORDS, bytesMax: CHUNK_BYTES }

/**
 * The records from one to another, chunk by chunk; those that are not there any more were told as lost.
 * Errors: rejects when the log does not reach so far, so that nobody takes a part for the whole.
 */
async function* readRange(
  log: PumpLog,
  sink: string,
  firstLsn: number,
  lastLsn: number,
): AsyncGenerator<readonly LogRecord[]> {
  const reader = log.reader(firstLsn, sink)
  while (reader.nextLsn <= Math.min(lastLsn, log.readableLsn)) {
    const records = await reader.read(CHUNK)
    const wanted = records.filter(({ lsn }) => lsn <= lastLsn)
    if (wanted.length > 0) yield wanted
    if (wanted.length < records.length) return
  }
  if (reader.nextLsn <= lastLsn) throw new Error(`the log can be read up to ${reader.nextLsn - 1}, not to ${lastLsn}`)
}
