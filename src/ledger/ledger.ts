/**
 * The gap ledger: every window of possible loss of every stream, durable before the data behind it leaves, kept over
 * restarts. A beat each second bounds what a killed process may have missed.
 */

import type { EpochUs, Gap } from '../model/event.ts'
import type { Clock, Files } from '../platform/platform.ts'
import { type Coverage, coverageOf } from './completeness.ts'
import { FeedLedger } from './feed-ledger.ts'
import { Journal } from './journal.ts'
import { type StreamIdentity, streamKey } from './records.ts'
import { type JournalRecord, type Mark, restore } from './state.ts'

const BEAT_MS = 1_000
/** Gaps that are kept; the oldest that are over go first. */
const GAPS_MAX = 100_000

export interface LedgerOptions {
  readonly folder: string
  readonly files: Files
  readonly clock: Clock
  /** Receives every revision of every gap, once it is durable (or the disk has failed). */
  readonly emit: (gap: Gap) => void
  /** The disk takes no records (words), or takes them again. */
  readonly onProblem: (problem: string | undefined) => void
}

export interface StreamCoverage extends Coverage {
  readonly stream: StreamIdentity
}

interface Entry {
  readonly ledger: FeedLedger
  /** The newest revision of each gap, in the order of their discovery. */
  readonly gaps: Map<string, Gap>
  /** Sequence and epoch as the last beat told them. */
  told: string
}

export class Ledger {
  readonly #options: LedgerOptions
  readonly #journal: Journal
  readonly #entries = new Map<string, Entry>()
  readonly #open = new Set<FeedLedger>()
  readonly #bootUs: EpochUs
  /** When the process before this one was last alive. */
  #lastBeatUs: EpochUs | undefined
  /** Something was recorded that must be durable before data leave. */
  #isDue = false
  /** Recorded, but not emitted yet. */
  #untold: Gap[] = []
  #cancelFlush: (() => void) | undefined
  #stopBeat: (() => void) | undefined
  #lastGapNumber = 0
  #gapCount = 0
  /** Gaps that had to be forgotten. */
  evicted = 0
  /** Why the disk takes no records; `undefined`: it does. */
  problem: string | undefined

