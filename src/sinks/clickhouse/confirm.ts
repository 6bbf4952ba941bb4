/**
 * Whoever repeats an insert must look. The server notes the token of a block before it stores the block's rows: one that is
 * killed in between knows the token without the rows, and takes the repetition for what it has.
 * Source: https://github.com/ClickHouse/ClickHouse/blob/master/src/Storages/MergeTree/MergeTreeSink.cpp
 */

import type { EpochUs, EventType } from '../../model/event.ts'
import { sleep } from '../../platform/clock.ts'
import type { Clock } from '../../platform/platform.ts'
import type { LogRecord } from '../../spool/frame.ts'
import { quoted, timeOf } from './schema.ts'
import type { Server } from './server.ts'

/** Rows that are looked through in one go. */
const CHUNK_ROWS = 2_000

interface Part {
  /** One row of it. */
  readonly id: string
  readonly timeUs: EpochUs
  readonly records: LogRecord[]
}

/** Those of an insert that the server says it has, and does not have. Errors: the server's. */
export async function lostOf(
  server: Server,
  database: string,
  type: EventType,
  records: readonly LogRecord[],
  clock: Clock,
): Promise<readonly LogRecord[]> {
  const parts = await partsOf(type, records, clock)
  const rows = parts.map(
    ({ id, timeUs }) => `(time = fromUnixTimestamp64Micro(${timeUs}, 'UTC') AND id = ${literal(id)})`,
  )
  const found = await server.query(`SELECT DISTINCT id FROM ${quoted(database)}.${type} WHERE ${rows.join(' OR ')}`)
  const ids = new Set(found.map(([id]) => id))
  return parts.flatMap((part) => (ids.has(part.id) ? [] : part.records))
}

/** By month: what an insert has of a month is stored as a whole or not at all. */
async function partsOf(type: EventType, records: readonly LogRecord[], clock: Clock): Promise<readonly Part[]> {
  const parts = new Map<string, Part>()
  for (const [index, record] of records.entries()) {
    if (index % CHUNK_ROWS === CHUNK_ROWS - 1) await sleep(clock, 0)
    const event = JSON.parse(record.body.toString())
    const timeUs = timeOf(type, event)
    const month = new Date(timeUs / 1_000).toISOString().slice(0, 'YYYY-MM'.length)
    const part = parts.get(month)
    if (part === undefined) parts.set(month, { id: event.id, timeUs, records: [record] })
    else part.records.push(record)
  }
  return [...parts.values()]
}

const literal = (text: string): string => `'${text.replace(/[\\']/g, '\\$&')}'`
