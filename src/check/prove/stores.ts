/** What stands in the stores at the end: the ids of all events in each, and how often. */

import { join } from 'node:path'
import * as zlib from 'node:zlib'
import { DeliverPolicy, jetstream, jetstreamManager } from '@nats-io/jetstream'
import { connect } from '@nats-io/transport-node'
import type { MarketEvent } from '../../model/event.ts'
import { systemPlatform } from '../../platform/system.ts'
import { EVENT_TYPES } from '../../sinks/clickhouse/columns.ts'
import { CODEC } from '../../sinks/lake/codec.ts'
import { dateFolders, fileNames } from '../../sinks/lake/layout.ts'
import { ID_HEADER, LSN_HEADER } from '../../sinks/nats/headers.ts'

/** How often each id stands there. */
export type Ids = ReadonlyMap<string, number>

export interface Stored {
  readonly store: string
  readonly ids: Ids
}

const add = (ids: Map<string, number>, id: string, count = 1): void => void ids.set(id, (ids.get(id) ?? 0) + count)

/** `onMessage` is told every message in order: the event's bytes, and its number in the log. */
export async function readNats(
  url: string,
  stream: string,
  onMessage: (body: () => MarketEvent, lsn: number) => void = () => {},
): Promise<Stored> {
  const ids = new Map<string, number>()
  const connection = await connect({ servers: url, reconnect: false })
  try {
    const consumer = await jetstream(connection).consumers.get(stream, { deliver_policy: DeliverPolicy.All })
    let left = (await consumer.info()).num_pending
    if (left === 0) return { store: 'nats', ids }
    for await (const message of await consumer.consume()) {
      add(ids, message.headers?.get(ID_HEADER) ?? '')
      onMessage(() => message.json<MarketEvent>(), Number(message.headers?.get(LSN_HEADER)))
      if (--left === 0) break
    }
    return { store: 'nats', ids }
  } finally {
    await connection.close()
  }
}

const { zstdDecompressSync } = zlib as { zstdDecompressSync?: (bytes: Uint8Array) => Uint8Array }
const inflate = (bytes: Uint8Array): Uint8Array => (zstdDecompressSync ?? zlib.gunzipSync)(bytes)

/** By a reader that is not ours. */
export async function readLake(folder: string): Promise<Stored> {
  const { parquetReadObjects } = await import('hyparquet')
  const { files } = systemPlatform()
  const ids = new Map<string, number>()
  for (const { path: dateFolder } of await dateFolders(files, folder)) {
    for (const name of await fileNames(files, dateFolder)) {
      const path = join(dateFolder, name)
      const bytes = await files.readAt(path, 0, (await files.size(path)) ?? 0)
      const file = new Uint8Array(bytes).buffer
      const compressors = { [CODEC]: inflate }
      for (const { id } of await parquetReadObjects({ file, columns: ['id'], compressors })) add(ids, String(id))
    }
  }
  return { store: 'lake', ids }
}

/** Rows as they stand in the tables, before rows of one id are merged. */
export async function readClickHouse(query: (sql: string) => Promise<string>, database: string): Promise<Stored> {
  const ids = new Map<string, number>()
  for (const type of EVENT_TYPES) {
    const sql = `SELECT id, count() FROM ${database}.${type} GROUP BY id FORMAT TabSeparated`
    for (const line of (await query(sql)).split('\n')) {
      const [id, count] = line.split('\t')
      if (id !== undefined && count !== undefined) add(ids, id, Number(count))
    }
  }
  return { store: 'clickhouse', ids }
}

/** How many messages the stream has. */
export async function messagesIn(url: string, stream: string): Promise<number> {
  const connection = await connect({ servers: url, reconnect: false })
  try {
    return (await (await jetstreamManager(connection)).streams.info(stream)).state.messages
  } finally {
    await connection.close()
  }
}
