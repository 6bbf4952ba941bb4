/**
 * The embedded store: Parquet files that any tool can read while the collector runs. A batch becomes one file for each
 * type, exchange and date in it, named by the log and its bounds. All of them are written aside and brought to disk, then
 * renamed into place. A file that is in place is never written again: when a batch comes again after a crash, what stands
 * there already is what it would write, or more, if the log has lost records since.
 */

import { dirname, join, resolve } from 'node:path'
import { errorText } from '../../model/errors.ts'
import type { DataFile } from '../../platform/platform.ts'
import { hasCode } from '../../platform/system-error.ts'
import type { LogRecord } from '../../spool/frame.ts'
import type { Batch, Sink, SinkPorts, SinkTraits } from '../sink.ts'
import { LAKE_COLUMNS } from './columns.ts'
import { Decimals } from './decimal.ts'
import { fileName, logName, unfinishedFolder } from './layout.ts'
import { type LakeSinkOptions, lakeTraits } from './options.ts'
import { Pace } from './pace.ts'
import { ParquetFile } from './parquet-file.ts'
import { type Partition, partitionsOf, rowsInOrder, seriesInOrder } from './partitions.ts'
import { LakeRetention } from './retention.ts'
import { RowGroup } from './row-group.ts'
import { lakeSchema } from './schema.ts'

/** A row group ends at either. */
const GROUP_ROWS_MAX = 100_000
const GROUP_JSON_BYTES_MAX = 8 * 1024 * 1024

/** Since the start of the process. */
export type LakeCounts = {
  files: number
  rows: number
  bytes: number
  /** Files that stood there already when their batch came again. */
  kept: number
  removedFiles: number
  removedBytes: number
}

/** A file that is complete and on disk, but not in its place. */
interface Finished {
  readonly from: string
  readonly to: string
  readonly rows: number
  readonly bytes: number
}

export class LakeSink implements Sink {
  readonly counts: LakeCounts = {
    files: 0,
    rows: 0,
    bytes: 0,
    kept: 0,
    removedFiles: 0,
    removedBytes: 0,
  }
  readonly #options: LakeSinkOptions
  readonly #ports: SinkPorts
  readonly #retention: LakeRetention
  readonly #decimals = new Decimals()
  #isOpen = false
  #writing: Promise<unknown> = Promise.resolve()

  constructor(options: LakeSinkOptions, ports: SinkPorts) {
    this.#options = { ...options, dir: resolve(options.dir) }
    this.#ports = ports
    this.#retention = new LakeRetention(this.#options, ports, this.counts)
  }

