/** What a venue's feed needs of the rest: a place for its events, and someone who counts and logs. */

import type { BookStep } from '../book/sync.ts'
import type { BookDelta, BookReason, BookSnapshot, EpochUs, MarketEvent } from '../model/event.ts'
import type { Decoded } from '../venues/venue.ts'
import type { Feed } from './feed.ts'

/** Where the events go, and what comes back. */
export interface Downstream {
  /** Any event but those of books. */
  accept(event: MarketEvent, receiveTimeUs: EpochUs): void
  /** The step that the book made of it; what it emits has been passed on already. */
  acceptBook(event: BookSnapshot | BookDelta, checksum: number | undefined, receiveTimeUs: EpochUs): BookStep
  isLive(symbol: string): boolean
  /** Nothing has been heard of the book for too long; it goes on where it stands with the next message. */
  suspend(symbol: string): void
  /** The book can no longer be trusted. */
  invalidate(symbol: string, reason: BookReason): void
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
  unknownSymbols(symbols: readonly string[]): void
  metadataFailed(reason: string): void
}
