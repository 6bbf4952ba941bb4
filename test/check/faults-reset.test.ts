import { expect, test } from 'vitest'
import { createOracle } from '../../src/check/oracle.ts'
import { runSeed } from '../../src/check/run.ts'
import type { TraceEntry } from '../../src/check/trace.ts'

const aim = { venue: 'okx', symbol: 'BTC-USDT' }

test.each([true, false])('the message that starts a numbering anew is lost: %s', async (lost) => {
  const oracle = createOracle()
  const faults: string[] = []
  const add = (entry: TraceEntry) => void (entry.kind === 'fault' && faults.push(entry.fault))
  const plan = [{ atMs: 5_000, kind: 'sequence-reset', ...aim, args: { lost } }]
  await runSeed(1, { plan, faultsEndMs: 10_000, sinks: [oracle, { add }] })
  expect(faults).toEqual(lost ? ['sequence-reset', 'frame-lost'] : ['sequence-reset'])
  expect(oracle.finish()).toEqual([])
})
