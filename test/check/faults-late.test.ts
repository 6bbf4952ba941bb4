import { expect, test } from 'vitest'
import { createOracle } from '../../src/check/oracle.ts'
import { runSeed } from '../../src/check/run.ts'
import type { TraceEntry } from '../../src/check/trace.ts'
import { START_US } from '../../src/sim/virtual/clock.ts'

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

test('of a disk that failed the judges hear again when nobody has time to find out that it is well', async () => {
  const heard: (TraceEntry & { kind: 'fault' })[] = []
  const plan = [
    { atMs: 5_000, kind: 'sync-fails', args: { ms: 3_000 } },
    { atMs: 10_000, kind: 'process-stalled', args: { ms: 60_000, timers: 'false' } },
  ]
  const oracle = createOracle()
  const add = (entry: TraceEntry) => void (entry.kind === 'fault' && heard.push(entry))
  await runSeed(1, { plan, sinks: [oracle, { add }] })
  expect(heard.map(({ fault }) => fault)).toEqual(['sync-fails', 'sync-fails', 'process-stalled'])
  expect(heard[1]?.untilUs).toBe(heard[2]?.untilUs)
  expect(oracle.figures().faults).toEqual({ 'sync-fails': 1, 'process-stalled': 1 })
})

test.each(['process-stalled', 'disk-full'])(
  'of %s the judges hear again when the clock jumps meanwhile',
  async (kind) => {
    const heard: (TraceEntry & { kind: 'fault' })[] = []
    const plan = [
      { atMs: 5_000, kind, args: { ms: 10_000, timers: 'false' } },
      { atMs: 9_000, kind: 'wall-clock-jumps', args: { ms: 3_600_000 } },
    ]
    const add = (entry: TraceEntry) => void (entry.kind === 'fault' && heard.push(entry))
    await runSeed(1, { plan, sinks: [{ add }] })
    const [first, jump, again] = heard
    expect(heard.map(({ fault }) => fault)).toEqual([kind, 'wall-clock-jumps', kind])
    expect(again?.atUs).toBe(jump?.untilUs)
    expect(again?.untilUs).toBe((first?.untilUs ?? 0) + 3_600_000_000)
  },
)

test.each([
  [30_000, 'frozen'],
  [1_000, 'thawed'],
])('a connection that goes deaf for %i ms is first heard to the end of a pause', async (ms, last) => {
  const oracle = createOracle()
  const states: string[] = []
  let frozenUs = 0
  const add = (entry: TraceEntry) => {
    if (entry.kind !== 'connection' || entry.isDeaf !== true) return
    states.push(entry.state)
    if (entry.state === 'frozen') frozenUs = entry.atUs - START_US
  }
  const plan = [
    { atMs: 5_000, kind: 'network-pause', venue: 'deribit', args: { nth: 0, ms: 9_000 } },
    { atMs: 7_000, kind: 'socket-deaf', venue: 'deribit', args: { nth: 0, ms } },
  ]
  await runSeed(1, { plan, faultsEndMs: 15_000, sinks: [oracle, { add }] })
  expect(states.at(-1)).toBe(last)
  expect(frozenUs).toBe(last === 'frozen' ? 14_000_000 : 0)
  expect(oracle.finish()).toEqual([])
})

test('a forged book is not compared at the end when the venue has forbidden to ask for its own', async () => {
  const plan = [
    { atMs: 4_000, kind: 'rest-limited-absurdly', venue: 'deribit', symbol: 'BTC-PERPETUAL', args: {} },
    { atMs: 9_000, kind: 'book-ghost', venue: 'deribit', symbol: 'BTC-PERPETUAL', channel: 'book' },
  ] as const
  const compared = async (faults: readonly (typeof plan)[number][]) => {
    const seen: string[] = []
    const oracle = createOracle()
    const add = (entry: TraceEntry) => void (entry.kind === 'checkpoint' && seen.push(`${entry.venue} ${entry.symbol}`))
    await runSeed(22_951, { plan: faults, faultsEndMs: 15_000, sinks: [oracle, { add }] })
    expect(oracle.finish()).toEqual([])
    return seen.includes('deribit BTC-PERPETUAL')
  }
  expect(await compared(plan)).toBe(false)
  expect(await compared(plan.slice(1))).toBe(true)
})
