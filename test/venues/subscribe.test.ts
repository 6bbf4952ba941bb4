import { describe, expect, test } from 'vitest'
import { binance, binanceUsdm } from '../../src/venues/binance/index.ts'
import { deribit } from '../../src/venues/deribit/index.ts'
import { okx } from '../../src/venues/okx/index.ts'
import type { OutgoingFrame } from '../../src/venues/venue.ts'
import { counter } from './topics.ts'

const sent = (frames: readonly OutgoingFrame[]): unknown[] => frames.map((frame) => JSON.parse(frame.text))

describe('binance', () => {
  test('asks for many streams at once, in lower case', () => {
    const topics = [binance.topic('trade', 'trade', 'BTCUSDT'), binance.topic('book', 'depth@100ms', 'ETHUSDT')]
    expect(sent(binance.subscribe(topics, counter()))).toEqual([
      { method: 'SUBSCRIBE', params: ['btcusdt@trade', 'ethusdt@depth@100ms'], id: 101 },
    ])
    expect(sent(binance.unsubscribe(topics.slice(0, 1), counter()))).toEqual([
      { method: 'UNSUBSCRIBE', params: ['btcusdt@trade'], id: 101 },
    ])
  })

  test('at most 100 streams in a request', () => {
    const topics = Array.from({ length: 250 }, (_, i) => binance.topic('trade', 'trade', `S${i}USDT`))
    expect(binance.subscribe(topics, counter()).map((frame) => frame.topics.length)).toEqual([100, 100, 50])
  })
})

describe('binance-usdm', () => {
  test('ids are numbers, as its API demands', () => {
    const [frame] = sent(binanceUsdm.subscribe([binanceUsdm.topic('trade', 'aggTrade', 'BTCUSDT')], counter()))
    expect(frame).toEqual({ method: 'SUBSCRIBE', params: ['btcusdt@aggTrade'], id: 101 })
  })

  test('depth and quotes are on the public path, trades and tickers on the market path', () => {
    const endpointOf = (channel: 'trade' | 'ticker' | 'quote' | 'book', name: string) =>
      binanceUsdm.topic(channel, name, 'BTCUSDT').endpoint
    expect(endpointOf('book', 'depth@100ms')).toBe('public')
    expect(endpointOf('quote', 'bookTicker')).toBe('public')
    expect(endpointOf('ticker', 'ticker')).toBe('market')
    expect(endpointOf('trade', 'aggTrade')).toBe('market')
    expect(binanceUsdm.endpoints.public?.urls).toEqual(['wss://fstream.binance.com/public/stream'])
    expect(binanceUsdm.endpoints.market?.urls).toEqual(['wss://fstream.binance.com/market/stream'])
  })
})

describe('okx', () => {
  test('one request for each topic, because an error names only its id', () => {
    const topics = [okx.topic('trade', 'trades', 'BTC-USDT'), okx.topic('book', 'books', 'BTC-USDT-SWAP')]
    expect(sent(okx.subscribe(topics, counter()))).toEqual([
      { id: '101', op: 'subscribe', args: [{ channel: 'trades', instId: 'BTC-USDT' }] },
      { id: '102', op: 'subscribe', args: [{ channel: 'books', instId: 'BTC-USDT-SWAP' }] },
    ])
    expect(sent(okx.unsubscribe(topics.slice(1), counter()))).toEqual([
      { id: '101', op: 'unsubscribe', args: [{ channel: 'books', instId: 'BTC-USDT-SWAP' }] },
    ])
  })

  test('port 443 before 8443; trades-all on the business path', () => {
    expect(okx.endpoints.public?.urls[0]).toBe('wss://ws.okx.com/ws/v5/public')
    expect(okx.topic('trade', 'trades-all', 'BTC-USDT').endpoint).toBe('business')
    expect(okx.keepalive).toEqual({ text: 'ping' })
  })

  test('its topic is what its ack names', () => {
    const topic = okx.topic('book', 'books', 'BTC-USD_UM-SWAP')
    const ack = { event: 'subscribe', id: '101', arg: { channel: 'books', instId: 'BTC-USD_UM-SWAP' } }
    expect(okx.decode(new TextEncoder().encode(JSON.stringify(ack)), 1, new Map())).toEqual({
      kind: 'ack',
      requestId: '101',
      topics: [topic.name],
    })
  })
})

describe('deribit', () => {
  test('greets with a heartbeat and a question after maintenance, then asks for many channels at once', () => {
    expect(sent(deribit.greet())).toEqual([
      { jsonrpc: '2.0', id: 1, method: 'public/set_heartbeat', params: { interval: 10 } },
      { jsonrpc: '2.0', id: 3, method: 'public/subscribe', params: { channels: ['platform_state'] } },
    ])
    const topics = [
      deribit.topic('trade', 'trades.100ms', 'BTC-PERPETUAL'),
      deribit.topic('ticker', 'ticker.agg2', 'XRP_USDC-30JUN23-0d625-C'),
      deribit.topic('quote', 'quote', 'BTC_USDC'),
      deribit.topic('book', 'book.100ms', 'BTC-PERPETUAL'),
    ]
    const channels = [
      'trades.BTC-PERPETUAL.100ms',
      'ticker.XRP_USDC-30JUN23-0d625-C.agg2',
      'quote.BTC_USDC',
      'book.BTC-PERPETUAL.100ms',
    ]
    expect(sent(deribit.subscribe(topics, counter()))).toEqual([
      { jsonrpc: '2.0', id: 101, method: 'public/subscribe', params: { channels } },
    ])
    expect(sent(deribit.unsubscribe(topics, counter()))).toEqual([
      { jsonrpc: '2.0', id: 101, method: 'public/unsubscribe', params: { channels } },
    ])
  })

  test('the default of every channel needs no key', () => {
    for (const { endpoints } of Object.values(deribit.channels)) expect(Object.keys(endpoints)[0]).not.toMatch(/raw/)
  })
})
