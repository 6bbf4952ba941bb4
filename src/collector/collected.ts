/** One enabled venue: its REST client, its feeds and its instruments, built from the configuration. */

import type { Books } from '../book/books.ts'
import type { Bans } from '../feed/bans.ts'
import type { Downstream } from '../feed/ports.ts'
import { RestClient } from '../feed/rest-client.ts'
import { VenueFeed } from '../feed/venue-feed.ts'
import type { Ledger } from '../ledger/ledger.ts'
import type { Instrument } from '../model/event.ts'
import { type Config, endpointUrls, type VenueConfig } from '../ops/config-schema.ts'
import type { Logger } from '../ops/log.ts'
import type { Metrics } from '../ops/metrics.ts'
import type { RepeatGuard } from '../ops/repeat-guard.ts'
import type { Platform } from '../platform/platform.ts'
import type { Venue } from '../venues/venue.ts'
import { venueObserver } from './observer.ts'
import type { Stats } from './stats.ts'
import { wantedChannels } from './wanted.ts'

export interface Collected {
  readonly venue: Venue
  readonly feed: VenueFeed
  readonly rest: RestClient
  readonly instruments: Map<string, Instrument>
  /** The venue's URLs are these from now on. */
  move(venueConfig: VenueConfig): void
  stop(): void
}

/** What all venues share. */
export interface CollectedParts {
  readonly platform: Platform
  readonly metrics: Metrics
  readonly logger: Logger
  readonly stats: Stats
  readonly repeats: RepeatGuard
  readonly books: Books
  readonly ledger: Ledger
  readonly bans: Bans
  readonly downstream: Downstream
  /** Named when the venue cannot be reached. */
  readonly offlineHint: string
}

export function collectVenue(venue: Venue, config: Config, parts: CollectedParts): Collected {
  const { platform, books, ledger, downstream } = parts
  const venueConfig = config.exchanges[venue.id] as VenueConfig
  const instruments = new Map<string, Instrument>()
  const urls = { rest: venueConfig.rest_url }
  const rest = createRest(venue, () => urls.rest, instruments, parts)
  const feed = new VenueFeed({
    venue,
    symbols: venueConfig.symbols,
    channels: wantedChannels(config, venueConfig),
    endpoints: endpointsOf(venue, venueConfig),
    pollIntervalMs: config.enable_websocket ? undefined : config.collection_interval_seconds * 1000,
    rest,
    instruments,
    platform,
    books,
    ledger,
    downstream,
    observer: venueObserver(venue.id, parts),
  })
  return {
    venue,
    feed,
    rest,
    instruments,
    move(next) {
      urls.rest = next.rest_url
      feed.move(endpointsOf(venue, next))
    },
    stop() {
      feed.stop()
      rest.stop()
    },
  }
}

/** `urls` is asked for each request, so that they can change. */
function createRest(
  venue: Venue,
  urls: () => readonly string[],
  instruments: ReadonlyMap<string, Instrument>,
  { platform, bans, stats, repeats }: CollectedParts,
): RestClient {
  return new RestClient({
    venue,
    get urls() {
      return urls()
    },
    platform,
    bans,
    instruments,
    onOutcome: (outcome, durationMs, reason) => {
      stats.rest(venue.id, outcome, durationMs)
      if (outcome === 'ok') return
      const fields = { venue: venue.id, outcome, reason }
      repeats.warning('rest_failed', `${venue.id} ${outcome}`, 'a REST request failed', fields)
    },
  })
}

const endpointsOf = (venue: Venue, venueConfig: VenueConfig) =>
  Object.fromEntries(
    Object.entries(venue.endpoints).map(([name, endpoint]) => [name, endpointUrls(venueConfig, endpoint)]),
  )
