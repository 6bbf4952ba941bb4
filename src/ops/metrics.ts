/** Metrics as plain fields that the hot path changes, read by prom-client when someone asks. */

import { Counter, Gauge, Histogram, Registry } from 'prom-client'
import { HistogramSeries } from './histogram.ts'
import { LabelBounds, type Labels } from './label-bounds.ts'
import { type KeyOf, type LabelsOf, METRICS, type MetricKey } from './metrics-catalogue.ts'

/** A counter only ever grows: `handle.value += 1`. */
export interface ValueHandle {
  value: number
}

/** Seconds. */
export interface HistogramHandle {
  observe(seconds: number): void
  /** Upper bounds of the buckets; beyond the last there is one more. */
  readonly bounds: ArrayLike<number>
  /** Observations in each bucket so far: a copy. */
  counts(): Float64Array
}

export interface ComputedValue<K extends MetricKey> {
  readonly labels: LabelsOf<K>
  readonly value: number
}

/** Handles are made once for each set of labels and kept by the caller; asking again yields the same one. */
export interface Metrics {
  counter<K extends KeyOf<'counter'>>(key: K, labels: LabelsOf<K>): ValueHandle
  gauge<K extends KeyOf<'gauge'>>(key: K, labels: LabelsOf<K>): ValueHandle
  histogram<K extends KeyOf<'histogram'>>(key: K, labels: LabelsOf<K>): HistogramHandle
  /** Values that `read` yields whenever someone asks, instead of handles. Replaces an earlier `read`. */
  computed<K extends KeyOf<'counter' | 'gauge'>>(key: K, read: () => Iterable<ComputedValue<K>>): void
  /** Prometheus text format. */
  text(): Promise<string>
  readonly contentType: string
}

interface ValueSeries extends ValueHandle {
  readonly labels: Labels
}

export interface MetricsOptions {
  /** Ids of the venues: the values that the label `venue` may have. */
  readonly venues: readonly string[]
  /** On every series. */
  readonly constLabels: Readonly<Record<string, string>>
}

export function createMetrics({ venues, constLabels }: MetricsOptions): Metrics {
  const registry = new Registry()
  registry.setDefaultLabels({ ...constLabels })
  const values = new Map<MetricKey, Map<string, ValueSeries>>()
  const histograms = new Map<MetricKey, Map<string, HistogramSeries>>()
  const computed = new Map<MetricKey, () => Iterable<{ readonly labels: Labels; readonly value: number }>>()

  const handleOf = (key: MetricKey, labels: Labels): ValueHandle => {
    const bounded = bounds.bound(key, labels)
    return entry(entry(values, key, newMap<ValueSeries>), bounded.id, () => ({ labels: bounded.labels, value: 0 }))
  }
  const bounds = new LabelBounds(venues, (key) => {
    handleOf('labelsOverflowed', { metric: METRICS[key].name }).value++
  })
  const histogramOf = (key: KeyOf<'histogram'>, labels: Labels): HistogramHandle => {
    const bounded = bounds.bound(key, labels)
    const clamped = handleOf('observationsClamped', { metric: METRICS[key].name })
    const make = () => new HistogramSeries(METRICS[key].buckets, bounded.labels, clamped)
    return entry(entry(histograms, key, newMap<HistogramSeries>), bounded.id, make)
  }
  /** The series of one metric now; a value that cannot be read is left out and counted. */
  const series = (key: MetricKey): readonly ValueSeries[] => {
    const all = new Map(values.get(key))
    try {
      for (const { labels, value } of computed.get(key)?.() ?? []) {
        const bounded = bounds.bound(key, labels)
        // Several values can fall on `other`; their sum is what they are together.
        all.set(bounded.id, { labels: bounded.labels, value: value + (all.get(bounded.id)?.value ?? 0) })
      }
    } catch {
      handleOf('readsFailed', { metric: METRICS[key].name }).value++
    }
    return [...all.values()].filter(({ value }) => Number.isFinite(value))
  }
  for (const key of Object.keys(METRICS) as MetricKey[]) {
    register(
      registry,
      key,
      () => series(key),
      () => [...(histograms.get(key)?.values() ?? [])],
    )
  }
  return {
    counter: handleOf,
    gauge: handleOf,
    histogram: histogramOf,
    computed: (key, read) => {
      computed.set(key, read as () => Iterable<{ labels: Labels; value: number }>)
    },
    text: () => registry.metrics(),
    contentType: registry.contentType,
  }
}

/** Makes prom-client ask us at every scrape. */
function register(
  registry: Registry,
  key: MetricKey,
  values: () => readonly ValueSeries[],
  histograms: () => readonly HistogramSeries[],
): void {
  const metric = METRICS[key]
  const common = { name: metric.name, help: metric.help, labelNames: [...metric.labels], registers: [registry] }
  switch (metric.kind) {
    case 'counter':
      new Counter({
        ...common,
        collect() {
          this.reset()
          for (const { labels, value } of values()) this.inc(labels, Math.max(0, value))
        },
      })
      break
    case 'gauge':
      new Gauge({
        ...common,
        collect() {
          this.reset()
          // Without labels, `reset` leaves a 0 behind: a value that nobody measured.
          if (metric.labels.length === 0) this.remove({})
          for (const { labels, value } of values()) this.set(labels, value)
        },
      })
      break
    case 'histogram': {
      const shell = new Histogram({ ...common, buckets: [...metric.buckets] })
      const get = async () => ({
        name: metric.name,
        help: metric.help,
        type: 'histogram',
        values: histograms().flatMap((series) => series.values(metric.name)),
        aggregator: 'sum',
      })
      // Its own storage costs 150 ns an observation; ours is arrays, so the shell only passes them on.
      Object.assign(shell, { get, getForPromString: get })
    }
  }
}

const newMap = <Value>(): Map<string, Value> => new Map()

function entry<Key, Value>(map: Map<Key, Value>, key: Key, make: () => Value): Value {
  let value = map.get(key)
  if (value === undefined) {
    value = make()
    map.set(key, value)
  }
  return value
}
