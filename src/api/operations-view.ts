/** What the API shows of the service's own work: rates, latencies, sinks, warnings. */

import type { EpochUs } from '../model/event.ts'

/** The share of observations below a value, one list entry a step; `undefined` where nothing was observed. */
export interface LatencyView {
  readonly p50: readonly (number | undefined)[]
  readonly p99: readonly (number | undefined)[]
}

export interface VenueActivity {
  readonly exchange: string
  readonly venue: string
  /** Frames received. */
  readonly messagesPerSecond: readonly number[]
  readonly eventsPerSecond: readonly number[]
  /** From the venue's time to receipt. */
  readonly exchangeLatencySeconds: LatencyView
  readonly storeLatencySeconds: LatencyView
}

/** The last minutes; all lists have the length of `timesUs`, the oldest first. */
export interface ActivityView {
  readonly stepSeconds: number
  /** The end of each step. */
  readonly timesUs: readonly EpochUs[]
  readonly venues: readonly VenueActivity[]
}

/** The durable log in front of the sinks. */
export interface SpoolView {
  readonly isWritable: boolean
  /** Why not, in words; empty when it is. */
  readonly reason: string
  readonly diskBytes: number
  readonly memoryBytes: number
  readonly quotaBytes: number
  /** Taken since the start, and given up for lack of room. */
  readonly records: number
  readonly evicted: number
}

export interface SinkView {
  readonly name: string
  readonly isUp: boolean
  /** Why it is not up, in words; empty when it is. */
  readonly reason: string
  /** Records of the log that it does not have yet. */
  readonly lagRecords: number
  /** Age of the newest data that it has, while it lacks some; `undefined` while it has stored nothing. */
  readonly lagSeconds: number | undefined
  /** Stored for certain since the start. */
  readonly records: number
  readonly bytes: number
  readonly failures: number
  readonly rollbacks: number
  /** Refused for good. */
  readonly rejected: number
}

export interface DeliveryView {
  readonly spool: SpoolView | undefined
  readonly sinks: readonly SinkView[]
}

/** One line of the log, as far as it may be told outside. */
export interface RecentWarning {
  /** ISO-8601, UTC, six fraction digits. */
  readonly time: string
  readonly level: 'WARNING' | 'ERROR'
  readonly event: string
  readonly message: string
  readonly fields: Readonly<
    Partial<
      Record<'venue' | 'channel' | 'symbol' | 'sink' | 'cause' | 'outcome' | 'reason' | 'repeats', string | number>
    >
  >
}

/** The newest warnings and errors of the log. */
export interface RecentWarnings {
  /** Lines of each level since the start. */
  readonly counts: Readonly<Record<RecentWarning['level'], number>>
  newestFirst(): readonly RecentWarning[]
}
