/** One ClickHouse server, through the official client: statements, queries, and rows as the bytes they already are. */

import { Readable } from 'node:stream'
import { ClickHouseLogLevel, type ClickHouseSettings, createClient } from '@clickhouse/client'
import type { Target } from './options.ts'

export interface Server {
  /** Errors: rejects with the server's or the network's error; see failures.ts. */
  run(sql: string): Promise<void>
  /** The rows of the answer, every value as text. */
  query(sql: string): Promise<readonly (readonly string[])[]>
  /** Resolves when the server has stored the rows. `rows`: one JSON object a line. */
  insert(sql: string, rows: Buffer, settings: ClickHouseSettings): Promise<void>
  /** Whatever is not answered yet rejects. Never rejects. */
  close(): Promise<void>
}

export interface ServerOptions extends Target {
  readonly compress: boolean
  /** PEM. */
  readonly ca: string | undefined
  readonly timeoutMs: number
}

/** Opens no connection yet. */
export function connect(options: ServerOptions): Server {
  const { url, user, password, compress, ca, timeoutMs } = options
  const client = createClient({
    url,
    username: user,
    password,
    application: 'marketprism',
    request_timeout: timeoutMs,
    compression: { request: compress, response: false },
    log: { level: ClickHouseLogLevel.OFF },
    ...(ca !== undefined && { tls: { ca_cert: Buffer.from(ca) } }),
  })
  const ending = new AbortController()
  const abort_signal = ending.signal
  return {
    run: async (query) => {
      await client.command({ query, abort_signal })
    },
    query: async (query) => {
      const result = await client.query({ query, format: 'JSONCompactStringsEachRow', abort_signal })
      return result.json<string[]>()
    },
    insert: async (query, rows, clickhouse_settings) => {
      const values = Readable.from([rows], { objectMode: false })
      const { stream } = await client.exec({ query, values, clickhouse_settings, abort_signal })
      for await (const _ of stream);
    },
    close: async () => {
      ending.abort()
      await client.close().catch(() => undefined)
    },
  }
}
