import { expect, test } from 'vitest'
import type { Clock } from '../../src/platform/platform.ts'
import { rateLimit } from '../../src/service/rate-limit.ts'

function clockAt(): { clock: Clock; at: { ms: number } } {
  const at = { ms: 0 }
  const none = () => () => undefined
  return { clock: { nowUs: () => 0, monotonicMs: () => at.ms, after: none, every: none }, at }
}

test('each client has its own count, and each second is a new one', () => {
  const { clock, at } = clockAt()
  const may = rateLimit(2, clock)
  expect(['a', 'a', 'a', 'b', 'b', 'b'].map(may)).toEqual([true, true, false, true, true, false])
  at.ms = 999
  expect(may('a')).toBe(false)
  at.ms = 1000
  expect(may('a')).toBe(true)
})

test('clients beyond the bound share one count, so that addresses cannot fill the memory', () => {
  const { clock } = clockAt()
  const may = rateLimit(1, clock)
  for (let i = 0; i < 10_000; i++) expect(may(`client ${i}`)).toBe(true)
  expect([may('one more'), may('and another'), may('client 5')]).toEqual([true, false, false])
})
