import { EventEmitter } from 'node:events'
import { expect, test } from 'vitest'
import type { Clock } from '../../src/platform/platform.ts'
import type { Logger } from '../../src/service/ports.ts'
import { stopOnSignals } from '../../src/service/shutdown.ts'

function setUp(stop: () => Promise<void>) {
  const source = new EventEmitter()
  const exits: number[] = []
  const events: string[] = []
  const timers = new Set<() => void>()
  const clock: Pick<Clock, 'after'> = {
    after(_delayMs, action) {
      timers.add(action)
      return () => timers.delete(action)
    },
  }
  const write = (event: string) => events.push(event)
  const logger: Logger = { debug: write, info: write, warning: write, error: write }
  let stops = 0
  const end = stopOnSignals({
    source,
    clock: clock as Clock,
    logger,
    timeoutMs: 10_000,
    stop: () => {
      stops++
      return stop()
    },
    exit: (status) => exits.push(status),
  })
  return { source, exits, events, timers, end, stops: () => stops }
}

const settled = () => new Promise((resolve) => setImmediate(resolve))

test('the first signal stops in order and exits 0', async () => {
  const { source, exits, stops, timers } = setUp(async () => undefined)
  source.emit('SIGTERM')
  await settled()
  expect([stops(), exits, timers.size]).toEqual([1, [0], 0])
})

test('the second exits at once, with the status of its signal', async () => {
  const { source, exits, stops, events } = setUp(() => new Promise(() => undefined))
  source.emit('SIGTERM')
  source.emit('SIGINT')
  await settled()
  expect([stops(), exits]).toEqual([1, [130]])
  expect(events).toEqual(['stop_requested', 'stop_forced'])
})

test('stopping that hangs is ended, and said', async () => {
  const { source, exits, timers, events } = setUp(() => new Promise(() => undefined))
  source.emit('SIGTERM')
  for (const fire of timers) fire()
  expect(exits).toEqual([70])
  expect(events).toContain('stop_timed_out')
})

test('stopping that fails is said', async () => {
  const { source, exits, events } = setUp(() => Promise.reject(new Error('disk full')))
  source.emit('SIGINT')
  await settled()
  expect(exits).toEqual([70])
  expect(events).toContain('stop_failed')
})

test('afterwards signals are what they were', () => {
  const { source, end } = setUp(async () => undefined)
  end()
  expect(source.listenerCount('SIGTERM') + source.listenerCount('SIGINT')).toBe(0)
})
