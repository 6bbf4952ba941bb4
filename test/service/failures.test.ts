import { expect, test } from 'vitest'
import { type ErrorCode, PrismError } from '../../src/model/errors.ts'
import { systemClock } from '../../src/platform/clock.ts'
import { failureAnswers } from '../../src/service/failures.ts'
import type { Logger } from '../../src/service/ports.ts'

const lines: string[] = []
const write = (_event: string, message: string) => lines.push(message)
const logger: Logger = { debug: write, info: write, warning: write, error: write }
const answer = failureAnswers(systemClock(), logger, 0)
const of = (error: unknown) => {
  const { status, body } = answer(error, 'INTERNAL_ERROR', '/x')
  return [status, body.error_code, body.message]
}

const INTERNAL = [500, 'INTERNAL_ERROR', 'Internal error. The log has the details under the error_id.']

test('what was written for clients reaches them, below 500 and as 503', () => {
  for (const [code, status] of [
    ['INVALID_PARAMETERS', 400],
    ['NOT_FOUND', 404],
    ['SERVICE_UNAVAILABLE', 503],
  ] as const) {
    expect(of(new PrismError(code, 'in so many words'))).toEqual([status, code, 'in so many words'])
  }
})

test('what was written for the log does not', () => {
  expect(of(new PrismError('STATS_UNAVAILABLE', 'secret'))).toEqual([
    500,
    'STATS_UNAVAILABLE',
    'Failed to retrieve collection statistics',
  ])
  const thrown = [new Error('secret'), 'secret', undefined, null, 42, { message: 'secret' }]
  for (const error of thrown) expect(of(error)).toEqual(INTERNAL)
})

test('codes that are not for answers are internal errors', () => {
  for (const code of ['PORT_IN_USE', 'CONFIG_INVALID'] satisfies ErrorCode[]) {
    expect(of(new PrismError(code, 'secret'))).toEqual(INTERNAL)
  }
})

test('each 5xx has an id of its own, and the log has it', () => {
  const ids = [1, 2, 3].map(() => answer(new Error('x'), 'INTERNAL_ERROR', '/x').body.error_id)
  expect(new Set(ids).size).toBe(3)
  expect(answer(new PrismError('NOT_FOUND', 'x'), 'INTERNAL_ERROR', '/x').body).not.toHaveProperty('error_id')
})
