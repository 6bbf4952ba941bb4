/** At checkpoints the served book, and one built from nothing but the events that left, equal the true one or are not live. */

import { compareDecimals, isZero } from '../model/decimal.ts'
import type { BookDelta, BookSnapshot, Decimal, Level } from '../model/event.ts'
import type { Court, Judge } from './oracle-judge.ts'
import type { Stream } from './oracle-streams.ts'

interface Sides {
  readonly bids: readonly Level[]
  readonly asks: readonly Level[]
}

/** Prices and quantities as values: `1.10` and `1.1` are one. */
function plain(value: Decimal): Decimal {
  if (!value.includes('.')) return value
  return value.replace(/\.?0+$/, '')
}

class Replica {
  readonly #bids = new Map<Decimal, Decimal>()
  readonly #asks = new Map<Decimal, Decimal>()

  apply(event: BookSnapshot | BookDelta): void {
    if (event.type === 'book_snapshot') {
      this.#bids.clear()
      this.#asks.clear()
    }
    for (const level of event.bids) set(this.#bids, level)
    for (const level of event.asks) set(this.#asks, level)
  }

  get isCrossed(): boolean {
    let bid = Number.NEGATIVE_INFINITY
    let ask = Number.POSITIVE_INFINITY
    for (const price of this.#bids.keys()) bid = Math.max(bid, Number(price))
    for (const price of this.#asks.keys()) ask = Math.min(ask, Number(price))
    return bid > ask
  }

  best(): Sides {
    const ascending = (side: Map<Decimal, Decimal>) => [...side].sort(([a], [b]) => compareDecimals(a, b))
    return { bids: ascending(this.#bids).reverse(), asks: ascending(this.#asks) }
  }
}

function set(side: Map<Decimal, Decimal>, [price, quantity]: Level): void {
  if (isZero(quantity)) side.delete(plain(price))
  else side.set(plain(price), plain(quantity))
}

/** The first difference within the levels that both have, in words. At least `levels` of the true ones must be there. */
export function differenceOf(truth: Sides, found: Sides, levels: number): string | undefined {
  for (const side of ['bids', 'asks'] as const) {
    const [wanted, given] = [truth[side], found[side]]
    const count = Math.max(Math.min(wanted.length, levels), Math.min(wanted.length, given.length))
    for (let i = 0; i < count; i++) {
      const [a, b] = [wanted[i], given[i]]
      if (a && b && plain(a[0]) === plain(b[0]) && plain(a[1]) === plain(b[1])) continue
      return `${side}[${i}] is ${b?.join(' x ') ?? 'missing'}, in truth ${a?.join(' x ')}`
    }
    if (wanted.length < levels && given.length > wanted.length)
      return `${side}[${wanted.length}] is not in the true book`
  }
  return undefined
}

export function judgeReplicas({ streams, options: { levels, crossedMax }, report }: Court): Judge {
  const replicas = new Map<Stream, Replica>()
  /** How many changes in a row have left each live book crossed. */
  const crossed = new Map<Stream, number>()

  function judgeCrossing(stream: Stream, replica: Replica): void {
    const count = replica.isCrossed && stream.liveUs !== undefined ? (crossed.get(stream) ?? 0) + 1 : 0
    crossed.set(stream, count)
    if (count === crossedMax + 1)
      report('crossed_book_live', streams.nowUs, stream, `crossed after ${count} changes in a row`)
  }

  return {
    data(stream, event) {
      if (event.type !== 'book_snapshot' && event.type !== 'book_delta') return
      const replica = replicas.get(stream) ?? new Replica()
      replicas.set(stream, replica)
      replica.apply(event)
      if (event.type === 'book_delta') judgeCrossing(stream, replica)
      else crossed.delete(stream)
    },
    checkpoint(stream, { truth, served }) {
      const wrong = served.state === 'live' ? differenceOf(truth, served, levels) : undefined
      if (wrong !== undefined) report('book_differs', streams.nowUs, stream, wrong)
      const replica = stream.liveUs === undefined ? undefined : replicas.get(stream)
      // What a venue sends crossed is not yet known to be wrong; for how long it may be called live is judged above.
      if (replica === undefined || replica.isCrossed) return
      const { bids, asks } = replica.best()
      // Deeper levels than anyone serves may lie outside what the snapshot knew.
      const depth = Math.max(levels, Math.min(served.bids.length, served.asks.length))
      const top = { bids: bids.slice(0, depth), asks: asks.slice(0, depth) }
      const different = differenceOf(truth, top, levels)
      if (different !== undefined) report('replica_differs', streams.nowUs, stream, different)
    },
  }
}
