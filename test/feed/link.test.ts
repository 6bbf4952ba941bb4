import { beforeEach, describe, expect, test } from 'vitest'
import { Link, type LinkHandlers } from '../../src/feed/link.ts'
import type { Channel } from '../../src/model/event.ts'
import { findVenue } from '../../src/venues/index.ts'
import { channelNames, type Topic, type Venue } from '../../src/venues/venue.ts'
import { createWorld, type World } from '../helpers/world.ts'

let world: World
let log: string[]

beforeEach(() => {
  world = createWorld()
  log = []
})

const names = (topics: readonly Topic[]) => topics.map(({ name }) => name).join(',')
const handlers: LinkHandlers = {
  opened: () => void log.push('opened'),
  frame: () => {},
  late: () => void log.push('late'),
  events: ({ events }) => void log.push(`events ${events.map(({ type }) => type)}`),
  odd: (decoded) => void log.push(decoded.kind),
  subscribed: (topics) => void log.push(`subscribed ${names(topics)}`),
  rejected: (topics, reason, isPermanent) => void log.push(`rejected ${names(topics)}: ${reason} ${isPermanent}`),
  closing: (reason) => void log.push(`closing ${reason}`),
  closed: ({ reason, wasOpen, cause }) =>
    void log.push(`closed ${reason} ${wasOpen}${cause === 'disconnect' ? '' : ` ${cause}`}`),
}

function open(venueId: string): { link: Link; venue: Venue } {
  const venue = findVenue(venueId) as Venue
  const link = new Link({ venue, url: 'wss://venue.example/ws', platform: world, instruments: new Map(), handlers })
  world.peer.open()
  return { link, venue }
}

function topicsOf(venue: Venue, symbols: readonly string[], channel: Channel = 'trade'): Topic[] {
  const [name = ''] = channelNames(venue, channel)
  return symbols.map((symbol) => venue.topic(channel, name, symbol))
}

const refuse = (id: unknown, code = 11050) =>
  world.peer.message({ jsonrpc: '2.0', id, error: { code, message: 'bad_request' } })

