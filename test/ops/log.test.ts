import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { createLogger, type LogFields, type LogOptions } from '../../src/ops/log.ts'
import { fakeClock } from './fake-clock.ts'

const settings: LogOptions['log'] = { level: 'DEBUG', format: 'auto', file_bytes_max: 1e6, file_count_max: 5 }

/** A logger and what it wrote. */
function recorder(log: Partial<LogOptions['log']> = {}, isTTY = false) {
  const written: string[] = []
  let breakPipe: (error: Error) => void = () => {}
  const output = {
    isTTY,
    write: (text: string) => written.push(text),
    on: (_: 'error', listener: (error: Error) => void) => {
      breakPipe = listener
    },
  }
  const options = { service: 'data-collector', environment: 'staging', clock: fakeClock(), output }
  const logger = createLogger({ ...options, log: { ...settings, ...log } })
  return {
    logger,
    written,
    lines: () => written.map((line) => JSON.parse(line)),
    breakPipe: () => breakPipe(new Error('EPIPE')),
  }
}

/** The fields of one line that logs `fields`. */
function logged(fields: LogFields): Record<string, unknown> {
  const { logger, lines } = recorder()
  logger.info('thing_happened', 'A thing.', fields)
  return lines()[0]
}

test('one line of JSON for each call, with the levels and the time of the API', () => {
  const { logger, written, lines } = recorder()
  logger.debug('frame_decoded', 'One.')
  logger.info('feed_connected', 'Two.', { venue: 'okx', channel: 'book' })
  logger.child({ venue: 'deribit' }).warning('book_resynced', 'Three.', { reason: 'sequence_gap' })
  logger.error('request_failed', 'Four.')
  const common = { service: 'data-collector', environment: 'staging', time: '2025-06-29T04:07:49.066285+00:00' }
  expect(lines()).toEqual([
    { ...common, level: 'DEBUG', event: 'frame_decoded', message: 'One.' },
    { ...common, level: 'INFO', event: 'feed_connected', message: 'Two.', venue: 'okx', channel: 'book' },
    {
      ...common,
      level: 'WARNING',
      event: 'book_resynced',
      message: 'Three.',
      venue: 'deribit',
      reason: 'sequence_gap',
    },
    { ...common, level: 'ERROR', event: 'request_failed', message: 'Four.' },
  ])
  for (const line of written) expect(line).toMatch(/^[^\n]*\n$/)
})

test('levels below the configured one are not written', () => {
  const { logger, lines } = recorder({ level: 'WARNING' })
  logger.debug('a', '')
  logger.info('a', '')
  logger.child({}).info('a', '')
  logger.warning('a', '')
  logger.error('a', '')
  expect(lines().map(({ level }) => level)).toEqual(['WARNING', 'ERROR'])
})

test('no secret is written, whatever its place', () => {
  const { logger, written } = recorder()
  const secret = 'S3CRET'
  logger.error('nats_failed', `cannot reach nats://user:${secret}@host:4222/x or wss://${secret}@${secret}@b`, {
    api_token: secret,
    Authorization: secret,
    deep: { list: [{ clientSecret: secret }], password: secret },
    url: `nats://${secret}:${secret}@host`,
    error: new Error(`connect wss://a:${secret}@host`),
    error_cause: new Error('outer', { cause: new Error(`tls://a:${secret}@host`) }),
  })
  logger.child({ token: secret }).info('a', 'b')
  expect(written.join('')).not.toContain(secret)
  expect(written[0]).toContain('nats://***@host:4222/x')
})

test('what is logged is bounded', () => {
  const circle: Record<string, unknown> = {}
  circle.self = circle
  const line = logged({
    text: 'x'.repeat(10_000_000),
    list: Array.from({ length: 1000 }, (_, index) => index),
    object: Object.fromEntries(Array.from({ length: 1000 }, (_, index) => [`k${index}`, index])),
    circle,
    event: 'mine',
    big: 10n,
    nan: Number.NaN,
    nothing: null,
    absent: undefined,
  })
  expect(String(line.text)).toHaveLength(513)
  expect(line.list).toHaveLength(33)
  expect(Object.keys(line.object as object)).toHaveLength(32)
  expect(line).toMatchObject({ event: 'thing_happened', event_: 'mine', big: '10', nan: 'NaN', nothing: null })
  expect(line).not.toHaveProperty('absent')
  expect(JSON.stringify(line).length).toBeLessThan(5000)
})

test('no character can steer a terminal or break a line, and none is lost', () => {
  const nasty = 'a\u001b[31m\r\nb\u0000\u007f\u009b\u2028\u202e\ufeffc'
  const json = recorder()
  json.logger.info('a', nasty, { text: nasty, [nasty]: 1 })
  expect(json.written[0]).toMatch(/^[\u0020-\u007e]*\n$/)
  expect(json.lines()[0]).toMatchObject({ message: nasty, text: nasty, [nasty]: 1 })
  const pretty = recorder({ format: 'pretty' })
  pretty.logger.info('a', nasty, { text: nasty, [nasty]: { deep: nasty } })
  expect(pretty.written[0]).toMatch(/^[\u0020-\u007e]*\n$/)
})

test('a terminal gets text, with colour only there; LOG_FORMAT decides otherwise', () => {
  const line = '04:07:49.066285 INFO    feed_connected           It is connected. venue=okx note="two words"\n'
  const write = (format: 'auto' | 'json' | 'pretty', isTTY: boolean): string => {
    const { logger, written } = recorder({ format }, isTTY)
    logger.info('feed_connected', 'It is connected.', { venue: 'okx', note: 'two words' })
    return written.join('')
  }
  expect(write('pretty', false)).toBe(line)
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the colours are control characters
  expect(write('auto', true).replace(/\u001b\[\d+m/g, '')).toBe(line)
  expect(write('auto', true)).toContain('\u001b[36mINFO')
  expect(JSON.parse(write('auto', false))).toMatchObject({ event: 'feed_connected' })
  expect(JSON.parse(write('json', true))).toMatchObject({ event: 'feed_connected' })
})

test('the file gets every line as JSON, and goes on when the pipe breaks', () => {
  const folder = mkdtempSync(join(tmpdir(), 'marketprism-log-'))
  const file = join(folder, 'deep', 'collector.log')
  const { logger, written, breakPipe } = recorder({ file, format: 'pretty' })
  logger.info('a', 'before')
  breakPipe()
  logger.info('a', 'after')
  expect(written).toHaveLength(1)
  const messages = readFileSync(file, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line).message)
  expect(messages).toEqual(['before', 'after'])
  rmSync(folder, { recursive: true })
})

test('a reader that goes away does not end the process', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'marketprism-pipe-'))
  const server = createServer((reader) => reader.destroy()).listen(join(folder, 'pipe'))
  await once(server, 'listening')
  const output = connect(join(folder, 'pipe'))
  const log = createLogger({ service: 's', environment: 'e', clock: fakeClock(), output, log: settings })
  // Nobody but the logger listens for errors here: if it did not, the first line would end the process.
  await once(output.resume(), 'end')
  log.info('a', 'into the void')
  await new Promise<void>((resolve) => output.on('close', () => resolve()))
  log.info('a', 'and on')
  expect(output.errored).toMatchObject({ code: 'EPIPE' })
  server.close()
  rmSync(folder, { recursive: true })
})
