import { expect, test } from 'vitest'
import { createOracle } from '../../src/check/oracle.ts'
import { runSeed } from '../../src/check/run.ts'
import type { TraceEntry } from '../../src/check/trace.ts'

const kind = 'rest-banned-killed'

test('the next process knows of the ban that the killed one was told', async () => {
  const oracle = createOracle()
  const entries: TraceEntry[] = []
  const plan = [{ atMs: 5_000, kind, venue: 'binance', symbol: 'BTCUSDT', args: { seconds: 20 } }]
  await runSeed(1, {
    plan,
    faultsEndMs: 15_000,
    recoveryMsMax: 60_000,
    sinks: [oracle, { add: (entry) => void entries.push(entry) }],
  })
  const killed = entries.findIndex((entry) => entry.kind === 'process' && entry.state === 'killed')
  const told = entries.findIndex((entry) => entry.kind === 'fault' && entry.fault === kind)
  expect(told).toBeGreaterThan(0)
  expect(killed).toBeGreaterThan(told)
  expect(oracle.finish().filter(({ promise }) => promise === 'venue_rule_broken')).toEqual([])
})
