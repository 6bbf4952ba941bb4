import { describe, expect, test } from 'vitest'
import { Window } from '../../src/feed/window.ts'
import type { Channel } from '../../src/model/event.ts'
import { createHandoverRig, type HandoverRig } from './handover-rig.ts'

const VENUES = ['binance', 'binance-usdm', 'okx', 'deribit']
const WHOLE = { missing: [], double: [] }

const rotations = ({ log }: HandoverRig) => log.filter((line) => line.startsWith('rotated'))

/** Everything is live on the first socket. */
async function settled(rig: HandoverRig): Promise<void> {
  await rig.exchange.run(3_000)
  expect(rig.feeds.filter(({ state }) => state !== 'live')).toEqual([])
  rig.losses.length = 0
}

/** Nothing was lost, doubled or told to be lost, and no book left `live`. */
function expectWhole(rig: HandoverRig): void {
  expect(rig.account()).toEqual(WHOLE)
  expect(rig.losses).toEqual([])
  expect(rig.bookStates().filter((state) => state.endsWith('stale'))).toEqual([])
  expect(rig.events.filter(({ type }) => type === 'book_snapshot')).toHaveLength(rig.exchange.wire.symbols.length)
}

describe.each(VENUES)('%s', (venueId) => {
  test.each([
    [0, 0],
    [0, 700],
    [700, 0],
    [350, 390],
  ])('the first link %d ms late, the second %d ms: the switch loses nothing and doubles nothing', async (...lags) => {
    const rig = createHandoverRig(venueId)
    rig.exchange.manners.push({ lagMs: lags[0] }, { lagMs: lags[1] })
    await settled(rig)
    rig.connection.rotate('asked')
    await rig.exchange.run(8_000)
    expect(rotations(rig)).toEqual([expect.stringMatching(/^rotated asked done [234] s$/)])
    expect(rig.exchange.line(0).peer.isClosedByUs).toBe(true)
    expect(rig.exchange.lines).toHaveLength(2)
    await rig.exchange.run(15_000)
    expectWhole(rig)
    expect(rig.connection.isOpen).toBe(true)
  })

  test('a second link that lags, from a server whose clock is ahead: what it repeats breaks no book', async () => {
    const rig = createHandoverRig(venueId)
    rig.exchange.manners.push({}, { lagMs: 700, clockMs: { book: 5_000 } })
    await settled(rig)
    rig.connection.rotate('asked')
    await rig.exchange.run(8_000)
    expect(rotations(rig)).toEqual([expect.stringContaining(' done ')])
    expectWhole(rig)
  })

  test('the announced end of the link is met with the next one', async () => {
    const rig = createHandoverRig(venueId)
    await settled(rig)
    rig.exchange.line(0).peer.message(rig.exchange.wire.closing)
    await rig.exchange.run(6_000)
    expect(rig.log.filter((line) => line.startsWith('closing'))).toHaveLength(1)
    expect(rotations(rig)).toEqual([expect.stringContaining(' done ')])
    expectWhole(rig)
  })

  test('the first link dies when both are in step: what is held goes out, and nothing was lost', async () => {
    const rig = createHandoverRig(venueId)
    rig.exchange.manners.push({ lagMs: 300 }, {})
    await settled(rig)
    rig.connection.rotate('asked')
    await rig.exchange.run(1_800)
    rig.exchange.line(0).peer.close()
    expect(rotations(rig)).toEqual(['rotated asked promoted 2 s'])
    expect(rig.log).toContain('lost connection lost at once')
    await rig.exchange.run(15_000)
    expectWhole(rig)
    expect(rig.exchange.lines).toHaveLength(2)
  })

  test('the first link dies before the second has said anything: every feed is told to be lost, and no time is lost', async () => {
    const rig = createHandoverRig(venueId)
    rig.exchange.manners.push({}, { lagMs: 2_000 })
    await settled(rig)
    const lastUs = rig.events.at(-1)?.receive_time_us
    rig.connection.rotate('asked')
    rig.exchange.line(0).peer.close()
    expect(rig.losses.map(({ feed }) => feed)).toEqual(rig.feeds.map(({ topic }) => topic.name))
    for (const { loss } of rig.losses)
      expect(loss).toEqual({ cause: 'disconnect', reason: 'connection lost', sinceUs: lastUs })
    await rig.exchange.run(10_000)
    expect(rig.exchange.lines).toHaveLength(2)
    expect(rig.feeds.filter(({ state }) => state !== 'live')).toEqual([])
    expect(rig.account().double).toEqual([])
  })

  test('a thousand planned rotations, a quarter on each venue: nothing missing, nothing double', async () => {
    const lifetimeMs = 8_000
    const rig = createHandoverRig(venueId, { lifetimeMs, seed: 7 })
    for (let i = 0; i < 400; i++) rig.exchange.manners.push({ lagMs: (i * 137) % 400 })
    while (rotations(rig).length < 250) {
      await rig.exchange.run(10_000, 250)
      expect(rig.account()).toEqual(WHOLE)
      rig.exchange.facts.splice(0, rig.exchange.facts.length - 400)
      rig.events.splice(0, rig.events.length - 200)
    }
    expect(rotations(rig).filter((line) => !line.includes('lifetime done'))).toEqual([])
    expect(rig.losses).toEqual([])
    expect(rig.bookStates()).toEqual([])
  }, 60_000)
})

