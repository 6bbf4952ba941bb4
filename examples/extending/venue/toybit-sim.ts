/** Toybit's servers: its wire format over the seeded market that all simulators share, with the faults that all have. */

import type {
  MarketStep,
  SimContext,
  SimExchange,
  SimPeer,
  SimRequest,
  SimResponse,
  SimVenue,
} from '../../../src/sim/exchange.ts'
import { createTopics } from '../../../src/sim/topics.ts'

const STREAM_PATH = '/stream'
const TOPICS_PER_REQUEST_MAX = 50
const LISTED_MS = Date.UTC(2024, 0, 2)

export const toybitSim: SimVenue = {
  id: 'toybit',
  title: 'Toybit',
  instruments: ['BTC', 'ETH'].map((base) => ({
    symbol: `${base}-USD`,
    market: 'spot',
    base,
    quote: 'USD',
    priceDecimals: 2,
    quantityDecimals: 4,
    tickUnits: 1,
    startPriceUnits: base === 'BTC' ? 9_100_000 : 310_000,
    stepsPerSecond: 5,
  })),
  options: { rest_url: '', websocket_url: STREAM_PATH },
  create: toybitServers,
}

function toybitServers({ market, violation }: SimContext): SimExchange {
  const topics = createTopics()

  const bookOf = (symbol: string) => {
    const { bids, asks, lastUpdateId: seq, timeMs: time } = market.book(symbol)
    return { symbol, time, seq, bids, asks }
  }
  const push = (channel: string, symbol: string, data: object) => {
    const name = `${channel}.${symbol}`
    topics.publish(name, { channel, symbol }, JSON.stringify({ channel: name, data }))
  }
  const unsubscribeMarket = market.onStep((step: MarketStep) => {
    const { symbol } = step.instrument
    for (const { timeMs: time, quantity: size, ...trade } of step.trades)
      push('trade', symbol, { symbol, time, size, ...trade })
    const { bids, asks, timeMs: time, lastUpdateId: seq } = step
    push('book', symbol, { symbol, time, seq, prev: step.firstUpdateId - 1, bids, asks })
  })

  function subscribe(peer: SimPeer, name: string): void {
    const [channel = '', symbol = ''] = name.split('.')
    if (!topics.add(name, peer)) return
    peer.subscribed?.({ channel, symbol }, true)
    if (channel === 'book') peer.send({ channel, symbol }, JSON.stringify({ channel: name, data: bookOf(symbol) }))
  }

  function unsubscribe(peer: SimPeer, name: string): void {
    const [channel = '', symbol = ''] = name.split('.')
    if (topics.remove(name, peer)) peer.subscribed?.({ channel, symbol }, false)
  }

  /** All or nothing: the first name that does not exist is the answer. */
  function request(peer: SimPeer, frame: string): void {
    const { id, subscribe: wanted = [], unsubscribe: unwanted = [] } = JSON.parse(frame)
    if (wanted.length > TOPICS_PER_REQUEST_MAX) violation('topics', `${wanted.length} in one request`)
    const unknown = wanted.find(
      (name: string) => !/^(trade|book)\./.test(name) || !market.find(name.split('.')[1] ?? ''),
    )
    peer.sendControl(JSON.stringify(unknown === undefined ? { id, ok: true } : { id, error: `no topic ${unknown}` }))
    if (unknown !== undefined) return
    for (const name of wanted) subscribe(peer, name)
    for (const name of unwanted) unsubscribe(peer, name)
  }

  return {
    rest: (asked) => answer(market, bookOf, asked),
    connect(peer) {
      if (peer.path !== STREAM_PATH) return undefined
      const closed = () => topics.leave(peer)
      return { text: (frame) => request(peer, frame), ping: () => {}, pong: () => {}, closed }
    },
    order: () => undefined,
    stop: unsubscribeMarket,
  }
}

function answer(
  market: SimContext['market'],
  bookOf: (symbol: string) => object,
  { path, query }: SimRequest,
): SimResponse {
  const ok = (body: unknown): SimResponse => ({ status: 200, body: JSON.stringify(body) })
  if (path === '/instruments') {
    return ok(market.instruments.map(({ symbol, base, quote }) => ({ symbol, time: LISTED_MS, base, quote })))
  }
  const symbol = query.get('symbol') ?? ''
  if (market.find(symbol) === undefined) return { status: 404, body: '{"error":"no such symbol"}' }
  const [from, to] = [Number(query.get('from') ?? 0), Number(query.get('to') ?? Number.MAX_SAFE_INTEGER)]
  const trades = market.trades(symbol).filter(({ id }) => id >= from && id <= to)
  if (path === '/book') return ok(bookOf(symbol))
  if (path === '/newest') return ok(trades.at(-1)?.id ?? null)
  return ok(trades.map(({ timeMs: time, quantity: size, ...trade }) => ({ symbol, time, size, ...trade })))
}
