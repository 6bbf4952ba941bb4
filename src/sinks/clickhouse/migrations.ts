/** Brings the database to what this version of the program writes, and says where it differs from that. */

import { PrismError } from '../../model/errors.ts'
import type { EventType } from '../../model/event.ts'
import { EVENT_TYPES } from './columns.ts'
import { failure, isDenied, isMissing } from './failures.ts'
import { addColumns, createTable, quoted, setTtl, storedColumns } from './schema.ts'
import type { Server } from './server.ts'
import { createCompleteness, createViews } from './views.ts'

export interface Migration {
  readonly version: number
  readonly name: string
  /** May run again after it stopped halfway: each statement does nothing where its work is done. */
  readonly statements: (database: string) => readonly string[]
}

/**
 * In order. One that was released is never changed: a column is added with `since` of a new migration in columns.ts,
 * whose statements are {@link addColumns} of every table.
 */
export const MIGRATIONS: readonly Migration[] = [
  {
    version: 1,
    name: 'tables',
    statements: (database) => EVENT_TYPES.map((type) => createTable(database, type)),
  },
  { version: 2, name: 'views', statements: createViews },
  { version: 3, name: 'completeness without gaps that lack nothing', statements: createCompleteness },
]

/** Statements of a migration that adds columns to any tables. */
export const columnsOfVersion = (database: string, version: number): readonly string[] =>
  EVENT_TYPES.flatMap((type) => addColumns(database, type, version))

const ledgerSql = (database: string): string => `CREATE TABLE IF NOT EXISTS ${quoted(database)}.schema_migrations (
  version UInt32, name String, applied_at DateTime64(3, 'UTC') DEFAULT now64(3, 'UTC')
) ENGINE = ReplacingMergeTree ORDER BY version`

/** Everything that makes a database from nothing, for those who must run it by hand. */
export const allStatements = (database: string): readonly string[] => [
  `CREATE DATABASE IF NOT EXISTS ${quoted(database)}`,
  ledgerSql(database),
  ...MIGRATIONS.flatMap((migration) => [...migration.statements(database), recordSql(database, migration)]),
]

const recordSql = (database: string, { version, name }: Migration): string =>
  `INSERT INTO ${quoted(database)}.schema_migrations (version, name) SELECT ${version}, '${name}'`

/** What was found and done. */
export interface Prepared {
  /** Versions that were applied now. */
  readonly applied: readonly number[]
  /** Could the tables be looked at? A user that may only insert cannot. */
  readonly isChecked: boolean
}

/**
 * Errors: rejects, in words, when something is missing that may not be made, or when a table differs from what is written.
 */
export async function prepare(server: Server, database: string, mayMigrate: boolean, ttlDays = 0): Promise<Prepared> {
  const known = await knownVersions(server, database)
  if (known === 'denied') return { applied: [], isChecked: false }
  const missing = MIGRATIONS.filter(({ version }) => !known.has(version))
  if (missing.length > 0) await migrate(server, database, missing, mayMigrate)
  const drift = await driftOf(server, database)
  if (drift.length > 0) {
    throw new PrismError('SERVICE_UNAVAILABLE', `ClickHouse's tables are not what is written: ${drift.join('; ')}`)
  }
  if (ttlDays > 0 && mayMigrate) await applyTtl(server, database, ttlDays)
  return { applied: missing.map(({ version }) => version), isChecked: true }
}

async function knownVersions(server: Server, database: string): Promise<ReadonlySet<number> | 'denied'> {
  try {
    const rows = await server.query(`SELECT version FROM ${quoted(database)}.schema_migrations`)
    return new Set(rows.map(([version]) => Number(version)))
  } catch (error) {
    if (isMissing(error)) return new Set()
    if (isDenied(error)) return 'denied'
    throw failure('asking for the version of its tables', error)
  }
}

async function migrate(server: Server, database: string, missing: readonly Migration[], mayMigrate: boolean) {
  const names = missing.map(({ version, name }) => `${version} (${name})`).join(', ')
  if (!mayMigrate) {
    const words = `ClickHouse, database '${database}': migrations ${names} are missing, and 'migrate' is off`
    throw new PrismError('SERVICE_UNAVAILABLE', `${words}: run them, see docs/CLICKHOUSE.md`)
  }
  try {
    await makeDatabase(server, database)
    await server.run(ledgerSql(database))
    for (const migration of missing) {
      for (const statement of migration.statements(database)) await server.run(statement)
      await server.run(recordSql(database, migration))
    }
  } catch (error) {
    throw failure(`migrations ${names} of database '${database}'`, error)
  }
}

/** Who may make tables may not be allowed to make databases, and need not be where it exists. */
async function makeDatabase(server: Server, database: string): Promise<void> {
  try {
    await server.run(`CREATE DATABASE IF NOT EXISTS ${quoted(database)}`)
  } catch (error) {
    if (!isDenied(error)) throw error
  }
}

const SYSTEM = (table: string, fields: string, database: string) =>
  `SELECT ${fields} FROM system.${table} WHERE database = '${database.replace(/[\\']/g, '\\$&')}'`

/** Each column that differs, in words. Columns that are there besides are nobody's business. */
async function driftOf(server: Server, database: string): Promise<readonly string[]> {
  const rows = await server.query(SYSTEM('columns', 'table, name, type, default_kind', database))
  const found = new Map(rows.map(([table, name, type, kind]) => [`${table}.${name}`, { type, kind: kind ?? '' }]))
  return EVENT_TYPES.flatMap((type) => driftOfTable(type, found))
}

type Found = ReadonlyMap<string, { readonly type: string | undefined; readonly kind: string }>

/** Pure: how the columns of one table differ from what is written. */
export function driftOfTable(table: EventType, found: Found): readonly string[] {
  const columns = storedColumns(table)
  if (!columns.some(({ name }) => found.has(`${table}.${name}`))) {
    return [`table '${table}' is missing: remove its line from schema_migrations, and it is made`]
  }
  return columns.flatMap(({ name, type, defaultKind }) => {
    const column = found.get(`${table}.${name}`)
    const wanted = `${type}${defaultKind === '' ? '' : ` ${defaultKind}`}`
    if (column === undefined) return [`column '${table}.${name}' is missing: add it as ${wanted}`]
    const is = `${column.type}${column.kind === '' ? '' : ` ${column.kind}`}`
    const change = `change it, or rename the table and let it be made anew`
    return is === wanted ? [] : [`column '${table}.${name}' is ${is}, expected ${wanted}: ${change}`]
  })
}

/** Changes the tables whose TTL is another one. */
async function applyTtl(server: Server, database: string, days: number): Promise<void> {
  const rows = await server.query(SYSTEM('tables', 'name, engine_full', database))
  const engines = new Map(rows.map(([name, engine]) => [name, engine ?? '']))
  for (const type of EVENT_TYPES) {
    const statement = setTtl(database, type, days)
    if (statement === undefined || engines.get(type)?.includes(`toIntervalDay(${days})`)) continue
    await server.run(statement).catch((error: unknown) => {
      throw failure(`the TTL of '${type}'`, error)
    })
  }
}
