/** A lake on a simulated or a real disk, batches for it, and what came of them. */

import type { MarketEvent, Trade } from '../../../src/model/event.ts'
import type { Platform } from '../../../src/platform/platform.ts'
import { systemPlatform } from '../../../src/platform/system.ts'
import { LakeSink } from '../../../src/sinks/lake/lake.ts'
import type { LakeSinkOptions } from '../../../src/sinks/lake/options.ts'
import { routeText } from '../../../src/sinks/route.ts'
import type { Batch, SinkPorts } from '../../../src/sinks/sink.ts'
import type { LogRecord } from '../../../src/spool/frame.ts'

/** 2026-11-23T00:00:00Z */
export const TIME_US = 1_795_392_000_000_000
export const DAY_US = 86_400_000_000
export const LOG_ID = 'log-a.1'

export interface Rejected {
  readonly lsn: number
  readonly reason: string
}

export interface Lake {
  readonly sink: LakeSink
  readonly rejected: Rejected[]
  readonly said: string[]
}

export function lakeOn(platform: Platform, options: Partial<LakeSinkOptions> & { dir: string }, logId = LOG_ID): Lake {
  const rejected: Rejected[] = []
  const said: string[] = []
  const say = (event: string) => void said.push(event)
  const ports: SinkPorts = {
    platform,
    logger: { info: say, warning: say },
    logId,
    stateFolder: '/state',
    async reject({ lsn }, reason) {
      rejected.push({ lsn, reason })
    },
  }
  const defaults = { bytesMax: 0, keepDays: 0, batchBytes: 1e6, batchAgeMs: 1000 }
  return { sink: new LakeSink({ ...defaults, ...options }, ports), rejected, said }
}

export const realLake = (options: Partial<LakeSinkOptions> & { dir: string }, logId = LOG_ID): Lake =>
  lakeOn(systemPlatform(), options, logId)

/** As the pipeline appends them. */
export function recordOf(event: MarketEvent, lsn: number): LogRecord {
  const body = Buffer.from(JSON.stringify(event))
  const kind = event.type === 'gap' ? 'gap' : 'event'
  return { lsn, kind, stream: routeText(event), timeUs: event.receive_time_us ?? TIME_US, bodyBytes: body.length, body }
}

export const recordsOf = (events: readonly MarketEvent[], firstLsn = 1): LogRecord[] =>
  events.map((event, index) => recordOf(event, firstLsn + index))

export function batchOf(
  records: readonly LogRecord[],
  chunk = 100,
  bounds?: { firstLsn: number; lastLsn: number },
): Batch {
  return {
    firstLsn: bounds?.firstLsn ?? records[0]?.lsn ?? 1,
    lastLsn: bounds?.lastLsn ?? records.at(-1)?.lsn ?? 1,
    async *records() {
      for (let i = 0; i < records.length; i += chunk) yield records.slice(i, i + chunk)
    },
  }
}

export function trade(index: number, fields: Partial<Trade> = {}): Trade {
  const symbol = fields.symbol ?? 'BTCUSDT'
  return {
    type: 'trade',
    exchange: 'binance',
    venue: 'binance',
    market: 'spot',
    symbol,
    instrument: 'BTC-USDT',
    exchange_time_us: TIME_US + index,
    receive_time_us: TIME_US + index + 1000,
    id: `binance:trade:${symbol}:0:${index}`,
    trade_id: String(index),
    price: `${95000 + index}.10`,
    quantity: '0.00100000',
    side: index % 2 === 0 ? 'buy' : 'sell',
    source: 'stream',
    ...fields,
  }
}
