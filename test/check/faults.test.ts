import { describe, expect, test } from 'vitest'
import { FAULT_KINDS } from '../../src/check/faults/index.ts'
import type { PlannedFault } from '../../src/check/plan.ts'
import { runSeed } from '../../src/check/run.ts'
import { usualScenario } from '../../src/check/scenario.ts'
import type { TraceEntry } from '../../src/check/trace.ts'
import { seededRandom } from '../../src/platform/random.ts'

const kinds = Object.entries(FAULT_KINDS)

test('there are many kinds, each with a description', () => {
  expect(kinds.length).toBeGreaterThanOrEqual(60)
  const abouts = kinds.map(([, { about }]) => about)
  expect(new Set(abouts).size).toBe(kinds.length)
})

/** A few strikes of one kind, some seconds apart. */
function planOf(kind: string): PlannedFault[] {
  const { target, venues, channels, draw } = FAULT_KINDS[kind] as (typeof FAULT_KINDS)[string]
  const random = seededRandom(1)
  return usualScenario().venues.flatMap(({ id, instruments }, index) => {
    if (venues !== undefined && !venues.includes(id)) return []
    const symbol = instruments[0]?.symbol ?? ''
    const channel = channels?.[0] ?? 'book'
    return {
      atMs: 2_000 + index * 3_000,
      kind,
      ...(target !== 'machine' && { venue: id }),
      ...((target === 'stream' || target === 'symbol') && { symbol }),
      ...(target === 'stream' && { channel }),
      ...(draw && { args: draw(random) }),
    }
  })
}

describe.each(kinds.map(([kind]) => kind))('%s', (kind) => {
  test('strikes, and the collector survives it', async () => {
    const struck: TraceEntry[] = []
    const sink = { add: (entry: TraceEntry) => void (entry.kind === 'fault' && struck.push(entry)) }
    // Answers are only met by faults when there is something to answer.
    const resets = kind.startsWith('answer') ? [{ atMs: 12_000, kind: 'all-sockets-reset' }] : []
    const options = { plan: [...planOf(kind), ...resets], faultsEndMs: 20_000, recoveryMsMax: 20_000, sinks: [sink] }
    const { faults, crash } = await runSeed(1, options)
    expect(crash).toBeUndefined()
    expect(faults[kind]).toBeGreaterThan(0)
  })
})
