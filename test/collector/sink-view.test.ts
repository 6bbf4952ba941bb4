import { expect, test } from 'vitest'
import { exposeSinks } from '../../src/collector/sink-view.ts'
import { createMetrics } from '../../src/ops/metrics.ts'
import type { Pump } from '../../src/sinks/pump.ts'
import { fakeClock } from '../ops/fake-clock.ts'

test('a sink lags by the age of its newest data, and one that has none yet by the time since the start', async () => {
  const metrics = createMetrics({ venues: [], constLabels: {} })
  const clock = fakeClock()
  const counts = { records: 0, bytes: 0, batches: 0, failures: 0, rollbacks: 0 }
  const pump = { name: 'nats', problem: undefined, counts, sinkCounts: {} }
  const state: { lag: number; storedTimeUs: number | undefined } = { lag: 7, storedTimeUs: undefined }
  exposeSinks(metrics, () => [Object.assign(state, pump) as unknown as Pump], new Map(), clock)
  const lag = async () => /^marketprism_sink_lag_seconds\{.*\} (.*)$/m.exec(await metrics.text())?.[1]

  clock.advance(90_000)
  expect(await lag()).toBe('90')
  state.storedTimeUs = clock.nowUs() - 2_500_000
  expect(await lag()).toBe('2.5')
  state.lag = 0
  expect(await lag()).toBe('0')
})