/** The name of a venue's topic of its first symbol. */
const topicOf = ({ feeds }: HandoverRig, channel: Channel): string =>
  feeds.find((feed) => feed.channel === channel)?.topic.name as string

describe('the second link', () => {
  test.each(VENUES)(
    '%s: ahead of a first that lags by 6 s is waited for until the first has caught up',
    async (venueId) => {
      const rig = createHandoverRig(venueId)
      rig.exchange.manners.push({ lagMs: 6_000 })
      await rig.exchange.run(15_000)
      expect(rig.feeds.filter(({ state }) => state !== 'live')).toEqual([])
      rig.losses.length = 0
      rig.connection.rotate('asked')
      await rig.exchange.run(5_500)
      expect(rotations(rig)).toEqual([])
      await rig.exchange.run(10_000)
      expect(rotations(rig)).toEqual([expect.stringMatching(/ done [67] s$/)])
      expectWhole(rig)
    },
  )

  test.each(VENUES)(
    '%s: not in step after 30 s, it is given up, and tried again after growing waits',
    async (venueId) => {
      const rig = createHandoverRig(venueId)
      const isMute = (name: string) => name.includes(topicOf(rig, 'trade')) || name.includes(topicOf(rig, 'book'))
      rig.exchange.manners.push({}, ...Array.from({ length: 40 }, () => ({ isMute })))
      await settled(rig)
      rig.connection.rotate('asked')
      await rig.exchange.run(31_000)
      expect(rotations(rig)).toEqual(['rotated asked given_up 30 s'])
      expect(rig.exchange.line(1).peer.isClosedByUs).toBe(true)
      expect(rig.exchange.line(0).peer.isClosedByUs).toBe(false)
      await rig.exchange.run(3_600_000, 1_000)
      expect(rotations(rig).length).toBeGreaterThan(4)
      expect(rotations(rig).length).toBeLessThan(30)
      expectWhole(rig)
    },
    60_000,
  )

  test.each(['done', 'given_up'])('what the second link holds is known until the handover is %s', async (outcome) => {
    const rig = createHandoverRig('binance')
    const loses = ({ channel }: { channel: string }) => outcome === 'given_up' && channel === 'ticker'
    rig.exchange.manners.push({ lagMs: 700 }, { loses })
    await settled(rig)
    const held = () => rig.feeds.filter(({ second }) => second?.next?.type === 'trade').length
    const symbols = rig.exchange.wire.symbols.length
    expect(held()).toBe(0)
    rig.connection.rotate('asked')
    await rig.exchange.run(1_800)
    expect(held()).toBe(symbols)
    await rig.exchange.run(30_000)
    expect(rotations(rig)[0]).toContain(` ${outcome} `)
    expect(rig.feeds.every(({ second }) => second === undefined)).toBe(true)
  })

  test('a topic that stays silent while the first link brings it is not trusted', async () => {
    const rig = createHandoverRig('binance')
    rig.exchange.manners.push({}, { loses: ({ channel, symbol }) => channel === 'ticker' && symbol === 'BTCUSDT' })
    await settled(rig)
    rig.connection.rotate('asked')
    await rig.exchange.run(40_000)
    expect(rotations(rig)).toEqual(['rotated asked given_up 30 s'])
    expectWhole(rig)
  })

  test.each([
    [0, 0],
    [600, 0],
    [0, 600],
  ])('tickers whose ids differ on it: by their time, the first %d ms late, the second %d ms', async (...lags) => {
    const rig = createHandoverRig('binance')
    rig.exchange.manners.push({ lagMs: lags[0] }, { lagMs: lags[1], clockMs: { ticker: -3 } })
    await settled(rig)
    rig.connection.rotate('asked')
    await rig.exchange.run(8_000)
    expect(rotations(rig)).toEqual([expect.stringContaining(' done ')])
    expectWhole(rig)
  })

  test('a market in which nothing happens does not hold it up', async () => {
    const rig = createHandoverRig('binance')
    await settled(rig)
    rig.exchange.hush('ETHUSDT')
    rig.connection.rotate('asked')
    await rig.exchange.run(5_000)
    expect(rotations(rig)).toEqual(['rotated asked done 2 s'])
    expectWhole(rig)
  })

  test('what is refused for now is asked for again before the switch', async () => {
    const rig = createHandoverRig('okx')
    let refusals = 2
    rig.exchange.manners.push({}, { refuses: (name) => name === 'trades:BTC-USDT' && refusals-- > 0 })
    await settled(rig)
    rig.connection.rotate('asked')
    await rig.exchange.run(25_000)
    expect(rotations(rig)).toEqual([expect.stringContaining(' done ')])
    expect(rig.log.filter((line) => line.startsWith('rejected'))).toEqual([])
    expectWhole(rig)
  })

  test('a delta that it lost is waited for, until the first link has brought it', async () => {
    const rig = createHandoverRig('deribit')
    let lost = 0
    const loses = ({ channel, isSnapshot }: { channel: string; isSnapshot?: boolean }) =>
      channel === 'book' && !isSnapshot && ++lost === 20
    rig.exchange.manners.push({ lagMs: 1_500 }, { loses })
    await settled(rig)
    rig.connection.rotate('asked')
    await rig.exchange.run(10_000)
    expect(lost).toBeGreaterThan(20)
    expect(rotations(rig)).toEqual([expect.stringContaining(' done ')])
    expectWhole(rig)
  })

  test('a frame of it that cannot be read is counted, and nobody is blamed', async () => {
    const rig = createHandoverRig('okx')
    await settled(rig)
    rig.connection.rotate('asked')
    await rig.exchange.run(500)
    const arg = { channel: 'books', instId: 'BTC-USDT' }
    rig.exchange.line(1).peer.message({ arg, action: 'update', data: [{ bids: [['x', '1']], asks: [] }] })
    expect(rig.log.at(-1)).toBe('malformed ')
    await rig.exchange.run(5_000)
    expectWhole(rig)
  })

  test('OKX: a numbering that starts anew while both are open', async () => {
    const rig = createHandoverRig('okx')
    rig.exchange.manners.push({ lagMs: 300 })
    await settled(rig)
    rig.connection.rotate('asked')
    await rig.exchange.run(1_000)
    rig.exchange.renumber('BTC-USDT', 5)
    await rig.exchange.run(8_000)
    expect(rotations(rig)).toEqual([expect.stringContaining(' done ')])
    expect(rig.account().double).toEqual([])
    expect(rig.bookStates().filter((state) => state.endsWith('stale'))).toEqual([])
  })

  test('when it does not open, the first goes on; after a notice it is tried again soon, elsewhere', async () => {
    const rig = createHandoverRig('binance')
    rig.exchange.manners.push({}, { isRefused: true }, { isRefused: true }, { isRefused: true })
    await settled(rig)
    rig.exchange.line(0).peer.message(rig.exchange.wire.closing)
    await rig.exchange.run(30_000)
    expect(rotations(rig).map((line) => line.split(' ')[2])).toEqual(['given_up', 'given_up', 'given_up', 'done'])
    expect(rig.exchange.lines.slice(1).map(({ peer }) => new URL(peer.url).host)).toEqual([
      'a.example',
      'b.example',
      'a.example',
      'b.example',
    ])
    expectWhole(rig)
  })

  test('when the venue announces its end too, a third one follows', async () => {
    const rig = createHandoverRig('okx')
    await settled(rig)
    rig.exchange.line(0).peer.message(rig.exchange.wire.closing)
    await rig.exchange.run(500)
    rig.exchange.line(1).peer.message(rig.exchange.wire.closing)
    await rig.exchange.run(10_000)
    expect(rig.exchange.lines).toHaveLength(3)
    expectWhole(rig)
  })

  test('a feed that both links wait for is asked for on one as soon as the venue takes it on the other', async () => {
    let isRefused = false
    const manners = { refuses: () => isRefused }
    const rig = createHandoverRig('deribit', { channels: ['quote'], symbols: ['BTC-PERPETUAL'] })
    rig.exchange.manners.push(manners, manners)
    await settled(rig)
    isRefused = true
    rig.connection.rotate('asked')
    rig.connection.restart(rig.feedOf('quote', 'BTC-PERPETUAL'), {
      cause: 'silence',
      sinceUs: undefined,
      reason: 'silent',
    })
    await rig.exchange.run(8_000)
    isRefused = false
    const isTaken = (index: number) => rig.exchange.line(index).topics.size > 0
    while (!isTaken(0) && !isTaken(1)) await rig.exchange.run(100)
    await rig.exchange.run(300)
    expect([isTaken(0), isTaken(1)]).toEqual([true, true])
  })

  test('the limit on new sockets holds for it', async () => {
    const connects = new Window(1, 60_000)
    const rig = createHandoverRig('binance', { options: { connects } })
    await settled(rig)
    rig.connection.rotate('asked')
    await rig.exchange.run(50_000)
    expect(rig.exchange.lines).toHaveLength(1)
    await rig.exchange.run(15_000)
    expect(rotations(rig)).toEqual([expect.stringContaining(' done ')])
    expectWhole(rig)
  })

  test('its events are held within bounds', async () => {
    const rig = createHandoverRig('binance')
    rig.exchange.manners.push({}, { lagMs: 0 })
    await settled(rig)
    rig.exchange.line(0).manners.loses = () => true
    rig.connection.rotate('asked')
    await rig.exchange.run(1_000)
    for (let i = 0; i < 40_000; i++) rig.exchange.publish('trade', 'BTCUSDT')
    rig.exchange.line(0).peer.close()
    const ids = rig.events.flatMap((event) => (event.type === 'trade' && event.symbol === 'BTCUSDT' ? [event] : []))
    expect(ids.length).toBeLessThan(10_100)
    expect(rig.losses.map(({ feed }) => feed)).toContain('btcusdt@trade')
  })
})

