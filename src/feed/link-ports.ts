/** What a link is made of, and what it tells. */

import type { EpochUs, GapCause } from '../model/event.ts'
import type { Platform } from '../platform/platform.ts'
import type { Decoded, Instruments, Topic, Venue } from '../venues/venue.ts'

export type LinkEvents = Extract<Decoded, { kind: 'events' }>

export interface LinkEnd {
  readonly reason: string
  readonly cause: GapCause
  /** False: it never opened. */
  readonly wasOpen: boolean
  /** We ended it. */
  readonly isOurs: boolean
  /** Milliseconds since it opened. */
  readonly livedMs: number
}

export interface LinkHandlers {
  opened(): void
  /** Every frame, before anything is done with what it says. */
  frame(bytes: number, receiveTimeUs: EpochUs, decodeMs: number): void
  /** A frame that came after the link was ended; dropped. */
  late(): void
  events(decoded: LinkEvents, receiveTimeUs: EpochUs): void
  /** Frames that are neither data nor part of the session. */
  odd(decoded: Extract<Decoded, { kind: 'unknown' | 'malformed' }>): void
  subscribed(topics: readonly Topic[]): void
  /** `isPermanent`: asking again will not help. */
  rejected(topics: readonly Topic[], reason: string, isPermanent: boolean): void
  /** The venue announced that it will close; the link still works. */
  closing(reason: string): void
  /** Once. */
  closed(end: LinkEnd): void
}

export interface LinkOptions {
  readonly venue: Venue
  readonly url: string
  readonly platform: Platform
  readonly instruments: Instruments
  readonly handlers: LinkHandlers
}
