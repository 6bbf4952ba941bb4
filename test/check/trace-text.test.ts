import { expect, test } from 'vitest'
import { reproduce, reproductionText } from '../../src/check/reproduce.ts'
import type { TraceEntry } from '../../src/check/trace.ts'
import { traceLine } from '../../src/check/trace-text.ts'
import { START_US } from '../../src/sim/virtual/clock.ts'

const atUs = START_US + 31_415_926

test('every entry is one line with its time', () => {
  const stream = { venue: 'okx', channel: 'book', symbol: 'BTC-USDT' } as const
  const entries: TraceEntry[] = [
    { kind: 'frame', atUs, ...stream, connection: 3, fate: 'lost' },
    { kind: 'fault', atUs, fault: 'frame-lost', ...stream },
    { kind: 'process', atUs, state: 'killed', isPowerLoss: true },
    {
      kind: 'checkpoint',
      atUs,
      venue: 'okx',
      symbol: 'BTC-USDT',
      truth: { bids: [['1', '2']], asks: [] },
      served: { state: 'stale', bids: [], asks: [] },
    },
  ]
  expect(entries.map(traceLine)).toEqual([
    '00:00:31.415926 frame       okx book BTC-USDT #3 lost',
    '00:00:31.415926 fault       fault=frame-lost venue=okx channel=book symbol=BTC-USDT',
    '00:00:31.415926 process     state=killed isPowerLoss=true',
    '00:00:31.415926 checkpoint  okx BTC-USDT served stale, 0 bids, best bid nothing, in truth 1x2',
  ])
})

test('a seed that breaks nothing says so', async () => {
  const outcome = await reproduce(5, { plan: [] })
  expect(outcome.violations).toEqual([])
  expect(reproductionText(5, outcome)).toMatch(/^seed 5: hash [0-9a-f]{16}, \d+ events .*\nno promise was broken$/)
})