describe('subscriptions', () => {
  const asked = () =>
    world.peer.frames
      .filter(({ method, id }) => method === 'public/subscribe' && Number(id) > 100)
      .map(({ id, params }) => ({ id, channels: (params as { channels: string[] }).channels }))

  /** The venue refuses each request with a topic of `bad`, and takes the others. */
  async function answerAll(bad: readonly string[]): Promise<number> {
    let idle = 0
    for (let answered = 0, seconds = 0; ; seconds++) {
      const requests = asked()
      for (; answered < requests.length; answered++) {
        const { id, channels = [] } = requests[answered] ?? {}
        if (channels.some((name) => bad.includes(name))) refuse(id)
        else world.peer.message({ jsonrpc: '2.0', id, result: channels })
      }
      world.peer.pong()
      await world.clock.advance(1_000)
      idle = asked().length === answered ? idle + 1 : 0
      if (idle > 3 || seconds > 300) return seconds - idle
    }
  }

  test('one bad topic of two hundred costs fifteen requests more, within the rate, and no other its stream', async () => {
    const { link, venue } = open('deribit')
    await world.clock.advance(5_000)
    const topics = topicsOf(
      venue,
      Array.from({ length: 200 }, (_, i) => `C${i}-PERPETUAL`),
    )
    link.subscribe(topics)
    const bad = topics[77]?.name ?? ''
    const seconds = await answerAll([bad])
    expect(asked().length).toBeLessThanOrEqual(1 + 2 * 8)
    expect(seconds).toBeLessThan(15)
    expect(log.filter((line) => line.startsWith('rejected'))).toEqual([`rejected ${bad}: 11050 bad_request true`])
    const taken = log.filter((line) => line.startsWith('subscribed')).flatMap((line) => line.slice(11).split(','))
    expect(taken.sort()).toEqual(
      topics
        .map(({ name }) => name)
        .filter((name) => name !== bad)
        .sort(),
    )
  })

  test('several bad ones are found, each alone', async () => {
    const { link, venue } = open('deribit')
    await world.clock.advance(5_000)
    const topics = topicsOf(
      venue,
      Array.from({ length: 50 }, (_, i) => `C${i}-PERPETUAL`),
    )
    link.subscribe(topics)
    const bad = [0, 1, 31, 49].map((i) => topics[i]?.name ?? '')
    await answerAll(bad)
    const refused = log.filter((line) => line.startsWith('rejected')).map((line) => line.split(/[ :]/)[1])
    expect(refused.sort()).toEqual(bad.sort())
  })

  test('halves that the hourly quota does not allow any more are told to be refused for now', async () => {
    const venue = { ...(findVenue('deribit') as Venue) }
    const few = { ...venue, socketLimits: { ...venue.socketLimits, subscribesPerHourMax: 2 } }
    const link = new Link({
      venue: few,
      url: 'wss://venue.example/ws',
      platform: world,
      instruments: new Map(),
      handlers,
    })
    world.peer.open()
    link.subscribe(topicsOf(venue, ['A', 'B']))
    refuse(asked()[0]?.id)
    await world.clock.advance(5_000)
    expect(log.slice(1)).toEqual(['rejected trades.B.100ms: the quota of subscriptions is used up false'])
    expect(asked()).toHaveLength(2)
  })

  test('OKX: each topic has a request of its own, so an error that names no topic still finds its feed', () => {
    const { link, venue } = open('okx')
    link.subscribe(topicsOf(venue, ['BTC-USDT', 'NOPE-USDT']))
    const [first, second] = world.peer.frames
    world.peer.message({
      event: 'subscribe',
      id: first?.id,
      arg: { channel: 'trades', instId: 'BTC-USDT' },
      connId: 'x',
    })
    world.peer.message({ event: 'error', id: second?.id, code: '60018', msg: "doesn't exist", connId: 'x' })
    expect(log).toEqual(['opened', 'subscribed trades:BTC-USDT', "rejected trades:NOPE-USDT: 60018 doesn't exist true"])
  })

  test('Deribit: what is missing from the result was refused', () => {
    const { link, venue } = open('deribit')
    link.subscribe(topicsOf(venue, ['BTC-PERPETUAL', 'NOPE-PERPETUAL']))
    const request = world.peer.frames.findLast(({ method }) => method === 'public/subscribe')
    world.peer.message({ jsonrpc: '2.0', id: request?.id, result: ['trades.BTC-PERPETUAL.100ms'] })
    expect(log.slice(1)).toEqual([
      'subscribed trades.BTC-PERPETUAL.100ms',
      'rejected trades.NOPE-PERPETUAL.100ms: missing from the answer to the subscription true',
    ])
  })

  test('Binance: when a whole request is refused each half is asked for alone', () => {
    const { link, venue } = open('binance')
    link.subscribe(topicsOf(venue, ['AUSDT', 'BUSDT']))
    world.peer.message({ code: 2, msg: 'Invalid request: unknown', id: world.peer.frames[0]?.id })
    expect(world.peer.frames.slice(1).map(({ params }) => params)).toEqual([['ausdt@trade'], ['busdt@trade']])
  })

  test('a request without an answer is told after 10 s, and may be tried again', async () => {
    const { link, venue } = open('okx')
    link.subscribe(topicsOf(venue, ['BTC-USDT']))
    for (let second = 0; second < 12; second++) {
      await world.clock.advance(1_000)
      world.peer.message('pong')
    }
    expect(log.at(-1)).toBe('rejected trades:BTC-USDT: no answer to the subscription for 10 s false')
  })

  test('an answer is awaited from when the request went out, not from when it was queued', async () => {
    const { link, venue } = open('binance')
    const symbols = Array.from({ length: 60 }, (_, i) => `S${i}USDT`)
    for (const topic of topicsOf(venue, symbols)) link.subscribe([topic])
    const answered = new Set<unknown>()
    for (let second = 0; second < 30; second++) {
      const due = world.peer.frames.filter(({ id }) => !answered.has(id))
      await world.clock.advance(3_000)
      world.peer.pong()
      for (const { id } of due) {
        answered.add(id)
        world.peer.message({ result: null, id })
      }
    }
    expect(answered.size).toBe(60)
    expect(log.filter((line) => line.startsWith('rejected'))).toEqual([])
  })

  test('the hourly quota of OKX holds for first subscriptions too', () => {
    const { link, venue } = open('okx')
    const topics = topicsOf(venue, ['BTC-USDT'])
    let asked = 0
    while (asked < 1_000 && link.subscribe(topics)) asked++
    expect(asked).toBe(480)
    expect(world.peer.frames.length).toBeLessThanOrEqual(480)
  })

  test('the hourly quota of OKX is kept: subscribing anew is refused before the venue would', async () => {
    const { link, venue } = open('okx')
    const topics = topicsOf(venue, ['BTC-USDT'])
    let done = 0
    while (link.resubscribe(topics)) done++
    expect(done * 2).toBe(480)
    world.clock.advance(0)
  })
})