  get traits(): SinkTraits {
    return lakeTraits(this.#options)
  }

  /** Bytes of all files of the lake, those of earlier processes included; 0 before the first batch. */
  get storedBytes(): number {
    return this.#retention.bytes
  }

  /** Removes what a killed process has left of its files. */
  async open(): Promise<undefined> {
    const { files } = this.#ports.platform
    const aside = unfinishedFolder(this.#options.dir)
    try {
      await files.makeFolder(aside)
      for (const name of await files.list(aside)) {
        // Another collector may write to the same lake.
        if (name.startsWith(`${logName(this.#ports.logId)}-`)) await files.remove(join(aside, name))
      }
    } catch (error) {
      throw this.#failure(error)
    }
    this.#isOpen = true
  }

  async write(batch: Batch): Promise<void> {
    const writing = this.#write(batch)
    this.#writing = writing.catch(() => {})
    await writing
  }

  async close(): Promise<void> {
    this.#isOpen = false
    await this.#writing
  }

  async #write(batch: Batch): Promise<void> {
    const pace = new Pace(this.#ports.platform.clock)
    const finished: Finished[] = []
    try {
      const partitions = await partitionsOf(batch, pace, this.#ports.reject)
      for (const partition of partitions) {
        const file = await this.#writeAside(batch, partition, pace)
        if (file !== undefined) finished.push(file)
      }
      for (const file of finished) await this.#putInPlace(file)
      // Of files that stood there too: an attempt that failed may have left their names in doubt.
      await this.#syncFolders(partitions)
    } catch (error) {
      for (const { from } of finished) await this.#discard(from)
      throw this.#failure(error)
    }
    await this.#retention.check(finished.map(({ to, bytes }) => ({ path: to, bytes })))
  }

  /** `undefined`: it is there already, or none of its records is a row. */
  async #writeAside(batch: Batch, partition: Partition, pace: Pace): Promise<Finished | undefined> {
    const { platform, logId } = this.#ports
    const { dir } = this.#options
    const name = fileName(logId, batch.firstLsn, batch.lastLsn)
    const to = join(dir, partition.path, name)
    if ((await platform.files.size(to)) !== undefined) {
      this.counts.kept++
      return undefined
    }
    const from = join(unfinishedFolder(dir), `${name}.${partition.path.replaceAll(/[/\\]/g, '.')}`)
    const file = await platform.files.create(from)
    try {
      const { rows, bytes } = await this.#fill(file, batch, partition, pace).finally(() => file.close())
      if (rows > 0) return { from, to, rows, bytes }
    } catch (error) {
      await this.#discard(from)
      throw error
    }
    await this.#discard(from)
    return undefined
  }

  async #fill(file: DataFile, batch: Batch, partition: Partition, pace: Pace): Promise<ParquetFile> {
    const schema = lakeSchema(LAKE_COLUMNS[partition.type])
    const facts = { log: this.#ports.logId, first_lsn: String(batch.firstLsn), last_lsn: String(batch.lastLsn) }
    const parquet = new ParquetFile(file, schema, facts, pace)
    let group = new RowGroup(schema, this.#decimals)
    let jsonBytes = 0
    const writeGroup = async () => {
      if (group.rows > 0) await parquet.write(group)
      group = new RowGroup(schema, this.#decimals)
      jsonBytes = 0
    }
    for (const series of seriesInOrder(partition)) {
      for (const { record } of rowsInOrder(series)) {
        const problem = addRow(group, partition.type, series.route, record)
        if (problem !== undefined) await this.#ports.reject(record, problem)
        jsonBytes += record.bodyBytes
        if (group.rows >= GROUP_ROWS_MAX || jsonBytes >= GROUP_JSON_BYTES_MAX) await writeGroup()
        if (pace.isDue) await pace.rest()
        if (!this.#isOpen) throw new Error('closed while it was writing')
      }
    }
    await writeGroup()
    if (parquet.rows > 0) await parquet.finish()
    return parquet
  }

  async #putInPlace({ from, to, rows, bytes }: Finished): Promise<void> {
    const { files } = this.#ports.platform
    await files.makeFolder(dirname(to))
    await files.rename(from, to)
    this.counts.files++
    this.counts.rows += rows
    this.counts.bytes += bytes
  }

  /** All names of the files and of their folders are on disk when it resolves. */
  async #syncFolders(partitions: readonly Partition[]): Promise<void> {
    const { dir } = this.#options
    const folders = new Set<string>()
    for (const { path } of partitions) {
      for (let folder = join(dir, path); folder !== dirname(dir); folder = dirname(folder)) folders.add(folder)
    }
    for (const folder of [...folders, dirname(dir)]) await this.#ports.platform.files.syncFolder(folder)
  }

  /** What cannot be removed now is removed by the next `open`. */
  #discard(path: string): Promise<void> {
    return this.#ports.platform.files.remove(path).catch(() => {})
  }

  #failure(error: unknown): Error {
    const { dir } = this.#options
    const help = hasCode(error, 'ENOSPC', 'EDQUOT')
      ? '; the disk is full: make room, or lower lake.max_bytes or lake.keep_days. The log keeps what is missing as long as it can'
      : ''
    return new Error(`the lake in ${dir} cannot be written: ${errorText(error)}${help}`, { cause: error })
  }
}

/** What is wrong with the record; `undefined`: it is a row now. */
function addRow(
  group: RowGroup,
  type: string,
  { exchange, symbol }: { exchange: string; symbol: string },
  { body, stream }: LogRecord,
): string | undefined {
  try {
    const event = JSON.parse(body.toString())
    if (event === null || event.type !== type || event.exchange !== exchange || event.symbol !== symbol) {
      return `the event is not one of its stream, '${stream}'`
    }
    group.add(event, () => body.toString())
    return undefined
  } catch (error) {
    return error instanceof SyntaxError ? `no JSON: ${error.message}` : errorText(error)
  }
}
