/** How each venue writes what it publishes, from its documentation alone. */

import type { BookState, Fill, Kind, Message, Stream } from './market.ts'

/** A past that REST shows: what was there until `untilUs`, and of trades the newest `keep`. */
export interface Memory {
  readonly untilUs: number
  readonly keep: number
}

export interface Wire {
  readonly venue: string
  /** Path of each WebSocket, and what it carries. */
  readonly sockets: Readonly<Record<string, readonly Kind[]>>
  topic(kind: Kind, symbol: string): string
  encode(stream: Stream, message: Message): string
  /** The book as the stream begins with it; absent where it has to be fetched. */
  snapshot?(stream: Stream, state: BookState): string
  /** Answers to a frame of the client. `join` and `leave` say which topics the venue knows. */
  heard(text: string, session: Session): void
  /** The body of an answer; `undefined`: no such path. */
  rest(
    url: URL,
    find: (kind: Kind, symbol: string) => Stream | undefined,
    all: readonly Stream[],
    memory: Memory,
  ): unknown
}

export interface Session {
  send(text: string): void
  /** False: no such topic. */
  join(topic: string): boolean
  leave(topic: string): void
}

const visible = (stream: Stream | undefined, { untilUs, keep }: Memory): readonly Fill[] =>
  (stream?.fills ?? []).filter(({ atUs }) => atUs <= untilUs).slice(-keep)

const stateAt = (stream: Stream, { untilUs }: Memory): BookState =>
  stream.states.findLast(({ atUs }) => atUs <= untilUs) ?? (stream.states[0] as BookState)

const symbolsOf = (all: readonly Stream[]): string[] => [...new Set(all.map(({ symbol }) => symbol))]

