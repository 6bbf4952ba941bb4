/**
 * Events in a NATS JetStream stream, each once. A connection that breaks stays broken: the next `open` makes a new one and
 * asks the stream what it holds, so nothing depends on how long the break was or what the server went through meanwhile.
 */

import { jetstream, jetstreamManager, type StreamInfo } from '@nats-io/jetstream'
import type { NatsConnection } from '@nats-io/transport-node'
import type { Batch, Held, Sink, SinkPorts, SinkTraits } from '../sink.ts'
import { type Checkpoint, readCheckpoint, writeCheckpoint } from './checkpoint.ts'
import { abortOf, connectNats, watch } from './connect.ts'
import { type NatsCounts, newNatsCounts, type UnderWay } from './counts.ts'
import { judgeHeld, type StreamEnd } from './held.ts'
import type { NatsSinkOptions } from './options.ts'
import { Publisher } from './publisher.ts'
import { type Scan, scanStream } from './scan.ts'
import { Session } from './session.ts'
import { Sharing } from './sharing.ts'
import { openStream, weaknesses } from './stream.ts'
import { TailIds } from './tail-ids.ts'

/** Several batches run at a time, so that the window never empties between two. */
export const NATS_TRAITS: SinkTraits = {
  recordsMax: 1024,
  bytesMax: 1024 * 1024,
  ageMs: 0,
  batchesMax: 8,
  hasFixedBatches: false,
}

const NS_PER_MS = 1e6
/** Of one question to the server about its streams. */
const ANSWER_MS = 10_000

export class NatsSink implements Sink {
  readonly traits = NATS_TRAITS
  readonly counts: NatsCounts = newNatsCounts()
  readonly underWay: UnderWay = { messages: 0, bytes: 0 }
  readonly #options: NatsSinkOptions
  readonly #ports: SinkPorts
  readonly #said = new Set<string>()
  readonly #sharing = new Sharing()
  #session: Session | undefined
  /** A server may leave questions without an answer for long: nobody waits for them who wants to stop. */
  #opening = new AbortController()
  #checkpoint: Checkpoint | undefined

  constructor(options: NatsSinkOptions, ports: SinkPorts) {
    this.#options = options
    this.#ports = ports
  }

  async open(): Promise<Held | undefined> {
    const { platform } = this.#ports
    await this.close()
    this.#opening = new AbortController()
    const { signal } = this.#opening
    const connection = await connectNats(this.#options, platform.files, signal)
    // A question to a connection that ends, or that the server refuses, has no answer.
    const failure = new Promise<never>((_, reject) => watch(connection, reject))
    failure.catch(() => {})
    try {
      return await Promise.race([this.#begin(connection), failure, abortOf(signal)])
    } catch (error) {
      await connection.close().catch(() => {})
      await this.close()
      throw error
    }
  }

  write(batch: Batch): Promise<void> {
    if (this.#session === undefined) return Promise.reject(new Error('the NATS sink is not open'))
    return this.#session.publisher.publish(batch)
  }

  async close(): Promise<void> {
    const reason = new Error('the NATS sink was closed')
    this.#opening.abort(reason)
    const session = this.#session
    if (session === undefined) return
    this.#session = undefined
    this.#checkpoint = await session.close(reason)
  }

  async #begin(connection: NatsConnection): Promise<Held | undefined> {
    const { logId, stateFolder, platform } = this.#ports
    const { prefix, stream } = this.#options
    const jsm = await jetstreamManager(connection, { checkAPI: false, timeout: ANSWER_MS })
    const info = await openStream(jsm, prefix, stream)
    this.#sayWeaknesses(info)
    const end = endOf(info)
    const found = this.#checkpoint ?? (await readCheckpoint(platform.files, stateFolder, logId, stream.name))
    // What was stored under another prefix is not seen now: that is no loss, and the pump's cursor says how far it went.
    const hasMoved = found?.prefix !== undefined && found.prefix !== prefix
    const known = hasMoved ? undefined : found
    const js = jetstream(connection, { timeout: ANSWER_MS })
    const look = { js, clock: platform.clock, stream: stream.name, prefix, logId, remembered: known }
    const scan = await scanStream(look, end)
    if (known !== undefined && scan.continued === undefined) this.#sayRollback(known, end)
    const held = hasMoved ? undefined : judgeHeld(scan.seen, end, scan.continued, known !== undefined)
    this.#session = this.#start(connection, info, scan, held)
    this.counts.connections++
    const hasLost = known !== undefined && scan.continued === undefined
    return hasLost && held ? { ...held, hasLost, sinceUs: scan.seen.newestUs } : held
  }

  #start(connection: NatsConnection, info: StreamInfo, scan: Scan, held: Held | undefined): Session {
    const { logId, stateFolder, platform } = this.#ports
    const { clock, files } = platform
    const { lastSeq, created } = endOf(info)
    const duplicateMs = info.config.duplicate_window / NS_PER_MS
    const { ackedSeq = 0, ackedLsn = 0 } = scan.continued ?? {}
    const base = { logId, stream: info.config.name, prefix: this.#options.prefix, created }
    const publisher = new Publisher({
      connection,
      options: this.#options,
      clock,
      counts: this.counts,
      underWay: this.underWay,
      logId,
      lastSeq,
      acked: { ackedSeq, ackedLsn },
      duplicateMs,
      sharing: this.#sharing,
      bytesMax: bytesMaxOf(connection, info),
      recentIds: new TailIds(scan.seen.ids, duplicateMs, clock),
      reject: (record, reason) => this.#ports.reject(record, reason),
    })
    return new Session({
      connection,
      publisher,
      clock,
      base,
      checkpoint:
        held === undefined
          ? scan.continued
          : { ...base, lsn: held.throughLsn, floorSeq: scan.fromSeq - 1, ackedSeq, ackedLsn },
      lastSeq,
      highestLsn: scan.seen.highestLsn,
      save: (checkpoint) => writeCheckpoint(files, stateFolder, checkpoint),
    })
  }

  #sayWeaknesses({ config, created }: StreamInfo): void {
    for (const text of weaknesses(config, this.#options.stream)) {
      if (this.#said.has(text)) continue
      this.#said.add(text)
      this.#ports.logger.warning('nats_stream_weak', `The stream ${config.name} is weaker than promised: ${text}.`, {
        stream: config.name,
        created,
      })
    }
  }

  #sayRollback(known: Checkpoint, end: StreamEnd): void {
    this.counts.rollbacks++
    const text = 'The stream was restored from an older copy or made anew; what it lacks is sent again.'
    const { lastSeq, created } = end
    this.#ports.logger.warning('nats_rolled_back', text, {
      stream: known.stream,
      seq: known.ackedSeq,
      lastSeq,
      created,
    })
  }
}

const endOf = ({ created, state }: StreamInfo): StreamEnd => ({
  created,
  firstSeq: Math.max(1, state.first_seq),
  lastSeq: state.last_seq,
})

/** What the server takes, and what the stream does; the stream's -1: whatever the server does. */
function bytesMaxOf({ info: server }: NatsConnection, { config }: StreamInfo): number {
  const streamMax = config.max_msg_size > 0 ? config.max_msg_size : Number.POSITIVE_INFINITY
  return Math.min(server?.max_payload ?? Number.POSITIVE_INFINITY, streamMax)
}
