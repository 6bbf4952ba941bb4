import { readdirSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { createLogger } from '../../src/ops/log.ts'
import { PRIVATE_MESSAGES, RecentWarnings } from '../../src/ops/recent-warnings.ts'
import { fakeClock } from './fake-clock.ts'

function recorder() {
  const warnings = new RecentWarnings()
  const logger = createLogger({
    service: 'data-collector',
    environment: 'test',
    log: { level: 'INFO', format: 'json', file_bytes_max: 1e6, file_count_max: 5 },
    clock: fakeClock(),
    output: { write: () => undefined, on: () => undefined },
    onLine: (line) => warnings.add(line),
  })
  return { warnings, logger }
}

test('keeps warnings and errors, with the fields of the logger and its children that may be told', () => {
  const { warnings, logger } = recorder()
  logger.info('socket_opened', 'connected', { venue: 'okx' })
  logger.child({ venue: 'okx' }).warning('feed_stale', 'silent', { channel: 'book', url: 'http://inside', reason: 'x' })
  logger.error('sink_failed', 'down', { sink: 'nats', problem: 'secret', repeats: 3 })
  const time = '2025-06-29T04:07:49.066285+00:00'
  expect(warnings.newestFirst()).toEqual([
    { time, level: 'ERROR', event: 'sink_failed', message: 'down', fields: { sink: 'nats', repeats: 3 } },
    {
      time,
      level: 'WARNING',
      event: 'feed_stale',
      message: 'silent',
      fields: { venue: 'okx', channel: 'book', reason: 'x' },
    },
  ])
  expect(warnings.counts).toEqual({ WARNING: 1, ERROR: 1 })
})

test('keeps 200, the newest, and counts all', () => {
  const { warnings, logger } = recorder()
  for (let i = 0; i < 250; i++) logger.warning('feed_stale', `number ${i}`)
  expect(warnings.newestFirst().map(({ message }) => message)).toEqual(
    Array.from({ length: 200 }, (_, i) => `number ${249 - i}`),
  )
  expect(warnings.counts.WARNING).toBe(250)
})

test('an exception’s text stays in the log', () => {
  const { warnings, logger } = recorder()
  for (const event of PRIVATE_MESSAGES) logger.error(event, 'ENOENT: no such file, open /etc/secret')
  expect(JSON.stringify(warnings.newestFirst())).not.toContain('ENOENT')
})

/** `connect_failed` adds a hint that is constant, stores words of their own and numbers; `die` ends the process. */
const BUILT_OF_CONSTANTS = new Set(['connect_failed', 'nats_stream_weak', 'nats_rolled_back', 'clickhouse_restored'])

test('every message that is no plain text in the code is one for the log alone', () => {
  const root = new URL('../../src/', import.meta.url)
  const sources = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'))
  const calls = sources.flatMap((file) => [
    ...readFileSync(new URL(file, root), 'utf8').matchAll(
      /(?<!stats|this)\.(?:warning|error)\(\s*'(?<event>\w+)',\s*(?<rest>[\s\S]{0,200})/g,
    ),
  ])
  expect(calls.length).toBeGreaterThan(25)
  const isPlain = (rest: string): boolean => {
    // A repeat guard takes a key before the message.
    const texts = rest.replace(/^(?:''|\w+|`[^`]*`),\s*/, '')
    return /^'[^']*'/.test(texts) || /^'[^']*'/.test(rest)
  }
  const open = calls.filter(({ groups }) => !isPlain(groups?.rest ?? '')).map(({ groups }) => groups?.event ?? '')
  expect(open.filter((event) => !PRIVATE_MESSAGES.has(event) && !BUILT_OF_CONSTANTS.has(event))).toEqual([])
})
