import type { BookOutput } from '../../src/book/step.ts'
import type { Level } from '../../src/model/event.ts'

/** Decimals of prices in tests. */
const PLACES = 60

/** The price as an exact integer, so that `1.10` and `1.1` are one level. */
const priceKey = (price: string): bigint => {
  const [whole = '', fraction = ''] = price.split('.')
  return BigInt(whole + fraction.padEnd(PLACES, '0'))
}

const isNothing = (quantity: string): boolean => !/[1-9]/.test(quantity)

/** One side of a book in the most obvious way: a map, sorted when asked. */
export class ReplicaSide {
  readonly #levels = new Map<bigint, Level>()
  readonly #sign: bigint

  constructor(side: 'bids' | 'asks') {
    this.#sign = side === 'bids' ? -1n : 1n
  }

  set(level: Level): void {
    const key = priceKey(level[0])
    if (isNothing(level[1])) this.#levels.delete(key)
    else this.#levels.set(key, level)
  }

  /** Best first. */
  all(): Level[] {
    const keys = [...this.#levels.keys()].sort((a, b) => Number((a > b ? 1n : a < b ? -1n : 0n) * this.#sign))
    return keys.map((key) => this.#levels.get(key) as Level)
  }

  trim(sizeMax: number): void {
    for (const [price] of this.all().slice(sizeMax)) this.#levels.delete(priceKey(price))
  }
}

/** A consumer that knows nothing but the emitted events: snapshots replace, deltas change, states say whether to trust. */
export class Replica {
  bids = new ReplicaSide('bids')
  asks = new ReplicaSide('asks')
  sequence: number | undefined
  isLive = false
  readonly #depthMax: number

  constructor(depthMax = Number.POSITIVE_INFINITY) {
    this.#depthMax = depthMax
  }

  accept(event: BookOutput): void {
    if (event.type === 'book_state') {
      this.isLive = event.state === 'live'
      return
    }
    if (event.type === 'book_snapshot') {
      this.bids = new ReplicaSide('bids')
      this.asks = new ReplicaSide('asks')
    }
    for (const level of event.bids) this.bids.set(level)
    for (const level of event.asks) this.asks.set(level)
    this.bids.trim(this.#depthMax)
    this.asks.trim(this.#depthMax)
    this.sequence = event.type === 'book_snapshot' ? event.sequence : event.last_sequence
  }
}