function binance(venue: 'binance' | 'binance-usdm'): Wire {
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

const OKX_NAMES = { trade: 'trades', ticker: 'tickers', quote: 'bbo-tbt', book: 'books' }

const okxRows = (rows: readonly (readonly [string, string])[]) => rows.map(([price, size]) => [price, size, '0', '1'])

const okx: Wire = {
  venue: 'okx',
  sockets: { '/ws/v5/public': ['trade', 'ticker', 'quote', 'book'] },
  topic: (kind, symbol) => `${OKX_NAMES[kind]}:${symbol}`,
  encode({ kind, symbol: instId }, { atMs, price, first, last, previous, bids, asks }) {
    const ts = String(atMs)
    const arg = { channel: OKX_NAMES[kind], instId }
    const ask = `${price}9`
    switch (kind) {
      case 'trade': {
        const count = String(last - first + 1)
        const fill = { instId, tradeId: String(last), px: price, sz: '1', side: 'buy', ts, count, source: '0' }
        return JSON.stringify({ arg, data: [{ ...fill, seqId: 1_000_000 + last }] })
      }
      case 'ticker':
        return JSON.stringify({
          arg,
          data: [
            {
              instType: 'SPOT',
              instId,
              last: price,
              lastSz: '1',
              bidPx: price,
              bidSz: '1',
              askPx: ask,
              askSz: '1',
              ts,
            },
          ],
        })
      case 'quote':
        return JSON.stringify({
          arg,
          data: [{ bids: [[price, '1', '0', '1']], asks: [[ask, '1', '0', '1']], ts, seqId: last }],
        })
      case 'book': {
        const data = [{ asks: okxRows(asks), bids: okxRows(bids), ts, prevSeqId: previous, seqId: last }]
        return JSON.stringify({ arg, action: 'update', data })
      }
    }
  },
  snapshot({ symbol: instId }, { atUs, last, bids, asks }) {
    const data = [{ asks: okxRows(asks), bids: okxRows(bids), ts: String(atUs / 1000), prevSeqId: -1, seqId: last }]
    return JSON.stringify({ arg: { channel: 'books', instId }, action: 'snapshot', data })
  },
  heard(text, { send, join, leave }) {
    if (text === 'ping') return send('pong')
    const { id, op, args } = JSON.parse(text)
    for (const arg of args) {
      const topic = `${arg.channel}:${arg.instId}`
      const ack = JSON.stringify({ id, event: op, arg, connId: 'a' })
      if (op === 'unsubscribe') leave(topic)
      send(ack)
      if (op === 'subscribe' && !join(topic))
        send(JSON.stringify({ event: 'error', code: '60018', msg: `${topic} doesn't exist.`, connId: 'a', id }))
    }
  },
  rest(url, find, all, memory) {
    const symbol = url.searchParams.get('instId') ?? ''
    const limit = Number(url.searchParams.get('limit') ?? 100)
    const row = ({ number, price, atUs }: Fill) => ({
      ...{ instId: symbol, side: 'buy', sz: '1', px: price, tradeId: String(number), ts: String(atUs / 1000) },
      source: '0',
    })
    const answer = (data: unknown) => ({ code: '0', msg: '', data })
    const fills = visible(find('trade', symbol), memory)
    switch (url.pathname) {
      case '/api/v5/public/instruments':
        return answer(
          symbolsOf(all).map((instId) => ({
            ...{ instType: 'SPOT', instId, baseCcy: instId.split('-')[0], quoteCcy: 'USDT', state: 'live' },
            ...{ tickSz: '0.1', lotSz: '1', minSz: '1', listTime: '1597026383085', expTime: '' },
          })),
        )
      case '/api/v5/market/books': {
        const { atUs, last, bids, asks } = stateAt(find('book', symbol) as Stream, memory)
        return answer([{ asks: okxRows(asks), bids: okxRows(bids), ts: String(atUs / 1000), seqId: last }])
      }
      case '/api/v5/market/trades':
        return answer(fills.slice(-limit).reverse().map(row))
      case '/api/v5/market/history-trades': {
        const after = Number(url.searchParams.get('after') ?? Number.MAX_SAFE_INTEGER)
        return answer(
          fills
            .filter(({ number }) => number < after)
            .slice(-limit)
            .reverse()
            .map(row),
        )
      }
    }
    return undefined
  },
}

const rpc = (id: unknown, result: unknown) =>
  JSON.stringify({ jsonrpc: '2.0', id, result, usIn: 1, usOut: 2, usDiff: 1, testnet: false })

const DERIBIT_TOPIC = { trade: 'trades.S.100ms', ticker: 'ticker.S.100ms', quote: 'quote.S', book: 'book.S.100ms' }

const deribitTrade = (name: string, number: number, price: string, atMs: number) => ({
  ...{ trade_seq: number, trade_id: `T-${price}-${number}`, timestamp: atMs, tick_direction: 2, price: Number(price) },
  ...{ instrument_name: name, index_price: 1, mark_price: 1, direction: 'buy', amount: 10, contracts: 1 },
})

const deribit: Wire = {
  venue: 'deribit',
  sockets: { '/ws/api/v2': ['trade', 'ticker', 'quote', 'book'] },
  topic: (kind, symbol) => DERIBIT_TOPIC[kind].replace('S', symbol),
  encode(stream, { atMs, price, last, previous, bids, asks }) {
    const { kind, symbol } = stream
    const best = {
      best_bid_price: Number(price),
      best_bid_amount: 1,
      best_ask_price: Number(`${price}9`),
      best_ask_amount: 1,
    }
    const rows = (side: readonly (readonly [string, string])[]) =>
      side.map(([level, amount]) => [amount === '0' ? 'delete' : 'change', Number(level), Number(amount)])
    const head = { timestamp: atMs, instrument_name: symbol }
    const data = {
      trade: () => [deribitTrade(symbol, last, price, atMs)],
      ticker: () => ({ ...head, state: 'open', stats: {}, last_price: Number(price), ...best }),
      quote: () => ({ ...head, ...best }),
      book: () => ({
        type: 'change',
        ...head,
        prev_change_id: previous,
        change_id: last,
        bids: rows(bids),
        asks: rows(asks),
      }),
    }[kind]()
    return deribitPush(stream.topic, data)
  },
  snapshot({ symbol, topic }, { atUs, last, bids, asks }) {
    const rows = (side: readonly (readonly [string, string])[]) => side.map(([l, a]) => ['new', Number(l), Number(a)])
    const head = { type: 'snapshot', timestamp: atUs / 1000, instrument_name: symbol, change_id: last }
    return deribitPush(topic, { ...head, bids: rows(bids), asks: rows(asks) })
  },
  heard(text, { send, join, leave }) {
    const { id, method, params } = JSON.parse(text)
    if (method === 'public/subscribe') {
      // Snapshots go out behind the answer.
      send(rpc(id, params.channels))
      for (const topic of params.channels) join(topic)
    } else if (method === 'public/unsubscribe') {
      for (const topic of params.channels) leave(topic)
      send(rpc(id, params.channels))
    } else send(rpc(id, method === 'public/test' ? { version: '1' } : 'ok'))
  },
  rest(url, find, all, memory) {
    const symbol = url.searchParams.get('instrument_name') ?? ''
    const answer = (result: unknown) => ({ jsonrpc: '2.0', result, usIn: 1, usOut: 2, usDiff: 1, testnet: false })
    const number = (name: string, otherwise: number) => Number(url.searchParams.get(name) ?? otherwise)
    switch (url.pathname) {
      case '/api/v2/public/get_instruments':
        return answer(
          symbolsOf(all).map((name) => ({
            ...{
              instrument_name: name,
              kind: 'future',
              settlement_period: 'perpetual',
              base_currency: 'BTC',
              state: 'open',
            },
            ...{
              quote_currency: 'USD',
              counter_currency: 'USD',
              settlement_currency: 'BTC',
              tick_size: 0.5,
              is_active: true,
            },
            ...{
              instrument_type: 'reversed',
              contract_size: 10,
              min_trade_amount: 10,
              creation_timestamp: 1534167754000,
            },
            expiration_timestamp: 32503708800000,
          })),
        )
      case '/api/v2/public/get_order_book': {
        const { atUs, last, bids, asks } = stateAt(find('book', symbol) as Stream, memory)
        const rows = (side: readonly (readonly [string, string])[]) => side.map(([l, a]) => [Number(l), Number(a)])
        const head = { timestamp: atUs / 1000, instrument_name: symbol, change_id: last, state: 'open' }
        return answer({ ...head, bids: rows(bids), asks: rows(asks) })
      }
      case '/api/v2/public/get_last_trades_by_instrument': {
        const [first, last] = [number('start_seq', 0), number('end_seq', Number.MAX_SAFE_INTEGER)]
        const found = visible(find('trade', symbol), memory).filter(
          (fill) => fill.number >= first && fill.number <= last,
        )
        const isAscending = url.searchParams.get('sorting') === 'asc'
        const count = number('count', 10)
        const page = isAscending ? found.slice(0, count) : found.slice(-count).reverse()
        const trades = page.map(({ number: seq, price, atUs }) => deribitTrade(symbol, seq, price, atUs / 1000))
        return answer({ trades, has_more: found.length > count })
      }
    }
    return undefined
  },
}

const deribitPush = (channel: string, data: unknown) =>
  JSON.stringify({ jsonrpc: '2.0', method: 'subscription', params: { channel, data } })

export const WIRES: Readonly<Record<string, Wire>> = {
  binance: binance('binance'),
  'binance-usdm': binance('binance-usdm'),
  okx,
  deribit,
}
