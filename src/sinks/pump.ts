/**
 * Brings the log into one sink: batches in order, several under way if the sink likes, the cursor behind what is stored for
 * certain. A sink that fails is opened again, for ever, and goes on where it stands.
 */

import { join } from 'node:path'
import { errorText } from '../model/errors.ts'
import { Backoff } from '../platform/backoff.ts'
import type { Clock, Files, Random } from '../platform/platform.ts'
import { type Bounds, type CutBatch, Cutter, type PumpLog } from './batches.ts'
import type { Held, Sink, SinkTraits } from './sink.ts'

const RETRY_MS = 250
const RETRY_MS_MAX = 30_000
/** To see that a store is still away costs next to nothing; one that opens and takes nothing has the log read each time. */
const OPEN_RETRY_MS_MAX = 5_000

export interface PumpEvents {
  /** The sink cannot be used; tried again after `retryMs`. */
  failed(problem: string, retryMs: number): void
  recovered(): void
  /** The store has lost what it had: it gets again what comes after `againAfterLsn`, the rest is not in the log any more. */
  rolledBack(held: Held, cursorLsn: number, againAfterLsn: number): void
  /** The store holds numbers up to `heldLsn` that this log has not given: it is an older copy. The sink gets what waits. */
  foundAhead(heldLsn: number, lastLsn: number): void
  /** A write has taken so long. */
  wrote(seconds: number): void
}

export interface PumpOptions {
  readonly name: string
  readonly sink: Sink & { readonly traits: SinkTraits }
  readonly log: PumpLog
  readonly clock: Clock
  readonly random: Random
  readonly files: Files
  /** The sink's own. */
  readonly stateFolder: string
  readonly events: PumpEvents
}

interface UnderWay {
  readonly batch: CutBatch
  isDone: boolean
}

export class Pump {
  readonly #options: PumpOptions
  readonly #backoff: Backoff
  #cutter: Cutter | undefined
  /** In order. */
  #underWay: UnderWay[] = []
  #failure: Error | undefined
  #wake = (): void => {}
  #running: Promise<void> | undefined
  #isStopping = false
  #isCut = false
  #cancelWait = (): void => {}
  /** Up to here records wait whose numbers the store had seen before: whatever it says, it is not of them. */
  #doubtedLsn = 0
  /** What is wrong; `undefined`: nothing. */
  problem: string | undefined = 'not opened yet'
  /** Plain counters, read by whoever shows them. */
  readonly counts = { records: 0, bytes: 0, batches: 0, failures: 0, rollbacks: 0 }
  /** When the newest data that the sink has were received, µs. */
  storedTimeUs: number | undefined

  constructor(options: PumpOptions) {
    this.#options = options
    const { random } = options
    this.#backoff = new Backoff({ firstMs: RETRY_MS, maxMs: RETRY_MS_MAX, random })
  }

  get name(): string {
    return this.#options.name
  }

  /** What the sink counts of its own. */
  get sinkCounts(): Readonly<Record<string, number>> {
    return this.#options.sink.counts ?? {}
  }

  /** Records of the log that the sink does not have yet; numbers that were left out count too. */
  get lag(): number {
    const { log, name } = this.#options
    return Math.max(0, log.lastLsn - log.cursor(name))
  }

  start(): void {
    this.#running ??= this.#run()
  }

