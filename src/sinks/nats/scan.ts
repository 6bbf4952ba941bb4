/** Reads the end of the stream: the headers of its messages, oldest first within each stretch. */

import { DeliverPolicy, type JetStreamClient, type JsMsg } from '@nats-io/jetstream'
import type { Clock } from '../../platform/platform.ts'
import type { Checkpoint } from './checkpoint.ts'
import { ID_HEADER, LOG_HEADER, LSN_HEADER } from './headers.ts'
import { canBeContinued, lookFrom, Seen, type StreamEnd } from './held.ts'

/** The first stretch when nothing is remembered; the next ones are longer. */
const STRETCH_MESSAGES = 65_536
const STRETCH_FACTOR = 4
/** In a stream full of others' messages ours may be too far back to be looked for. */
const LOOKED_AT_MAX = 4_000_000
/** A server that sends nothing more for so long has none, or is gone. */
const QUIET_MS = 10_000
const NS_PER_US = 1_000

export interface Scan {
  readonly seen: Seen
  /** The first sequence that was looked at. */
  readonly fromSeq: number
  /** The remembered checkpoint, when the stream goes on from it. */
  readonly continued: Checkpoint | undefined
}

export interface ScanOptions {
  readonly js: JetStreamClient
  readonly clock: Clock
  readonly stream: string
  readonly prefix: string
  readonly logId: string
  readonly remembered: Checkpoint | undefined
}

/** Errors: rejects when the messages cannot be read. */
export async function scanStream(options: ScanOptions, end: StreamEnd): Promise<Scan> {
  const { remembered, logId } = options
  if (remembered !== undefined && canBeContinued(remembered, end)) {
    const seen = new Seen(logId, end)
    const fromSeq = lookFrom(remembered, end)
    await look(options, seen, fromSeq, end.lastSeq, remembered)
    if (seen.hasAcked || remembered.ackedSeq < fromSeq) return { seen, fromSeq, continued: remembered }
  }
  return scanBackwards(options, end)
}

/** Until it is deep enough: what lies further back is certain. */
async function scanBackwards(options: ScanOptions, end: StreamEnd): Promise<Scan> {
  const seen = new Seen(options.logId, end)
  let fromSeq = end.lastSeq + 1
  for (let stretch = STRETCH_MESSAGES; fromSeq > end.firstSeq && !seen.isDeepEnough; stretch *= STRETCH_FACTOR) {
    if (end.lastSeq - fromSeq > LOOKED_AT_MAX) break
    const throughSeq = fromSeq - 1
    fromSeq = Math.max(end.firstSeq, fromSeq - stretch)
    await look(options, seen, fromSeq, throughSeq, undefined)
  }
  return { seen, fromSeq, continued: undefined }
}

async function look(
  { js, clock, stream, prefix }: ScanOptions,
  seen: Seen,
  fromSeq: number,
  throughSeq: number,
  remembered: Checkpoint | undefined,
): Promise<void> {
  if (fromSeq > throughSeq) return
  const consumer = await js.consumers.get(stream, {
    deliver_policy: DeliverPolicy.StartSequence,
    opt_start_seq: fromSeq,
    filter_subjects: `${prefix}.>`,
    headers_only: true,
  })
  const { num_pending: pending } = await consumer.info()
  if (pending === 0) return void (await consumer.delete())
  await new Promise<void>((resolve, reject) => {
    let heardMs = clock.monotonicMs()
    const finish = (error?: Error): void => {
      stopWatch()
      messages.then((all) => all.close()).catch(() => {})
      if (error === undefined) resolve()
      else reject(error)
    }
    const callback = (message: JsMsg): void => {
      heardMs = clock.monotonicMs()
      if (message.seq <= throughSeq) note(seen, message, remembered)
      if (message.seq >= throughSeq || message.info.pending === 0) finish()
    }
    const messages = consumer.consume({ callback, max_messages: 5000 })
    messages.catch(finish)
    const stopWatch = clock.every(QUIET_MS / 10, () => {
      if (clock.monotonicMs() - heardMs > QUIET_MS) finish(new Error(`the stream ${stream} does not give its messages`))
    })
  })
  await consumer.delete().catch(() => false)
}

function note(seen: Seen, { seq, headers, info }: JsMsg, remembered: Checkpoint | undefined): void {
  const get = (name: string): string => headers?.get(name) ?? ''
  seen.add(
    seq,
    get(ID_HEADER),
    get(LOG_HEADER),
    Number(get(LSN_HEADER)),
    remembered,
    Math.floor(info.timestampNanos / NS_PER_US),
  )
}
