/** The one shape of every answer, and what a failure may say. */

import { ERRORS, type ErrorCode } from '../model/errors.ts'
import type { EpochUs } from '../model/event.ts'
import { isoTime } from '../model/time.ts'

/** Codes that an answer may carry; the rest of the table ends the process instead. */
export const API_CODES = [
  'COLLECTOR_NOT_INITIALIZED',
  'STATS_UNAVAILABLE',
  'EXCHANGE_STATUS_ERROR',
  'DATA_RETRIEVAL_ERROR',
  'INVALID_PARAMETERS',
  'SERVICE_UNAVAILABLE',
  'INTERNAL_ERROR',
  'NOT_FOUND',
  'METHOD_NOT_ALLOWED',
  'RATE_LIMITED',
  'UNAUTHORIZED',
] as const satisfies readonly ErrorCode[]
export type ApiCode = (typeof API_CODES)[number]

export const isApiCode = (code: string): code is ApiCode => (API_CODES as readonly string[]).includes(code)

/** What an answer says unless a better sentence is at hand. */
export const PUBLIC_MESSAGES = {
  COLLECTOR_NOT_INITIALIZED: 'Data collector not initialized. Service is running in degraded mode.',
  STATS_UNAVAILABLE: 'Failed to retrieve collection statistics',
  EXCHANGE_STATUS_ERROR: 'Failed to retrieve exchange status',
  DATA_RETRIEVAL_ERROR: 'Failed to retrieve collected data',
  INVALID_PARAMETERS: 'A parameter is missing, malformed or out of range.',
  SERVICE_UNAVAILABLE: 'The service is shutting down or overloaded.',
  INTERNAL_ERROR: 'Internal error. The log has the details under the error_id.',
  NOT_FOUND: 'No such path. GET /openapi.json lists what there is.',
  METHOD_NOT_ALLOWED: 'Only GET and HEAD are allowed.',
  RATE_LIMITED: 'Too many requests. Wait as long as Retry-After says.',
  UNAUTHORIZED: 'Send the configured token as Authorization: Bearer.',
} as const satisfies Record<ApiCode, string>

/** Headers that belong to an answer with this code. */
export const ERROR_HEADERS: Readonly<Partial<Record<ErrorCode, Readonly<Record<string, string>>>>> = {
  METHOD_NOT_ALLOWED: { allow: 'GET, HEAD' },
  RATE_LIMITED: { 'retry-after': '1' },
  UNAUTHORIZED: { 'www-authenticate': 'Bearer' },
}

export interface Success<Data> {
  readonly status: 'success'
  readonly message: string
  readonly data: Data
  readonly timestamp: string
}

export interface Failure {
  readonly status: 'error'
  readonly error_code: ApiCode
  readonly message: string
  /** Where the log has the details; on 5xx only. */
  readonly error_id?: string
  readonly data: null
  readonly timestamp: string
}

export const success = <Data>(message: string, data: Data, nowUs: EpochUs): Success<Data> => ({
  status: 'success',
  message,
  data,
  timestamp: isoTime(nowUs),
})

export const failure = (code: ApiCode, message: string, nowUs: EpochUs, errorId?: string): Failure => ({
  status: 'error',
  error_code: code,
  message,
  ...(errorId === undefined ? {} : { error_id: errorId }),
  data: null,
  timestamp: isoTime(nowUs),
})

export const statusOf = (code: ApiCode): number => ERRORS[code].status
