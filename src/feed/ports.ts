/** What a venue's feed needs of the rest: a place for its events, and someone who counts and logs. */

import type { BookReason, EpochUs, MarketEvent } from '../model/event.ts'
import type { Decoded } from '../venues/venue.ts'
import type { AuditOutcome } from './audit-run.ts'
import type { Feed } from './feed.ts'
import type { RotationOutcome } from './succession.ts'

/** Where the events go. */
export interface Downstream {
  accept(event: MarketEvent, receiveTimeUs: EpochUs): void
}

/** What happened, for the log and the metrics. */
export interface Observer {
  frame(bytes: number, receiveTimeUs: EpochUs, decodeMs: number): void
  late(): void
  odd(decoded: Extract<Decoded, { kind: 'unknown' | 'malformed' }>): void
  duplicate(type: MarketEvent['type']): void
  opened(url: string): void
  lost(reason: string, wasOpen: boolean, retryMs: number): void
  closing(reason: string): void
  rejected(feed: Feed | undefined, reason: string, isPermanent: boolean): void
  resync(feed: Feed, reason: BookReason): void
  /** The book that broke is proven again. */
  rebuilt(feed: Feed): void
  /** Silent for too long; told once for each silence. */
  stale(feed: Feed): void
  /** A book was compared with the venue's own. */
  audited(feed: Feed, outcome: AuditOutcome, detail: string): void
  /** A link was replaced before its end, or was not. */
  rotated(reason: string, outcome: RotationOutcome, overlapMs: number): void
  /** Links keep being ended by others after a short life. */
  unsteady(lifetimeMs: number): void
  /** The feed's data come much later than usual; told once for each time. */
  behind(feed: Feed): void
  unknownSymbols(symbols: readonly string[]): void
  metadataFailed(reason: string): void
}
