/** What happens on the feeds of one venue, as log lines and counts: written at one place, so that they cannot disagree. */

import type { Observer } from '../feed/ports.ts'
import { CHANNELS } from '../model/event.ts'
import type { Logger } from '../ops/log.ts'
import type { Metrics } from '../ops/metrics.ts'
import type { RepeatGuard } from '../ops/repeat-guard.ts'
import type { Stats } from './stats.ts'

export interface ObserverParts {
  readonly stats: Stats
  readonly metrics: Metrics
  readonly logger: Logger
  readonly repeats: RepeatGuard
  /** Named when the venue cannot be reached. */
  readonly offlineHint: string
}

/** Symbols named in one log line. */
const NAMED_MAX = 20

export function venueObserver(
  venue: string,
  { stats, metrics, logger, repeats, offlineHint }: ObserverParts,
): Observer {
  const late = metrics.counter('framesLate', { venue })
  startAtZero(venue, metrics)
  return {
    frame: (bytes, _receiveTimeUs, decodeMs) => stats.frame(venue, bytes, decodeMs),
    late: () => {
      late.value++
    },
    odd(decoded) {
      if (decoded.kind === 'unknown') {
        metrics.counter('framesUnknown', { venue, what: decoded.what.slice(0, 40) }).value++
        logger.debug('frame_unknown', 'a frame that is not collected', { venue, what: decoded.what })
        return
      }
      metrics.counter('framesMalformed', { venue }).value++
      stats.error('decode', venue)
      repeats.warning('frame_malformed', venue, 'a frame is not as documented and was dropped', {
        venue,
        reason: decoded.reason,
      })
    },
    duplicate: (type) => {
      metrics.counter('eventsDuplicate', { venue, type }).value++
    },
    opened(url) {
      metrics.counter('socketConnects', { venue }).value++
      logger.info('socket_opened', 'connected', { venue, host: new URL(url).host })
    },
    lost(reason, wasOpen, retryMs) {
      metrics.counter('socketDisconnects', { venue, reason: reasonWord(reason, wasOpen) }).value++
      if (reason === 'stopped') return
      if (!reason.startsWith('announced')) stats.error('connect', venue)
      const fields = { venue, reason, retry_ms: Math.round(retryMs) }
      if (wasOpen)
        repeats.warning(
          'socket_lost',
          `${venue} ${reasonWord(reason, wasOpen)}`,
          'connection lost; reconnecting',
          fields,
        )
      else repeats.warning('connect_failed', venue, `the venue cannot be reached; trying on. ${offlineHint}`, fields)
    },
    closing: (reason) =>
      logger.info('close_announced', 'the venue will close the connection; reconnecting', { venue, reason }),
    rejected(feed, reason, isPermanent) {
      metrics.counter('subscriptionsRejected', { venue }).value++
      stats.error('subscribe', venue)
      const fields = { venue, channel: feed?.channel, symbol: feed?.symbol, reason, permanent: isPermanent }
      repeats.warning(
        'subscription_rejected',
        `${venue} ${feed?.channel} ${feed?.symbol}`,
        'the venue refused a subscription',
        fields,
      )
    },
    resync(feed, reason) {
      metrics.counter('bookResyncs', { venue, reason }).value++
      if (reason === 'sequence_gap') metrics.counter('bookGaps', { venue }).value++
      stats.error('book', venue)
      logger.warning('book_resyncing', 'a book broke and is being rebuilt', { venue, symbol: feed.symbol, reason })
    },
    rebuilt: (feed) =>
      logger.info('book_rebuilt', 'the book is proven again', { venue, symbol: feed.symbol, resyncs: feed.resyncs }),
    stale: (feed) =>
      repeats.warning('feed_stale', `${venue} ${feed.channel}`, 'a feed has been silent for too long', {
        venue,
        channel: feed.channel,
        symbol: feed.symbol,
        reason: feed.reason,
      }),
    behind: (feed) =>
      repeats.warning('feed_behind', `${venue} ${feed.channel}`, 'data come much later than usual', {
        venue,
        channel: feed.channel,
        symbol: feed.symbol,
        behind_ms: Math.round(feed.lag.behindMs),
      }),
    audited(feed, outcome, detail) {
      metrics.counter('bookAudits', { venue, outcome }).value++
      const fields = { venue, symbol: feed.symbol, outcome, detail }
      if (outcome === 'match') logger.debug('book_audited', 'the book equals the venue’s own', fields)
      else if (outcome === 'mismatch') logger.warning('book_audited', 'the book differs from the venue’s own', fields)
      else
        repeats.warning(
          'audit_failed',
          `${venue} ${outcome}`,
          'a book could not be compared with the venue’s own',
          fields,
        )
    },
    rotated(reason, outcome, overlapMs) {
      metrics.counter('rotations', { venue, outcome }).value++
      const fields = { venue, reason, outcome, overlap_ms: Math.round(overlapMs) }
      if (outcome === 'given_up')
        repeats.warning('rotation_failed', venue, 'the connection could not be replaced', fields)
      else logger.info('socket_replaced', 'the connection was replaced by a new one', fields)
    },
    unsteady: (lifetimeMs) =>
      repeats.warning('connection_unsteady', venue, 'connections keep being ended early; is something in between?', {
        venue,
        lifetime_s: Math.round(lifetimeMs / 1000),
      }),
    unknownSymbols: (symbols) =>
      logger.warning('symbols_unknown', 'the venue does not list these symbols; the others are collected', {
        venue,
        symbols: symbols.slice(0, NAMED_MAX).join(', '),
        count: symbols.length,
      }),
    metadataFailed: (reason) =>
      repeats.warning('metadata_failed', venue, 'no instrument list; collecting without canonical names, trying on', {
        venue,
        reason,
      }),
  }
}

/** What alerts watch is there from the start: a rise from nothing to one is no rise to Prometheus. */
function startAtZero(venue: string, metrics: Metrics): void {
  metrics.counter('framesMalformed', { venue })
  metrics.counter('subscriptionsRejected', { venue })
  metrics.counter('bookAudits', { venue, outcome: 'mismatch' })
  for (const channel of CHANNELS) {
    metrics.counter('idsLost', { venue, channel })
    metrics.counter('idsHealed', { venue, channel })
  }
}

/** A word for the metric's label, from a reason in words. */
function reasonWord(reason: string, wasOpen: boolean): string {
  if (!wasOpen) return 'connect_failed'
  if (reason.startsWith('announced')) return 'announced'
  if (reason.startsWith('silent')) return 'silence'
  if (reason.startsWith('no byte')) return 'no_pong'
  if (reason.startsWith('quota')) return 'quota'
  if (reason === 'stopped') return 'stopped'
  const code = /code (\d+)/.exec(reason)?.[1]
  return code === undefined ? 'connection_lost' : `close_${code}`
}
