/**
 * Publishes on one connection: many messages under way, their acknowledgements counted on one inbox. The library's own
 * `js.publish` makes a promise, a timer and a parsed answer of each message, and is several times slower.
 * The first failure ends it: then the stream is asked what it holds (held.ts).
 */

import { createInbox, type Msg, type NatsConnection } from '@nats-io/transport-node'
import { errorText } from '../../model/errors.ts'
import type { Clock } from '../../platform/platform.ts'
import type { LogRecord } from '../../spool/frame.ts'
import type { Batch } from '../sink.ts'
import { type Ack, readAck } from './ack.ts'
import type { NatsCounts, UnderWay } from './counts.ts'
import { idOf, type MessageWriter, messageWriter } from './message.ts'
import type { NatsSinkOptions } from './options.ts'
import { Outgoing } from './outgoing.ts'
import { judgeRun, type Sharing } from './sharing.ts'
import type { TailIds } from './tail-ids.ts'
import { type Pending, Window } from './window.ts'
import { byteSender, readAnswers } from './wire.ts'
import { Work } from './work.ts'

/** How often unanswered messages are looked for within the time after which they count as such. */
const SWEEPS = 10
/** A repetition that reaches the server within this share of its duplicate window is stored once. */
const DUPLICATE_SHARE = 0.5
/** After so many timeouts in vain the connection is given up. */
const TIMEOUTS_MAX = 4

export interface PublisherPorts {
  readonly connection: NatsConnection
  readonly options: NatsSinkOptions
  readonly clock: Clock
  readonly counts: NatsCounts
  readonly underWay: UnderWay
  readonly logId: string
  /** The newest sequence of the stream. */
  readonly lastSeq: number
  /** The newest sequence that a record of ours was acknowledged with before, and that record; 0: none. */
  readonly acked: { readonly ackedSeq: number; readonly ackedLsn: number }
  /** How long the server knows ids. */
  readonly duplicateMs: number
  readonly sharing: Sharing
  /** Headers and body of one message. */
  readonly bytesMax: number
  /** Those that stand in the stream, as far as it was looked at. */
  readonly recentIds: TailIds
  readonly reject: (record: LogRecord, reason: string) => Promise<void>
}

export class Publisher {
  readonly #ports: PublisherPorts
  readonly #window: Window
  readonly #inbox: string
  readonly #writer: MessageWriter
  readonly #outgoing: Outgoing
  readonly #works = new Set<Work>()
  readonly #stopSweep: () => void
  /** Batches are sent one after the other, so that records leave in order. */
  #turn: Promise<void> = Promise.resolve()
  #wake: () => void = () => {}
  #failure: Error | undefined
  #sentLsn = 0
  #settledLsn = 0
  #ackedSeq: number
  #ackedLsn: number

