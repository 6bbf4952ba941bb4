/** The sinks of a configuration. */

import { join } from 'node:path'
import type { Config } from '../ops/config-schema.ts'
import { ClickHouseSink } from '../sinks/clickhouse/sink.ts'
import type { SinkFactory } from '../sinks/index.ts'
import { LakeSink } from '../sinks/lake/lake.ts'
import { NatsSink } from '../sinks/nats/sink.ts'
import { natsOptions } from './nats-options.ts'

/** Those that are switched on. */
export function sinkFactories(config: Config): readonly SinkFactory[] {
  const { clickhouse, lake, data_dir: dataDir } = config
  const factories: SinkFactory[] = []
  if (lake.enabled) {
    const options = {
      dir: lake.dir ?? join(dataDir, 'lake'),
      bytesMax: lake.max_bytes,
      keepDays: lake.keep_days,
      batchBytes: lake.batch_bytes,
      batchAgeMs: lake.batch_seconds * 1000,
    }
    factories.push({ name: 'lake', create: (ports) => new LakeSink(options, ports) })
  }
  const nats = natsOptions(config)
  if (nats !== undefined) factories.push({ name: 'nats', create: (ports) => new NatsSink(nats, ports) })
  const { url } = clickhouse
  if (url !== undefined) {
    const options = {
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
    factories.push({ name: 'clickhouse', create: (ports) => new ClickHouseSink(options, ports) })
  }
  return factories
}
