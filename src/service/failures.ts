/** Turns whatever was thrown into what a client may know of it; the rest goes to the log. */

import { errorText, PrismError } from '../model/errors.ts'
import type { Clock } from '../platform/platform.ts'
import { type ApiCode, type Failure, failure, isApiCode, PUBLIC_MESSAGES, statusOf } from './envelope.ts'
import type { Logger } from './ports.ts'

export interface FailedAnswer {
  readonly status: number
  readonly body: Failure
}

export type FailureAnswers = (error: unknown, fallback: ApiCode, where: string) => FailedAnswer

const SERVER_ERROR = 500
/** `error_id`s are the start of the process and a counter: unique in the log without a random source. */
const ID_BASE = 36

/** Answers for thrown errors. `fallback` is the code for errors that nobody foresaw. */
export function failureAnswers(clock: Clock, logger: Logger, startUs: number): FailureAnswers {
  let count = 0
  const prefix = Math.floor(startUs / 1000).toString(ID_BASE)
  return (error, fallback, where) => {
    const { code, message, status = statusOf(code) } = publicFace(error, fallback)
    if (status < SERVER_ERROR) return { status, body: failure(code, message, clock.nowUs()) }
    const errorId = `${prefix}-${(++count).toString(ID_BASE)}`
    const fields = { error_id: errorId, error_code: code, route: where }
    if (status === SERVER_ERROR) {
      const stack = error instanceof Error ? (error.stack ?? '') : ''
      logger.error('request_failed', errorText(error), { ...fields, stack })
    } else logger.debug('request_refused', message, fields)
    return { status, body: failure(code, message, clock.nowUs(), errorId) }
  }
}

interface PublicFace {
  readonly code: ApiCode
  readonly message: string
  /** Where the code's own does not fit. */
  readonly status?: number
}

/** What is wrong with a body, by Fastify's name for it. */
const BODY_FAULTS: Readonly<Record<string, PublicFace>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: bodyFault('The body is too long.', 413),
  FST_ERR_CTP_INVALID_MEDIA_TYPE: bodyFault('The body must be JSON, sent as Content-Type: application/json.', 415),
  FST_ERR_CTP_INVALID_JSON_BODY: bodyFault('The body is not JSON.'),
  FST_ERR_CTP_EMPTY_JSON_BODY: bodyFault('The body is empty.'),
}

function bodyFault(message: string, status = 400): PublicFace {
  return { code: 'INVALID_PARAMETERS', message, status }
}

/** Only messages that this program wrote for clients leave it: those of expected errors below 500 and of 503. */
function publicFace(error: unknown, fallback: ApiCode): PublicFace {
  if (error instanceof PrismError && isApiCode(error.code)) {
    const message = error.status === SERVER_ERROR ? PUBLIC_MESSAGES[error.code] : error.message
    return { code: error.code, message }
  }
  const fault = error instanceof Error && 'code' in error ? BODY_FAULTS[String(error.code)] : undefined
  if (fault !== undefined) return fault
  const code = frameworkCode(error) ?? fallback
  return { code, message: PUBLIC_MESSAGES[code] }
}

/** Fastify and its plugins refuse a request by throwing an error with a 4xx `statusCode`. */
function frameworkCode(error: unknown): ApiCode | undefined {
  if (!(error instanceof Error) || !('statusCode' in error)) return undefined
  const { statusCode } = error
  // 403: outside the folder of the page's files. 414: a name longer than any that exists.
  if (statusCode === 403 || statusCode === 404 || statusCode === 414) return 'NOT_FOUND'
  return typeof statusCode === 'number' && statusCode >= 400 && statusCode < SERVER_ERROR
    ? 'INVALID_PARAMETERS'
    : undefined
}
