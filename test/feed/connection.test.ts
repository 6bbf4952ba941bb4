import { describe, expect, test } from 'vitest'
import type { Channel } from '../../src/model/event.ts'
import { createHandoverRig, type HandoverRig } from './handover-rig.ts'

const VENUES = ['binance', 'binance-usdm', 'okx', 'deribit']

async function settled(rig: HandoverRig): Promise<void> {
  await rig.exchange.run(3_000)
  expect(rig.feeds.filter(({ state }) => state !== 'live')).toEqual([])
  rig.losses.length = 0
}

const causes = ({ losses }: HandoverRig) => [...new Set(losses.map(({ loss }) => loss.cause))]

describe('a process that stood still', () => {
  test.each(VENUES)('%s: it does not take its links for dead, nor its feeds for silent', async (venueId) => {
    const rig = createHandoverRig(venueId)
    await rig.exchange.run(20_000)
    const { peer } = rig.exchange.line(0)
    const proofs = () => peer.pings + peer.sent.filter((text) => text === 'ping').length
    rig.losses.length = 0
    const before = proofs()
    rig.stall(60_000)
    await rig.world.clock.advance(2_100)
    expect(proofs(), 'a ping is sent when the pings of that time are answered').toBe(before + 1)
    await rig.world.clock.advance(3_900)
    expect(peer.isClosedByUs).toBe(false)
    await rig.exchange.run(20_000)
    expect(rig.exchange.lines).toHaveLength(1)
    expect(rig.losses).toEqual([])
    expect(rig.log.filter((line) => line.startsWith('suspended'))).toEqual([])
    expect(peer.frames.filter(({ method, op }) => /unsub/i.test(method ?? op ?? ''))).toEqual([])
  })

  test('a link that was dead after all is found dead, and the loss is ours', async () => {
    const rig = createHandoverRig('binance')
    await settled(rig)
    rig.stall(60_000)
    await rig.world.clock.advance(14_000)
    expect(rig.log).toContainEqual(expect.stringContaining('lost no byte for 12 s'))
    expect(causes(rig)).toEqual(['process_stalled'])
  })

  test('a close that waited in the socket while the process stood still comes before the first tick', async () => {
    const rig = createHandoverRig('okx')
    await settled(rig)
    rig.stall(60_000)
    rig.exchange.line(0).peer.close(4004, 'No data received in 30s')
    expect(causes(rig)).toEqual(['process_stalled'])
  })

  test('fifteen seconds later an end is an end again', async () => {
    const rig = createHandoverRig('okx')
    await settled(rig)
    rig.stall(60_000)
    await rig.exchange.run(17_000)
    rig.exchange.line(0).peer.close()
    expect(causes(rig)).toEqual(['disconnect'])
  })

  test('a tick that is a little late is no stall', async () => {
    const rig = createHandoverRig('okx')
    await settled(rig)
    rig.stall(4_500)
    rig.exchange.line(0).peer.close()
    expect(causes(rig)).toEqual(['disconnect'])
  })

  test('a handover waits for what the sockets have to say first', async () => {
    const rig = createHandoverRig('okx')
    await settled(rig)
    rig.connection.rotate('asked')
    await rig.exchange.run(1_000)
    rig.stall(60_000)
    await rig.world.clock.advance(250)
    rig.exchange.line(1).peer.close(1006, 'reset while we slept')
    await rig.exchange.run(2_000)
    expect(rig.log.filter((line) => line.startsWith('rotated'))).toEqual([expect.stringContaining(' given_up ')])
    expect(rig.losses).toEqual([])
  })

  test('an answer that was on its way is still awaited', async () => {
    const rig = createHandoverRig('binance')
    rig.exchange.manners.push({ isMute: () => true })
    await rig.exchange.run(3_000)
    rig.stall(60_000)
    await rig.exchange.run(5_000)
    expect(rig.log.filter((line) => line.startsWith('rejected'))).toEqual([])
    await rig.exchange.run(7_000)
    expect(rig.log.filter((line) => line.startsWith('rejected'))).toHaveLength(rig.feeds.length)
  })
})

describe('frames that cannot be read', () => {
  const spoilt = (rig: HandoverRig, count: number) => {
    for (let i = 0; i < count; i++) rig.exchange.line(0).peer.message('{"stream":"btcusdt@tra')
  }

  test('five within 10 s reopen the connection', async () => {
    const rig = createHandoverRig('binance')
    await settled(rig)
    spoilt(rig, 4)
    expect(rig.losses).toEqual([])
    spoilt(rig, 1)
    expect(causes(rig)).toEqual(['decode_error'])
    expect(rig.losses).toHaveLength(rig.feeds.length)
    await rig.exchange.run(2_000)
    expect(rig.exchange.lines).toHaveLength(2)
  })

  test('those of one symbol, however many, are its own affair; of two in turn they are not', async () => {
    const rig = createHandoverRig('binance')
    await settled(rig)
    const spoiltOf = (symbol: string) =>
      rig.exchange.line(0).peer.message({ stream: `${symbol}@trade`, data: { e: 'trade', s: symbol.toUpperCase() } })
    for (let i = 0; i < 50; i++) spoiltOf('btcusdt')
    await rig.exchange.run(2_000)
    expect(rig.exchange.lines).toHaveLength(1)
    for (let i = 0; i < 2; i++) for (const symbol of ['ethusdt', 'btcusdt']) spoiltOf(symbol)
    await rig.exchange.run(2_000)
    expect(rig.exchange.lines).toHaveLength(2)
  })

  test('more than that over a longer time do not, nor do frames that are only unknown', async () => {
    const rig = createHandoverRig('binance')
    await settled(rig)
    for (let i = 0; i < 6; i++) {
      spoilt(rig, 2)
      for (let j = 0; j < 20; j++) rig.exchange.line(0).peer.message({ stream: 'x', data: { e: 'new_event' } })
      await rig.exchange.run(6_000)
    }
    expect(rig.exchange.lines).toHaveLength(1)
    expect(rig.losses).toEqual([])
  })
})

