/** What the NATS sink counts; plain fields that metrics read when asked. */
// A type, not an interface: it is a record of numbers for whoever shows it.
export type NatsCounts = {
  /** Messages that the stream has for certain, duplicates included. */
  acked: number
  /** Of them: the server had stored the id before. */
  duplicates: number
  /** Records that were not sent, because their id stands in the stream. */
  skipped: number
  /** Messages without an acknowledgement in time. */
  timeouts: number
  /** Of them: sent again on the same connection. */
  retries: number
  /** Connections that were made. */
  connections: number
  /** Times that the stream had lost what it had acknowledged. */
  rollbacks: number
}

export const newNatsCounts = (): NatsCounts => ({
  acked: 0,
  duplicates: 0,
  skipped: 0,
  timeouts: 0,
  retries: 0,
  connections: 0,
  rollbacks: 0,
})

/** Sent and not acknowledged. */
export interface UnderWay {
  messages: number
  bytes: number
}
