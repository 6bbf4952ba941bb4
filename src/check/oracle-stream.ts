/** One stream as the judges see it, and its outages. */

import type { EpochUs } from '../model/event.ts'
import type { GapRecord } from './oracle-gaps.ts'
import { Deliveries } from './oracle-numbers.ts'
import type { StreamKey } from './trace.ts'

/** A time in which no connection carried a stream that had been delivered before. */
export interface Outage {
  fromUs: EpochUs
  /** When the last frame before it was delivered. */
  readonly beforeUs: EpochUs
  /** The process had ended. */
  readonly isProcess: boolean
  /** Its last connection ended, or it was long: nobody can overlook it. */
  isCertain: boolean
  /** When that became so. */
  certainUs: EpochUs
  /** Frames that were lost in it, and when the newest was. */
  lostFrames: number
  lostUs: EpochUs
  /** When the next frame was delivered. */
  untilUs?: EpochUs
}

export interface Stream extends StreamKey {
  /** Connections that deliver it, and open ones that were asked to. */
  readonly carriers: Set<number>
  readonly subscribed: Set<number>
  /** Those among them that were given up: they count until the next one, which may be the same. */
  readonly given: Set<number>
  /** All connections that ever carried it. */
  readonly connections: Set<number>
  deliveredUs: EpochUs | undefined
  /** When its first data left the collector. */
  leftUs: EpochUs | undefined
  /** The newest delivery before that time. */
  previousUs: EpochUs | undefined
  outage: Outage | undefined
  lastOutage: Outage | undefined
  /** Ended outages that must have been noticed. */
  readonly outages: Outage[]
  readonly gaps: Map<string, GapRecord>
  readonly open: Set<GapRecord>
  readonly undurable: Set<GapRecord>
  /** Gaps that wait for the next delivered frame. */
  readonly waiting: GapRecord[]
  /** Books: when the state turned `live`, as told; `undefined` while it is not. */
  liveUs: EpochUs | undefined
  /** Trades: what left, since they were last numbered anew. */
  deliveries: Deliveries
  /** Those that were made before, by the venue's time, and their ids: numbers tell nothing of them any more. */
  readonly past: { untilUs: EpochUs; readonly ids: Set<string> }
}

export const newOutage = (fromUs: EpochUs, beforeUs: EpochUs, isProcess: boolean): Outage => ({
  fromUs,
  beforeUs,
  isProcess,
  isCertain: isProcess,
  certainUs: fromUs,
  lostFrames: 0,
  lostUs: fromUs,
})

export const newStream = (key: StreamKey): Stream => ({
  ...key,
  carriers: new Set(),
  subscribed: new Set(),
  given: new Set(),
  connections: new Set(),
  deliveredUs: undefined,
  leftUs: undefined,
  previousUs: undefined,
  outage: undefined,
  lastOutage: undefined,
  outages: [],
  gaps: new Map(),
  open: new Set(),
  undurable: new Set(),
  waiting: [],
  liveUs: undefined,
  deliveries: new Deliveries(),
  past: { untilUs: 0, ids: new Set() },
})
