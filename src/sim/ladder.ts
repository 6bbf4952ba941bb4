/** One side of the true book: integer prices and quantities, sorted. */
export interface Ladder {
  readonly size: number
  /** Price at `index`; 0 is the best. Errors: throws a RangeError beyond the end. */
  price(index: number): number
  /** 0 if there is no such level. */
  quantity(price: number): number
  /** 0 removes. */
  set(price: number, quantity: number): void
}

/** Prices are kept with the best last, so that changes near the top move little. */
export function createLadder(side: 'bid' | 'ask'): Ladder {
  const direction = side === 'bid' ? 1 : -1
  const prices: number[] = []
  const quantities = new Map<number, number>()

  function position(price: number): number {
    let low = 0
    let high = prices.length
    while (low < high) {
      const middle = (low + high) >> 1
      if ((prices[middle] as number) * direction < price * direction) low = middle + 1
      else high = middle
    }
    return low
  }

  return {
    get size() {
      return prices.length
    },
    price(index) {
      const price = prices[prices.length - 1 - index]
      if (price === undefined) throw new RangeError(`no level ${index} of ${prices.length}`)
      return price
    },
    quantity: (price) => quantities.get(price) ?? 0,
    set(price, quantity) {
      const isKnown = quantities.has(price)
      if (quantity === 0) {
        if (!isKnown) return
        prices.splice(position(price), 1)
        quantities.delete(price)
        return
      }
      if (!isKnown) prices.splice(position(price), 0, price)
      quantities.set(price, quantity)
    },
  }
}
