/** The servers behind a service under proof, and the ways in which each of them can be gone. */

import { join } from 'node:path'
import type { Failing } from './outages.ts'
import { ClickHouseEngine, clickhouseMissing } from './servers/clickhouse-engine.ts'
import { NatsServer, natsMissing } from './servers/nats-server.ts'
import { TcpProxy } from './servers/tcp-proxy.ts'
import { readClickHouse, readLake, readNats, type Stored } from './stores.ts'

/** Much shorter than usual, so that outages are longer than the server's memory of ids. */
const DUPLICATE_SECONDS = 20
const LAKE_BATCH_SECONDS = 3
const CLICKHOUSE_TIMEOUT_MS = 5_000
export const STREAM = 'MARKET_DATA'
const DATABASE = 'marketprism'

type OnMessage = Parameters<typeof readNats>[2]

export interface Stand {
  /** Sections of the service's configuration. */
  readonly config: Readonly<Record<string, unknown>>
  /** By server. */
  readonly failings: Readonly<Record<string, readonly Failing[]>>
  read(onMessage: OnMessage): Promise<Stored[]>
  remove(): Promise<void>
}

/** `say` is told which server is left out, and why. Errors: rejects when nats-server cannot be started. */
export async function openStand(folder: string, say: (text: string) => void): Promise<Stand> {
  const nats = await startNats()
  const natsWay = new TcpProxy(nats.port)
  const config = {
    nats: {
      url: `nats://127.0.0.1:${await natsWay.listen()}`,
      stream: { name: STREAM, duplicate_seconds: DUPLICATE_SECONDS },
    },
    lake: { batch_seconds: LAKE_BATCH_SECONDS },
  }
  const stop = { kind: 'nats_stopped', begin: () => nats.stop(), end: () => nats.start() }
  const kill = { kind: 'nats_killed', begin: () => nats.kill(), end: () => nats.start() }
  const freeze = { kind: 'nats_frozen', begin: () => nats.freeze(), end: () => nats.thaw() }
  const stand: Stand = {
    config,
    failings: { nats: [stop, kill, freeze, unanswered('nats_unanswered', natsWay)] },
    read: async (onMessage) => [
      await readNats(nats.url, STREAM, onMessage),
      await readLake(join(folder, 'data', 'lake')),
    ],
    async remove() {
      natsWay.close()
      await nats.remove()
    },
  }
  const missing = clickhouseMissing()
  if (missing === undefined) return withClickHouse(stand, join(folder, 'clickhouse'))
  say(`without ClickHouse: ${missing}`)
  return stand
}

/** Errors: rejects with why it cannot run. */
export async function startNats(): Promise<NatsServer> {
  const missing = natsMissing()
  if (missing !== undefined) throw new Error(`this proof needs NATS: ${missing}`)
  return NatsServer.start()
}

/** What the server does is done, but nobody is told: the answer does not come, and the connection ends. */
const unanswered = (kind: string, way: TcpProxy): Failing => ({
  kind,
  begin() {
    way.isSwallowing = true
  },
  end() {
    way.cut()
    way.isSwallowing = false
  },
})

async function withClickHouse(stand: Stand, folder: string): Promise<Stand> {
  const engine = new ClickHouseEngine(folder)
  await engine.start()
  const way = new TcpProxy(engine.port)
  const url = `http://127.0.0.1:${await way.listen()}`
  const kill = { kind: 'clickhouse_killed', begin: () => engine.kill(), end: () => engine.start() }
  const freeze = { kind: 'clickhouse_frozen', begin: () => engine.freeze(), end: () => engine.thaw() }
  return {
    config: { ...stand.config, clickhouse: { url, database: DATABASE, timeout_ms: CLICKHOUSE_TIMEOUT_MS } },
    failings: { ...stand.failings, clickhouse: [kill, freeze, unanswered('clickhouse_unanswered', way)] },
    read: async (onMessage) => [
      ...(await stand.read(onMessage)),
      await readClickHouse((sql) => engine.query(sql), DATABASE),
    ],
    async remove() {
      way.close()
      await engine.kill()
      await stand.remove()
    },
  }
}