  constructor(options: LedgerOptions) {
    const { folder, files, clock, onProblem } = options
    this.#options = options
    this.#bootUs = clock.nowUs()
    this.#journal = new Journal({
      folder,
      files,
      clock,
      picture: () => this.#picture(),
      onProblem: (problem) => {
        this.problem = problem
        onProblem(problem)
      },
    })
  }

  /** The gaps of one stream; the same object for the same stream. */
  stream(stream: StreamIdentity): FeedLedger {
    return this.#entry(stream).ledger
  }

  /**
   * Reads what the last process left; before the first {@link open}. Resolves with what could not be read, in words.
   * Errors: rejects if a file cannot be read at all.
   */
  async load(): Promise<string | undefined> {
    const { records, spoiltLines } = await this.#journal.load()
    const { streams, gaps, lastBeatUs, unknown } = restore(records)
    this.#lastBeatUs = lastBeatUs
    for (const { stream, ...state } of streams.values()) this.#entry(stream).ledger.takeUp(state)
    for (const gap of [...gaps.values()].sort((a, b) => a.detected_time_us - b.detected_time_us)) {
      const entry = this.#entries.get(streamKey(gap))
      if (entry === undefined) continue
      this.#keep(entry, gap)
      entry.ledger.restore(gap)
    }
    const bad = spoiltLines + unknown
    return bad === 0 ? undefined : `${bad} lines of the ledger could not be read and were left out`
  }

  /**
   * The stream is wanted from now on. What an earlier process may have missed of it since its last beat is an open gap;
   * after a proper stop that gap is there already.
   */
  open(ledger: FeedLedger): void {
    ledger.open()
    if (ledger.isCollected && this.#lastBeatUs !== undefined && !this.#open.has(ledger))
      ledger.begin({ cause: 'process_down', startUs: this.#lastBeatUs })
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
    for (const { ledger } of this.#entries.values())
      if (!this.#open.has(ledger)) ledger.retire('not collected any more')
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
    for (const gap of this.#untold.splice(0)) this.#options.emit(gap)
  }

  /** An orderly end: each stream gets a gap that the next process ends. */
  stop(): void {
    this.#stopBeat?.()
    const startUs = this.#options.clock.nowUs()
    for (const ledger of this.#open) if (ledger.isCollected) ledger.begin({ cause: 'shutdown', startUs })
    this.#beat()
    this.flush()
    this.#journal.close()
  }

  find(stream: Pick<StreamIdentity, 'venue' | 'channel' | 'symbol'>): FeedLedger | undefined {
    return this.#entries.get(streamKey(stream))?.ledger
  }

  /** Every stream that is or was collected. */
  *[Symbol.iterator](): Generator<FeedLedger> {
    for (const { ledger } of this.#entries.values()) yield ledger
  }

  /** Every gap that is kept, the newest start first. */
  gaps(): Gap[] {
    const all = [...this.#entries.values()].flatMap(({ gaps }) => [...gaps.values()])
    return all.sort((a, b) => b.start_time_us - a.start_time_us)
  }

  /** One entry for each stream that was collected in the window. */
  coverage(
    sinceUs: EpochUs,
    untilUs: EpochUs,
    isWanted: (stream: StreamIdentity) => boolean = () => true,
  ): StreamCoverage[] {
    return [...this.#entries.values()].flatMap(({ ledger: { stream, stretches }, gaps }) => {
      if (!isWanted(stream)) return []
      const coverage = coverageOf(stretches, [...gaps.values()], sinceUs, untilUs)
      return coverage === undefined ? [] : [{ stream, ...coverage }]
    })
  }

  #entry(stream: StreamIdentity): Entry {
    const key = streamKey(stream)
    const known = this.#entries.get(key)
    if (known !== undefined) return known
    const entry: Entry = {
      gaps: new Map(),
      told: '',
      ledger: new FeedLedger(stream, {
        nowUs: () => this.#options.clock.nowUs(),
        nextGapId: () => `${this.#bootUs}-${++this.#lastGapNumber}`,
        record: (gap) => this.#record(entry, gap),
        stretched: () => {
          const atUs = this.#options.clock.nowUs()
          const mark = markOf(key, entry.ledger)
          this.#journal.add(streamRecord(entry.ledger, atUs))
          if (mark !== undefined) this.#journal.add({ k: 'beat', atUs, at: [mark] } satisfies JournalRecord)
          this.#isDue = true
        },
      }),
    }
    this.#entries.set(key, entry)
    return entry
  }

  #record(entry: Entry, gap: Gap): void {
    this.#keep(entry, gap)
    this.#journal.add({ k: 'gap', gap } satisfies JournalRecord)
    this.#untold.push(gap)
    this.#isDue = true
    this.#cancelFlush ??= this.#options.clock.after(0, () => this.flush())
  }

  #keep({ gaps }: Entry, gap: Gap): void {
    if (!gaps.has(gap.gap_id)) this.#gapCount++
    gaps.set(gap.gap_id, gap)
    if (this.#gapCount <= GAPS_MAX) return
    for (const [id, { state }] of gaps) {
      if (state === 'open') continue
      gaps.delete(id)
      this.#gapCount--
      this.evicted++
      return
    }
  }

  /** Says that the process lives, and where each stream stands. */
  #beat(): void {
    const at: Mark[] = []
    for (const [key, entry] of this.#entries) {
      const mark = markOf(key, entry.ledger)
      if (mark === undefined || entry.told === String(mark)) continue
      entry.told = String(mark)
      at.push(mark)
    }
    this.#journal.add({ k: 'beat', atUs: this.#options.clock.nowUs(), at } satisfies JournalRecord)
    this.#journal.flush()
  }

  *#picture(): Generator<JournalRecord> {
    const atUs = this.#options.clock.nowUs()
    const at: Mark[] = []
    for (const [key, { ledger, gaps }] of this.#entries) {
      if (ledger.stretches.length > 0) yield streamRecord(ledger, atUs)
      for (const gap of gaps.values()) yield { k: 'gap', gap }
      const mark = markOf(key, ledger)
      if (mark !== undefined) at.push(mark)
    }
    yield { k: 'beat', atUs, at }
  }
}

const streamRecord = ({ stream, stretches }: FeedLedger, atUs: EpochUs): JournalRecord => ({
  k: 'stream',
  atUs,
  stream,
  stretches,
})

/** Spans that are kept of a stream; a stream with more holes is healed from its gaps. */
const SPANS_MAX = 100

function markOf(key: string, ledger: FeedLedger): Mark | undefined {
  const { newestTradeUs = 0, epoch } = ledger
  const { lastUs = 0, lastSequence, tally } = ledger.standing
  const sequence = tally.last ?? lastSequence
  const spans = tally.missing.slice(-SPANS_MAX).map(({ first, last }): [number, number] => [first, last])
  return sequence === undefined ? undefined : [key, sequence, epoch, spans, lastUs, newestTradeUs]
}