describe('sending', () => {
  test.each(['binance', 'binance-usdm', 'deribit', 'okx'])(
    '%s: never more frames in a second than the venue takes',
    async (id) => {
      const venue = findVenue(id) as Venue
      const { link } = open(id)
      const sentAt: number[] = []
      let seen = 0
      const note = () => {
        for (; seen < world.peer.sent.length + world.peer.pings; seen++) sentAt.push(world.clock.monotonicMs())
      }
      const symbols = Array.from({ length: 40 }, (_, i) => `S${i}`)
      for (const topic of topicsOf(venue, symbols)) link.subscribe([topic])
      for (let i = 0; i < 400; i++) {
        note()
        await world.clock.advance(50)
        world.peer.pong()
      }
      expect(sentAt.length).toBeGreaterThan(40)
      for (const at of sentAt) {
        expect(sentAt.filter((other) => other > at - 1_000 && other <= at).length).toBeLessThanOrEqual(
          venue.socketLimits.sendsPerSecondMax,
        )
      }
    },
  )

  test('what a network that stands still will let through at once is never more than a second may bring', async () => {
    const { link, venue } = open('binance')
    const { sendsPerSecondMax } = venue.socketLimits
    const count = () => world.peer.sent.length + world.peer.pings
    for (let i = 0; i < 10; i++) {
      link.subscribe(topicsOf(venue, [`S${i}`]))
      await world.clock.advance(1_000)
    }
    expect(count()).toBe(sendsPerSecondMax)
    // All of it may have arrived just now.
    world.peer.pong()
    await world.clock.advance(1_000)
    expect(count()).toBe(sendsPerSecondMax)
    world.peer.pong()
    await world.clock.advance(300)
    expect(count()).toBeGreaterThan(sendsPerSecondMax)
  })

  test('a process that stood still answers the pings of that time before it sends, and all of it is within the rate', async () => {
    const { link, venue } = open('binance')
    const { sendsPerSecondMax } = venue.socketLimits
    for (const topic of topicsOf(venue, ['A', 'B', 'C', 'D', 'E', 'F', 'G', 'H'])) link.subscribe([topic])
    await world.clock.advance(900)
    world.peer.pong()
    const count = () => world.peer.sent.length + world.peer.pings
    const before = count()
    world.clock.stall(60_000)
    await world.clock.advance(0)
    // Timers come first, and only then what the peer sent.
    expect(count()).toBe(before)
    for (let i = 0; i < 3; i++) world.peer.ping()
    await world.clock.advance(1_000)
    expect(count() + 3 - before).toBeLessThanOrEqual(sendsPerSecondMax)
    await world.clock.advance(5_000)
    world.peer.pong()
    await world.clock.advance(5_000)
    expect(world.peer.sent.length).toBeGreaterThan(6)
  })

  test('a test_request of Deribit is answered before what waits', () => {
    const { link, venue } = open('deribit')
    for (const topic of topicsOf(venue, ['A', 'B', 'C', 'D', 'E', 'F'])) link.subscribe([topic])
    const before = world.peer.sent.length
    world.peer.message({ jsonrpc: '2.0', method: 'heartbeat', params: { type: 'test_request' } })
    return world.clock.advance(1_300).then(() => expect(world.peer.frames[before]?.method).toBe('public/test'))
  })

  test('a venue that asks for proof of life without end is answered, and nothing piles up', async () => {
    open('deribit')
    for (let i = 0; i < 5_000; i++)
      world.peer.message({ jsonrpc: '2.0', method: 'heartbeat', params: { type: 'test_request' } })
    await world.clock.advance(5_000)
    const sent = world.peer.sent.length
    world.peer.message({ jsonrpc: '2.0', method: 'heartbeat', params: { type: 'heartbeat' } })
    await world.clock.advance(5_000)
    expect(world.peer.frames.slice(sent).filter(({ method }) => method === 'public/test')).toHaveLength(0)
  })

  test('Deribit is asked for heartbeats, OKX is sent the text ping, Binance a WebSocket ping', async () => {
    open('deribit')
    expect(world.peer.frames[0]).toMatchObject({ method: 'public/set_heartbeat', params: { interval: 10 } })
    expect(world.peer.frames[1]).toMatchObject({ method: 'public/subscribe', params: { channels: ['platform_state'] } })
    open('okx')
    await world.clock.advance(6_000)
    expect(world.peer.sent).toContain('ping')
    open('binance')
    await world.clock.advance(6_000)
    expect(world.peer.pings).toBeGreaterThan(0)
  })
})