  /** Brings what there is to the sink if it works, but for `drainMs` at the longest, then closes it. */
  async stop(drainMs: number): Promise<void> {
    this.#isStopping = true
    this.#cutter?.hurry(this.#options.log.lastLsn)
    this.#wake()
    this.#cancelWait()
    const cancel = this.#options.clock.after(drainMs, () => {
      this.#isCut = true
      this.#wake()
      void this.#options.sink.close()
    })
    await this.#running
    cancel()
    await this.#options.sink.close()
  }

  async #run(): Promise<void> {
    while (!this.#isStopping || (this.problem === undefined && !this.#isCut)) {
      try {
        await this.#open()
        await this.#feed()
        return
      } catch (error) {
        await this.#failed(error)
      }
    }
  }

  /** Finds out where the sink stands. */
  async #open(): Promise<void> {
    const { sink, log, name, clock } = this.#options
    const held = await sink.open()
    const further = held === undefined ? undefined : this.#goTo(held)
    const first = sink.traits.hasFixedBatches ? await this.#claimed() : undefined
    const fromLsn = log.cursor(name) + 1
    this.#cutter = new Cutter({ log, name, clock, fromLsn, further, first })
    if (this.#isStopping) this.#cutter.hurry(log.lastLsn)
    this.#failure = undefined
    if (this.problem !== undefined) this.#options.events.recovered()
    this.problem = undefined
  }

  /** Yields the records behind the cursor that need not be sent. */
  #goTo(held: Held): Held['further'] {
    const { throughLsn, further, hasLost = false } = held
    const { log, name, events } = this.#options
    const cursorLsn = log.cursor(name)
    this.#checkAhead(held)
    const isTrusted = cursorLsn >= this.#doubtedLsn
    if (throughLsn >= cursorLsn) {
      if (isTrusted) log.ack(name, Math.min(throughLsn, log.lastLsn))
    } else {
      const againLsn = log.rewind(name, throughLsn)
      if (hasLost) {
        this.counts.rollbacks++
        events.rolledBack(held, cursorLsn, againLsn)
      }
    }
    return isTrusted ? further : undefined
  }

  /** Numbers that the log has not given yet must not be given to what comes next: it would be taken for stored. */
  #checkAhead({ throughLsn, further }: Held): void {
    const { log, events } = this.#options
    let heldLsn = throughLsn
    for (const lsn of further ?? []) heldLsn = Math.max(heldLsn, lsn)
    if (heldLsn <= log.lastLsn) return
    this.#doubtedLsn = log.lastLsn
    log.skip(heldLsn)
    events.foundAhead(heldLsn, log.lastLsn)
  }

  /** Resolves when the sink has everything and the pump is to stop. */
  async #feed(): Promise<void> {
    const { sink } = this.#options
    const cutter = this.#cutter as Cutter
    for (;;) {
      const batch = await this.#next(cutter)
      if (batch === undefined) break
      const { hasFixedBatches, batchesMax } = sink.traits
      await this.#untilFewerThan(hasFixedBatches ? 1 : batchesMax)
      if (hasFixedBatches) await this.#claim(batch)
      this.#send(batch)
    }
    await this.#untilFewerThan(1)
  }

  /** `undefined`: the pump is to stop, and there is nothing more. */
  async #next(cutter: Cutter): Promise<CutBatch | undefined> {
    const next = cutter.next(this.#options.sink.traits).then((batch) => ({ batch }))
    for (;;) {
      const found = await this.#orFailure(next)
      if (found !== undefined) return found.batch
    }
  }

  #send(batch: CutBatch): void {
    const { sink, clock, events } = this.#options
    const entry = { batch, isDone: false }
    this.#underWay.push(entry)
    const startMs = clock.monotonicMs()
    const written = batch.count === 0 ? Promise.resolve() : sink.write(batch)
    written.then(
      () => {
        events.wrote((clock.monotonicMs() - startMs) / 1000)
        entry.isDone = true
        this.#advance()
        this.#wake()
      },
      (error: unknown) => {
        this.#underWay = this.#underWay.filter((each) => each !== entry)
        this.#failure ??= error instanceof Error ? error : new Error(errorText(error))
        this.#wake()
      },
    )
  }

  /** The cursor follows what is stored without a hole. */
  #advance(): void {
    const { log, name } = this.#options
    if (this.#failure !== undefined) return
    while (this.#underWay[0]?.isDone === true) {
      const { batch } = this.#underWay.shift() as UnderWay
      log.ack(name, batch.lastLsn)
      this.counts.records += batch.count
      this.counts.bytes += batch.bytes
      this.counts.batches++
      this.storedTimeUs = batch.lastTimeUs
      this.#backoff.reset()
    }
  }

  async #untilFewerThan(count: number): Promise<void> {
    while (this.#underWay.length >= count) await this.#orFailure(new Promise<void>(() => {}))
  }

  /** Resolves with `event`, or with nothing when something was written; rejects when a write has failed. */
  async #orFailure<T>(event: Promise<T>): Promise<T | undefined> {
    const woken = new Promise<undefined>((resolve) => {
      this.#wake = () => resolve(undefined)
    })
    if (this.#failure === undefined && !this.#isCut) {
      const value = await Promise.race([event, woken])
      if (value !== undefined) return value
    }
    if (this.#isCut) throw new Error('stopped before everything was written')
    if (this.#failure !== undefined) throw this.#failure
    return undefined
  }

  async #failed(error: unknown): Promise<void> {
    const { sink, events, clock } = this.#options
    const hasOpened = this.problem === undefined
    this.counts.failures++
    this.problem = errorText(error)
    this.#cutter?.hurry(0)
    await sink.close()
    // What was under way rejects now; nothing of it counts.
    this.#underWay = []
    if (this.#isStopping) return
    const retryMs = Math.min(this.#backoff.nextMs(), hasOpened ? RETRY_MS_MAX : OPEN_RETRY_MS_MAX)
    events.failed(this.problem, retryMs)
    await new Promise<void>((resolve) => {
      const cancel = clock.after(retryMs, resolve)
      this.#cancelWait = () => {
        cancel()
        resolve()
      }
    })
  }

  get #claimPath(): string {
    return join(this.#options.stateFolder, 'batch.json')
  }

  /** The bounds are on disk before the store may see the batch; it has all before, though the cursor may not tell yet. */
  async #claim({ firstLsn, lastLsn }: CutBatch): Promise<void> {
    const { files, log } = this.#options
    const claim: Claim = { log: log.id, firstLsn, lastLsn }
    await files.replace(this.#claimPath, `${JSON.stringify(claim)}\n`)
  }

  /** The batch that may have been stored, if there is one. */
  async #claimed(): Promise<Bounds | undefined> {
    const { files, log, name } = this.#options
    const claim = parseClaim(await files.read(this.#claimPath))
    if (claim === undefined || claim.log !== log.id || claim.lastLsn > log.lastLsn) return undefined
    return claim.lastLsn > log.cursor(name) ? claim : undefined
  }
}

interface Claim extends Bounds {
  readonly log: string
}

/** `undefined`: there is none, or it is spoilt. */
function parseClaim(text: string | undefined): Claim | undefined {
  try {
    const claim: Partial<Claim> = Object(JSON.parse(text ?? ''))
    const numbers = [claim.firstLsn, claim.lastLsn]
    return typeof claim.log === 'string' && numbers.every(Number.isSafeInteger) ? (claim as Claim) : undefined
  } catch {
    return undefined
  }
}
