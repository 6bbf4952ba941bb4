/** Quiet books that are being asked about, or asked for anew, while something else happens to them. */

import { describe, expect, test } from 'vitest'
import { jsonAnswer, type Peer } from '../helpers/world.ts'
import { binanceDelta, createRig, exchangeInfo } from './rig.ts'

const AT_MS = 1_795_392_000_000
const BTC = 'BTCUSDT'
const ETH = 'ETHUSDT'

/** Two books of Binance on one connection, live at 144. */
async function pair() {
  const rig = createRig()
  const { world } = rig
  const venue = { [BTC]: 104, [ETH]: 104, isDown: false }
  world.answer = ({ url }) => {
    if (url.includes('exchangeInfo')) return exchangeInfo(BTC, ETH)
    if (!url.includes('/depth')) return jsonAnswer([])
    if (venue.isDown) return jsonAnswer('', 500)
    const lastUpdateId = url.includes(BTC) ? venue[BTC] : venue[ETH]
    return jsonAnswer({ lastUpdateId, bids: [['1.0', '5']], asks: [['1.1', '3']] })
  }
  const started = await rig.start('binance', { symbols: [BTC, ETH], channels: { book: 'depth@100ms' } })
  world.peer.open()
  world.peer.message({ result: null, id: world.peer.frames.at(-1)?.id })
  const say = (symbol: typeof BTC | typeof ETH) => {
    const u = ++venue[symbol]
    world.peer.message(binanceDelta(symbol, u, u))
  }
  for (const symbol of [BTC, ETH]) world.peer.message(binanceDelta(symbol, 100, 104))
  await world.clock.advance(50)
  /** A second in which ETH moves, and BTC or not. */
  const second = async (isBusy = false) => {
    world.peer.pong()
    say(ETH)
    if (isBusy) say(BTC)
    await world.clock.advance(1_000)
  }
  for (let i = 0; i < 40; i++) await second(true)
  const sync = started.books.find('binance', BTC)
  expect([sync?.isLive, sync?.sequence]).toEqual([true, 144])
  return { ...started, rig, world, venue, second, sync }
}

test('a book that was silent for too long is live again when REST says that nothing has happened', async () => {
  const { world, venue, second, sync, stateOf } = await pair()
  venue.isDown = true
  for (let i = 0; i < 2_400 && sync?.isLive === true; i++) {
    if (i % 20 === 0) {
      world.peer.pong()
      world.peer.message(binanceDelta(ETH, ++venue[ETH], venue[ETH]))
    }
    await world.clock.advance(50)
  }
  expect([sync?.isLive, sync?.isProven]).toEqual([false, true])
  // The last frame again, before the next look at the silence.
  venue.isDown = false
  world.peer.message(binanceDelta(BTC, venue[BTC], venue[BTC]))
  for (let i = 0; i < 120; i++) await second()
  expect([sync?.isLive, stateOf('book', BTC)?.state]).toEqual([true, 'live'])
})

test('changes that were on their way when a book was asked for anew are not taken for the new subscription', async () => {
  const { world, venue, second, sync } = await pair()
  // The network holds the bytes back; the venue goes on, as REST says.
  venue[BTC] += 6
  venue[ETH] += 6
  const sent = world.peer.sent.length
  for (let i = 0; i < 60 && world.peer.sent.length === sent; i++) {
    world.peer.pong()
    await world.clock.advance(1_000)
  }
  await world.clock.advance(500)
  const requests = world.peer.frames.slice(sent)
  expect(requests.map(({ method }) => method)).toEqual(['UNSUBSCRIBE', 'SUBSCRIBE'])
  for (let u = 145; u <= 150; u++) world.peer.message(binanceDelta(BTC, u, u))
  for (let u = venue[ETH] - 5; u <= venue[ETH]; u++) world.peer.message(binanceDelta(ETH, u, u))
  await world.clock.advance(50)
  expect(sync?.sequence).toBe(150)
  // The old subscription ends, 151 goes to nobody, the new one begins.
  venue[BTC] = 151
  venue[ETH]++
  for (const { id } of requests) world.peer.message({ result: null, id })
  for (let i = 0; i < 60; i++) {
    expect(sync?.isLive === true && sync.sequence === 150).toBe(false)
    await second()
  }
  expect([sync?.isLive, sync?.sequence]).toEqual([true, 151])
})