describe('an end that cannot be put off', () => {
  test.each(VENUES)('%s: announced; the one topic that does not join is lost, the others are not', async (venueId) => {
    const rig = createHandoverRig(venueId)
    const isOut = ({ channel, symbol }: { channel: string; symbol: string }) =>
      channel === 'trade' && symbol === rig.exchange.wire.symbols[0]
    rig.exchange.manners.push({}, { loses: isOut })
    await settled(rig)
    rig.exchange.line(0).peer.message(rig.exchange.wire.closing)
    await rig.exchange.run(35_000)
    expect(rotations(rig)).toEqual([expect.stringContaining(' done 30 s')])
    expect(rig.losses.map(({ feed, loss }) => [feed, loss.cause])).toEqual([[topicOf(rig, 'trade'), 'maintenance']])
    expect(rig.account().double).toEqual([])
    expect(rig.account().missing.every((what) => what.startsWith('trade'))).toBe(true)
  })

  test('the last part of the lifetime: better one feed lost than all of them', async () => {
    const rig = createHandoverRig('okx', { lifetimeMs: 3_600_000 })
    const loses = ({ channel, symbol }: { channel: string; symbol: string }) =>
      channel === 'ticker' && symbol === 'BTC-USDT'
    rig.exchange.manners.push({}, ...Array.from({ length: 20 }, () => ({ loses })))
    await settled(rig)
    await rig.exchange.run(3_600_000, 500)
    expect(rig.exchange.line(0).peer.isClosedByUs).toBe(true)
    expect(rotations(rig)[0]).toBe('rotated lifetime given_up 30 s')
    expect(rotations(rig).at(-1)).toBe('rotated lifetime done 30 s')
    expect(new Set(rig.losses.map(({ feed }) => feed))).toEqual(new Set(['tickers:BTC-USDT']))
  })

  test('the venue ends the link before the second one is there: the loss is told as maintenance', async () => {
    const rig = createHandoverRig('okx')
    rig.exchange.manners.push({}, { isRefused: true })
    await settled(rig)
    rig.exchange.line(0).peer.message(rig.exchange.wire.closing)
    await rig.exchange.run(200)
    rig.exchange.line(0).peer.close(1001, 'Service upgrade')
    expect(new Set(rig.losses.map(({ loss }) => loss.cause))).toEqual(new Set(['maintenance']))
    expect(rig.losses).toHaveLength(rig.feeds.length)
  })

  test('the first link dies before the second has carried a feed for long enough: what came of it proves nothing', async () => {
    const rig = createHandoverRig('binance')
    await settled(rig)
    rig.exchange.line(0).manners.loses = ({ channel }) => channel === 'ticker'
    rig.connection.rotate('asked')
    await rig.exchange.run(1_000)
    rig.exchange.line(0).peer.close()
    expect(rig.losses.map(({ feed }) => feed)).toEqual(['btcusdt@ticker', 'ethusdt@ticker'])
  })

  test('the first link dies while one topic is missing on the second: that one alone is lost', async () => {
    const rig = createHandoverRig('deribit')
    rig.exchange.manners.push(
      { lagMs: 200 },
      { loses: ({ channel, symbol }) => channel === 'book' && symbol === 'ETH-PERPETUAL' },
    )
    await settled(rig)
    rig.connection.rotate('asked')
    await rig.exchange.run(4_000)
    rig.exchange.line(0).peer.close()
    expect(rig.losses.map(({ feed }) => feed)).toEqual(['book.ETH-PERPETUAL.100ms'])
    expect(rotations(rig)).toEqual([expect.stringContaining(' promoted ')])
    await rig.exchange.run(1_000)
    expect(rig.account()).toEqual(WHOLE)
  })
})

