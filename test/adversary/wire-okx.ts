/** OKX API v5. */

import type { Fill, Stream } from './market.ts'
import { stateAt, symbolsOf, visible } from './past.ts'
import type { Wire } from './wire.ts'

const OKX_NAMES = { trade: 'trades', ticker: 'tickers', quote: 'bbo-tbt', book: 'books' }

const okxRows = (rows: readonly (readonly [string, string])[]) => rows.map(([price, size]) => [price, size, '0', '1'])

export const okx: Wire = {
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
