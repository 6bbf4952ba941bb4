/** Binance spot and USD-M futures. */

import type { Fill, Kind, Message, Stream } from './market.ts'
import { stateAt, symbolsOf, visible } from './past.ts'
import type { Wire } from './wire.ts'

export function binance(venue: 'binance' | 'binance-usdm'): Wire {
  const isSpot = venue === 'binance'
  const base = isSpot ? '/api/v3' : '/fapi/v1'
  const names = { trade: isSpot ? 'trade' : 'aggTrade', ticker: 'ticker', quote: 'bookTicker', book: 'depth@100ms' }
  const body: Record<Kind, (stream: Stream, message: Message) => object> = {
    trade: ({ symbol: s }, { atMs, price: p, last }) =>
      isSpot
        ? { e: 'trade', E: atMs, s, t: last, p, q: '1', T: atMs, m: true, M: true }
        : {
            e: 'aggTrade',
            E: atMs,
            s,
            a: last,
            p,
            q: '1',
            nq: '1',
            f: 2 * last,
            l: 2 * last + 1,
            T: atMs,
            m: true,
            st: 1,
          },
    ticker: ({ symbol: s }, { atMs, price: c }) => ({
      ...{ e: '24hrTicker', E: atMs, s, p: '1', P: '1', w: '1', c, Q: '1', o: '1', h: '2', l: '1', v: '10' },
      ...{ q: '18', O: 0, C: atMs, F: 0, L: 18150, n: 18151 },
    }),
    quote: ({ symbol: s }, { atMs, price: b, last: u }) => {
      const best = { u, s, b, B: '1', a: `${b}9`, A: '2' }
      return isSpot ? best : { e: 'bookTicker', ...best, E: atMs, T: atMs, ps: s, st: 1 }
    },
    book: ({ symbol: s }, { atMs, first: U, last: u, previous: pu, bids: b, asks: a }) =>
      isSpot
        ? { e: 'depthUpdate', E: atMs, s, U, u, b, a }
        : { e: 'depthUpdate', E: atMs, T: atMs, s, ps: s, U, u, pu, b, a, st: 1 },
  }
  const row = ({ number, price, atUs }: Fill) => {
    const time = atUs / 1000
    return isSpot
      ? { id: number, price, qty: '1', quoteQty: '1', time, isBuyerMaker: true, isBestMatch: true }
      : { a: number, p: price, q: '1', nq: '1', f: 2 * number, l: 2 * number + 1, T: time, m: true }
  }
  return {
    venue,
    sockets: isSpot
      ? { '/stream': ['trade', 'ticker', 'quote', 'book'] }
      : { '/public/stream': ['quote', 'book'], '/market/stream': ['trade', 'ticker'] },
    topic: (kind, symbol) => `${symbol.toLowerCase()}@${names[kind]}`,
    encode: (stream, message) => JSON.stringify({ stream: stream.topic, data: body[stream.kind](stream, message) }),
    heard(text, { send, join, leave }) {
      const { method, params, id } = JSON.parse(text)
      // An unknown stream is confirmed like any other, and stays silent.
      for (const topic of params ?? []) if (method === 'SUBSCRIBE') join(topic)
      for (const topic of params ?? []) if (method === 'UNSUBSCRIBE') leave(topic)
      send(JSON.stringify({ result: null, id }))
    },
    rest(url, find, all, memory) {
      const symbol = url.searchParams.get('symbol') ?? ''
      const fills = visible(find('trade', symbol), memory)
      const limit = Number(url.searchParams.get('limit') ?? 500)
      const from = url.searchParams.get('fromId')
      const page =
        from === null ? fills.slice(-limit) : fills.filter(({ number }) => number >= Number(from)).slice(0, limit)
      switch (url.pathname) {
        case `${base}/exchangeInfo`:
          return {
            symbols: symbolsOf(all).map((name) => ({
              ...{ symbol: name, status: 'TRADING', baseAsset: name.slice(0, -4), quoteAsset: 'USDT', filters: [] },
              ...(isSpot ? {} : { pair: name, contractType: 'PERPETUAL', marginAsset: 'USDT' }),
            })),
          }
        case `${base}/depth`: {
          const { atUs, last, bids, asks } = stateAt(find('book', symbol) as Stream, memory)
          const atMs = atUs / 1000
          return { lastUpdateId: last, ...(isSpot ? {} : { E: atMs, T: atMs }), bids, asks }
        }
        case `${base}/ticker/24hr`:
          return { symbol, firstId: fills[0]?.number ?? -1, lastId: fills.at(-1)?.number ?? -1 }
        case `${base}/historicalTrades`:
        case `${base}/trades`:
          return isSpot ? page.map(row) : undefined
        case `${base}/aggTrades`:
          return isSpot ? undefined : page.map(row)
      }
      return undefined
    },
  }
}
