/** A batch in the order of its files: which record goes where, known from its stream and its time alone. */

import type { EpochUs, EventType } from '../../model/event.ts'
import type { LogRecord } from '../../spool/frame.ts'
import { type Route, routeOf } from '../route.ts'
import type { Batch } from '../sink.ts'
import { LAKE_COLUMNS } from './columns.ts'
import { dayOf, partitionPath, rowTimeUs } from './layout.ts'
import type { Pace } from './pace.ts'

export interface Row {
  readonly timeUs: EpochUs
  readonly record: LogRecord
}

/** The rows of one instrument in one file. */
export interface Series {
  readonly route: Route
  readonly rows: Row[]
}

export interface Partition {
  readonly type: EventType
  /** Within the lake. */
  readonly path: string
  readonly series: Map<string, Series>
}

/** Where the newest record of a stream went; most go there too. */
interface Stream {
  readonly route: Route
  day: number
  rows: Row[]
}

const TIME_FIELD = Buffer.from('"exchange_time_us":')
const ZERO = 48
const NINE = 57

/** Errors: rejects with those of the batch. */
export async function partitionsOf(
  batch: Batch,
  pace: Pace,
  onUnknown: (record: LogRecord, reason: string) => Promise<void>,
): Promise<Partition[]> {
  const partitions = new Map<string, Partition>()
  const streams = new Map<string, Stream>()
  for await (const records of batch.records()) {
    for (const record of records) {
      const stream = streams.get(record.stream) ?? added(streams, record.stream)
      if (!(stream.route.type in LAKE_COLUMNS)) {
        await onUnknown(record, `no table for '${stream.route.type}': expected ${Object.keys(LAKE_COLUMNS).join(', ')}`)
        continue
      }
      const timeUs = rowTimeUs(exchangeTimeUs(record.body), record.timeUs)
      const day = dayOf(timeUs)
      if (day !== stream.day) {
        stream.day = day
        stream.rows = rowsFor(partitions, record.stream, stream.route, day)
      }
      stream.rows.push({ timeUs, record })
      if (pace.isDue) await pace.rest()
    }
  }
  return [...partitions.values()].sort((a, b) => (a.path < b.path ? -1 : 1))
}

function added(streams: Map<string, Stream>, name: string): Stream {
  const stream: Stream = { route: routeOf(name), day: Number.NaN, rows: [] }
  streams.set(name, stream)
  return stream
}

function rowsFor(partitions: Map<string, Partition>, stream: string, route: Route, day: number): Row[] {
  const path = partitionPath(route.type, route.exchange, day)
  let partition = partitions.get(path)
  if (partition === undefined) {
    partition = { type: route.type, path, series: new Map() }
    partitions.set(path, partition)
  }
  let series = partition.series.get(stream)
  if (series === undefined) {
    series = { route, rows: [] }
    partition.series.set(stream, series)
  }
  return series.rows
}

/** What JSON.parse would find, for a tenth of its price. Within text a quote has a backslash before it. */
function exchangeTimeUs(body: Buffer): EpochUs | undefined {
  const found = body.indexOf(TIME_FIELD)
  if (found < 0) return undefined
  let value = 0
  for (let at = found + TIME_FIELD.length; at < body.length; at++) {
    const code = body[at] as number
    if (code < ZERO || code > NINE) break
    value = value * 10 + code - ZERO
  }
  return value
}

/** By symbol, in the order of its bytes, then by the rest of the stream's name: venue and market. */
export const seriesInOrder = ({ series }: Partition): Series[] =>
  [...series.entries()]
    .sort(([a, { route: x }], [b, { route: y }]) => byBytes(x.symbol, y.symbol) || byBytes(a, b))
    .map(([, one]) => one)

const byBytes = (a: string, b: string): number => (a === b ? 0 : Buffer.compare(Buffer.from(a), Buffer.from(b)))

/** By time, then as they were received. Most come in order. */
export function rowsInOrder({ rows }: Series): readonly Row[] {
  for (let i = 1; i < rows.length; i++) {
    if ((rows[i - 1] as Row).timeUs > (rows[i] as Row).timeUs) {
      return rows.sort((a, b) => a.timeUs - b.timeUs || a.record.lsn - b.record.lsn)
    }
  }
  return rows
}
