/** Bounds of the HTTP side. Tests shorten the times. */
export const HTTP_LIMITS = {
  /** A client that has not sent its headers by then is answered 408. */
  headersTimeoutMs: 5_000,
  requestTimeoutMs: 10_000,
  /**
   * Longer than a scraper or a balancer leaves between two requests (15 to 60 s as a rule): who is sent away must dial
   * again. Whoever waits longest makes room when it is needed, so it costs others nothing.
   */
  keepAliveTimeoutMs: 65_000,
  /** A connection on which nothing moves, also when a client does not read its answer. */
  idleTimeoutMs: 10_000,
  /** How often Node looks for requests that are too slow. */
  connectionsCheckMs: 1_000,
  headerBytesMax: 8_192,
  bodyBytesMax: 65_536,
  requestsPerSocketMax: 1_000,
  /** Connections kept for health probes when the configured number is in use. */
  connectionsReserved: 16,
  /** Longest wait for running requests when stopping. */
  stopTimeoutMs: 3_000,
  /** How long a refused connection may go on sending before it is cut, so that it can read its answer. */
  lingerMs: 1_000,
} as const

export type HttpLimits = { readonly [Name in keyof typeof HTTP_LIMITS]: number }
