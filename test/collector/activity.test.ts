import { expect, test } from 'vitest'
import { Activity, type VenueCounters } from '../../src/collector/activity.ts'
import { HistogramSeries } from '../../src/ops/histogram.ts'

const START_US = 1_000_000_000
const VENUES = [
  { id: 'alpha', exchange: 'alpha' },
  { id: 'beta', exchange: 'beta' },
]

/** Counters of one venue that a test moves. */
function counters() {
  const exchangeLatency = new HistogramSeries([1, 2], {}, { value: 0 })
  const storeLatency = new HistogramSeries([1, 2], {}, { value: 0 })
  return { messages: 0, events: 0, exchangeLatency, storeLatency } satisfies VenueCounters
}

function rig() {
  const activity = new Activity()
  const alpha = counters()
  let seconds = 0
  const second = (): void => {
    activity.sample(seconds * 1000, START_US + seconds * 1e6, [['alpha', alpha]])
    seconds++
  }
  second()
  return { activity, alpha, second }
}

test('rates and latencies of each step, from what was counted in it alone', () => {
  const { activity, alpha, second } = rig()
  Object.assign(alpha, { messages: 50, events: 100 })
  for (let i = 0; i < 10; i++) alpha.exchangeLatency.observe(1.5)
  for (let i = 0; i < 5; i++) second()
  Object.assign(alpha, { messages: 55 })
  alpha.exchangeLatency.observe(0.5)
  for (let i = 0; i < 5; i++) second()
  const { stepSeconds, timesUs, venues } = activity.view(VENUES)
  expect(stepSeconds).toBe(5)
  expect(timesUs).toEqual([START_US + 5e6, START_US + 10e6])
  expect(venues[0]).toMatchObject({
    venue: 'alpha',
    messagesPerSecond: [10, 1],
    eventsPerSecond: [20, 0],
    exchangeLatencySeconds: { p50: [1.5, 0.5], p99: [1.99, 0.99] },
    storeLatencySeconds: { p50: [undefined, undefined] },
  })
  expect(venues[1]).toMatchObject({ venue: 'beta', messagesPerSecond: [0, 0] })
})

test('a quarter of an hour is kept', () => {
  const { activity, second } = rig()
  for (let i = 0; i < 2_000; i++) second()
  const { timesUs } = activity.view(VENUES)
  expect(timesUs).toHaveLength(180)
  expect((timesUs.at(-1) ?? 0) - (timesUs[0] ?? 0)).toBe(179 * 5e6)
})
