import { expect, test } from 'vitest'
import { createOracle } from '../../src/check/oracle.ts'
import { runSeed } from '../../src/check/run.ts'
import type { TraceEntry } from '../../src/check/trace.ts'

test('a client that can read nothing ends the connection, and what comes late is no data', async () => {
  const oracle = createOracle()
  const closed: number[] = []
  const add = (entry: TraceEntry) =>
    void (entry.kind === 'connection' && entry.state === 'closed' && closed.push(entry.atUs))
  const plan = [{ atMs: 5_000, kind: 'late-frames', venue: 'okx' }]
  await runSeed(1, { plan, faultsEndMs: 15_000, sinks: [oracle, { add }] })
  expect(closed.length).toBeGreaterThan(0)
  expect(oracle.finish()).toEqual([])
})
