/** The collector's state as metrics, read when someone asks. */

import type { CollectorView } from '../api/view.ts'
import type { Metrics } from '../ops/metrics.ts'
import type { Collected } from './collector.ts'

export function exposeCollector(metrics: Metrics, view: CollectorView, collected: readonly Collected[]): void {
  metrics.computed('feeds', () => feedCounts(view))
  metrics.computed('booksLive', () => {
    const books = [...view.store.liveBooks()]
    return collected.map(({ venue }) => ({
      labels: { venue: venue.id },
      value: books.filter((book) => book.venue === venue.id).length,
    }))
  })
  metrics.computed('socketsOpen', () =>
    collected.map(({ venue, feed }) => ({ labels: { venue: venue.id }, value: feed.socketsOpen })),
  )
  metrics.computed('restWeightUsed', () =>
    collected.flatMap(({ venue, rest }) =>
      [...rest.usage()].map(([budget, value]) => ({ labels: { venue: venue.id, budget }, value })),
    ),
  )
  metrics.computed('restBanUntil', () =>
    collected.map(({ venue, rest }) => ({ labels: { venue: venue.id }, value: (rest.bannedUntilUs ?? 0) / 1e6 })),
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
