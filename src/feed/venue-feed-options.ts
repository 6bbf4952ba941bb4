/** What the feed of one venue is given. */

import type { Books } from '../book/books.ts'
import type { FeedLedger } from '../ledger/feed-ledger.ts'
import type { StreamIdentity } from '../ledger/records.ts'
import type { Channel, Instrument } from '../model/event.ts'
import type { Platform } from '../platform/platform.ts'
import type { Venue } from '../venues/venue.ts'
import type { EndpointUrls } from './connections.ts'
import type { Downstream, Observer } from './ports.ts'
import type { RestClient } from './rest-client.ts'

export interface VenueFeedOptions {
  readonly venue: Venue
  readonly symbols: readonly string[]
  /** The venue's channel for each of ours that is wanted. */
  readonly channels: Readonly<Partial<Record<Channel, string>>>
  readonly endpoints: EndpointUrls
  /** `undefined`: stream; otherwise everything is polled so often. */
  readonly pollIntervalMs: number | undefined
  readonly rest: RestClient
  /** Filled here from the venue's metadata. */
  readonly instruments: Map<string, Instrument>
  readonly platform: Platform
  readonly books: Books
  readonly ledger: StreamLedgers
  readonly downstream: Downstream
  readonly observer: Observer
}

/** Where the gaps of each stream are kept. */
export interface StreamLedgers {
  stream(identity: StreamIdentity): FeedLedger
  /** Wanted from now on: what an earlier process missed is an open gap. */
  open(ledger: FeedLedger): void
  /** The venue lists it again: what it had meanwhile is an open gap. */
  resume(ledger: FeedLedger): void
  /** Not wanted any more, or (`isOffList`) not listed. */
  retire(ledger: FeedLedger, reason: string, isOffList?: boolean): void
}
