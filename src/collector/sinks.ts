/** The registry of sinks. To add one: a folder in `src/sinks`, its options in `ops/config-sinks.ts`, and a line here. */

import { join } from 'node:path'
import type { Config } from '../ops/config-schema.ts'
import type { ClickHouseSinkOptions } from '../sinks/clickhouse/options.ts'
import { ClickHouseSink } from '../sinks/clickhouse/sink.ts'
import type { SinkFactory } from '../sinks/index.ts'
import { LakeSink } from '../sinks/lake/lake.ts'
import { NatsSink } from '../sinks/nats/sink.ts'
import { natsOptions } from './nats-options.ts'

/** Makes a sink of the configuration; `undefined`: it is switched off. */
export type SinkMaker = (config: Config) => SinkFactory | undefined

const lake: SinkMaker = ({ lake: { enabled, dir, ...lake }, data_dir: dataDir }) => {
  if (!enabled) return undefined
  const options = {
    dir: dir ?? join(dataDir, 'lake'),
    bytesMax: lake.max_bytes,
    keepDays: lake.keep_days,
    batchBytes: lake.batch_bytes,
    batchAgeMs: lake.batch_seconds * 1000,
  }
  return { name: 'lake', create: (ports) => new LakeSink(options, ports) }
}

const nats: SinkMaker = (config) => {
  const options = natsOptions(config)
  return options && { name: 'nats', create: (ports) => new NatsSink(options, ports) }
}

const clickhouse: SinkMaker = (config) => {
  const options = clickhouseOptions(config)
  return options && { name: 'clickhouse', create: (ports) => new ClickHouseSink(options, ports) }
}

/** What the ClickHouse sink is made with; `undefined`: no server is configured. */
export function clickhouseOptions({ clickhouse }: Pick<Config, 'clickhouse'>): ClickHouseSinkOptions | undefined {
  const { url } = clickhouse
  if (url === undefined) return undefined
  return {
    url,
    user: clickhouse.user,
    password: clickhouse.password,
    database: clickhouse.database,
    ttlDays: clickhouse.ttl_days,
    migrate: clickhouse.migrate,
    compress: clickhouse.compress,
    caFile: clickhouse.ca_file,
    timeoutMs: clickhouse.timeout_ms,
    ageMs: clickhouse.age_ms,
  }
}

export const sinks: readonly SinkMaker[] = [lake, nats, clickhouse]
