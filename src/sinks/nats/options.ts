/** What can be set of the NATS sink. */

/** How the server knows us. At most one of `token`, `user`, `nkeySeed`, `credsFile`. */
export interface NatsAuth {
  readonly token?: string | undefined
  readonly user?: string | undefined
  readonly password?: string | undefined
  /** The seed of a user's nkey: `SU…`. */
  readonly nkeySeed?: string | undefined
  /** A file with a JWT and a seed, as `nsc` writes it. Read at every connect. */
  readonly credsFile?: string | undefined
}

/** Files in PEM. Read at every connect, so that renewed ones are used. */
export interface NatsTls {
  /** Whom to trust; the system's own authorities unless said. */
  readonly caFile?: string | undefined
  /** What we show, where the server asks for it. */
  readonly certFile?: string | undefined
  readonly keyFile?: string | undefined
  /** The server expects TLS at once, without its greeting in plain text before. */
  readonly isFirst?: boolean | undefined
}

/** The stream. Everything but its name counts when it is created; a stream that is there already is never changed. */
export interface NatsStreamOptions {
  readonly name: string
  /** Messages older than this go. */
  readonly ageSeconds: number
  /** 0: no limit but that of the server. A full stream takes nothing new until old messages have gone. */
  readonly bytesMax: number
  /** How long the server knows the ids of what it has stored. */
  readonly duplicateSeconds: number
  /** Copies in a cluster. */
  readonly replicas: number
}

export interface NatsSinkOptions {
  /** `nats://` or `tls://`, tried in random order. A user and password, or a token, may stand in them. */
  readonly servers: readonly string[]
  readonly auth: NatsAuth
  /** Set: no connection without TLS. It is used too where the server offers it, and for `tls://`. */
  readonly tls?: NatsTls | undefined
  /** The first part of every subject; dots may be in it. */
  readonly prefix: string
  /** Of the subject that acknowledgements come to; accounts may be limited to one of their own. */
  readonly inboxPrefix: string
  readonly stream: NatsStreamOptions
  /** Messages that are sent and not acknowledged; at most {@link LSN_SPAN}. */
  readonly windowMessages: number
  /** And their bytes. One message may always be under way. */
  readonly windowBytes: number
  readonly connectTimeoutMs: number
  /** Between two pings; two without an answer end the connection. */
  readonly pingMs: number
  /** A message without acknowledgement is sent again after it, with the same id. */
  readonly ackTimeoutMs: number
}

/**
 * Numbers that may lie between the oldest unacknowledged record and the newest that is sent. It says how far behind the
 * newest record in the stream an older one can be missing, so it must never become less than an older version's.
 */
export const LSN_SPAN = 16_384

export const NATS_DEFAULTS: Omit<NatsSinkOptions, 'servers'> = {
  auth: {},
  prefix: 'market',
  inboxPrefix: '_INBOX',
  stream: { name: 'MARKET_DATA', ageSeconds: 86_400, bytesMax: 0, duplicateSeconds: 600, replicas: 1 },
  windowMessages: 4096,
  windowBytes: 8 * 1024 * 1024,
  connectTimeoutMs: 5000,
  pingMs: 2000,
  ackTimeoutMs: 5000,
}
