/**
 * The gap ledger: every window of possible loss of every stream, durable before the data behind it leaves, kept over
 * restarts. A beat each second bounds what a killed process may have missed.
 */

import type { EpochUs, Gap } from '../model/event.ts'
import { Checkpoint } from './checkpoint.ts'
import { type Coverage, coverageOf } from './completeness.ts'
import { type Entry, newEntry, type RecordKind } from './entry.ts'
import type { FeedLedger } from './feed-ledger.ts'
import type { Delivered } from './feed-ledger-ports.ts'
import { KeptGaps } from './kept-gaps.ts'
import type { Lack } from './lacks.ts'
import type { LedgerOptions } from './ledger-options.ts'
import { byNumbers, revisionOf, type StreamIdentity, type StreamName, streamKey } from './records.ts'
import {
  type JournalRecord,
  type Mark,
  markOf,
  pictureOf,
  restore,
  type Stamp,
  startRecord,
  streamRecord,
} from './state.ts'

const BEAT_MS = 1_000

export type StreamCoverage = Coverage & { readonly stream: StreamIdentity }

export class Ledger {
  readonly #options: LedgerOptions
  readonly #journal: Checkpoint
  readonly #entries = new Map<string, Entry>()
  readonly #open = new Set<FeedLedger>()
  readonly #bootUs: EpochUs
  /** When the process before this one was last alive. */
  #lastBeatUs: EpochUs | undefined
  #stampCount = 0
  readonly #stamp = (): Stamp => ({ n: ++this.#stampCount, atUs: this.#options.clock.nowUs() })
  /** Something was recorded that must be durable before data leave. */
  #isDue = false
  /** Recorded, but not emitted yet. `before`: the revision that it replaces. `isWritten`: the journal has it. */
  #untold: { readonly gap: Gap; readonly before: Gap | undefined; readonly isWritten: boolean }[] = []
  #cancelFlush: (() => void) | undefined
  #stopBeat: (() => void) | undefined
  #lastGapNumber = 0
  #beatLsn = 0
  #isStopped = false
  readonly kept = new KeptGaps()
  /** What the log has behind this record is to be given to {@link replay}; `undefined`: there was no log. */
  replayAfterLsn: number | undefined
  /** The newest id of each stream of the log before that. */
  idsOfLog: ReadonlyMap<string, string> = new Map()
  /** Which files of the last process could not be read, in words. */
  unread: string | undefined
  /** Why the disk takes no records; `undefined`: it does. */
  problem: string | undefined

  constructor(options: LedgerOptions) {
    const { folder, files, clock, onProblem, log } = options
    this.#options = options
    this.#bootUs = clock.nowUs()
    const told = (problem: string | undefined): void => {
      this.problem = problem
      onProblem(problem)
    }
    this.#journal = new Checkpoint({ folder, files, clock, picture: () => this.#picture(), onProblem: told }, log)
  }

  /** The gaps of one stream, which comes as told from the next {@link open} on; the same object for the same stream. */
  stream(stream: StreamIdentity): FeedLedger {
    const entry = this.#entry(stream)
    entry.wanted = stream
    return entry.ledger
  }

  /** Reads what the last process left; before the first {@link open}. Resolves with what could not be read, in words. */
  async load(): Promise<string | undefined> {
    const { records, spoiltLines, unreadable } = await this.#journal.load()
    const { streams, gaps, forgotten, unknown, ...last } = restore(records)
    this.#stampCount = last.count
    this.#lastBeatUs = last.lastBeatUs
    this.replayAfterLsn = last.lsn
    this.idsOfLog = last.ids
    for (const state of streams.values()) this.#entry(state.stream).ledger.takeUp(state)
    for (const gap of gaps) {
      const entry = this.#entries.get(streamKey(gap))
      if (entry !== undefined) this.kept.keep(entry.gaps, gap)
      entry?.lacks.restore(gap)
    }
    for (const gap of forgotten) this.kept.forget(gap)
    for (const gap of gaps.toSorted(byNumbers)) this.#entries.get(streamKey(gap))?.ledger.restore(gap)
    if (unreadable.length > 0) this.unread = `files of the ledger could not be read: ${unreadable.join('; ')}`
    const bad = spoiltLines + unknown
    const spoilt = bad === 0 ? undefined : `${bad} lines of the ledger could not be read and were left out`
    return [spoilt, this.unread].filter(Boolean).join('; ') || undefined
  }

