import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createOracle, judge } from '../../src/check/oracle.ts'
import type { TraceEntry } from '../../src/check/trace.ts'
import { GoodRun, SYMBOLS, TRADES_KEPT } from './good-run.ts'

const RUNS = Number(process.env.ORACLE_RUNS ?? 300)

const symbol = fc.constantFrom(...SYMBOLS)
const act = fc.oneof(
  { weight: 6, arbitrary: fc.tuple(fc.constant('step' as const), symbol, fc.nat(3)) },
  {
    weight: 3,
    arbitrary: fc.tuple(
      fc.constant('lose' as const),
      symbol,
      fc.constantFrom('trade' as const, 'ticker' as const, 'quote' as const, 'book' as const),
    ),
  },
  { weight: 1, arbitrary: fc.tuple(fc.constantFrom('reset' as const, 'freeze' as const, 'rotate' as const)) },
  { weight: 2, arbitrary: fc.tuple(fc.constant('connect' as const)) },
  { weight: 1, arbitrary: fc.tuple(fc.constantFrom('kill' as const, 'power' as const, 'stop' as const)) },
  { weight: 1, arbitrary: fc.tuple(fc.constant('wait' as const), fc.nat(300_000)) },
  { weight: 1, arbitrary: fc.tuple(fc.constant('burst' as const), symbol, fc.constantFrom(10, 80)) },
)
type Act = typeof act extends fc.Arbitrary<infer Value> ? Value : never

function perform(run: GoodRun, [kind, ...args]: Act): void {
  const [first, second] = args as [never, never]
  switch (kind) {
    case 'step':
      return void run.step(first, 'none', second)
    case 'lose':
      return void run.step(first, second)
    case 'burst':
      // Trades are lost, some of them more than the venue keeps.
      return void run.step(first, 'trade', second)
    case 'wait':
      return void run.wait(first)
    case 'connect':
      return void (run.isConnected || run.connect())
    case 'reset':
    case 'freeze':
    case 'rotate':
      return void run[kind]()
    case 'kill':
    case 'power':
      return void run.restart('killed', kind === 'power')
    case 'stop':
      return void run.restart('stopped')
  }
}

test('a run that keeps every promise is never blamed', () => {
  fc.assert(
    fc.property(fc.array(act, { maxLength: 40 }), (acts) => {
      const run = new GoodRun().steps(2)
      for (const each of acts) perform(run, each)
      expect(judge(run.end(), { tradesKept: TRADES_KEPT })).toEqual([])
    }),
    { numRuns: RUNS },
  )
})

test('in any run, a gap that is never told is found', () => {
  fc.assert(
    fc.property(fc.array(act, { minLength: 3, maxLength: 30 }), fc.nat(), (acts, choice) => {
      const run = new GoodRun().steps(2)
      for (const each of acts) perform(run, each)
      const trace = run.end()
      const ids = [...new Set(trace.flatMap(demanded))]
      if (ids.length === 0) return
      const left = trace.filter(
        (each) => each.kind !== 'event' || each.event.type !== 'gap' || each.event.gap_id !== ids[choice % ids.length],
      )
      expect(judge(left, { tradesKept: TRADES_KEPT })).not.toEqual([])
    }),
    { numRuns: RUNS },
  )
})

/** Ids of gaps in which something was missed, or that the end of the process demands. */
function demanded(entry: TraceEntry): string[] {
  if (entry.kind !== 'event' || entry.event.type !== 'gap') return []
  const { channel, cause, state, lost, gap_id } = entry.event
  const isOfProcess = cause === 'process_down' || cause === 'shutdown'
  return state !== 'open' && (channel !== 'trade' || isOfProcess || lost !== 0) ? [gap_id] : []
}

test('the figures tell what the run was like', () => {
  const oracle = createOracle()
  const run = new GoodRun().steps(3).reset().connect().steps(1).step('BTCUSDT', 'trade').steps(1).restart('killed')
  for (const entry of run.end()) oracle.add(entry)
  expect(oracle.finish()).toEqual([])
  const figures = oracle.figures()
  expect(figures.faults).toEqual({ reset: 1, drop: 1 })
  expect(figures.gaps).toMatchObject({
    disconnect: { closed: 8 },
    sequence_gap: { healed: 1 },
    process_down: { closed: 8 },
  })
  expect(figures).toMatchObject({ lost: 1, healed: 1, violations: 0 })
  expect(figures.detectionMs.disconnect).toMatchObject({ count: 8, max: 0 })
  expect(figures.socketsMs).toEqual({ count: 6, p50: 500, p99: 500, max: 500 })
  expect(figures.booksMs).toEqual({ count: 2, p50: 500, p99: 500, max: 500 })
})
