/**
 * The rows of one table of one batch. What the server has stored already under the same token it does not store again;
 * rows that it cannot read are found by halving and refused one by one, the others are stored.
 */

import type { ClickHouseSettings } from '@clickhouse/client'
import type { EventType } from '../../model/event.ts'
import type { LogRecord } from '../../spool/frame.ts'
import { failure, isSpoilt, wordsOf } from './failures.ts'
import { insertColumns, quoted } from './schema.ts'
import type { Server } from './server.ts'

/** Rows of one table and batch. More than these are not spoilt: the table is not what it should be. */
const REJECTED_MAX = 100

/** Beside the token. */
export const INSERT_SETTINGS: ClickHouseSettings = {
  async_insert: 0,
  wait_end_of_query: 1,
  insert_deduplicate: 1,
  // What does not fit its column is told, never dropped or made up.
  input_format_skip_unknown_fields: 0,
  input_format_null_as_default: 0,
  input_format_allow_errors_num: '0',
  input_format_allow_errors_ratio: 0,
  input_format_defaults_for_omitted_fields: 1,
  // Levels are arrays of two.
  input_format_json_named_tuples_as_objects: 0,
  // A recording may span years.
  max_partitions_per_insert_block: '0',
}

const NEWLINE = 10

/** Plain numbers, for metrics. */
export type InsertCounts = {
  /** Stored, as far as the server says: those that it had already are among them. */
  rows: number
  inserts: number
  bytes: number
  /** Inserts that were done in halves, because a row could not be read. */
  splits: number
  overloads: number
  /** Rows that the server said it had, and did not have. */
  restored: number
}

export interface InsertPorts {
  readonly server: Server
  readonly database: string
  readonly counts: InsertCounts
  /** Of an insert that may be a repetition: the rows that the server says it has, and lacks. Absent: it is none. */
  readonly lostOf?: ((rows: readonly LogRecord[]) => Promise<readonly LogRecord[]>) | undefined
  /** A token that no insert ever had begins with the one that is given. */
  newToken(token: string): string
  reject(record: LogRecord, reason: string): Promise<void>
}

/** `token` names the rows: the same rows come with the same token, whatever happened in between. */
export async function insertRows(
  ports: InsertPorts,
  type: EventType,
  records: readonly LogRecord[],
  token: (firstLsn: number, lastLsn: number) => string,
  bounds: readonly [firstLsn: number, lastLsn: number],
): Promise<void> {
  const { server, database, counts } = ports
  const sql = `INSERT INTO ${quoted(database)}.${type} (${insertColumns(type).map(quoted).join(', ')}) FORMAT JSONEachRow`
  const spoilt: { readonly record: LogRecord; readonly reason: string }[] = []

  const insert = (rows: Buffer, name: string) =>
    server.insert(sql, rows, { ...INSERT_SETTINGS, insert_deduplication_token: name })

  async function store(part: readonly LogRecord[], name: string): Promise<void> {
    const rows = linesOf(part)
    try {
      await insert(rows, name)
    } catch (error) {
      if (!isSpoilt(error)) throw error
      return part.length === 1 ? refuse(part[0] as LogRecord, error) : halve(part)
    }
    counts.rows += part.length
    counts.inserts++
    counts.bytes += rows.length
    const lost = (await ports.lostOf?.(part)) ?? []
    if (lost.length === 0) return
    await insert(linesOf(lost), ports.newToken(name))
    counts.restored += lost.length
  }

  async function halve(part: readonly LogRecord[]): Promise<void> {
    counts.splits++
    const middle = part.length >> 1
    for (const half of [part.slice(0, middle), part.slice(middle)]) await store(half, partToken(half))
  }

  const partToken = (part: readonly LogRecord[]) => `${token(part[0]?.lsn ?? 0, part.at(-1)?.lsn ?? 0)}:part`

  function refuse(record: LogRecord, error: unknown): void {
    spoilt.push({ record, reason: `ClickHouse cannot read it as a row of '${type}': ${wordsOf(error)}` })
    if (spoilt.length <= REJECTED_MAX) return
    throw failure(`more than ${REJECTED_MAX} rows of a batch do not fit '${type}'`, error)
  }

  await store(records, token(...bounds))
  // Not before the others are stored: if it is the table that is wrong, none is spoilt.
  for (const { record, reason } of spoilt) await ports.reject(record, reason)
}

/** The bodies, each with its end of line, in one piece. */
function linesOf(records: readonly LogRecord[]): Buffer {
  let bytes = records.length
  for (const { bodyBytes } of records) bytes += bodyBytes
  const lines = Buffer.allocUnsafe(bytes)
  let at = 0
  for (const { body } of records) {
    lines.set(body, at)
    at += body.length
    lines[at++] = NEWLINE
  }
  return lines
}
