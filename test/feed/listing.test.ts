/** Symbols that the venue lists, lists no more, or never did. */

import { beforeEach, describe, expect, test } from 'vitest'
import type { Ledger } from '../../src/ledger/ledger.ts'
import { jsonAnswer } from '../helpers/world.ts'
import { createRecoveryRig, okxTrade, type RecoveryRig } from './recovery-rig.ts'
import { binanceDelta, binanceTrade, exchangeInfo, type Started, snapshotAt } from './rig.ts'

let world: RecoveryRig['world']
let events: RecoveryRig['events']
let log: RecoveryRig['log']
let start: RecoveryRig['start']
let binanceAck: RecoveryRig['binanceAck']
let depthRequests: RecoveryRig['depthRequests']
let pass: RecoveryRig['pass']

beforeEach(() => {
  ;({ world, events, log, start, binanceAck, depthRequests, pass } = createRecoveryRig())
})

describe('symbols that go and come', () => {
  test('data that come after a symbol was delisted do not bring it back, nor its book', async () => {
    world.answer = ({ url }) => (url.includes('depth') ? snapshotAt(104) : exchangeInfo('BTCUSDT', 'OLDUSDT'))
    const { stateOf, books } = await start('binance', {
      symbols: ['BTCUSDT', 'OLDUSDT'],
      channels: { trade: 'trade', book: 'depth@100ms' },
    })
    world.peer.open()
    binanceAck()
    world.peer.message(binanceDelta('OLDUSDT', 100, 104))
    await world.clock.advance(10)
    expect(books.find('binance', 'OLDUSDT')?.isLive).toBe(true)
    world.answer = ({ url }) => (url.includes('depth') ? snapshotAt(104) : exchangeInfo('BTCUSDT'))
    await pass(605, (second) => {
      world.peer.message(binanceTrade('BTCUSDT', second))
      world.peer.message(binanceDelta('OLDUSDT', 105 + second, 105 + second))
    })
    const asked = depthRequests()
    const emitted = events.length
    await pass(10, (second) => {
      world.peer.message(binanceTrade('OLDUSDT', 9_000 + second))
      world.peer.message(binanceDelta('OLDUSDT', 710 + second, 710 + second))
    })
    expect([stateOf('trade', 'OLDUSDT')?.state, stateOf('book', 'OLDUSDT')?.state]).toEqual(['delisted', 'delisted'])
    expect(books.find('binance', 'OLDUSDT')?.isLive).toBe(false)
    expect(depthRequests()).toBe(asked)
    expect(events.length).toBe(emitted)
  })

  test('a symbol that is listed again, or for the first time, is collected again', async () => {
    world.answer = () => exchangeInfo('BTCUSDT', 'OLDUSDT')
    const { stateOf, feed } = await start('binance', { symbols: ['BTCUSDT', 'OLDUSDT', 'NEWUSDT'] })
    world.peer.open()
    binanceAck()
    const [first] = world.peers
    const trades = (second: number) => first?.message(binanceTrade('BTCUSDT', second))
    expect(stateOf('trade', 'NEWUSDT')?.state).toBe('down')
    world.answer = () => exchangeInfo('BTCUSDT')
    await pass(601, trades)
    expect(stateOf('trade', 'OLDUSDT')?.state).toBe('delisted')
    world.answer = () => exchangeInfo('BTCUSDT', 'OLDUSDT', 'NEWUSDT')
    await pass(601, (second) => trades(700 + second))
    expect(world.peer.frames.at(-1)?.params).toEqual(['oldusdt@trade', 'newusdt@trade'])
    expect(feed.socketsWanted).toBe(1)
    for (const symbol of ['OLDUSDT', 'NEWUSDT']) {
      world.peer.message(binanceTrade(symbol, 1))
      expect(stateOf('trade', symbol)?.state).toBe('live')
    }
  })

  test('what a symbol had since it went off the list is missing, also when it is back for the next process', async () => {
    world.answer = () => exchangeInfo('BTCUSDT', 'OLDUSDT')
    const first = await start('binance', { symbols: ['BTCUSDT', 'OLDUSDT'] })
    world.peer.open()
    binanceAck()
    world.peer.message(binanceTrade('OLDUSDT', 7))
    world.answer = () => exchangeInfo('BTCUSDT')
    await pass(601, (second) => world.peer.message(binanceTrade('BTCUSDT', second)))
    expect(first.stateOf('trade', 'OLDUSDT')?.state).toBe('delisted')
    const goneUs = first.stateOf('trade', 'OLDUSDT')?.sinceUs
    first.feed.stop()
    world.answer = () => exchangeInfo('BTCUSDT', 'OLDUSDT')
    const next = await start('binance', { symbols: ['BTCUSDT', 'OLDUSDT'] })
    expect(next.stateOf('trade', 'OLDUSDT')?.ledger.outage).toMatchObject({
      cause: 'delisted',
      start_time_us: goneUs,
      last_sequence: 7,
    })
  })

  test('a subscription refused for good is a gap, and tried again while the venue lists the symbol', async () => {
    world.answer = () => exchangeInfo('BTCUSDT', 'ETHUSDT')
    const { stateOf } = await start('binance', { symbols: ['BTCUSDT', 'ETHUSDT'] })
    world.peer.open()
    binanceAck()
    for (const symbol of ['BTCUSDT', 'ETHUSDT']) world.peer.message(binanceTrade(symbol, 1))
    world.peer.close()
    await world.clock.advance(1_000)
    world.peer.open()
    const refuse = () => {
      for (const { id, params } of world.peer.frames)
        world.peer.message(
          (params as string[]).includes('ethusdt@trade') ? { code: 2, msg: 'no', id } : { result: null, id },
        )
    }
    refuse()
    await world.clock.advance(1_000)
    refuse()
    expect(stateOf('trade', 'ETHUSDT')).toMatchObject({ state: 'down', reason: expect.stringContaining('refused') })
    expect(stateOf('trade', 'ETHUSDT')?.ledger.outage).toBeDefined()
    let id = 1
    await pass(601, () => world.peer.message(binanceTrade('BTCUSDT', ++id)))
    binanceAck()
    world.peer.message(binanceTrade('ETHUSDT', 2))
    expect(stateOf('trade', 'ETHUSDT')?.state).toBe('live')
    expect(stateOf('trade', 'ETHUSDT')?.ledger.outage).toBeUndefined()
  })

  test('what is refused for good is not asked for again as long as no new list comes', async () => {
    world.answer = () => exchangeInfo('BTCUSDT')
    const { stateOf } = await start('binance', {
      symbols: ['BTCUSDT'],
      channels: { trade: 'trade', quote: 'bookTicker' },
    })
    world.peer.open()
    const asksFor = (name: string) => world.peer.frames.filter(({ params }) => (params as string[]).includes(name))
    for (let count = 0; count < 2; count++) {
      for (const { id, params } of world.peer.frames)
        world.peer.message(
          (params as string[]).includes('btcusdt@bookTicker') ? { code: 2, msg: 'no', id } : { result: null, id },
        )
      await world.clock.advance(1_000)
    }
    const asked = asksFor('btcusdt@bookTicker').length
    world.answer = () => exchangeInfo()
    await pass(1_200, (second) => world.peer.message(binanceTrade('BTCUSDT', second)))
    expect(log.filter((line) => line.startsWith('metadata failed')).length).toBeGreaterThan(3)
    expect(asksFor('btcusdt@bookTicker')).toHaveLength(asked)
    expect(stateOf('quote', 'BTCUSDT')).toMatchObject({ state: 'down', reason: expect.stringContaining('refused') })
  })

  test('an empty list of instruments delists nothing', async () => {
    world.answer = () => exchangeInfo('BTCUSDT')
    const { stateOf } = await start('binance', { symbols: ['BTCUSDT'] })
    world.peer.open()
    binanceAck()
    world.answer = () => exchangeInfo()
    await pass(620, (second) => world.peer.message(binanceTrade('BTCUSDT', second)))
    expect(stateOf('trade', 'BTCUSDT')?.state).toBe('live')
    expect(log.some((line) => line.startsWith('metadata failed'))).toBe(true)
  })

  test('OKX: one list of instruments that is refused does not cost the others', async () => {
    const row = { instType: 'SPOT', instId: 'BTC-USDT', baseCcy: 'BTC', quoteCcy: 'USDT', state: 'live' }
    world.answer = ({ url }) =>
      url.includes('OPTION')
        ? jsonAnswer({ code: '51000', msg: 'Parameter instFamily error', data: [] })
        : jsonAnswer({ code: '0', msg: '', data: [row] })
    const { stateOf } = await start('okx', { symbols: ['BTC-USDT', 'NOPE-USD-261225-100-C'] })
    world.peer.open()
    world.peer.message(okxTrade('BTC-USDT', 1))
    expect(events.at(-1)).toMatchObject({ type: 'trade', instrument: 'BTC-USDT' })
    expect(stateOf('trade', 'NOPE-USD-261225-100-C')?.isGivenUp).toBe(false)
  })

  test('a symbol that the snapshot answer does not know is given up: its deltas cause no further request', async () => {
    const { stateOf } = await start('binance', {
      symbols: ['NOPEUSDT', 'BTCUSDT'],
      channels: { book: 'depth@100ms' },
    })
    world.answer = ({ url }) =>
      url.includes('NOPE') ? jsonAnswer({ code: -1121, msg: 'Invalid symbol.' }, 400) : snapshotAt(100)
    world.peer.open()
    binanceAck()
    await pass(30, (second) => {
      world.peer.message(binanceDelta('NOPEUSDT', 105 + second, 105 + second))
      world.peer.message(binanceDelta('BTCUSDT', 100 + second, 100 + second))
    })
    expect(world.requests.filter(({ url }) => url.includes('NOPE'))).toHaveLength(1)
    expect(stateOf('book', 'NOPEUSDT')?.state).toBe('down')
    expect(stateOf('book', 'BTCUSDT')?.state).toBe('live')
  })
})

