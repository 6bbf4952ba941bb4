import { describe, expect, test } from 'vitest'
import { okxSim } from '../../src/sim/okx.ts'
import { bookChecksum } from '../../src/sim/okx-rows.ts'
import { startSimulator } from '../../src/sim/server.ts'
import { type Message, stage } from './fake-peer.ts'
import { connect, get, clock as realClock, until } from './helpers.ts'
import { type BookData, BTC, ClientBook, dataOf, expectTruth, pushes, subscribed, subscription } from './okx-client.ts'

describe('okx books', () => {
  test('snapshot and updates make the true top 400, whatever enters and leaves the window', () => {
    const venue = stage(okxSim)
    const symbol =
      venue.market.instruments.find(({ symbol }) => venue.market.book(symbol).bids.length > 420)?.symbol ?? ''
    const client = subscribed(venue, 'books', symbol)
    const book = new ClientBook()
    let updates = 0
    for (let i = 0; i < 300; i++) {
      venue.step(symbol, i % 3 === 0 ? 40 : 100)
      for (const message of pushes(client.take(), 'books')) {
        book.apply(message)
        updates += 1
      }
    }
    venue.clock.advance(100)
    for (const message of pushes(client.take(), 'books')) book.apply(message)
    expect(updates).toBeGreaterThan(150)
    expect(book.bids.size).toBe(400)
    expectTruth(book, venue, symbol)
  })

  test('frames have the documented form, and no checksum', () => {
    const venue = stage(okxSim)
    const client = subscribed(venue, 'books')
    venue.step(BTC)
    const [snapshot, update] = pushes(client.take(), 'books')
    expect(Object.keys(snapshot ?? {})).toEqual(['arg', 'action', 'data'])
    expect(Object.keys(dataOf<BookData>(update))).toEqual(['asks', 'bids', 'ts', 'prevSeqId', 'seqId'])
    expect([snapshot?.action, update?.action]).toEqual(['snapshot', 'update'])
    for (const row of dataOf<BookData>(snapshot).bids) {
      expect(row).toEqual([
        expect.stringMatching(/^\d+(\.\d*[1-9])?$/),
        expect.stringMatching(/^\d+(\.\d*[1-9])?$/),
        '0',
        expect.stringMatching(/^[1-9]\d*$/),
      ])
    }
    const { prevSeqId, seqId } = dataOf<BookData>(update)
    expect(seqId - prevSeqId).toBeGreaterThan(1)
    expect(client.topics).toEqual([
      { channel: 'book', symbol: BTC },
      { channel: 'book', symbol: BTC },
    ])
  })

  test('carries the checksum that is ordered', () => {
    const venue = stage(okxSim)
    const client = subscribed(venue, 'books')
    const book = new ClientBook()
    expect(venue.exchange.order('checksum', new URLSearchParams('mode=wrong'))).toContain('expected mode=')
    expect(venue.exchange.order('checksum', new URLSearchParams('mode=zero'))).toBe('zero')
    venue.step(BTC)
    venue.exchange.order('checksum', new URLSearchParams('mode=crc'))
    venue.step(BTC)
    const messages = pushes(client.take(), 'books')
    for (const message of messages) book.apply(message)
    const sums = messages.map((message) => dataOf<BookData>(message).checksum)
    expect(sums).toEqual([undefined, 0, bookChecksum(book.sorted('bids'), book.sorted('asks'))])
  })

  test('computes the checksums of the documentation’s examples', () => {
    // Values from protocols: computed with an independent CRC-32 over the documented strings.
    const two = bookChecksum([['3366.1', '7'], ['3366', '6']], [['3366.8', '9'], ['3368', '8']]) // biome-ignore format: two sides
    expect(two).toBe(-1_881_014_294)
    expect(bookChecksum([['3366.1', '7']], [['3366.8', '9'], ['3368', '8'], ['3372', '8']])).toBe(831_078_360) // biome-ignore format: two sides
  })

  test('confirms an idle book after 60 s with an empty update of the same sequence', () => {
    const venue = stage(okxSim, { timeScale: 10 })
    const client = subscribed(venue, 'books')
    venue.step(BTC)
    const last = dataOf<BookData>(pushes(client.take(), 'books').at(-1)).seqId
    venue.clock.advance(2900)
    client.say('ping')
    venue.clock.advance(2900)
    expect(pushes(client.take(), 'books')).toEqual([])
    client.say('ping')
    venue.clock.advance(300)
    const beats = pushes(client.take(), 'books')
    expect(beats.map(({ action }) => action)).toEqual(['update'])
    expect(dataOf<BookData>(beats[0])).toMatchObject({ asks: [], bids: [], prevSeqId: last, seqId: last })
    venue.step(BTC)
    expect(dataOf<BookData>(pushes(client.take(), 'books')[0]).prevSeqId).toBe(last)
  })

  test('resets its sequence once, and goes on from the smaller number', () => {
    const venue = stage(okxSim)
    const client = subscribed(venue, 'books')
    const book = new ClientBook()
    venue.step(BTC)
    venue.exchange.order('sequence-reset', new URLSearchParams(`symbol=${BTC}`))
    for (let i = 0; i < 3; i++) venue.step(BTC)
    const messages = pushes(client.take(), 'books')
    for (const message of messages) book.apply(message)
    const steps = messages
      .slice(1)
      .map((message) => dataOf<BookData>(message).seqId > dataOf<BookData>(message).prevSeqId)
    expect(steps).toEqual([true, false, true, true])
    expect(book.last).toBeGreaterThanOrEqual(0)
    expectTruth(book, venue, BTC)
  })

  test('every connection sees the same sequences, and a late one continues from its snapshot', () => {
    const venue = stage(okxSim)
    const early = subscribed(venue, 'books')
    venue.step(BTC)
    venue.market.step(BTC)
    const late = subscribed(venue, 'books')
    const book = new ClientBook()
    early.take()
    for (let i = 0; i < 5; i++) venue.step(BTC)
    const lateMessages = pushes(late.take(), 'books')
    for (const message of lateMessages) book.apply(message)
    expectTruth(book, venue, BTC)
    expect(lateMessages.slice(1)).toEqual(pushes(early.take(), 'books'))
  })

  test('after unsubscribe nothing comes; subscribing again brings a fresh snapshot', () => {
    const venue = stage(okxSim)
    const client = subscribed(venue, 'books')
    client.say(subscription('books', BTC, 'a2', 'unsubscribe'))
    client.take()
    venue.step(BTC)
    expect(client.take()).toEqual([])
    client.say(subscription('books', BTC, 'a3'))
    const [ack, snapshot] = client.take()
    expect(ack).toMatchObject({ event: 'subscribe', id: 'a3' })
    expect(snapshot).toMatchObject({ action: 'snapshot', data: [{ prevSeqId: -1 }] })
    const book = new ClientBook()
    book.apply(snapshot as Message)
    expectTruth(book, venue, BTC)
  })

  test('is crossed before the opening, and returns to the truth', () => {
    const venue = stage(okxSim)
    const client = subscribed(venue, 'books')
    const book = new ClientBook()
    venue.exchange.order('pre-open', new URLSearchParams(`symbol=${BTC}&ms=1000`))
    venue.clock.advance(100)
    const messages = pushes(client.take(), 'books')
    for (const message of messages) book.apply(message)
    const { prevSeqId, seqId } = dataOf<BookData>(messages.at(-1))
    expect(seqId).toBeGreaterThan(prevSeqId)
    expect(Number(book.sorted('asks')[0]?.[0])).toBeLessThan(Number(book.sorted('bids')[0]?.[0]))
    const [row] = venue.get(`/api/v5/public/instruments?instType=SPOT&instId=${BTC}`).body.data as Message[]
    expect(row?.state).toBe('preopen')
    venue.clock.advance(1100)
    for (const message of pushes(client.take(), 'books')) book.apply(message)
    expectTruth(book, venue, BTC)
  })

  test('books5 shows five levels in full, and again after 60 s', () => {
    const venue = stage(okxSim, { timeScale: 100 })
    const client = subscribed(venue, 'books5')
    for (let i = 0; i < 20; i++) venue.step(BTC)
    const messages = pushes(client.take(), 'books5')
    expect(messages.length).toBeGreaterThan(2)
    expect(messages.length).toBeLessThan(20)
    const last = dataOf<BookData & { instId: string }>(messages.at(-1))
    expect(Object.keys(last)).toEqual(['asks', 'instId', 'bids', 'ts', 'seqId'])
    const truth = venue.market.book(BTC)
    expect(last.bids.map(([price]) => Number(price))).toEqual(truth.bids.slice(0, 5).map(([price]) => Number(price)))
    venue.clock.advance(700)
    const repeated = pushes(client.take(), 'books5')
    expect(dataOf<BookData>(repeated[0])).toEqual(last)
  })
})

test('okx over real sockets: snapshot, updates and REST agree', async () => {
  const simulator = await startSimulator({ clock: realClock, venues: [okxSim], rate: 5 })
  try {
    const { rest_url = '', websocket_url = '' } = simulator.options('okx')
    const client = await connect(websocket_url)
    client.send(subscription('books', BTC))
    const updates = () => client.json((message) => message.action === 'update')
    await until('ten updates', () => updates().length >= 10)
    const book = new ClientBook()
    for (const message of client.json((each) => each.data !== undefined)) book.apply(message)
    const answer = await get(`${rest_url}/api/v5/market/books?instId=${BTC}&sz=400`)
    expect(answer.body).toMatchObject({ code: '0', data: [{ seqId: expect.any(Number) }] })
    await expect(connect(websocket_url.replace('public', 'private'))).rejects.toThrow('404')
    expect(simulator.violations()).toEqual([])
    client.socket.close()
  } finally {
    await simulator.stop()
  }
})
