/** Feeds and their completeness as the API shows them. */

import type { CompletenessView, FeedView } from '../api/view.ts'
import type { Feed } from '../feed/feed.ts'
import type { StreamCoverage } from '../ledger/ledger.ts'
import type { Venue } from '../venues/venue.ts'

export function feedView(venue: Venue, feed: Feed): FeedView {
  const { channel, symbol, state, reason, sinceUs, lastMessageUs, events, resyncs, topic, ledger, lag } = feed
  return {
    exchange: venue.exchange,
    venue: venue.id,
    channel,
    symbol,
    state,
    reason,
    sinceUs,
    lastMessageUs,
    events,
    resyncs,
    proof: topic.proof,
    behindMs: lag.behindMs,
    openGap: ledger.outage ?? [...ledger.healing].at(-1),
  }
}

/** Only where running numbers count single messages can they say how many were lost. */
export function completenessView({ stream, idsLost, idsHealed, ...coverage }: StreamCoverage): CompletenessView {
  const { exchange, venue, channel, symbol } = stream
  const isCounted = coverage.proof === 'counter' || coverage.proof === 'range'
  const ids = isCounted ? { idsLost, idsHealed } : { idsLost: undefined, idsHealed: undefined }
  return { exchange, venue, channel, symbol, ...coverage, ...ids }
}