describe('life and death', () => {
  test('a socket that never opens is given up', async () => {
    const venue = findVenue('binance') as Venue
    new Link({ venue, url: 'wss://venue.example/ws', platform: world, instruments: new Map(), handlers })
    await world.clock.advance(15_000)
    expect(log).toEqual(['closed not open after 12 s false'])
    expect(world.peer.isClosedByUs).toBe(true)
  })

  test('a peer that sends no byte is found dead within 15 s', async () => {
    open('binance')
    await world.clock.advance(11_000)
    expect(log).toEqual(['opened'])
    await world.clock.advance(2_000)
    expect(log).toEqual(['opened', 'closed no byte for 12 s true'])
  })

  test('pongs alone keep it', async () => {
    open('binance')
    for (let i = 0; i < 60; i++) {
      await world.clock.advance(1_000)
      world.peer.pong()
    }
    expect(log).toEqual(['opened'])
  })

  test('frames after the end are counted as late and do nothing', () => {
    const { link } = open('binance')
    link.end('stopped')
    world.peer.message({ stream: 'btcusdt@bookTicker', data: { u: 1, s: 'BTCUSDT', b: '1', B: '1', a: '2', A: '1' } })
    expect(log).toEqual(['opened', 'closed stopped true', 'late'])
  })

  test('closing is told once, with code and words', () => {
    open('okx')
    world.peer.close(4004, 'No data received in 30s')
    world.peer.close(1006, '')
    expect(log).toEqual(['opened', 'closed closed with code 4004: No data received in 30s true'])
  })

  test('notices of the venue are passed on', () => {
    open('okx')
    world.peer.message({ event: 'notice', code: '64008', msg: 'The connection will soon be closed', connId: 'x' })
    open('binance')
    world.peer.message({ stream: '!serverShutdown', data: { e: 'serverShutdown', E: 1770123456789 } })
    expect(log.filter((line) => line.startsWith('closing'))).toEqual([
      'closing 64008 The connection will soon be closed',
      'closing serverShutdown',
    ])
  })
})

describe('what a link asks for on its own account', () => {
  const platformRequests = () => world.peer.frames.filter(({ id }) => id === 3).length
  const pass = async (seconds: number) => {
    for (let second = 0; second < seconds; second++) {
      world.peer.pong()
      await world.clock.advance(1_000)
    }
  }

  test('Deribit: the state of the platform is asked for again, until the maintenance that refuses it is over', async () => {
    open('deribit')
    refuse(3, 11051)
    await pass(29)
    expect(platformRequests()).toBe(1)
    await pass(2)
    expect(platformRequests()).toBe(2)
    refuse(3, 11051)
    await pass(31)
    expect(platformRequests()).toBe(3)
    world.peer.message({ jsonrpc: '2.0', id: 3, result: ['platform_state'] })
    await pass(300)
    expect(platformRequests()).toBe(3)
    world.peer.message({
      jsonrpc: '2.0',
      method: 'subscription',
      params: { channel: 'platform_state', data: { maintenance: true } },
    })
    expect(log.at(-1)).toBe('closing maintenance')
  })

  test('not again what is refused for good', async () => {
    open('deribit')
    refuse(3)
    await pass(100)
    expect(platformRequests()).toBe(1)
  })
})
