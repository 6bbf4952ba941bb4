import type { SimContext, SimMarket } from './exchange.ts'

/** A venue's context whose market builds each state of a whole book once, however many channels show it. */
export function withBookMemo(context: SimContext): { readonly context: SimContext; stop(): void } {
  const { market } = context
  const books = new Map<string, ReturnType<SimMarket['book']>>()
  const stop = market.onStep(({ instrument }) => books.delete(instrument.symbol))
  const memo: SimMarket = {
    get instruments() {
      return market.instruments
    },
    find: (symbol) => market.find(symbol),
    book(symbol, depth) {
      if (depth !== undefined) return market.book(symbol, depth)
      const book = books.get(symbol) ?? market.book(symbol)
      books.set(symbol, book)
      return book
    },
    stats: (symbol) => market.stats(symbol),
    tradesKept: market.tradesKept,
    trades: (symbol) => market.trades(symbol),
    onStep: (listener) => market.onStep(listener),
  }
  return { context: { ...context, market: memo }, stop }
}
