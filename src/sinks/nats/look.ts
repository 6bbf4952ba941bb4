/** One look at the server, for diagnosis: nothing is made or changed. */

import { jetstreamManager } from '@nats-io/jetstream'
import type { Files } from '../../platform/platform.ts'
import { connectNats } from './connect.ts'
import type { NatsSinkOptions } from './options.ts'
import { findStream, weaknesses } from './stream.ts'

const ANSWER_MS = 5_000

export interface NatsLook {
  readonly version: string
  /** Where the stream is weaker than promised, in words; `undefined`: there is none yet. */
  readonly weaknesses: readonly string[] | undefined
}

/** Errors: rejects with what is wrong, in words; secrets are not in it. */
export async function lookAtNats(options: NatsSinkOptions, files: Files): Promise<NatsLook> {
  const connection = await connectNats({ ...options, connectTimeoutMs: ANSWER_MS }, files)
  try {
    const jsm = await jetstreamManager(connection, { checkAPI: true, timeout: ANSWER_MS })
    const info = await findStream(jsm, options.prefix, options.stream.name)
    return { version: connection.info?.version ?? '?', weaknesses: info && weaknesses(info.config, options.stream) }
  } finally {
    await connection.close().catch(() => {})
  }
}