describe('when', () => {
  test.each([1, 2, 3])('a link is replaced in the 2 % before 23/24 of its lifetime (seed %d)', async (seed) => {
    const lifetimeMs = 2_400_000
    const rig = createHandoverRig('binance', { lifetimeMs, seed })
    await rig.exchange.run(lifetimeMs * (23 / 24 - 0.02) - 2_000, 1_000)
    expect(rig.exchange.lines).toHaveLength(1)
    await rig.exchange.run(lifetimeMs * 0.02 + 8_000, 1_000)
    expect(rotations(rig)).toEqual([expect.stringContaining('lifetime done')])
    expectWhole(rig)
  })

  test('one that is not open is not rotated: the next one is new anyway', async () => {
    const rig = createHandoverRig('binance')
    rig.connection.rotate('asked')
    await settled(rig)
    await rig.exchange.run(10_000)
    expect(rig.exchange.lines).toHaveLength(1)
  })

  test('a used-up quota of subscriptions brings a new link instead of an outage', async () => {
    const rig = createHandoverRig('okx')
    await settled(rig)
    const feed = rig.feedOf('ticker', 'ETH-USDT')
    for (let i = 0; i < 300 && rig.exchange.lines.length === 1; i++) {
      rig.connection.restart(feed, { cause: 'silence', sinceUs: undefined, reason: 'test' })
      await rig.exchange.run(100)
    }
    rig.losses.length = 0
    await rig.exchange.run(10_000)
    expect(rotations(rig)).toEqual([expect.stringContaining('quota of subscriptions used up done')])
    expect(rig.losses).toEqual([])
  })

  test('stopped in the middle of it, nothing is left', async () => {
    const rig = createHandoverRig('okx')
    await settled(rig)
    rig.connection.rotate('asked')
    await rig.exchange.run(1_000)
    rig.connection.stop()
    rig.ledger.stop()
    await rig.world.clock.advance(0)
    expect(rig.world.clock.pending).toBe(0)
    expect(rig.exchange.lines.map(({ peer }) => peer.isClosedByUs)).toEqual([true, true])
  })
})

test('feeds that come and go while both links are open', async () => {
  const rig = createHandoverRig('okx', { symbols: ['BTC-USDT'] })
  await settled(rig)
  rig.connection.rotate('asked')
  await rig.exchange.run(1_000)
  const late = rig.newFeed('ticker', 'ETH-USDT')
  expect(rig.connection.add([late])).toBe(true)
  rig.connection.drop(rig.feedOf('quote', 'BTC-USDT'))
  await rig.exchange.run(6_000)
  expect(rotations(rig)).toEqual([expect.stringContaining(' done ')])
  expect(late.state).toBe('live')
  const quotes = rig.events.filter(({ type }) => type === 'quote').length
  await rig.exchange.run(2_000)
  expect(rig.events.filter(({ type }) => type === 'quote')).toHaveLength(quotes)
  expect(rig.account()).toEqual(WHOLE)
  expect([...rig.exchange.line(1).topics]).toContain('tickers:ETH-USDT')
  expect([...rig.exchange.line(1).topics]).not.toContain('bbo-tbt:BTC-USDT')
})
