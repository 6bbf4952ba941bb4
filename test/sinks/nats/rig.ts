/** What stands around the sink: a log in memory, a pump that only does what the contract says, and the stream as it is. */

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DeliverPolicy, jetstream, jetstreamManager, type StreamConfig } from '@nats-io/jetstream'
import { connect } from '@nats-io/transport-node'
import type { EventType } from '../../../src/model/event.ts'
import { systemPlatform } from '../../../src/platform/system.ts'
import { NATS_DEFAULTS, type NatsSinkOptions } from '../../../src/sinks/nats/options.ts'
import { NATS_TRAITS, NatsSink } from '../../../src/sinks/nats/sink.ts'
import { routeText } from '../../../src/sinks/route.ts'
import type { Batch, Held, SinkPorts } from '../../../src/sinks/sink.ts'
import type { LogRecord } from '../../../src/spool/frame.ts'

const REOPEN_MS = 50

/** Resolves when it holds; rejects, with what it was, when it does not in time. */
export async function until(
  condition: () => boolean | Promise<boolean>,
  what: string,
  timeoutMs = 30_000,
): Promise<void> {
  const endMs = performance.now() + timeoutMs
  while (!(await condition())) {
    if (performance.now() > endMs) throw new Error(`not in ${timeoutMs} ms: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}

export function record(lsn: number, symbol = 'BTCUSDT', type: EventType = 'trade', more: object = {}): LogRecord {
  const route = { type, exchange: 'acme', venue: 'acme', market: 'spot', symbol } as const
  const event = {
    ...route,
    receive_time_us: 1_795_392_000_000_000 + lsn,
    id: `acme:${type}:${symbol}:0:${lsn}`,
    ...more,
  }
  const kind = type === 'gap' ? 'gap' : 'event'
  const body = Buffer.from(JSON.stringify(event))
  return { lsn, kind, stream: routeText(route), timeUs: event.receive_time_us, bodyBytes: body.length, body }
}

export function batchOf(records: readonly LogRecord[]): Batch {
  return {
    firstLsn: records[0]?.lsn ?? 0,
    lastLsn: records.at(-1)?.lsn ?? 0,
    async *records() {
      yield records
    },
  }
}

/** Small and quick. */
export const QUICK = { connectTimeoutMs: 1000, pingMs: 200, ackTimeoutMs: 1000 } as const

export class Rig {
  readonly folder = mkdtempSync(join(tmpdir(), 'nats-sink-'))
  readonly options: NatsSinkOptions
  readonly rejected: [LogRecord, string][] = []
  readonly warnings: string[] = []
  readonly held: (Held | undefined)[] = []
  readonly failures: string[] = []
  readonly log: LogRecord[] = []
  readonly logId: string
  sink: NatsSink
  /** Everything up to here is stored, as far as the pump knows. */
  cursor = 0
  #isPumping = false
  #pumping: Promise<void> = Promise.resolve()

  constructor(url: string, options: Partial<NatsSinkOptions> = {}, logId = 'log-1') {
    this.options = { ...NATS_DEFAULTS, servers: [url], ...QUICK, ...options }
    this.logId = logId
    this.sink = new NatsSink(this.options, this.ports())
  }

  ports(): SinkPorts {
    const say = (_event: string, message: string): void => void this.warnings.push(message)
    return {
      platform: systemPlatform(),
      logger: { info: () => {}, warning: say },
      logId: this.logId,
      stateFolder: join(this.folder, 'state'),
      reject: async (refused, reason) => void this.rejected.push([refused, reason]),
    }
  }

  /** Another process begins with what the last one left. */
  restart(): void {
    this.sink = new NatsSink(this.options, this.ports())
  }

  append(count: number, symbol?: string): void {
    for (let i = 0; i < count; i++) this.log.push(record(this.log.length + 1, symbol))
  }

  pump(): void {
    this.#isPumping = true
    this.#pumping = this.#run()
  }

  async stopPump(): Promise<void> {
    this.#isPumping = false
    await this.sink.close()
    await this.#pumping
  }

  untilPumped(timeoutMs?: number): Promise<void> {
    return until(() => this.cursor === this.log.length, `all of the log is stored: ${this.failures.at(-1)}`, timeoutMs)
  }

  async remove(): Promise<void> {
    await this.stopPump()
    rmSync(this.folder, { recursive: true, force: true })
  }

  async #run(): Promise<void> {
    while (this.#isPumping) {
      try {
        const held = await this.sink.open()
        this.held.push(held)
        if (held !== undefined) this.cursor = held.throughLsn
        await this.#feed(held?.further ?? new Set())
      } catch (error) {
        this.failures.push((error as Error).message)
        await this.sink.close()
        await new Promise((resolve) => setTimeout(resolve, REOPEN_MS))
      }
    }
  }

  async #feed(further: ReadonlySet<number>): Promise<void> {
    const running: { lastLsn: number; written: Promise<void> }[] = []
    let next = this.cursor
    while (this.#isPumping) {
      const records = this.log.slice(next, next + NATS_TRAITS.recordsMax)
      const isIdle = records.length === 0
      if (running.length === NATS_TRAITS.batchesMax || (isIdle && running.length > 0)) {
        const oldest = running.shift()
        await oldest?.written
        this.cursor = Math.max(this.cursor, oldest?.lastLsn ?? 0)
      } else if (isIdle) await new Promise((resolve) => setTimeout(resolve, 5))
      else {
        next += records.length
        const wanted = records.filter(({ lsn }) => !further.has(lsn))
        const written = this.sink.write({ ...batchOf(wanted), lastLsn: next })
        written.catch(() => {})
        running.push({ lastLsn: next, written })
      }
    }
  }
}

export interface Stored {
  readonly seq: number
  readonly subject: string
  readonly headers: Readonly<Record<string, readonly string[]>>
  readonly id: string
  readonly text: string
}

/** All messages of a stream. */
export async function storedIn(url: string, stream = NATS_DEFAULTS.stream.name): Promise<Stored[]> {
  const connection = await connect({ servers: url, reconnect: false })
  try {
    const consumer = await jetstream(connection).consumers.get(stream, { deliver_policy: DeliverPolicy.All })
    const found: Stored[] = []
    let left = (await consumer.info()).num_pending
    if (left === 0) return []
    for await (const message of await consumer.consume()) {
      const headers = message.headers as unknown as { toRecord(): Record<string, string[]> } | undefined
      const text = message.string()
      const id = message.headers?.get('Nats-Msg-Id') ?? ''
      found.push({ seq: message.seq, subject: message.subject, headers: headers?.toRecord() ?? {}, id, text })
      if (--left === 0) break
    }
    return found
  } finally {
    await connection.close()
  }
}

/** Runs something with the server's management. */
export async function managed<Result>(
  url: string,
  action: (jsm: Awaited<ReturnType<typeof jetstreamManager>>) => Promise<Result>,
): Promise<Result> {
  const connection = await connect({ servers: url, reconnect: false })
  try {
    return await action(await jetstreamManager(connection))
  } finally {
    await connection.close()
  }
}

export const streamConfig = (url: string, stream = NATS_DEFAULTS.stream.name): Promise<StreamConfig> =>
  managed(url, async (jsm) => (await jsm.streams.info(stream)).config)