describe('links that do not live long', () => {
  const live = async (rig: HandoverRig, ms: number, end: () => void) => {
    const before = rig.exchange.lines.length
    await rig.exchange.run(ms, 1_000)
    end()
    for (let i = 0; i < 400 && rig.exchange.lines.length === before; i++) await rig.exchange.run(100)
  }
  const told = ({ log }: HandoverRig) => log.filter((line) => line.startsWith('unsteady'))

  test('three in a row that others ended within 120 s are told once; a long life starts the count anew', async () => {
    const rig = createHandoverRig('binance')
    const cut = () => rig.exchange.lines.at(-1)?.peer.close()
    await rig.exchange.run(100)
    for (let i = 0; i < 2; i++) await live(rig, 60_000, cut)
    expect(told(rig)).toEqual([])
    await live(rig, 60_000, cut)
    expect(told(rig)).toEqual([expect.stringMatching(/^unsteady (59|6\d)\d{3}$/)])
    for (let i = 0; i < 3; i++) await live(rig, 60_000, cut)
    expect(told(rig)).toHaveLength(1)
    await live(rig, 130_000, cut)
    for (let i = 0; i < 3; i++) await live(rig, 60_000, cut)
    expect(told(rig)).toHaveLength(2)
  })

  test('neither what we end nor what the venue announced counts', async () => {
    const rig = createHandoverRig('okx')
    await rig.exchange.run(300)
    for (let i = 0; i < 6; i++) {
      const { peer } = rig.exchange.line(i)
      await live(rig, 5_000, () => {
        if (i % 2 === 0) for (let j = 0; j < 5; j++) peer.message('{"arg')
        else {
          peer.message(rig.exchange.wire.closing)
          peer.close()
        }
      })
    }
    expect(rig.exchange.lines.length).toBeGreaterThan(5)
    expect(told(rig)).toEqual([])
  })
})

describe('since when data may be missing', () => {
  test('of a busy feed since the last data of the connection, of one that was unusually silent since its own', async () => {
    const rig = createHandoverRig('binance')
    await rig.exchange.run(10_000)
    rig.exchange.hush('ETHUSDT')
    const ownUs = rig.feedOf('trade', 'ETHUSDT').lastMessageUs
    await rig.exchange.run(5_000)
    const lastUs = rig.feedOf('quote', 'BTCUSDT').lastMessageUs
    rig.exchange.line(0).peer.close()
    const since = (name: string) => rig.losses.find(({ feed }) => feed === name)?.loss.sinceUs
    expect(since('btcusdt@trade')).toBe(lastUs)
    expect(since('ethusdt@trade')).toBe(ownUs)
  })

  test('with two links open it is the data of the one that delivered', async () => {
    const rig = createHandoverRig('binance')
    const isOut = () => true
    rig.exchange.manners.push({}, { isMute: () => true })
    await settled(rig)
    rig.connection.rotate('asked')
    await rig.exchange.run(1_000)
    const lastUs = rig.feedOf('quote', 'BTCUSDT').lastMessageUs
    rig.exchange.line(0).manners.loses = isOut
    rig.exchange
      .line(1)
      .peer.message(rig.exchange.wire.message({ channel: 'quote', symbol: 'ETHUSDT', number: 1, atMs: 0 }))
    rig.exchange.line(0).peer.close()
    expect(rig.losses.find(({ feed }) => feed === 'btcusdt@trade')?.loss.sinceUs).toBe(lastUs)
  })
})

describe('feeds that come later', () => {
  test('are subscribed on the open connection', async () => {
    const rig = createHandoverRig('okx', { symbols: ['BTC-USDT'] })
    await settled(rig)
    const added = (['trade', 'book'] as const).map((channel: Channel) => rig.newFeed(channel, 'ETH-USDT'))
    expect(rig.connection.add(added)).toBe(true)
    await rig.exchange.run(2_000)
    expect(added.map(({ state }) => state)).toEqual(['live', 'live'])
    expect(rig.exchange.lines).toHaveLength(1)
    expect(rig.losses).toEqual([])
  })

  test('never more than the venue allows, and none once it has stopped', async () => {
    const rig = createHandoverRig('okx', { symbols: ['BTC-USDT'] })
    await settled(rig)
    const many = Array.from({ length: 97 }, (_, i) => rig.newFeed('trade', i === 0 ? 'ETH-USDT' : 'BTC-USDT'))
    const sent = rig.exchange.line(0).peer.sent.length
    expect(rig.connection.add(many)).toBe(false)
    expect(rig.exchange.line(0).peer.sent).toHaveLength(sent)
    rig.connection.stop()
    expect(rig.connection.add(many.slice(0, 1))).toBe(false)
  })
})
