import { describe, expect, test, vi } from 'vitest'
import { drawPlan, type PlannedFault } from '../../src/check/plan.ts'
import { runSeed } from '../../src/check/run.ts'
import { usualScenario } from '../../src/check/scenario.ts'
import { shrink } from '../../src/check/shrink.ts'
import type { TraceEntry } from '../../src/check/trace.ts'
import { judgeSeed } from '../../src/check/verdict.ts'

/** Short, so that twenty of them are no long wait. */
const SHORT = { faultsEndMs: 12_000 }
const SPAN = { startMs: 300, endMs: 60_000 }

test('the same seed yields the same run, another seed another one', async () => {
  const hashes = new Set<string>()
  for (let seed = 1; seed <= 20; seed++) {
    const first = await runSeed(seed, SHORT)
    const again = await runSeed(seed, SHORT)
    expect(again.hash, `seed ${seed}`).toBe(first.hash)
    expect(again).toEqual(first)
    hashes.add(first.hash)
  }
  expect(hashes.size).toBe(20)
}, 120_000)

test('a run reads no clock, draws no chance and sets no timer of the machine', async () => {
  const forbidden = () => {
    throw new Error('the machine was asked')
  }
  const spies = [
    vi.spyOn(Date, 'now').mockImplementation(forbidden),
    vi.spyOn(performance, 'now').mockImplementation(forbidden),
    vi.spyOn(Math, 'random').mockImplementation(forbidden),
    vi.spyOn(globalThis, 'setTimeout').mockImplementation(forbidden as never),
    vi.spyOn(globalThis, 'setInterval').mockImplementation(forbidden as never),
  ]
  try {
    const { crash, events } = await runSeed(3, SHORT)
    expect(crash).toBeUndefined()
    expect(events).toBeGreaterThan(100)
  } finally {
    for (const spy of spies) spy.mockRestore()
  }
})

test('without faults every feed is live, every book is true, and no promise is broken', async () => {
  const entries: TraceEntry[] = []
  const verdict = await judgeSeed(5, { plan: [], sinks: [{ add: (entry) => void entries.push(entry) }] })
  expect(verdict.broken).toEqual([])
  const kinds = (kind: TraceEntry['kind']) => entries.filter((entry) => entry.kind === kind)
  expect(kinds('fault')).toEqual([])
  expect(kinds('checkpoint').length).toBeGreaterThanOrEqual(20)
  expect(kinds('end')).toHaveLength(40)
  expect(entries.filter((entry) => entry.kind === 'event' && entry.event.type === 'gap')).toEqual([])
})

describe('plans', () => {
  const plan = drawPlan(9, usualScenario(), SPAN, [{ startMs: 20_000, endMs: 30_000 }])

  test('are drawn from the seed, in order, within their time, and not in quiet times', () => {
    expect(plan).toEqual(drawPlan(9, usualScenario(), SPAN, [{ startMs: 20_000, endMs: 30_000 }]))
    expect(plan).not.toEqual(drawPlan(10, usualScenario(), SPAN, []))
    const times = plan.map(({ atMs }) => atMs)
    expect(times).toEqual([...times].sort((a, b) => a - b))
    expect(times.every((atMs) => atMs >= SPAN.startMs && atMs <= SPAN.endMs)).toBe(true)
    expect(times.filter((atMs) => atMs >= 20_000 && atMs < 30_000)).toEqual([])
  })

  test('can be written down and played again', async () => {
    const options = { faultsEndMs: 12_000 }
    const drawn = await runSeed(9, options)
    const written = JSON.parse(JSON.stringify(drawn.plan)) as PlannedFault[]
    expect(written.length).toBeGreaterThan(0)
    expect((await runSeed(9, { ...options, plan: written })).hash).toBe(drawn.hash)
    expect((await runSeed(9, { ...options, plan: [] })).hash).not.toBe(drawn.hash)
  })

  test('of a fault that there is not are refused', async () => {
    await expect(runSeed(1, { ...SHORT, plan: [{ atMs: 5, kind: 'nonsense' }] })).rejects.toThrow("no fault 'nonsense'")
  })

  test('shrink to what breaks the promise', async () => {
    const long = Array.from({ length: 37 }, (_, atMs): PlannedFault => ({ atMs, kind: 'frame-lost' }))
    const needed = new Set([4, 29])
    let runs = 0
    const smallest = await shrink(long, (part) => {
      runs++
      return Promise.resolve([...needed].every((atMs) => part.some((fault) => fault.atMs === atMs)))
    })
    expect(smallest.map(({ atMs }) => atMs)).toEqual([4, 29])
    expect(runs).toBeLessThan(80)
  })
})
