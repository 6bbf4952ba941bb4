/** What the NATS sink is made with, from the configuration. */

import type { Config } from '../ops/config-schema.ts'
import { NATS_DEFAULTS, type NatsSinkOptions } from '../sinks/nats/options.ts'

/** `undefined`: no server is configured. */
export function natsOptions({ nats }: Pick<Config, 'nats'>): NatsSinkOptions | undefined {
  const { url, tls, stream } = nats
  if (url === undefined) return undefined
  const hasTls = tls.required || [tls.ca_file, tls.cert_file, tls.key_file].some((file) => file !== undefined)
  return {
    ...NATS_DEFAULTS,
    servers: [url],
    auth: {
      token: nats.token,
      user: nats.user,
      password: nats.password,
      nkeySeed: nats.nkey_seed,
      credsFile: nats.creds_file,
    },
    ...((hasTls || tls.first) && {
      tls: { caFile: tls.ca_file, certFile: tls.cert_file, keyFile: tls.key_file, isFirst: tls.first },
    }),
    prefix: nats.prefix,
    inboxPrefix: nats.inbox_prefix,
    stream: {
      name: stream.name,
      ageSeconds: stream.age_seconds,
      bytesMax: stream.bytes_max,
      duplicateSeconds: stream.duplicate_seconds,
      replicas: stream.replicas,
    },
    windowMessages: nats.window_messages,
    windowBytes: nats.window_bytes,
  }
}
