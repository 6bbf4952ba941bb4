/**
 * The journal beside a durable log. The journal tells what was delivered, so it must never know more than the log has: its
 * records wait until the log has proven what came before them. Without a log they are written at once.
 */

import { sleep } from '../platform/clock.ts'
import type { Clock } from '../platform/platform.ts'
import { Journal, type JournalOptions, type LoadedJournal } from './journal.ts'

/** What the ledger needs of the log. */
export interface LogProof {
  /** The newest record. */
  readonly lastLsn: number
  /** Nothing can happen any more to records up to here. */
  readonly durableLsn: number
  /** The newest id of each stream of the log that has been told since the last but one call, and not since the last. */
  quietIds(): [stream: string, id: string][]
  /** The same, of all. */
  allIds(): [stream: string, id: string][]
}

interface Group {
  readonly lsn: number
  readonly records: object[]
}

export class Checkpoint {
  readonly #journal: Journal
  readonly #clock: Clock
  readonly #log: LogProof | undefined
  /** Of this turn of the event loop: what they follow is appended by its end. */
  #turn: object[] = []
  #waiting: Group[] = []
  #pictures: { readonly lsn: number; readonly resolve: () => void }[] = []
  #cancelTurn: (() => void) | undefined

  constructor(options: Omit<JournalOptions, 'untilProven'>, log: LogProof | undefined) {
    this.#journal = new Journal({ ...options, untilProven: () => this.#untilProven() })
    this.#clock = options.clock
    this.#log = log
  }

  load(): Promise<LoadedJournal> {
    return this.#journal.load()
  }

  /** Resolves when it is ready for records; the first picture may still wait for the log. */
  async open(): Promise<void> {
    const opened = this.#journal.open()
    if (this.#log === undefined) await opened
  }

  add(record: object): void {
    if (this.#log === undefined) {
      this.#journal.add(record)
      return
    }
    this.#turn.push(record)
    this.#cancelTurn ??= this.#clock.after(0, () => this.#endTurn())
  }

  /** A record that says of nothing that it was delivered: it need not wait. */
  addNow(record: object): void {
    this.#journal.add(record)
  }

  /** Returns when every record that need not wait is on disk, or the disk has failed. */
  flush(): void {
    this.#journal.flush()
  }

  /** The log has proven more. */
  proven(): void {
    if (this.#log === undefined) return
    const { durableLsn } = this.#log
    while ((this.#waiting[0]?.lsn ?? Number.POSITIVE_INFINITY) <= durableLsn)
      for (const record of this.#waiting.shift()?.records ?? []) this.#journal.add(record)
    this.#journal.flush()
    const due = this.#pictures.filter(({ lsn }) => lsn <= durableLsn)
    this.#pictures = this.#pictures.filter(({ lsn }) => lsn > durableLsn)
    for (const { resolve } of due) resolve()
  }

  /** After the log was closed: what it has not proven is not written. */
  close(): void {
    this.#endTurn()
    this.#journal.close(this.#log === undefined || this.#log.lastLsn <= this.#log.durableLsn)
  }

  #endTurn(): void {
    this.#cancelTurn?.()
    this.#cancelTurn = undefined
    if (this.#log === undefined) return
    const records = this.#turn.splice(0)
    if (records.length > 0) this.#waiting.push({ lsn: this.#log.lastLsn, records })
    this.proven()
  }

  async #untilProven(): Promise<void> {
    if (this.#log === undefined) return
    // What a picture knows already is appended by the end of its turn, gaps too: their timers run first.
    await sleep(this.#clock, 0)
    const lsn = this.#log.lastLsn
    if (lsn > this.#log.durableLsn) await new Promise<void>((resolve) => void this.#pictures.push({ lsn, resolve }))
  }
}
