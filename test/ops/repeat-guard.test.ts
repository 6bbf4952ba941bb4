import { expect, test } from 'vitest'
import type { Logger } from '../../src/ops/log.ts'
import { createRepeatGuard } from '../../src/ops/repeat-guard.ts'
import { fakeClock } from './fake-clock.ts'

function setUp() {
  const lines: string[] = []
  const note =
    (level: string) =>
    (event: string, message: string, fields: object = {}) =>
      void lines.push([level, event, message, JSON.stringify(fields)].join(' '))
  const logger: Logger = {
    debug: note('DEBUG'),
    info: note('INFO'),
    warning: note('WARNING'),
    error: note('ERROR'),
    child: () => logger,
  }
  const clock = fakeClock()
  const take = () => lines.splice(0)
  return { clock, take, guard: createRepeatGuard({ logger, clock }) }
}

test('an error is logged once, then counted, with one summary a minute', () => {
  const { clock, take, guard } = setUp()
  for (let second = 0; second < 150; second++) {
    guard.error('connect_failed', 'okx', 'Cannot connect.', { venue: 'okx' })
    clock.advance(1000)
  }
  expect(take()).toEqual([
    'ERROR connect_failed Cannot connect. {"venue":"okx"}',
    'ERROR connect_failed Cannot connect. (repeated 59 times) {"venue":"okx","repeats":59}',
    'ERROR connect_failed Cannot connect. (repeated 60 times) {"venue":"okx","repeats":60}',
  ])
  guard.stop()
  expect(take()).toEqual(['ERROR connect_failed Cannot connect. (repeated 30 times) {"venue":"okx","repeats":30}'])
  clock.advance(600_000)
  expect(take()).toEqual([])
})

test('a summary says what the newest one said', () => {
  const { take, guard } = setUp()
  for (const attempt of [1, 2]) guard.warning('connect_failed', 'okx', `Attempt ${attempt}.`, { attempt })
  guard.stop()
  expect(take()).toEqual([
    'WARNING connect_failed Attempt 1. {"attempt":1}',
    'WARNING connect_failed Attempt 2. (repeated once) {"attempt":2,"repeats":1}',
  ])
})

test('different keys and levels are told apart; one that fell silent is news again', () => {
  const { clock, take, guard } = setUp()
  guard.error('connect_failed', 'okx', 'A')
  guard.warning('connect_failed', 'deribit', 'B')
  guard.warning('request_failed', 'okx', 'C')
  expect(take()).toHaveLength(3)
  clock.advance(60_000)
  guard.error('connect_failed', 'okx', 'A')
  expect(take()).toEqual(['ERROR connect_failed A {}'])
})

test('however many keys there are, lines and memory stay bounded', () => {
  const { take, guard } = setUp()
  for (let key = 0; key < 100_000; key++) guard.error('frame_refused', `key ${key}`, 'Refused.')
  expect(take()).toHaveLength(1001)
  guard.stop()
  expect(take()).toEqual(['ERROR frame_refused Refused. (repeated 98999 times) {"repeats":98999}'])
})
