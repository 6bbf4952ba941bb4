/** The sinks and the log in front of them as the API, health and metrics show them: from the same fields. */

import type { SinkView, SpoolView } from '../api/operations-view.ts'
import type { HealthCheck } from '../api/view.ts'
import type { EpochUs } from '../model/event.ts'
import type { Metrics } from '../ops/metrics.ts'
import type { Clock } from '../platform/platform.ts'
import type { DeadLetters } from '../sinks/dead-letters.ts'
import type { Pump } from '../sinks/pump.ts'
import type { Spool } from '../spool/spool.ts'

export function spoolCheck({ problem, isFull, bytes }: Spool): HealthCheck {
  if (problem !== undefined) return { status: 'fail', result: `the disk refuses the durable log: ${problem}` }
  if (isFull) return { status: 'fail', result: 'the durable log is full: new data are lost for the sinks' }
  return { status: 'pass', result: `${Math.ceil(bytes.disk / 1024 / 1024)} MiB on disk` }
}

export function pumpCheck({ problem, lag }: Pump): HealthCheck {
  if (problem === undefined)
    return { status: 'pass', result: lag === 0 ? 'has everything' : `has all but the newest ${lag} records` }
  return { status: 'warn', result: `${problem}; ${lag} records wait in the durable log` }
}

export function spoolView(spool: Spool, quotaBytes: number): SpoolView {
  const { status, result } = spoolCheck(spool)
  const { bytes, counts } = spool
  return {
    isWritable: status === 'pass',
    reason: status === 'pass' ? '' : result,
    diskBytes: bytes.disk,
    memoryBytes: bytes.memory,
    quotaBytes,
    records: counts.records,
    evicted: counts.evicted + counts.refused,
  }
}

export const sinkView = (pump: Pump, letters: DeadLetters | undefined, nowUs: EpochUs): SinkView => ({
  name: pump.name,
  isUp: pump.problem === undefined,
  reason: pump.problem ?? '',
  lagRecords: pump.lag,
  lagSeconds: lagSeconds(pump, nowUs),
  records: pump.counts.records,
  bytes: pump.counts.bytes,
  failures: pump.counts.failures,
  rollbacks: pump.counts.rollbacks,
  rejected: letters?.count ?? 0,
})

function lagSeconds({ lag, storedTimeUs }: Pump, nowUs: EpochUs): number | undefined {
  if (lag === 0) return 0
  return storedTimeUs === undefined ? undefined : Math.max(0, (nowUs - storedTimeUs) / 1e6)
}

export function exposeSinks(
  metrics: Metrics,
  pumps: () => readonly Pump[],
  letters: ReadonlyMap<string, DeadLetters>,
  clock: Clock,
): void {
  const startUs = clock.nowUs()
  const each = (read: (sink: SinkView) => number) => () =>
    pumps().map((pump) => ({
      labels: { sink: pump.name },
      value: read(sinkView(pump, letters.get(pump.name), clock.nowUs())),
    }))
  metrics.computed(
    'sinkUp',
    each(({ isUp }) => (isUp ? 1 : 0)),
  )
  metrics.computed(
    'sinkRecords',
    each(({ records }) => records),
  )
  metrics.computed(
    'sinkBytes',
    each(({ bytes }) => bytes),
  )
  metrics.computed(
    'sinkFailures',
    each(({ failures }) => failures),
  )
  metrics.computed(
    'sinkRollbacks',
    each(({ rollbacks }) => rollbacks),
  )
  metrics.computed(
    'sinkRejected',
    each(({ rejected }) => rejected),
  )
  metrics.computed('sinkCounts', () =>
    pumps().flatMap((pump) =>
      Object.entries(pump.sinkCounts).map(([what, value]) => ({ labels: { sink: pump.name, what }, value })),
    ),
  )
  metrics.computed(
    'sinkLag',
    each(({ lagRecords }) => lagRecords),
  )
  metrics.computed(
    'sinkLagSeconds',
    // A store that was never there lags as well.
    each((sink) => sink.lagSeconds ?? (clock.nowUs() - startUs) / 1e6),
  )
}