  constructor(ports: PublisherPorts) {
    const { connection, options, clock, logId, bytesMax } = ports
    this.#ports = ports
    this.#window = new Window(options)
    this.#ackedSeq = ports.acked.ackedSeq
    this.#ackedLsn = ports.acked.ackedLsn
    this.#inbox = `${createInbox(options.inboxPrefix)}.`
    this.#writer = messageWriter({ prefix: options.prefix, logId, bytesMax, inbox: this.#inbox })
    this.#outgoing = new Outgoing(this.#writer, byteSender(connection))
    readAnswers(connection, this.#inbox, (...answer) => this.#onAck(...answer))
    connection.subscribe(`${this.#inbox}*`, { callback: (error, message) => this.#onAnswer(error, message) })
    this.#stopSweep = clock.every(options.ackTimeoutMs / SWEEPS, () => this.#sweep())
  }

  /** The highest number that was sent, skipped or refused. */
  get sentLsn(): number {
    return this.#sentLsn
  }

  /** Everything up to here that was given to us is stored, skipped or refused for good. Stays as it is after a failure. */
  get settledLsn(): number {
    if (this.#failure !== undefined) return this.#settledLsn
    const { lowestLsn } = this.#window
    return lowestLsn === undefined ? this.#sentLsn : lowestLsn - 1
  }

  /** The newest sequence that a record of ours was acknowledged with; 0: none yet. */
  get ackedSeq(): number {
    return this.#ackedSeq
  }

  /** The record that {@link ackedSeq} belongs to. */
  get ackedLsn(): number {
    return this.#ackedLsn
  }

  /** Resolves when all of the batch is acknowledged. Errors: rejects with the first failure of the connection. */
  async publish(batch: Batch): Promise<void> {
    const work = new Work()
    this.#works.add(work)
    try {
      // What comes behind a record that could not be sent must not be sent either, or it would hide that one is missing.
      const before = this.#turn
      const sending = before.then(() => this.#sendAll(batch, work))
      this.#turn = sending.catch((error: unknown) => this.fail(asError(error)))
      await sending
      await work.settled
    } finally {
      this.#works.delete(work)
    }
  }

  /** Ends all that is under way. Does nothing after the first time. */
  fail(error: Error): void {
    if (this.#failure !== undefined) return
    this.#settledLsn = this.settledLsn
    this.#failure = error
    this.#stopSweep()
    this.#window.clear()
    this.#count()
    for (const work of this.#works) work.fail(error)
    this.#wake()
  }

  async #sendAll(batch: Batch, work: Work): Promise<void> {
    for await (const records of batch.records()) {
      await this.#sendThese(records, work)
      this.#outgoing.flush()
    }
    this.#sentLsn = Math.max(this.#sentLsn, batch.lastLsn)
    work.sent()
  }

  async #sendThese(records: readonly LogRecord[], work: Work): Promise<void> {
    const { recentIds, counts, clock, sharing } = this.#ports
    this.#throwFailure()
    let nowMs = clock.monotonicMs()
    for (const record of records) {
      const message = this.#writer.messageOf(record)
      if ('refusal' in message) {
        this.#outgoing.flush()
        await this.#ports.reject(record, message.refusal)
        this.#throwFailure()
      } else if (!recentIds.isEmpty && recentIds.has(idOf(message))) counts.skipped++
      else {
        while (!this.#window.hasRoom(message)) {
          await this.#room()
          this.#throwFailure()
          nowMs = clock.monotonicMs()
        }
        this.#sentLsn = Math.max(this.#sentLsn, record.lsn)
        work.begin()
        this.#put({ message, work, firstMs: nowMs, sentMs: nowMs, isAsking: true }, !sharing.isOn(nowMs))
      }
    }
  }

  /** `isAlone`: it does not share its answer. */
  #put(pending: Pending, isAlone: boolean): void {
    this.#outgoing.add(pending, this.#window.add(pending), isAlone)
    this.#count()
  }

  /** What is not read from the bytes at once: the server's own answers, and what came in two pieces. */
  #onAnswer(error: Error | null, { subject, data, headers }: Msg): void {
    if (error !== null) this.fail(new Error(`NATS does not give acknowledgements: ${errorText(error)}`))
    else this.#onAck(Number(subject.slice(this.#inbox.length)), data, 0, data.length, headers?.status)
  }

  #onAck(sending: number, bytes: Uint8Array, from: number, to: number, status?: string): void {
    const pending = this.#window.get(sending)
    // Without: the answer to a sending that was repeated since, or to one before a failure.
    if (pending === undefined) return
    const ack = readAck(bytes, status, from, to)
    const run = this.#window.run(sending)
    if (ack.kind === 'refused') this.fail(new Error(`NATS refuses ${pending.message.target.subject}: ${ack.reason}`))
    else if (run.length > 1) this.#onRun(run, ack, pending)
    else if (ack.kind === 'poison') this.#onPoison(sending, pending, ack.reason)
    else if (ack.kind === 'duplicate' || this.#advance(ack.seq, pending, 1)) {
      if (ack.kind === 'duplicate') this.#ports.counts.duplicates++
      this.#finish(run)
    }
  }

  /** The answer to the last of several speaks for all of them, or each is asked about. */
  #onRun(run: readonly number[], ack: Ack, last: Pending): void {
    const { clock, sharing } = this.#ports
    const nowMs = clock.monotonicMs()
    if (ack.kind === 'stored' && judgeRun(ack.seq, this.#reachedSeq, run.length) === 'stored') {
      this.#advance(ack.seq, last, run.length)
      this.#finish(run)
      return
    }
    sharing.pause(nowMs)
    if (ack.kind !== 'stored' || this.#advance(ack.seq, last, run.length))
      this.#sendAgain(this.#window.unanswered(nowMs), nowMs)
  }

  get #reachedSeq(): number {
    return Math.max(this.#ackedSeq, this.#ports.lastSeq)
  }

  /** False: so many messages cannot have been stored up to there; only a look at the stream can tell which were. */
  #advance(seq: number, { message }: Pending, count: number): boolean {
    const reached = this.#reachedSeq
    if (judgeRun(seq, reached, count) === 'fewer') {
      const reason = 'it was restored or made anew, or had some already'
      this.fail(new Error(`the stream was at ${reached} and is at ${seq} after ${count} more: ${reason}`))
      return false
    }
    this.#ackedSeq = seq
    this.#ackedLsn = message.record.lsn
    return true
  }

  /** It stays in the window until the refusal is on record: what counts as stored must not run ahead of it. */
  #onPoison(sending: number, pending: Pending, reason: string): void {
    this.#window.hold(sending)
    this.#ports.reject(pending.message.record, reason).then(
      () => this.#remove(sending, pending),
      (error: unknown) => this.fail(asError(error)),
    )
  }

