import { describe, expect, test } from 'vitest'
import { okxSim } from '../../src/sim/okx.ts'
import { stage } from './fake-peer.ts'
import { BTC, BUSINESS, PUBLIC, subscribed, subscription } from './okx-client.ts'

describe('okx session', () => {
  test('answers text ping with text pong', () => {
    const client = stage(okxSim).connect(PUBLIC)
    client.say('ping')
    expect(client.frames).toEqual(['pong'])
  })

  test('acks each arg on its own, with the id and the connection', () => {
    const client = stage(okxSim).connect(PUBLIC)
    const args = [
      { channel: 'trades', instId: BTC },
      { channel: 'trades', instId: 'ETH-USDT' },
    ]
    client.say({ id: '1512', op: 'subscribe', args })
    const connId = '80000000'
    expect(client.take()).toEqual(args.map((arg) => ({ id: '1512', event: 'subscribe', arg, connId })))
    client.say({ op: 'unsubscribe', args: [args[0]] })
    expect(client.take()).toEqual([{ event: 'unsubscribe', arg: args[0], connId }])
  })

  test('refuses an unknown instrument with the id and no arg', () => {
    const client = stage(okxSim).connect(PUBLIC)
    client.say(subscription('books', 'NOPE-USDT', 'ob1'))
    expect(client.frames).toEqual([
      '{"event":"error","msg":"Subscribe failed, wrong URL or channel:books,instId:NOPE-USDT doesn\'t exist.","code":"60018","connId":"80000000","id":"ob1"}',
    ])
  })

  test('lets go of an instrument that is off the list by now, though nobody can subscribe it', () => {
    const venue = stage(okxSim)
    const client = subscribed(venue, 'trades')
    client.take()
    venue.market.list(BTC, false)
    client.say(subscription('trades', BTC, 'a2', 'unsubscribe'))
    expect(client.take()).toMatchObject([{ event: 'unsubscribe', id: 'a2' }])
    client.say(subscription('trades', BTC, 'a3'))
    expect(client.take()).toMatchObject([{ event: 'error', code: '60018', id: 'a3' }])
    venue.market.list(BTC, true)
    venue.step(BTC, 1000)
    expect(client.take()).toEqual([])
  })

  test.each([
    ['not JSON', '60012', false],
    [{ op: 'subscribe', argss: [] }, '60012', false],
    [{ op: 'subscribe', args: [{ channel: 'trades', instId: BTC }], id: 'x'.repeat(33) }, '60012', false],
    [{ op: 'dance', args: [] }, '60019', false],
    [{ id: 'i', op: 'subscribe', args: [{ instId: BTC }] }, '60013', true],
    [{ id: 'i', op: 'subscribe', args: 'trades' }, '60013', true],
    [{ id: 'i', op: 'subscribe', args: [] }, '60013', true],
  ])('refuses %j with %s', (request, code, hasId) => {
    const venue = stage(okxSim)
    const client = venue.connect(PUBLIC)
    client.say(request)
    const [error] = client.take()
    expect(error).toMatchObject({ event: 'error', code, connId: '80000000' })
    expect(error?.id).toBe(hasId ? 'i' : undefined)
    expect(venue.violations).toHaveLength(1)
  })

  test.each([
    [PUBLIC, 'books-l2-tbt', '64003'],
    [PUBLIC, 'books50-l2-tbt', '64003'],
    [PUBLIC, 'candle1m', '64001'],
    [PUBLIC, 'mark-price-candle1m', '64001'],
    [PUBLIC, 'trades-all', '60018'],
    [PUBLIC, 'constructor', '60018'],
    [BUSINESS, 'tickers', '64002'],
    [BUSINESS, 'books', '64002'],
    [BUSINESS, 'nonsense', '60018'],
  ])('on %s refuses %s with %s', (path, channel, code) => {
    const client = stage(okxSim).connect(path)
    client.say(subscription(channel, BTC))
    expect(client.take()).toMatchObject([{ event: 'error', code, id: 'a1' }])
  })

  test('closes with 4004 after 30 s without data in either direction', () => {
    const venue = stage(okxSim)
    const client = venue.connect(PUBLIC)
    venue.clock.advance(29_000)
    client.say('ping')
    venue.clock.advance(29_999)
    expect(client.closed).toBeUndefined()
    venue.clock.advance(1)
    expect(client.closed).toEqual({ code: 4004, reason: 'No data received in 30s.' })
  })

  test('pushed data keeps a silent client, and the wire’s own pings do not', () => {
    const venue = stage(okxSim)
    const listener = subscribed(venue, 'trades')
    const pinger = venue.connect(PUBLIC)
    for (let i = 0; i < 100; i++) {
      pinger.session.ping()
      venue.step(BTC, 1000)
    }
    expect(listener.closed).toBeUndefined()
    expect(pinger.closed?.code).toBe(4004)
  })

  test('refuses the 481st request of an hour with 60014', () => {
    const venue = stage(okxSim)
    const client = venue.connect(PUBLIC)
    for (let i = 0; i < 240; i++) {
      client.say(subscription('trades', BTC))
      client.say(subscription('trades', BTC, 'a2', 'unsubscribe'))
    }
    expect(venue.violations).toEqual([])
    client.take()
    client.say(subscription('trades', BTC, 'late'))
    expect(client.take()).toMatchObject([{ event: 'error', code: '60014', id: 'late' }])
    expect(venue.violations).toEqual(['requests-per-hour'])
  })

  test('closes the fourth connection of a second, and frames above 64 KB', () => {
    const venue = stage(okxSim)
    const clients = [1, 2, 3, 4].map(() => venue.connect(PUBLIC))
    expect(clients.map(({ closed }) => closed?.code)).toEqual([undefined, undefined, undefined, 1008])
    venue.clock.advance(1000)
    const client = venue.connect(PUBLIC)
    expect(client.closed).toBeUndefined()
    client.say({ op: 'subscribe', args: [{ channel: 'x'.repeat(65_536), instId: BTC }] })
    expect(client.closed?.code).toBe(1009)
    expect(venue.violations).toEqual(['connects', 'request-size'])
  })

  test('gives notice, and closes 60 s later, divided by the time scale', () => {
    const venue = stage(okxSim, { timeScale: 10 })
    const client = venue.connect(BUSINESS)
    client.say(subscription('trades-all', BTC))
    client.take()
    venue.exchange.order('notice', new URLSearchParams())
    const msg = 'The connection will soon be closed for a service upgrade. Please reconnect.'
    expect(client.take()).toEqual([{ event: 'notice', code: '64008', msg, connId: '80000000' }])
    for (let i = 0; i < 5; i++) {
      client.say('ping')
      venue.clock.advance(1199)
    }
    expect(client.closed).toBeUndefined()
    venue.clock.advance(10)
    expect(client.closed).toBeDefined()
  })

  test('gives up on a client that does not read', () => {
    const venue = stage(okxSim)
    const client = subscribed(venue, 'books')
    client.bufferedBytes = 9 * 2 ** 20
    venue.step(BTC)
    expect(client.closed).toEqual({ code: 4005, reason: 'Buffer full' })
  })

  test('knows no other paths and no unknown orders', () => {
    const venue = stage(okxSim)
    expect(() => venue.connect('/ws/v5/private').session).toThrow(RangeError)
    expect(venue.exchange.order('dance', new URLSearchParams())).toBeUndefined()
  })
})
