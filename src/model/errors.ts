/** Every error this program raises on purpose. `code` is for machines and dashboards, `message` for people. */

interface ErrorKind {
  readonly status: number
  readonly isRetryable: boolean
  readonly summary: string
}

/** The closed list of codes. The API's answers carry these names; docs/ERRORS.md is the same table. */
export const ERRORS = {
  COLLECTOR_NOT_INITIALIZED: { status: 503, isRetryable: true, summary: 'The collector has not initialised yet.' },
  STATS_UNAVAILABLE: { status: 500, isRetryable: true, summary: 'Statistics cannot be assembled.' },
  EXCHANGE_STATUS_ERROR: { status: 500, isRetryable: true, summary: 'The exchanges’ status cannot be assembled.' },
  DATA_RETRIEVAL_ERROR: { status: 500, isRetryable: true, summary: 'Collected data cannot be read.' },
  INVALID_PARAMETERS: {
    status: 400,
    isRetryable: false,
    summary: 'A parameter is missing, malformed or out of range.',
  },
  SERVICE_UNAVAILABLE: { status: 503, isRetryable: true, summary: 'Shutting down, or overloaded.' },
  INTERNAL_ERROR: { status: 500, isRetryable: true, summary: 'Anything else; the log has it under the `error_id`.' },
  NOT_FOUND: { status: 404, isRetryable: false, summary: 'Unknown path or unknown instrument.' },
  METHOD_NOT_ALLOWED: { status: 405, isRetryable: false, summary: 'Only the methods in the `Allow` header.' },
  RATE_LIMITED: { status: 429, isRetryable: true, summary: 'Too many requests; wait for `Retry-After` seconds.' },
  UNAUTHORIZED: { status: 401, isRetryable: false, summary: 'A token is configured and the request has none.' },
  CONFIG_INVALID: { status: 500, isRetryable: false, summary: 'The configuration has errors; exit status 78.' },
  SPOOL_LOCKED: { status: 500, isRetryable: false, summary: 'Another process uses the log’s folder; exit status 73.' },
  PORT_IN_USE: { status: 500, isRetryable: false, summary: 'The API port is taken; exit status 98.' },
} as const satisfies Record<string, ErrorKind>

export type ErrorCode = keyof typeof ERRORS

/**
 * An expected failure: something outside this program misbehaved, or was asked for wrongly.
 * The message says what was expected, what came, and what to do.
 */
export class PrismError extends Error {
  override readonly name = 'PrismError'
  readonly code: ErrorCode
  /** Small, loggable facts: venue, channel, sequence. Never a whole payload. */
  readonly context: Readonly<Record<string, string | number>>

  constructor(
    code: ErrorCode,
    message: string,
    context: Readonly<Record<string, string | number>> = {},
    options?: ErrorOptions,
  ) {
    super(message, options)
    this.code = code
    this.context = context
  }

  get status(): number {
    return ERRORS[this.code].status
  }
}

/** The text of anything thrown, for the log. */
export function errorText(error: unknown): string {
  if (error instanceof Error) return error.message
  return typeof error === 'string' ? error : (JSON.stringify(error) ?? typeof error)
}
