/** DuckDB reads the lake back, if it is installed: `tools/duckdb` is a workspace of its own, which `npm test` sets up. */

import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const API = new URL('../../../tools/duckdb/node_modules/@duckdb/node-api/lib/index.js', import.meta.url)

export const hasDuckDb = existsSync(fileURLToPath(API))
if (!hasDuckDb) console.warn('Not tested: that DuckDB reads the lake; it is not installed (npm ci in tools/duckdb).')

/** Rows as DuckDB tells them in JSON: decimals, times and large numbers as text. */
export type Row = Readonly<Record<string, unknown>>

interface Connection {
  runAndReadAll(sql: string): Promise<{ getRowObjectsJson(): Row[] }>
}

let connection: Connection | undefined

export async function query(sql: string): Promise<Row[]> {
  if (connection === undefined) {
    const { DuckDBInstance } = await import(API.href)
    connection = (await (await DuckDBInstance.create(':memory:')).connect()) as Connection
    await connection.runAndReadAll("SET TimeZone='UTC'")
  }
  return (await connection.runAndReadAll(sql)).getRowObjectsJson()
}
