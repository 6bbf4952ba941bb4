import { describe, expect, test } from 'vitest'
import { deribitSim } from '../../src/sim/deribit.ts'
import { startSimulator } from '../../src/sim/server.ts'
import {
  BOOK,
  type BookData,
  BTC,
  ClientBook,
  expectTruth,
  notifications,
  numbers,
  PATH,
  subscribe,
} from './deribit-client.ts'
import { stage } from './fake-peer.ts'
import { connect, get, clock as realClock, until } from './helpers.ts'

describe('deribit books', () => {
  test.each([
    ['100ms', 100],
    ['agg2', 2000],
  ])('snapshot and changes of %s make the true book', (interval, ms) => {
    const venue = stage(deribitSim)
    const client = venue.connect(PATH)
    const channel = `book.${BTC}.${interval}`
    subscribe(client, channel)
    const book = new ClientBook()
    for (let i = 0; i < 200; i++) venue.step(BTC, i % 3 === 0 ? ms : ms / 3)
    venue.clock.advance(ms)
    const messages = notifications<BookData>(client.take(), channel)
    for (const data of messages) book.apply(data)
    expect(messages.length).toBeGreaterThan(100)
    expectTruth(book, venue)
    const kinds = new Set(messages.slice(1).flatMap(({ bids, asks }) => [...bids, ...asks].map(([kind]) => kind)))
    expect([...kinds].sort()).toEqual(['change', 'delete', 'new'])
    expect(messages.slice(1).every((data) => data.change_id - (data.prev_change_id ?? 0) > 1)).toBe(true)
  })

  test('frames have the documented form, with floats', () => {
    const venue = stage(deribitSim)
    const client = venue.connect(PATH)
    subscribe(client, BOOK)
    venue.step(BTC)
    const [snapshot, change] = client.frames.slice(1)
    const head =
      '{"jsonrpc":"2.0","method":"subscription","params":{"channel":"book.BTC-PERPETUAL.100ms","data":{"type":'
    expect(
      snapshot?.startsWith(
        `${head}"snapshot","timestamp":1790000000000,"instrument_name":"BTC-PERPETUAL","change_id":`,
      ),
    ).toBe(true)
    expect(snapshot).toMatch(/"bids":\[\["new",\d+\.[05],\d+0\.0\],/)
    expect(change).toMatch(
      /"type":"change","timestamp":1790000000100,"prev_change_id":\d+,"instrument_name":"BTC-PERPETUAL","change_id":\d+,"bids":\[/,
    )
    expect(client.topics).toEqual([
      { channel: 'book', symbol: BTC },
      { channel: 'book', symbol: BTC },
    ])
  })

  test('a late client continues from its snapshot, and all see the same changes', () => {
    const venue = stage(deribitSim)
    const early = venue.connect(PATH)
    subscribe(early, BOOK)
    venue.step(BTC)
    venue.market.step(BTC)
    const late = venue.connect(PATH)
    subscribe(late, BOOK)
    early.take()
    for (let i = 0; i < 5; i++) venue.step(BTC)
    const seen = notifications<BookData>(late.take(), BOOK)
    const book = new ClientBook()
    for (const data of seen) book.apply(data)
    expectTruth(book, venue)
    expect(seen.slice(1)).toEqual(notifications(early.take(), BOOK))
  })

  test('grouped books show their depth in full, on change only', () => {
    const venue = stage(deribitSim)
    const client = venue.connect(PATH)
    const channels = [1, 10, 20].map((depth) => `book.${BTC}.none.${depth}.100ms`)
    subscribe(client, ...channels)
    for (let i = 0; i < 30; i++) venue.step(BTC)
    const messages = client.take()
    const counts = channels.map((channel) => notifications(messages, channel).length)
    expect(counts[0]).toBeLessThan(counts[2] ?? 0)
    for (const [i, depth] of [1, 10, 20].entries()) {
      const last = notifications<{ bids: number[][]; asks: number[][] }>(messages, channels[i] ?? '').at(-1)
      expect(last?.bids).toEqual(numbers(venue.market.book(BTC).bids.slice(0, depth)))
      expect(last?.asks).toEqual(numbers(venue.market.book(BTC).asks.slice(0, depth)))
    }
  })
})

test('deribit over real sockets: snapshot, changes and REST', async () => {
  const simulator = await startSimulator({ clock: realClock, venues: [deribitSim], rate: 2 })
  try {
    const { rest_url = '', websocket_url = '' } = simulator.options('deribit')
    const client = await connect(websocket_url)
    client.send({ jsonrpc: '2.0', id: 1, method: 'public/subscribe', params: { channels: [BOOK] } })
    const books = () => notifications<BookData>(client.json(), BOOK)
    await until('ten changes', () => books().length > 10)
    const book = new ClientBook()
    for (const data of books()) book.apply(data)
    const answer = await get(`${rest_url}/api/v2/public/get_order_book?instrument_name=${BTC}&depth=1`)
    expect(answer.body).toMatchObject({ result: { change_id: expect.any(Number), state: 'open' }, testnet: false })
    expect((await get(`${rest_url}/api/v2/public/dance`)).status).toBe(400)
    await expect(connect(`${websocket_url}/other`)).rejects.toThrow('404')
    expect(simulator.violations()).toEqual([])
    client.socket.close()
  } finally {
    await simulator.stop()
  }
})
