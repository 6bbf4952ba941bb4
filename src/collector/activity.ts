/** What passed through the collector in the last minutes, a row for each few seconds. Bounded. */

import type { ActivityView, LatencyView, VenueActivity } from '../api/operations-view.ts'
import type { EpochUs } from '../model/event.ts'
import type { HistogramHandle } from '../ops/metrics.ts'
import { quantile } from '../ops/quantile.ts'

const STEP_MS = 5_000
const STEPS_MAX = 180

/** Of one venue, since the start; they only ever grow. */
export interface VenueCounters {
  readonly messages: number
  readonly events: number
  readonly exchangeLatency: HistogramHandle
  readonly storeLatency: HistogramHandle
}

interface Totals {
  readonly messages: number
  readonly events: number
  readonly exchangeLatency: Float64Array
  readonly storeLatency: Float64Array
}

interface Latency {
  readonly p50: number | undefined
  readonly p99: number | undefined
}

interface Row {
  readonly messagesPerSecond: number
  readonly eventsPerSecond: number
  readonly exchangeLatency: Latency
  readonly storeLatency: Latency
}

const QUIET: Row = {
  messagesPerSecond: 0,
  eventsPerSecond: 0,
  exchangeLatency: { p50: undefined, p99: undefined },
  storeLatency: { p50: undefined, p99: undefined },
}

export class Activity {
  /** The oldest first. */
  readonly #steps: { readonly endUs: EpochUs; readonly rows: ReadonlyMap<string, Row> }[] = []
  readonly #before = new Map<string, Totals>()
  #beforeMs: number | undefined

  /** Called about once a second; takes a row when a step is over. `venues`: the counters of each, as they stand. */
  sample(nowMs: number, nowUs: EpochUs, venues: Iterable<readonly [venue: string, counters: VenueCounters]>): void {
    const elapsedMs = nowMs - (this.#beforeMs ?? Number.NEGATIVE_INFINITY)
    if (elapsedMs < STEP_MS) return
    const rows = new Map<string, Row>()
    for (const [venue, counters] of venues) {
      const now = totals(counters)
      rows.set(venue, rowOf(counters, now, this.#before.get(venue), elapsedMs / 1000))
      this.#before.set(venue, now)
    }
    // The first call only says where the counters began.
    if (this.#beforeMs !== undefined) this.#steps.push({ endUs: nowUs, rows })
    if (this.#steps.length > STEPS_MAX) this.#steps.shift()
    this.#beforeMs = nowMs
  }

  view(venues: readonly { readonly id: string; readonly exchange: string }[]): ActivityView {
    return {
      stepSeconds: STEP_MS / 1000,
      timesUs: this.#steps.map(({ endUs }) => endUs),
      venues: venues.map(({ id, exchange }) => this.#venue(id, exchange)),
    }
  }

  #venue(venue: string, exchange: string): VenueActivity {
    const rows = this.#steps.map((step) => step.rows.get(venue) ?? QUIET)
    return {
      exchange,
      venue,
      messagesPerSecond: rows.map((row) => row.messagesPerSecond),
      eventsPerSecond: rows.map((row) => row.eventsPerSecond),
      exchangeLatencySeconds: columns(rows.map((row) => row.exchangeLatency)),
      storeLatencySeconds: columns(rows.map((row) => row.storeLatency)),
    }
  }
}

const columns = (rows: readonly Latency[]): LatencyView => ({
  p50: rows.map(({ p50 }) => p50),
  p99: rows.map(({ p99 }) => p99),
})

const totals = ({ messages, events, exchangeLatency, storeLatency }: VenueCounters): Totals => ({
  messages,
  events,
  exchangeLatency: exchangeLatency.counts(),
  storeLatency: storeLatency.counts(),
})

function rowOf(counters: VenueCounters, now: Totals, before: Totals | undefined, seconds: number): Row {
  const rate = (of: 'messages' | 'events'): number => (now[of] - (before?.[of] ?? 0)) / seconds
  const latency = (of: 'exchangeLatency' | 'storeLatency'): Latency => {
    const counts = now[of].map((count, index) => count - (before?.[of][index] ?? 0))
    const { bounds } = counters[of]
    return { p50: quantile(bounds, counts, 0.5), p99: quantile(bounds, counts, 0.99) }
  }
  return {
    messagesPerSecond: rate('messages'),
    eventsPerSecond: rate('events'),
    exchangeLatency: latency('exchangeLatency'),
    storeLatency: latency('storeLatency'),
  }
}
