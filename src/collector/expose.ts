/** The collector's state as metrics, read when someone asks. */

import type { CollectorView } from '../api/view.ts'
import type { Ledger } from '../ledger/ledger.ts'
import type { Channel } from '../model/event.ts'
import type { Metrics } from '../ops/metrics.ts'
import type { Clock } from '../platform/platform.ts'
import type { Collected } from './collected.ts'

const HOUR_US = 3_600_000_000

export interface Exposed {
  readonly view: CollectorView
  readonly collected: () => readonly Collected[]
  readonly ledger: Ledger
  readonly clock: Clock
}

export function exposeCollector(metrics: Metrics, { view, collected, ledger, clock }: Exposed): void {
  metrics.computed('feeds', () => feedCounts(view))
  metrics.computed('feedBehind', () => [...worstLag(collected()).values()])
  metrics.computed('booksLive', () => {
    const books = [...view.store.liveBooks()]
    return collected().map(({ venue }) => ({
      labels: { venue: venue.id },
      value: books.filter((book) => book.venue === venue.id).length,
    }))
  })
  metrics.computed('bookAuditScore', () =>
    collected().flatMap(({ venue, feed }) =>
      [...feed.auditScores()].map(([symbol, value]) => ({ labels: { venue: venue.id, symbol }, value })),
    ),
  )
  metrics.computed('gapsOpen', () => [...openGaps(ledger).values()])
  metrics.computed('gapsEvicted', () => [{ labels: {}, value: ledger.kept.evicted }])
  metrics.computed('ledgerWritable', () => [{ labels: {}, value: ledger.problem === undefined ? 1 : 0 }])
  metrics.computed('coverage', () => [...worstCoverage(ledger, clock.nowUs()).values()])
  metrics.computed('socketsOpen', () =>
    collected().map(({ venue, feed }) => ({ labels: { venue: venue.id }, value: feed.socketsOpen })),
  )
  metrics.computed('restWeightUsed', () =>
    collected().flatMap(({ venue, rest }) =>
      [...rest.usage()].map(([budget, value]) => ({ labels: { venue: venue.id, budget }, value })),
    ),
  )
  metrics.computed('restBanUntil', () =>
    collected().map(({ venue, rest }) => ({ labels: { venue: venue.id }, value: (rest.bannedUntilUs ?? 0) / 1e6 })),
  )
  metrics.computed('storeRecords', () =>
    Object.entries(view.store.counts).map(([category, value]) => ({ labels: { category }, value })),
  )
}

/** Feeds of each venue and channel in each state. */
function feedCounts(view: CollectorView) {
  const rows = view.feeds().map(({ venue, channel, state }) => ({ venue, channel, state }))
  const counts = new Map<string, { readonly labels: (typeof rows)[number]; value: number }>()
  for (const labels of rows) {
    const key = Object.values(labels).join(' ')
    const count = counts.get(key) ?? { labels, value: 0 }
    count.value++
    counts.set(key, count)
  }
  return counts.values()
}

interface Sample {
  readonly labels: { readonly venue: string; readonly channel: Channel }
  value: number
}

function openGaps(ledger: Ledger): Map<string, Sample> {
  const counts = new Map<string, Sample>()
  for (const { stream, openCount } of ledger) sampleOf(counts, stream, 0).value += openCount
  return counts
}

function worstLag(collected: readonly Collected[]): Map<string, Sample> {
  const worst = new Map<string, Sample>()
  for (const { venue, feed } of collected) {
    for (const { channel, lag } of feed.feeds) {
      const sample = sampleOf(worst, { venue: venue.id, channel }, 0)
      sample.value = Math.max(sample.value, lag.behindMs / 1000)
    }
  }
  return worst
}

function worstCoverage(ledger: Ledger, nowUs: number): Map<string, Sample> {
  const worst = new Map<string, Sample>()
  for (const { stream, coveredShare } of ledger.coverage(nowUs - HOUR_US, nowUs)) {
    const sample = sampleOf(worst, stream, 1)
    sample.value = Math.min(sample.value, coveredShare)
  }
  return worst
}

function sampleOf(samples: Map<string, Sample>, { venue, channel }: Sample['labels'], first: number): Sample {
  const key = `${venue} ${channel}`
  const sample = samples.get(key) ?? { labels: { venue, channel }, value: first }
  samples.set(key, sample)
  return sample
}
