/** Everything behind the pipeline: the durable log and one pump for each sink. */

import { join } from 'node:path'
import type { DeliveryView } from '../api/operations-view.ts'
import type { HealthCheck } from '../api/view.ts'
import type { Ledger } from '../ledger/ledger.ts'
import { PrismError } from '../model/errors.ts'
import type { EpochUs, MarketEvent } from '../model/event.ts'
import type { Config } from '../ops/config-schema.ts'
import type { Logger } from '../ops/log.ts'
import type { Metrics } from '../ops/metrics.ts'
import type { RepeatGuard } from '../ops/repeat-guard.ts'
import type { Platform } from '../platform/platform.ts'
import { hasCode } from '../platform/system-error.ts'
import { DeadLetters } from '../sinks/dead-letters.ts'
import type { SinkFactory } from '../sinks/index.ts'
import { Pump } from '../sinks/pump.ts'
import { Refused } from '../sinks/refused.ts'
import type { Held } from '../sinks/sink.ts'
import type { LogRecord } from '../spool/frame.ts'
import type { Loss } from '../spool/loss.ts'
import type { Spool } from '../spool/spool.ts'
import type { Venue } from '../venues/venue.ts'
import { lackLoss, lackRecord } from './losses.ts'
import { replayLog } from './replay.ts'
import { exposeSinks, pumpCheck, sinkView, spoolCheck, spoolView } from './sink-view.ts'
import { isSpoolOn, openCollectorSpool } from './spool.ts'
import { ToldIds } from './told-ids.ts'

/** Of the time that stopping may take: for bringing to the sinks what they lack. */
const DRAIN_SHARE = 0.5

export interface DeliveryParts {
  readonly config: Config
  readonly venues: readonly Venue[]
  readonly platform: Platform
  readonly metrics: Metrics
  readonly logger: Logger
  readonly repeats: RepeatGuard
  readonly sinks: readonly SinkFactory[]
  readonly ledger: () => Ledger
}

export class Delivery {
  readonly #parts: DeliveryParts
  readonly #told: ToldIds
  #spool: Spool | undefined
  /** Why the log could not be opened. */
  #problem: string | undefined
  #pumps: Pump[] = []
  #letters = new Map<string, DeadLetters>()
  /** The log is wanted. */
  readonly isOn: boolean

  constructor(parts: DeliveryParts) {
    this.#parts = parts
    this.#told = new ToldIds()
    this.isOn = isSpoolOn(
      parts.config,
      parts.sinks.map(({ name }) => name),
    )
    exposeSinks(parts.metrics, () => this.#pumps, this.#letters, parts.platform.clock)
  }

  get lastLsn(): number {
    return this.#spool?.lastLsn ?? 0
  }

  /** A beat that says of data which were refused that they were delivered would be wrong: it waits until that is told. */
  get durableLsn(): number {
    return this.#spool?.hasUntold === true ? -1 : (this.#spool?.durableLsn ?? 0)
  }

  /**
   * Opens the log and takes up what the last process delivered. False: the disk has no room for it.
   * Errors: PrismError SPOOL_LOCKED, CONFIG_INVALID.
   */
  async open(): Promise<boolean> {
    if (!this.isOn) return true
    const { config, venues, platform, metrics, logger, repeats, sinks, ledger } = this.#parts
    const found: Loss[] = []
    let isReplayed = false
    const onLoss = (loss: Loss): void => {
      if (isReplayed) this.#lost(loss)
      else found.push(loss)
    }
    const names = sinks.map(({ name }) => name)
    const onDurable = (): void => ledger().proven()
    const isNewest = ({ body }: Pick<LogRecord, 'body'>): boolean => !ledger().isOutdated(JSON.parse(body.toString()))
    const parts = { config, platform, metrics, logger, sinks: names, onLoss, onDurable, isNewest }
    try {
      this.#spool = await openCollectorSpool({ ...parts, provenLsn: ledger().replayAfterLsn })
    } catch (error) {
      if (!(error instanceof PrismError) || !hasCode(error.cause, 'ENOSPC', 'EDQUOT')) throw error
      repeats.error('log_no_room', '', 'the disk has no room for the durable log; nothing is collected until it has', {
        problem: error.message,
      })
      this.#problem = error.message
      return false
    }
    this.#problem = undefined
    this.#told.restore(ledger().idsOfLog)
    const replayed = await replayLog(this.#spool, ledger(), venues, (event) => {
      this.#told.of(event).id = event.id
    })
    if (replayed > 0) logger.info('log_replayed', 'taken up from the durable log', { records: replayed })
    isReplayed = true
    for (const loss of found) this.#lost(loss)
    return true
  }

