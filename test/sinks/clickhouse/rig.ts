/** A sink, its ports and records to feed it: what the pump does, without its retries. */

import type { MarketEvent } from '../../../src/model/event.ts'
import { systemPlatform } from '../../../src/platform/system.ts'
import type { ClickHouseSinkOptions } from '../../../src/sinks/clickhouse/options.ts'
import { ClickHouseSink } from '../../../src/sinks/clickhouse/sink.ts'
import { routeText } from '../../../src/sinks/route.ts'
import type { Batch } from '../../../src/sinks/sink.ts'
import type { LogRecord } from '../../../src/spool/frame.ts'

export function recordOf(lsn: number, event: MarketEvent): LogRecord {
  const body = Buffer.from(JSON.stringify(event))
  const kind = event.type === 'gap' ? 'gap' : 'event'
  return { lsn, kind, stream: routeText(event), timeUs: event.receive_time_us ?? 0, bodyBytes: body.length, body }
}

export const recordsOf = (events: readonly MarketEvent[], firstLsn = 1): LogRecord[] =>
  events.map((event, index) => recordOf(firstLsn + index, event))

/** The same records with one body spoilt. */
export const spoilt = (record: LogRecord, text: string): LogRecord => {
  const body = Buffer.from(text)
  return { ...record, bodyBytes: body.length, body }
}

const CHUNK = 3

export function batchOf(records: readonly LogRecord[]): Batch {
  return {
    firstLsn: records[0]?.lsn ?? 0,
    lastLsn: records.at(-1)?.lsn ?? 0,
    async *records() {
      for (let at = 0; at < records.length; at += CHUNK) yield records.slice(at, at + CHUNK)
    },
  }
}

export interface Rig {
  readonly sink: ClickHouseSink
  readonly rejected: { readonly lsn: number; readonly reason: string }[]
  readonly said: string[]
}

export function rigOf(options: ClickHouseSinkOptions, logId = 'log'): Rig {
  const rejected: Rig['rejected'] = []
  const said: string[] = []
  const say = (event: string, message: string) => void said.push(`${event} ${message}`)
  const sink = new ClickHouseSink(options, {
    platform: systemPlatform(),
    logger: { info: say, warning: say },
    logId,
    stateFolder: '/nowhere',
    reject: async ({ lsn }, reason) => void rejected.push({ lsn, reason }),
  })
  return { sink, rejected, said }
}
