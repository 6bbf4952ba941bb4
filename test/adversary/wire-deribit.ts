/** Deribit API v2. */

import type { Stream } from './market.ts'
import { stateAt, symbolsOf, visible } from './past.ts'
import type { Wire } from './wire.ts'

const rpc = (id: unknown, result: unknown) =>
  JSON.stringify({ jsonrpc: '2.0', id, result, usIn: 1, usOut: 2, usDiff: 1, testnet: false })

const DERIBIT_TOPIC = { trade: 'trades.S.100ms', ticker: 'ticker.S.100ms', quote: 'quote.S', book: 'book.S.100ms' }

const deribitTrade = (name: string, number: number, price: string, atMs: number) => ({
  ...{ trade_seq: number, trade_id: `T-${price}-${number}`, timestamp: atMs, tick_direction: 2, price: Number(price) },
  ...{ instrument_name: name, index_price: 1, mark_price: 1, direction: 'buy', amount: 10, contracts: 1 },
})

export const deribit: Wire = {
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