  /** The sinks begin. */
  start(): void {
    const spool = this.#spool
    if (spool === undefined) return
    for (const factory of this.#parts.sinks) {
      const pump = this.#pump(spool, factory)
      this.#pumps.push(pump)
      pump.start()
    }
  }

  append(event: MarketEvent, bytes: Buffer, timeUs: EpochUs): void {
    const spool = this.#spool
    if (spool === undefined) return
    const told = this.#told.of(event)
    // A venue says after a restart what it had said before: the same fact.
    if (told.id === event.id) return
    const lsn = spool.append(told.stream, event.type === 'gap' ? 'gap' : 'event', timeUs, bytes)
    if (lsn === undefined) return
    told.id = event.id
    told.lsn = lsn
    told.isSaved = false
  }

  quietIds() {
    return this.#told.quiet(this.lastLsn)
  }

  allIds() {
    return this.#told.all()
  }

  /** Sinks that work get what they lack, within a part of the time; then the log is closed. */
  async stop(): Promise<void> {
    const drainMs = this.#parts.config.shutdown_timeout_ms * DRAIN_SHARE
    await Promise.all(this.#pumps.map((pump) => pump.stop(drainMs)))
    for (const letters of this.#letters.values()) letters.close()
    await this.#spool?.close()
  }

  health(): Readonly<Record<string, HealthCheck>> {
    const checks: Record<string, HealthCheck> = {}
    if (this.#spool !== undefined) checks.spool = spoolCheck(this.#spool)
    else if (this.#problem !== undefined) checks.spool = { status: 'fail', result: this.#problem }
    for (const pump of this.#pumps) checks[`sink:${pump.name}`] = pumpCheck(pump)
    return checks
  }

  view(): DeliveryView {
    const { config, platform } = this.#parts
    const nowUs = platform.clock.nowUs()
    return {
      spool: this.#spool && spoolView(this.#spool, config.spool.quota_bytes),
      sinks: this.#pumps.map((pump) => sinkView(pump, this.#letters.get(pump.name), nowUs)),
    }
  }

  #pump(log: Spool, { name, create }: SinkFactory): Pump {
    const { config, platform, logger, metrics, repeats } = this.#parts
    const { clock, random, files } = platform
    const stateFolder = join(config.data_dir, 'sinks', name)
    const letters = new DeadLetters({ folder: join(config.data_dir, 'dead-letter'), sink: name, files, clock })
    this.#letters.set(name, letters)
    const refused = new Refused()
    const reject = async (record: LogRecord, reason: string): Promise<void> => {
      if (refused.has(record.lsn, log.cursor(name))) return
      await letters.add(record, reason)
      refused.add(record.lsn)
      lackRecord(this.#parts.ledger(), name, record, reason)
      repeats.error('record_rejected', name, 'a sink refused a record for good; it is in the dead-letter file', {
        sink: name,
        lsn: record.lsn,
        stream: record.stream,
        reason,
      })
    }
    const say = {
      info: (event: string, message: string, fields = {}) => logger.info(event, message, { sink: name, ...fields }),
      warning: (event: string, message: string, fields = {}) =>
        repeats.warning(event, name, message, { sink: name, ...fields }),
    }
    const sink = create({ platform, logger: say, logId: log.id, stateFolder, reject })
    const durations = metrics.histogram('sinkWriteDuration', { sink: name })
    const events = {
      failed: (problem: string, retryMs: number) =>
        say.warning('sink_failed', 'the sink takes nothing; its data wait in the durable log', {
          problem,
          retry_ms: Math.round(retryMs),
        }),
      recovered: () => logger.info('sink_ready', 'the sink takes data', { sink: name, lag_records: pump.lag }),
      rolledBack: ({ throughLsn, sinceUs }: Held, cursorLsn: number, againLsn: number) => {
        logger.warning('sink_rolled_back', 'the store has lost what it had confirmed; it is given again', {
          sink: name,
          from_lsn: againLsn + 1,
          to_lsn: cursorLsn,
        })
        if (againLsn > throughLsn)
          this.#lost({
            cause: 'missing',
            firstLsn: throughLsn + 1,
            lastLsn: againLsn,
            sinceUs,
            streams: [],
            sinks: [name],
          })
      },
      foundAhead: (heldLsn: number, lastLsn: number) =>
        repeats.error('sink_ahead', name, 'the log is older than what the store has of it; what waits is sent again', {
          sink: name,
          held_lsn: heldLsn,
          last_lsn: lastLsn,
        }),
      wrote: (seconds: number) => durations.observe(seconds),
    }
    const pump = new Pump({ name, sink, log, clock, random, files, stateFolder, events })
    return pump
  }

  #lost(loss: Loss): void {
    lackLoss(this.#parts.ledger(), loss, this.#parts.platform.clock.nowUs())
  }
}
