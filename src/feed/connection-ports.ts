/** What a connection is given, and what it tells. */

import type { EpochUs } from '../model/event.ts'
import type { Platform } from '../platform/platform.ts'
import type { Decoded, Instruments, Venue } from '../venues/venue.ts'
import type { Feed } from './feed.ts'
import type { LinkEvents } from './link.ts'
import type { Loss } from './loss.ts'
import type { RotationOutcome } from './succession.ts'
import type { Window } from './window.ts'

export interface ConnectionHandlers {
  frame(bytes: number, receiveTimeUs: EpochUs, decodeMs: number): void
  late(): void
  events(decoded: LinkEvents, receiveTimeUs: EpochUs): void
  /** `feeds`: those whose data the frame may have been; none where another link carries them too. */
  odd(decoded: Extract<Decoded, { kind: 'unknown' | 'malformed' }>, feeds: readonly Feed[]): void
  opened(url: string): void
  /** The link ended, or never opened; the connection goes on by itself. */
  lost(reason: string, wasOpen: boolean, retryMs: number): void
  subscribed(feed: Feed): void
  rejected(feed: Feed | undefined, reason: string, isPermanent: boolean): void
  /** The feed's stream is being started afresh: what came since `loss.sinceUs` may be missing, its book cannot be trusted. */
  restarted(feed: Feed, loss: Loss): void
  /** Others show that the feed should have spoken by now. Asked about each every second. */
  isOutrun(feed: Feed): boolean
  /** The feed has been silent for too long, now for the first time (`isNew`) or still. True: it is being looked into. */
  suspended(feed: Feed, isNew: boolean): boolean
  /** Has the venue nothing new for these feeds of a silent connection? Never rejects. */
  isQuiet(feeds: readonly Feed[]): Promise<boolean>
  closing(reason: string): void
  /** What came of replacing the link. `overlapMs`: how long both links were open. */
  rotated(reason: string, outcome: RotationOutcome, overlapMs: number): void
  /** Several links in a row were ended by others after a short life, the last one after `lifetimeMs`. Told once each time. */
  unsteady(lifetimeMs: number): void
}

export interface ConnectionOptions {
  readonly venue: Venue
  readonly urls: readonly string[]
  readonly feeds: readonly Feed[]
  readonly platform: Platform
  readonly instruments: Instruments
  /** Shared by all connections of the venue: new sockets in its window of time. */
  readonly connects: Window
  /** The sequence at which the feed's book stands, also while it is silent; `undefined`: the book is not proven. */
  readonly sequenceOf: (feed: Feed) => number | undefined
  readonly handlers: ConnectionHandlers
}
