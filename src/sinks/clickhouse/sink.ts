/** ClickHouse: one table a type of event, exact digits, each batch once. What is promised: docs/CLICKHOUSE.md. */

import type { EventType } from '../../model/event.ts'
import type { LogRecord } from '../../spool/frame.ts'
import type { Batch, Sink, SinkPorts, SinkTraits } from '../sink.ts'
import { isEventType } from './columns.ts'
import { lostOf } from './confirm.ts'
import { failure, isDenied, isOverloaded } from './failures.ts'
import { type InsertCounts, insertRows } from './insert.ts'
import { prepare } from './migrations.ts'
import { type ClickHouseSinkOptions, targetOf } from './options.ts'
import { Pace } from './pace.ts'
import { connect, type Server } from './server.ts'

const TIMEOUT_MS = 30_000
const AGE_MS = 1_000
/** One block of an insert, so that the server stores all of it or nothing. */
const RECORDS_MAX = 100_000
const BYTES_MAX = 16 * 1024 * 1024
/** While the server stores one, the next is made. */
const BATCHES_MAX = 2

export class ClickHouseSink implements Sink {
  readonly name = 'clickhouse'
  readonly counts: InsertCounts = { rows: 0, inserts: 0, bytes: 0, splits: 0, overloads: 0, restored: 0 }
  readonly #options: ClickHouseSinkOptions
  readonly #ports: SinkPorts
  readonly #pace: Pace
  #server: Server | undefined
  #isUncheckedTold = false
  #isUnlookedTold = false
  /** The next batch may have been sent before. */
  #isRepeated = false

  constructor(options: ClickHouseSinkOptions, ports: SinkPorts) {
    this.#options = options
    this.#ports = ports
    this.#pace = new Pace(options.ageMs ?? AGE_MS)
  }

  /** To be asked before each batch: under load `ageMs` grows. */
  get traits(): SinkTraits {
    return {
      recordsMax: RECORDS_MAX,
      bytesMax: BYTES_MAX,
      ageMs: this.#pace.ageMs,
      batchesMax: BATCHES_MAX,
      hasFixedBatches: true,
    }
  }

  /** Errors: see {@link prepare}; what it rejects with names what to do. */
  async open(): Promise<undefined> {
    await this.close()
    const { caFile, compress = false, timeoutMs = TIMEOUT_MS, migrate = true, ttlDays } = this.#options
    const target = targetOf(this.#options)
    const ca = caFile === undefined ? undefined : await this.#ports.platform.files.read(caFile)
    if (caFile !== undefined && ca === undefined) throw failure('trust', new Error(`there is no file '${caFile}'`))
    this.#server = connect({ ...target, compress, ca, timeoutMs })
    this.#isRepeated = true
    const { applied, isChecked } = await prepare(this.#server, target.database, migrate, ttlDays)
    const { info } = this.#ports.logger
    if (applied.length > 0) {
      info('clickhouse_migrated', `ClickHouse: tables and views made or updated: ${applied.join(', ')}`)
    }
    if (isChecked || this.#isUncheckedTold) return
    this.#isUncheckedTold = true
    info('clickhouse_unchecked', 'ClickHouse: this user may not look at the tables; they are taken as they should be')
  }

  /** Each table is an insert of its own; all of them must be stored. */
  async write(batch: Batch): Promise<void> {
    const server = this.#server
    if (server === undefined) throw failure('writing', new Error('not connected'))
    const tables = [...(await this.#byTable(batch))]
    const outcomes = await Promise.allSettled(
      tables.map(([type, records]) => this.#store(server, batch, type, records)),
    )
    const errors = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason as unknown] : []))
    if (errors.some(isOverloaded)) {
      this.counts.overloads++
      this.#pace.overloaded()
    }
    if (errors.length > 0) throw failure(`storing records ${batch.firstLsn} to ${batch.lastLsn}`, errors[0])
    this.#pace.stored()
    this.#isRepeated = false
  }

  async close(): Promise<void> {
    const server = this.#server
    this.#server = undefined
    await server?.close()
  }

  async #byTable(batch: Batch): Promise<ReadonlyMap<EventType, readonly LogRecord[]>> {
    const tables = new Map<EventType, LogRecord[]>()
    for await (const chunk of batch.records()) {
      for (const record of chunk) {
        const type = record.stream.slice(0, record.stream.indexOf(' '))
        const rows = isEventType(type) ? tables.get(type) : undefined
        if (rows !== undefined) rows.push(record)
        else if (isEventType(type)) tables.set(type, [record])
        else await this.#ports.reject(record, `ClickHouse has no table for '${type}' events in this version`)
      }
    }
    return tables
  }

  #store(server: Server, batch: Batch, type: EventType, records: readonly LogRecord[]): Promise<void> {
    const { database } = targetOf(this.#options)
    const { reject } = this.#ports
    const token = (first: number, last: number) => `${this.#ports.logId}:${first}-${last}:${type}`
    const ports = {
      server,
      database,
      counts: this.counts,
      reject,
      newToken: (name: string) => `${name}:again:${this.#ports.platform.clock.nowUs()}`,
      lostOf: this.#isRepeated ? (part: readonly LogRecord[]) => this.#lostOf(server, type, part) : undefined,
    }
    return insertRows(ports, type, records, token, [batch.firstLsn, batch.lastLsn])
  }

  /** Those that the server says it has, and lacks, as far as it may be asked. */
  async #lostOf(server: Server, type: EventType, records: readonly LogRecord[]): Promise<readonly LogRecord[]> {
    const { platform, logger } = this.#ports
    try {
      const lost = await lostOf(server, targetOf(this.#options).database, type, records, platform.clock)
      if (lost.length > 0)
        logger.warning(
          'clickhouse_restored',
          `ClickHouse said that it had ${lost.length} rows of '${type}' that it lacks (it was killed while it stored them); they are stored again`,
        )
      return lost
    } catch (error) {
      if (!isDenied(error)) throw error
      if (!this.#isUnlookedTold)
        logger.info(
          'clickhouse_unlooked',
          'ClickHouse: this user may not look whether repeated rows are there; the server is believed (GRANT SELECT(id, time) lets it look)',
        )
      this.#isUnlookedTold = true
      return []
    }
  }
}
