/** What the collector counts, once: the API's totals and the metrics are read from the same fields. */

import type { RestOutcome } from '../feed/rest-client.ts'
import { idsLacking, isWhole } from '../ledger/completeness.ts'
import { revisionOf } from '../ledger/records.ts'
import type { EpochUs, EventType, Gap, MarketEvent } from '../model/event.ts'
import type { ErrorStage } from '../ops/metric-labels.ts'
import type { HistogramHandle, Metrics, ValueHandle } from '../ops/metrics.ts'
import type { Clock } from '../platform/platform.ts'
import { Activity, type VenueCounters } from './activity.ts'

const SAMPLE_MS = 1_000
const RATE_WINDOW_MS = 60_000

interface VenueHandles {
  readonly frames: ValueHandle
  readonly bytes: ValueHandle
  readonly decode: HistogramHandle
  readonly exchangeLatency: HistogramHandle
  readonly storeLatency: HistogramHandle
  readonly events: Map<EventType, ValueHandle>
}

export class Stats {
  readonly #metrics: Metrics
  readonly #clock: Clock
  readonly #venues = new Map<string, VenueHandles>()
  readonly #startMs: number
  /** Totals of the last minute, one a second, oldest first. */
  readonly #samples: { readonly atMs: number; readonly total: number }[] = []
  readonly #stopSampling: () => void
  readonly activity = new Activity()
  websocketMessages = 0
  restRequests = 0
  errors = 0
  totalCollections = 0
  lastCollectionUs: EpochUs | undefined

  constructor(metrics: Metrics, clock: Clock) {
    this.#metrics = metrics
    this.#clock = clock
    this.#startMs = clock.monotonicMs()
    this.#sample()
    this.#stopSampling = clock.every(SAMPLE_MS, () => this.#sample())
  }

  frame(venue: string, bytes: number, decodeMs: number): void {
    const handles = this.#of(venue)
    this.websocketMessages++
    handles.frames.value++
    handles.bytes.value += bytes
    handles.decode.observe(decodeMs / 1000)
  }

  /** An event was collected; `storedUs`: when it was in the store. */
  event(event: MarketEvent, receiveTimeUs: EpochUs, storedUs: EpochUs): void {
    const handles = this.#of(event.venue)
    let count = handles.events.get(event.type)
    if (count === undefined) {
      count = this.#metrics.counter('eventsCollected', { venue: event.venue, type: event.type })
      handles.events.set(event.type, count)
    }
    count.value++
    this.totalCollections++
    if (this.lastCollectionUs === undefined || receiveTimeUs > this.lastCollectionUs)
      this.lastCollectionUs = receiveTimeUs
    handles.storeLatency.observe((storedUs - receiveTimeUs) / 1e6)
    // What was fetched later than it was made says nothing of how late data come.
    const isLate = event.type === 'trade' && event.source === 'backfill'
    if (event.exchange_time_us !== undefined && !isLate)
      handles.exchangeLatency.observe((receiveTimeUs - event.exchange_time_us) / 1e6)
  }

  /** A revision of a gap, and the one that it replaces. */
  gap(gap: Gap, before: Gap | undefined): void {
    const { venue, channel, cause } = gap
    const metrics = this.#metrics
    if (revisionOf(gap) === 1) metrics.counter('gaps', { venue, channel, cause }).value++
    if (!isOver(gap)) return
    const counted = countsOf(before)
    const { lost, healed, seconds } = countsOf(gap)
    metrics.counter('idsLost', { venue, channel }).value += lost - counted.lost
    metrics.counter('idsHealed', { venue, channel }).value += healed - counted.healed
    if (!isWhole(gap)) metrics.counter('gapSeconds', { venue, channel, cause }).value += seconds - counted.seconds
  }

  error(stage: ErrorStage, venue: string): void {
    this.errors++
    this.#metrics.counter('errors', { stage, venue }).value++
  }

  rest(venue: string, outcome: RestOutcome, durationMs: number): void {
    this.restRequests++
    this.#metrics.counter('restRequests', { venue, outcome }).value++
    this.#metrics.histogram('restDuration', { venue }).observe(durationMs / 1000)
    if (outcome !== 'ok') this.error('rest', venue)
  }

  /** Records a minute: of the last 60 s, of the uptime while it is shorter. */
  get collectionsPerMinute(): number {
    const nowMs = this.#clock.monotonicMs()
    const oldest = this.#samples.find(({ atMs }) => nowMs - atMs <= RATE_WINDOW_MS)
    const sinceMs = nowMs - (oldest?.atMs ?? this.#startMs)
    return sinceMs <= 0 ? 0 : ((this.totalCollections - (oldest?.total ?? 0)) * RATE_WINDOW_MS) / sinceMs
  }

  stop(): void {
    this.#stopSampling()
  }

  #sample(): void {
    const atMs = this.#clock.monotonicMs()
    this.#samples.push({ atMs, total: this.totalCollections })
    while (atMs - (this.#samples[0]?.atMs ?? atMs) > RATE_WINDOW_MS + SAMPLE_MS) this.#samples.shift()
    this.activity.sample(atMs, this.#clock.nowUs(), this.#counters())
  }

  *#counters(): Generator<readonly [string, VenueCounters]> {
    for (const [venue, { frames, events, exchangeLatency, storeLatency }] of this.#venues) {
      const collected = [...events.values()].reduce((sum, { value }) => sum + value, 0)
      yield [venue, { messages: frames.value, events: collected, exchangeLatency, storeLatency }]
    }
  }

  #of(venue: string): VenueHandles {
    const known = this.#venues.get(venue)
    if (known !== undefined) return known
    const metrics = this.#metrics
    const handles: VenueHandles = {
      frames: metrics.counter('framesReceived', { venue }),
      bytes: metrics.counter('frameBytes', { venue }),
      decode: metrics.histogram('decodeDuration', { venue }),
      exchangeLatency: metrics.histogram('exchangeLatency', { venue }),
      storeLatency: metrics.histogram('storeLatency', { venue }),
      events: new Map(),
    }
    this.#venues.set(venue, handles)
    return handles
  }
}

const isOver = ({ state, end_time_us: endUs }: Gap): boolean => state !== 'open' && endUs !== undefined

/** What a gap counts for; nothing before it is over. */
function countsOf(gap: Gap | undefined) {
  if (gap === undefined || !isOver(gap)) return { lost: 0, healed: 0, seconds: 0 }
  const { healed = 0, start_time_us: startUs, end_time_us: endUs = startUs } = gap
  return { lost: idsLacking(gap), healed, seconds: (endUs - startUs) / 1e6 }
}
