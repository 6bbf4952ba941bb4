/** A server, a front before it and a new database for each test of a file. */

import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest'
import type { ClickHouseSinkOptions } from '../../../src/sinks/clickhouse/options.ts'
import {
  type ClickHouse,
  type Front,
  freshDatabase,
  isOwnClickHouse,
  startClickHouse,
  startFront,
} from '../../helpers/clickhouse-server.ts'
import { type Rig, rigOf } from './rig.ts'

export interface Stage {
  readonly clickhouse: ClickHouse
  readonly front: Front
  readonly database: string
  /** A sink that goes through the front. */
  rig(options?: Partial<ClickHouseSinkOptions>, logId?: string): Rig
  /** Of a table of the database; `what` is SQL. */
  count(table: string, what?: string): Promise<number>
  /** The migrations that the database has. */
  versions(): Promise<string>
}

/** To be called within `describe`. */
export function stage(): Stage {
  const held = {} as { clickhouse: ClickHouse; front: Front; database: string }
  beforeAll(async () => {
    held.clickhouse = await startClickHouse()
    held.front = await startFront(held.clickhouse.url)
  })
  beforeEach(() => {
    held.database = freshDatabase()
    held.front.rule = () => 'pass'
    held.front.asked.length = 0
  })
  afterEach(async () => {
    if (!isOwnClickHouse) await held.clickhouse.query(`DROP DATABASE IF EXISTS ${held.database}`)
  })
  afterAll(async () => {
    await held.front?.close()
    await held.clickhouse?.stop()
  })
  return {
    get clickhouse() {
      return held.clickhouse
    },
    get front() {
      return held.front
    },
    get database() {
      return held.database
    },
    rig: (options = {}, logId = 'log') => rigOf({ url: held.front.url, database: held.database, ...options }, logId),
    count: async (table, what = 'count()') =>
      Number(await held.clickhouse.query(`SELECT ${what} FROM ${held.database}.${table}`)),
    versions: () =>
      held.clickhouse.query(`SELECT version, name FROM ${held.database}.schema_migrations ORDER BY version`),
  }
}