describe('a planned replacement while a quiet book of Deribit is being asked about', () => {
  test.each([0, 3_000])('costs no gap if REST takes %d ms', async (restMs) => {
    const rig = createRig()
    const { world, gaps } = rig
    const last = { 'BTC-PERPETUAL': 100, 'ETH-PERPETUAL': 100 }
    type Name = keyof typeof last
    world.answer = async ({ url }) => {
      const name = /instrument_name=([A-Z-]+)/.exec(url)?.[1] as Name | undefined
      if (name === undefined || !url.includes('get_order_book')) return jsonAnswer('', 500)
      if (name === 'BTC-PERPETUAL' && restMs > 0)
        await new Promise<void>((resolve) => void world.clock.after(restMs, resolve))
      const levels = { bids: [[99, 1]], asks: [[101, 1]] }
      const result = { change_id: last[name], timestamp: AT_MS, ...levels, instrument_name: name }
      return jsonAnswer({ jsonrpc: '2.0', result })
    }
    const { feed, books } = await rig.start('deribit', {
      symbols: Object.keys(last),
      channels: { book: 'book.100ms' },
    })
    const show = (peer: Peer, name: Name, type: string, previous?: number) => {
      const data = {
        type,
        timestamp: AT_MS + Math.round(world.clock.monotonicMs()),
        instrument_name: name,
        change_id: last[name],
        ...(previous !== undefined && { prev_change_id: previous }),
        bids: [['new', 99, 1]],
        asks: [['new', 101, 1]],
      }
      peer.message({ jsonrpc: '2.0', method: 'subscription', params: { channel: `book.${name}.100ms`, data } })
    }
    const answered = new Map<Peer, number>()
    /** The venue answers what was asked on its sockets, and shows each book to who subscribes it. */
    const serve = () => {
      for (const peer of world.peers.filter(({ isClosedByUs }) => !isClosedByUs)) {
        peer.pong()
        for (const { id, method, params } of peer.frames.slice(answered.get(peer) ?? 0)) {
          const { channels = [] } = (params ?? {}) as { channels?: string[] }
          peer.message({ jsonrpc: '2.0', id, result: channels })
          if (method === 'public/subscribe')
            for (const channel of channels.filter((each) => each.startsWith('book')))
              show(peer, channel.split('.')[1] as Name, 'snapshot')
        }
        answered.set(peer, peer.frames.length)
      }
    }
    const step = async (...names: Name[]) => {
      for (const name of names) {
        const previous = last[name]++
        for (const peer of world.peers)
          if (!peer.isClosedByUs && answered.has(peer)) show(peer, name, 'change', previous)
      }
      for (let i = 0; i < 10; i++) {
        serve()
        await world.clock.advance(100)
      }
    }
    await world.clock.advance(1_000)
    world.peer.open()
    for (let i = 0; i < 40; i++) await step('BTC-PERPETUAL', 'ETH-PERPETUAL')
    const sync = books.find('deribit', 'BTC-PERPETUAL')
    expect(sync?.isLive).toBe(true)
    for (let i = 0; i < 28; i++) await step('ETH-PERPETUAL')
    feed.move({ main: ['wss://b.example/ws'] })
    await world.clock.advance(0)
    world.peer.open()
    for (let i = 0; i < 40; i++) await step('ETH-PERPETUAL')
    expect(gaps).toEqual([])
    expect(sync?.isLive).toBe(true)
  })
})