  /** The last process delivered this after what is known of it was written; in the order of the log. */
  replay(stream: StreamIdentity, delivered: Delivered | Gap): void {
    const entry = this.#entry(stream)
    if ('gap_id' in delivered) {
      // A log that makes room tells the gaps of what it gives up once more, behind their newer revisions.
      if (this.isOutdated(delivered)) return
      this.kept.keep(entry.gaps, delivered)
      entry.lacks.restore(delivered)
    }
    entry.ledger.replay(delivered)
  }

  /** What has waited for the log may be written. */
  proven(): void {
    this.#journal.proven()
  }

  /** Data that were delivered are lost for good behind us. Durable with the next {@link flush}. */
  lack(stream: StreamName, ...loss: Lack): void {
    this.#entries.get(streamKey(stream))?.lacks.add(...loss)
  }

  /** A newer revision of the gap is known. */
  isOutdated(gap: Gap): boolean {
    const known = this.#entries.get(streamKey(gap))?.gaps.get(gap.gap_id)
    return known !== undefined && revisionOf(known) > revisionOf(gap)
  }

  /**
   * The stream is wanted from now on. What an earlier process may have missed of it since its last beat is an open gap;
   * after a proper stop that gap is there already.
   */
  open(ledger: FeedLedger): void {
    // What an earlier process left, the log with it, has the numbers of its time.
    ledger.catchUp()
    ledger.recount(this.#entry(ledger.stream).wanted)
    ledger.open()
    this.#takeUp(ledger)
    this.#open.add(ledger)
  }

  /** The venue lists the stream's symbol again. */
  resume(ledger: FeedLedger): void {
    ledger.resume()
    this.#open.add(ledger)
  }

  /** The stream is not wanted any more, or (`isOffList`) not listed. */
  retire(ledger: FeedLedger, reason: string, isOffList = false): void {
    this.#open.delete(ledger)
    ledger.retire(reason, isOffList)
  }

  /** Every stream of the configuration is open: others that an earlier process collected are retired. Beats begin. */
  async start(): Promise<void> {
    for (const { ledger, lacks } of this.#entries.values()) {
      lacks.end(this.#lastBeatUs ?? this.#bootUs)
      ledger.catchUp()
      this.#takeUp(ledger)
      if (!this.#open.has(ledger)) ledger.retire('not collected any more')
    }
    await this.#journal.open()
    this.flush()
    this.#stopBeat = this.#options.clock.every(BEAT_MS, () => this.#beat())
    this.#beat()
  }

  /**
   * When this returns, every gap and every stream that has begun is durable, and the gaps are emitted. Called before data
   * leave: a stream whose first data were seen must be known to the process after this one.
   */
  flush(): void {
    if (!this.#isDue) return
    this.#isDue = false
    this.#cancelFlush?.()
    this.#cancelFlush = undefined
    this.#journal.flush()
    for (const { gap, before, isWritten } of this.#untold.splice(0)) {
      this.#options.emit(gap, before)
      // Behind the log: what the journal knew alone would never be told.
      if (!isWritten) this.#journal.add({ k: 'gap', gap } satisfies JournalRecord)
    }
  }

  /** An orderly end: each stream gets a gap that the next process ends. */
  stop(): void {
    this.#stopBeat?.()
    const startUs = this.#options.clock.nowUs()
    for (const ledger of this.#open) if (ledger.isCollected) ledger.begin({ cause: 'shutdown', startUs })
    this.#beat()
    this.flush()
    this.#isStopped = true
  }

  /** After {@link stop}, and after the log was closed. */
  close(): void {
    this.#journal.close()
  }

  find(stream: StreamName): FeedLedger | undefined {
    return this.#entries.get(streamKey(stream))?.ledger
  }

  /** Every stream that is or was collected. */
  *[Symbol.iterator](): Generator<FeedLedger> {
    for (const { ledger } of this.#entries.values()) yield ledger
  }

  /** Every gap that is kept, the newest start first. */
  gaps(): readonly Gap[] {
    return this.kept.newestFirst([...this.#entries.values()].map(({ gaps }) => gaps))
  }

  /** One entry for each stream that was collected in the window. */
  coverage(
    sinceUs: EpochUs,
    untilUs: EpochUs,
    isWanted: (stream: StreamIdentity) => boolean = () => true,
  ): StreamCoverage[] {
    return [...this.#entries.values()].flatMap(({ ledger: { stream, stretches }, gaps }) => {
      if (!isWanted(stream)) return []
      const coverage = coverageOf(stretches, this.kept.ofStream(stream, gaps), sinceUs, untilUs)
      return coverage === undefined ? [] : [{ stream, ...coverage }]
    })
  }

  /** Since the last beat of the process that collected it nobody has listened, wanted or not. */
  #takeUp(ledger: FeedLedger): void {
    if (ledger.isCollected && this.#lastBeatUs !== undefined && !this.#open.has(ledger))
      ledger.begin({ cause: 'process_down', startUs: this.#lastBeatUs })
  }

  #entry(stream: StreamIdentity): Entry {
    const key = streamKey(stream)
    const known = this.#entries.get(key)
    if (known !== undefined) return known
    const entry = newEntry(stream, {
      nowUs: () => this.#options.clock.nowUs(),
      nextGapId: () => `${this.#bootUs}-${++this.#lastGapNumber}`,
      record: (of, gap, what) => this.#record(of, gap, what),
      stretched: (of) => this.#stretched(key, of),
    })
    this.#entries.set(key, entry)
    return entry
  }

  #stretched(key: string, entry: Entry): void {
    const { ledger } = entry
    const stamp = this.#stamp()
    const mark = markOf(key, ledger)
    this.#journal.addNow(streamRecord(key, ledger, stamp))
    const { before } = ledger.tally
    // What the first number is cannot wait for the log: what the log may lose must be fetched.
    if (before !== undefined) this.#journal.addNow(startRecord(key, before, ledger.epoch, stamp))
    if (mark === undefined) entry.told = ''
    else this.#journal.add({ k: 'beat', ...stamp, at: [mark] } satisfies JournalRecord)
    this.#isDue = true
  }

  #record(entry: Entry, gap: Gap, what: RecordKind): void {
    // Sockets that are closed now are no lost connections; what sinks lack at their end is a loss.
    if (this.#isStopped && what === 'gap') return
    const before = entry.gaps.get(gap.gap_id)
    this.kept.keep(entry.gaps, gap)
    const isWritten = what === 'loss' || this.#options.log === undefined
    if (isWritten) this.#journal.addNow({ k: 'gap', gap } satisfies JournalRecord)
    this.#untold.push({ gap, before, isWritten })
    this.#isDue = true
    // Before the first picture nothing is on disk; then the start itself flushes.
    if (this.#stopBeat !== undefined) this.#cancelFlush ??= this.#options.clock.after(0, () => this.flush())
  }

  /** Says that the process lives, and where each stream stands. */
  #beat(): void {
    const { log } = this.#options
    // One that still waits for the log would only be followed by another.
    if (log !== undefined && log.durableLsn < this.#beatLsn) return
    // Where a stream stands tells nothing of a gap that the log does not have.
    this.flush()
    const of = log && { lsn: this.#beatLsn, ids: log.quietIds() }
    this.#beatLsn = log?.lastLsn ?? 0
    const at: Mark[] = []
    for (const [key, entry] of this.#entries) {
      const mark = markOf(key, entry.ledger)
      if (mark === undefined || entry.told === String(mark)) continue
      entry.told = String(mark)
      at.push(mark)
    }
    this.#journal.add({ k: 'beat', ...this.#stamp(), at, ...of } satisfies JournalRecord)
    this.#journal.flush()
  }

  #picture(): Iterable<JournalRecord> {
    const { log } = this.#options
    const of = log && { lsn: log.lastLsn, ids: log.allIds() }
    return pictureOf(this.#entries, this.#stamp(), this.kept.forgotten(), of)
  }
}