  #finish(run: readonly number[]): void {
    this.#ports.counts.acked += run.length
    for (const sending of run) this.#remove(sending, this.#window.get(sending) as Pending)
  }

  #remove(sending: number, { work }: Pending): void {
    this.#window.remove(sending)
    this.#count()
    work.end()
    if (this.#window.isRoomy) this.#wake()
  }

  /** Sends again what has no answer, while the server is sure to know the id; beyond that only the stream can tell. */
  #sweep(): void {
    const { clock, options, counts } = this.#ports
    const nowMs = clock.monotonicMs()
    const sendings = this.#window.unanswered(nowMs - options.ackTimeoutMs)
    counts.timeouts += sendings.length
    this.#sendAgain(sendings, nowMs)
  }

  /** Each with an answer of its own. */
  #sendAgain(sendings: readonly number[], nowMs: number): void {
    const { options, counts, duplicateMs } = this.#ports
    const patienceMs = Math.min(duplicateMs * DUPLICATE_SHARE, options.ackTimeoutMs * TIMEOUTS_MAX)
    for (const sending of sendings) {
      const pending = this.#window.get(sending) as Pending
      const waitedMs = Math.round(nowMs - pending.firstMs)
      if (waitedMs > patienceMs) {
        this.fail(new Error(`NATS has not acknowledged a message for ${waitedMs} ms`))
        return
      }
      counts.retries++
      this.#window.remove(sending)
      this.#put({ ...pending, sentMs: nowMs }, true)
    }
    this.#outgoing.flush()
  }

  #throwFailure(): void {
    if (this.#failure !== undefined) throw this.#failure
  }

  /** Resolves when something has left the window. */
  #room(): Promise<void> {
    this.#throwFailure()
    this.#outgoing.flush()
    return new Promise((resolve) => {
      this.#wake = resolve
    })
  }

  #count(): void {
    const { underWay } = this.#ports
    underWay.messages = this.#window.messages
    underWay.bytes = this.#window.bytes
  }
}

const asError = (error: unknown): Error => (error instanceof Error ? error : new Error(errorText(error)))
