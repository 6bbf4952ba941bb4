/** The JetStream stream: made when it is missing, compared with the promise "late, never lost" when it is not. */

import {
  DiscardPolicy,
  JetStreamApiCodes,
  JetStreamApiError,
  type JetStreamManager,
  RetentionPolicy,
  StorageType,
  type StreamConfig,
  type StreamInfo,
} from '@nats-io/jetstream'
import { nanos } from '@nats-io/transport-node'
import { errorText } from '../../model/errors.ts'
import { CHANNEL_OF } from '../../model/event.ts'
import type { NatsStreamOptions } from './options.ts'

const NS_PER_SECOND = 1e9

/** Errors: rejects with why there is no stream that takes our subjects, and what to do. */
export const openStream = async (
  jsm: JetStreamManager,
  prefix: string,
  options: NatsStreamOptions,
): Promise<StreamInfo> =>
  (await findStream(jsm, prefix, options.name)) ?? usable(await create(jsm, prefix, options), prefix)

/** `undefined`: there is none of that name. Errors: rejects with why the one that is there cannot be used, and what to do. */
export async function findStream(jsm: JetStreamManager, prefix: string, name: string): Promise<StreamInfo | undefined> {
  const info = await infoOf(jsm, name)
  return info && usable(info, prefix)
}

function usable(info: StreamInfo, prefix: string): StreamInfo {
  const { name, subjects = [], no_ack: isSilent, sealed } = info.config
  if (!takes(subjects, prefix)) {
    const has = subjects.join(', ') || 'none'
    throw new Error(
      `the stream ${name} does not take ${prefix}.>: its subjects are ${has}; add it, or set another prefix`,
    )
  }
  if (isSilent)
    throw new Error(`the stream ${name} acknowledges nothing (no_ack); it must, or nobody knows what it holds`)
  if (sealed) throw new Error(`the stream ${name} is sealed and takes nothing; set another name`)
  return info
}

async function infoOf(jsm: JetStreamManager, name: string): Promise<StreamInfo | undefined> {
  try {
    return await jsm.streams.info(name)
  } catch (error) {
    if (error instanceof JetStreamApiError && error.code === JetStreamApiCodes.StreamNotFound) return undefined
    throw new Error(`cannot ask for the stream ${name}: ${errorText(error)}`, { cause: error })
  }
}

async function create(jsm: JetStreamManager, prefix: string, options: NatsStreamOptions): Promise<StreamInfo> {
  const { name, ageSeconds, bytesMax, duplicateSeconds, replicas } = options
  try {
    return await jsm.streams.add({
      name,
      subjects: [`${prefix}.>`],
      storage: StorageType.File,
      retention: RetentionPolicy.Limits,
      // What a full stream refuses waits in our log; what it discards is gone.
      discard: DiscardPolicy.New,
      max_age: nanos(ageSeconds * 1000),
      max_bytes: bytesMax === 0 ? -1 : bytesMax,
      duplicate_window: nanos(Math.min(duplicateSeconds, ageSeconds) * 1000),
      num_replicas: replicas,
      allow_direct: true,
    })
  } catch (error) {
    const text = `cannot create the stream ${name} for ${prefix}.>: ${errorText(error)}; allow it, or create the stream`
    throw new Error(text, { cause: error })
  }
}

/** Any token. */
const ANY = undefined

/** Does the stream take what we publish, of every type? */
export const takes = (subjects: readonly string[], prefix: string): boolean =>
  Object.keys(CHANNEL_OF).every((type) =>
    subjects.some((subject) => covers(subject.split('.'), [...prefix.split('.'), type, ANY, ANY, ANY])),
  )

function covers(pattern: readonly string[], tokens: readonly (string | typeof ANY)[]): boolean {
  for (const [i, part] of pattern.entries()) {
    if (i >= tokens.length) return false
    if (part === '>') return true
    if (part !== '*' && part !== tokens[i]) return false
  }
  return pattern.length === tokens.length
}

/** Where the stream is weaker than what it would be had we made it; one sentence each. */
export function weaknesses(config: StreamConfig, wanted: NatsStreamOptions): string[] {
  const { storage, retention, discard, num_replicas: replicas } = config
  const limits = [config.max_bytes, config.max_msgs, config.max_msgs_per_subject].filter((limit) => limit > 0)
  const age = config.max_age / NS_PER_SECOND
  const duplicates = config.duplicate_window / NS_PER_SECOND
  const least = Math.min(wanted.duplicateSeconds, wanted.ageSeconds)
  return [
    storage === StorageType.Memory && 'it is kept in memory: all of it is lost when the server stops',
    retention !== RetentionPolicy.Limits && `its retention is ${retention}: messages go before their time`,
    discard === DiscardPolicy.Old &&
      limits.length > 0 &&
      'it discards the oldest messages when full: set discard to new',
    age > 0 && age < wanted.ageSeconds && `it keeps messages for ${age} s, not ${wanted.ageSeconds} s`,
    duplicates < least && `it knows ids for ${duplicates} s, not ${least} s: set duplicate_window`,
    replicas < wanted.replicas && `it has ${replicas} copies, not ${wanted.replicas}`,
  ].filter((text) => text !== false)
}