describe('a symbol went off the list, and the list does not come at the next start', () => {
  const symbols = ['BTCUSDT', 'OLDUSDT']
  const channels = { trade: 'trade', book: 'depth@100ms' }
  const down = () => {
    throw new Error('connect ECONNREFUSED')
  }
  const oldGaps = (ledger: Ledger) => ledger.gaps().filter(({ symbol }) => symbol === 'OLDUSDT')
  let goneUs: number

  /** Resolves with the next process, a day later. */
  async function restart(): Promise<Started> {
    world.answer = ({ url }) => (url.includes('depth') ? snapshotAt(104) : exchangeInfo(...symbols))
    const first = await start('binance', { symbols, channels })
    world.peer.open()
    binanceAck()
    world.peer.message(binanceTrade('OLDUSDT', 7))
    world.peer.message(binanceDelta('OLDUSDT', 100, 104))
    await world.clock.advance(10)
    world.answer = ({ url }) => (url.includes('depth') ? snapshotAt(104) : exchangeInfo('BTCUSDT'))
    await pass(601, (second) => world.peer.message(binanceTrade('BTCUSDT', second)))
    expect(first.stateOf('book', 'OLDUSDT')?.state).toBe('delisted')
    goneUs = first.stateOf('trade', 'OLDUSDT')?.sinceUs ?? 0
    first.ledger.stop()
    first.feed.stop()
    await world.clock.advance(86_400_000)
    world.answer = down
    const next = await start('binance', { symbols, channels })
    world.peer.open()
    binanceAck()
    return next
  }

  test('it is still off the list: it has missed nothing, also where its connection was lost meanwhile', async () => {
    const { ledger, stateOf } = await restart()
    const before = oldGaps(ledger)
    await pass(70, (second) => world.peer.message(binanceTrade('BTCUSDT', 1_000 + second)))
    world.peer.close()
    await world.clock.advance(1_000)
    world.peer.open()
    binanceAck()
    world.answer = ({ url }) => (url.includes('depth') ? down() : exchangeInfo('BTCUSDT'))
    await pass(130, (second) => world.peer.message(binanceTrade('BTCUSDT', 2_000 + second)))
    expect(stateOf('trade', 'OLDUSDT')?.state).toBe('down')
    expect(oldGaps(ledger)).toEqual(before)
    for (const channel of ['trade', 'book'] as const)
      expect(ledger.find({ venue: 'binance', channel, symbol: 'OLDUSDT' })?.stretches.at(-1)?.untilUs).toBe(goneUs)
  })

  test('its data come: they are what it has missed until then', async () => {
    const { ledger, stateOf } = await restart()
    expect(stateOf('trade', 'OLDUSDT')?.ledger.outage).toBeUndefined()
    world.peer.message(binanceTrade('OLDUSDT', 10))
    const missed = { channel: 'trade', cause: 'delisted', last_sequence: 7, first_sequence: 10, lost: 2 }
    expect(oldGaps(ledger).find(({ channel }) => channel === 'trade')).toMatchObject(missed)
    expect(events.at(-1)).toMatchObject({ type: 'trade', trade_id: '10' })
    world.answer = ({ url }) => (url.includes('depth') ? snapshotAt(204) : down())
    world.peer.message(binanceDelta('OLDUSDT', 200, 204))
    await world.clock.advance(10)
    expect(stateOf('book', 'OLDUSDT')?.state).toBe('live')
    const gap = { channel: 'book', cause: 'delisted', state: 'closed', start_time_us: goneUs, first_sequence: 204 }
    expect(oldGaps(ledger).find(({ channel }) => channel === 'book')).toMatchObject(gap)
  })

  test('the list comes late and names it: what it had since is asked for, and not before', async () => {
    const { ledger, stateOf } = await restart()
    let newest = 9
    world.answer = ({ url }) => (url.includes('ticker') ? jsonAnswer({ lastId: ++newest }) : down())
    await pass(200, (second) => world.peer.message(binanceTrade('BTCUSDT', 1_000 + second)))
    expect(newest).toBeGreaterThan(10)
    expect(stateOf('trade', 'OLDUSDT')?.ledger).toMatchObject({ outage: undefined, isCollected: false })
    world.answer = ({ url }) => (url.includes('ticker') ? jsonAnswer({ lastId: 20 }) : exchangeInfo(...symbols))
    await pass(200, (second) => world.peer.message(binanceTrade('BTCUSDT', 1_200 + second)))
    expect(stateOf('trade', 'OLDUSDT')?.state).toBe('live')
    const missed = { channel: 'trade', cause: 'delisted', last_sequence: 7, first_sequence: 21, lost: 13 }
    expect(oldGaps(ledger).filter(({ channel }) => channel === 'trade')).toMatchObject([missed])
  })
})
