/** The words of each venue for the tests of handovers: what one fact looks like on the wire. */

const ms = (step: number) => 1_795_392_000_000 + step

/** One fact of one channel. Books: `previous` is the sequence before; `isSnapshot` as the stream's first. */
export interface Fact {
  readonly channel: 'trade' | 'ticker' | 'quote' | 'book'
  readonly symbol: string
  /** Counts up by one for trades, tickers and quotes; the sequence of a book. */
  readonly number: number
  readonly previous?: number
  readonly isSnapshot?: boolean
  readonly atMs: number
}

export interface Wire {
  readonly symbols: readonly string[]
  /** Names of the topics that a frame of ours asks for. */
  asked(
    frame: Record<string, unknown>,
  ): { readonly op: 'subscribe' | 'unsubscribe'; readonly names: readonly string[] } | undefined
  ack(frame: Record<string, unknown>): unknown
  /** Refuses for now. */
  refuse(frame: Record<string, unknown>): unknown
  topic(fact: Pick<Fact, 'channel' | 'symbol'>): string
  message(fact: Fact): unknown
  closing: unknown
}

const sides = { bids: [['1.0', '2', '0', '1']], asks: [['1.1', '3', '0', '1']] }

const binanceNames = (trade: string) => ({ trade, ticker: 'ticker', quote: 'bookTicker', book: 'depth@100ms' })

function binanceData({ channel, symbol: s, number: n, previous = n - 1, atMs }: Fact, isFutures: boolean): object {
  const E = ms(atMs)
  switch (channel) {
    case 'trade': {
      const base = { E, s, p: '1.5', q: '2', T: E, m: true }
      return isFutures ? { e: 'aggTrade', ...base, a: n, f: n, l: n } : { e: 'trade', ...base, t: n, M: true }
    }
    case 'ticker':
      return { e: '24hrTicker', E, s, c: String(n), Q: '1', o: '1', h: '2', l: '1', v: '5', q: '6', p: '0', P: '0' }
    case 'quote':
      return { ...(isFutures && { e: 'bookTicker', E, T: E }), u: n, s, b: '1', B: '2', a: '3', A: '4' }
    case 'book':
      return {
        e: 'depthUpdate',
        E,
        T: E,
        s,
        U: previous + 1,
        u: n,
        ...(isFutures && { pu: previous }),
        b: [['1.0', '5']],
        a: [],
      }
  }
}

const binance = (isFutures: boolean): Wire => {
  const names = binanceNames(isFutures ? 'aggTrade' : 'trade')
  const topic: Wire['topic'] = ({ channel, symbol }) => `${symbol.toLowerCase()}@${names[channel]}`
  return {
    symbols: ['BTCUSDT', 'ETHUSDT'],
    asked: ({ method, params }) => ({
      op: method === 'SUBSCRIBE' ? 'subscribe' : 'unsubscribe',
      names: params as string[],
    }),
    ack: ({ id }) => ({ result: null, id }),
    refuse: ({ id }) => ({ code: 2, msg: 'Invalid request', id }),
    topic,
    message: (fact) => ({ stream: topic(fact), data: binanceData(fact, isFutures) }),
    closing: { stream: '!serverShutdown', data: { e: 'serverShutdown', E: ms(0) } },
  }
}

const OKX_NAMES = { trade: 'trades', ticker: 'tickers', quote: 'bbo-tbt', book: 'books' }

const okx: Wire = {
  symbols: ['BTC-USDT', 'ETH-USDT'],
  asked: ({ op, args }) => ({
    op: op as 'subscribe',
    names: (args as { channel: string; instId: string }[]).map(({ channel, instId }) => `${channel}:${instId}`),
  }),
  ack: ({ id, op, args }) => ({ event: op, id, arg: (args as unknown[])[0], connId: 'x' }),
  refuse: ({ id }) => ({ event: 'error', id, code: '60014', msg: 'too frequent', connId: 'x' }),
  topic: ({ channel, symbol }) => `${OKX_NAMES[channel]}:${symbol}`,
  message({ channel, symbol: instId, number: n, previous = n - 3, isSnapshot, atMs }) {
    const arg = { channel: OKX_NAMES[channel], instId }
    const ts = String(ms(atMs))
    switch (channel) {
      case 'trade':
        return { arg, data: [{ instId, tradeId: String(n), px: '1.5', sz: '2', side: 'buy', ts, count: '1' }] }
      case 'ticker':
        return { arg, data: [{ instType: 'SPOT', instId, last: String(n), ts }] }
      case 'quote':
        return { arg, data: [{ ...sides, ts, seqId: n }] }
      case 'book':
        return {
          arg,
          action: isSnapshot ? 'snapshot' : 'update',
          data: [{ ...sides, ts, prevSeqId: isSnapshot ? -1 : previous, seqId: n }],
        }
    }
  },
  closing: { event: 'notice', code: '64008', msg: 'will be closed', connId: 'x' },
}

const deribitTopic: Wire['topic'] = ({ channel, symbol }) =>
  ({
    trade: `trades.${symbol}.100ms`,
    ticker: `ticker.${symbol}.100ms`,
    quote: `quote.${symbol}`,
    book: `book.${symbol}.100ms`,
  })[channel]

const deribit: Wire = {
  symbols: ['BTC-PERPETUAL', 'ETH-PERPETUAL'],
  asked: ({ method, params }) =>
    method === 'public/subscribe' || method === 'public/unsubscribe'
      ? { op: method.slice(7) as 'subscribe', names: (params as { channels: string[] }).channels }
      : undefined,
  ack: ({ id, params }) => ({ jsonrpc: '2.0', id, result: (params as { channels: string[] }).channels }),
  refuse: ({ id }) => ({ jsonrpc: '2.0', id, error: { code: 11051, message: 'system_maintenance' } }),
  topic: deribitTopic,
  message(fact) {
    const { channel, symbol: instrument_name, number: n, previous = n - 1, isSnapshot, atMs } = fact
    const timestamp = ms(atMs)
    const best = { best_bid_price: 1, best_bid_amount: n, best_ask_price: 2, best_ask_amount: 1 }
    const data = {
      trade: [
        { trade_seq: n, trade_id: `t${n}`, timestamp, price: 1.5, instrument_name, direction: 'buy', amount: 10 },
      ],
      ticker: { timestamp, instrument_name, last_price: n, ...best },
      quote: { timestamp, instrument_name, ...best },
      book: {
        type: isSnapshot ? 'snapshot' : 'change',
        timestamp,
        instrument_name,
        change_id: n,
        ...(!isSnapshot && { prev_change_id: previous }),
        bids: [['new', 1, 10]],
        asks: [['new', 2, 10]],
      },
    }[channel]
    return { jsonrpc: '2.0', method: 'subscription', params: { channel: deribitTopic(fact), data } }
  },
  closing: {
    jsonrpc: '2.0',
    method: 'subscription',
    params: { channel: 'platform_state', data: { maintenance: true } },
  },
}

export const WIRES: Readonly<Record<string, Wire>> = {
  binance: binance(false),
  'binance-usdm': binance(true),
  okx,
  deribit,
}
