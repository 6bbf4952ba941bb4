/** What a venue sends twice leaves once, also where no numbers tell. */

import type { Court, Judge } from './oracle-judge.ts'
import type { DataEvent, Stream } from './oracle-streams.ts'

/** So many of a stream's newest are remembered: more than a venue repeats. */
const NEWEST_MAX = 200

/** Ids of quotes are numbers that a venue may use again for another quote. */
const factOf = (event: DataEvent): string =>
  event.type === 'quote'
    ? [event.id, event.bid_price, event.bid_quantity, event.ask_price, event.ask_quantity].join(' ')
    : event.id

export function judgeRepeats({ streams, report }: Court): Judge {
  const newest = new Map<Stream, Set<string>>()
  return {
    // What left last is not known to the next one.
    process: () => newest.clear(),
    data(stream, event) {
      if (event.type !== 'ticker' && event.type !== 'quote') return
      const known = newest.get(stream) ?? new Set()
      newest.set(stream, known)
      const fact = factOf(event)
      if (known.has(fact)) report('state_duplicate', streams.nowUs, stream, event.id)
      known.add(fact)
      const [oldest] = known
      if (known.size > NEWEST_MAX && oldest !== undefined) known.delete(oldest)
    },
  }
}
