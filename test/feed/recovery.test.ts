import { beforeEach, describe, expect, test } from 'vitest'
import type { MarketEvent } from '../../src/model/event.ts'
import { jsonAnswer, type World } from '../helpers/world.ts'
import { binanceDelta, binanceTrade, createRig, exchangeInfo, type Rig, snapshotAt } from './rig.ts'

let world: World
let events: MarketEvent[]
let log: string[]
let start: Rig['start']

beforeEach(() => {
  ;({ world, events, log, start } = createRig())
})

const okxBook = (symbol: string, action: string, prevSeqId: number, seqId: number, checksum = 0) => ({
  arg: { channel: 'books', instId: symbol },
  action,
  data: [
    { asks: [['1.1', '3', '0', '1']], bids: [['1.0', '2', '0', '1']], ts: '1795392000100', prevSeqId, seqId, checksum },
  ],
})

const okxTrade = (symbol: string, id: number) => ({
  arg: { channel: 'trades', instId: symbol },
  data: [{ instId: symbol, tradeId: String(id), px: '1.5', sz: '2', side: 'buy', ts: '1795392000100' }],
})

interface OkxFrame {
  readonly id: string
  readonly op: string
  readonly args: readonly { readonly channel: string; readonly instId: string }[]
}

const okxFrames = (peer = world.peer) => peer.frames as unknown as OkxFrame[]
const okxAck = ({ id, op, args }: OkxFrame, peer = world.peer) =>
  peer.message({ event: op, id, arg: args[0], connId: 'x' })
const okxAckAll = () => {
  for (const frame of okxFrames()) okxAck(frame)
}
const depthRequests = () => world.requests.filter(({ url }) => url.includes('/depth')).length
const binanceAck = () => world.peer.message({ result: null, id: world.peer.frames.at(-1)?.id })

/** `seconds` pass; `each` is called at the start of every one. */
async function pass(seconds: number, each: (second: number) => void = () => {}): Promise<void> {
  for (let second = 0; second < seconds; second++) {
    world.peer.pong()
    each(second)
    await world.clock.advance(1_000)
  }
}

describe('subscriptions that are refused', () => {
  test('OKX: a hundred that are refused for now never break the hourly quota of the connection', async () => {
    const symbols = Array.from({ length: 100 }, (_, i) => `S${i}-USDT`)
    await start('okx', { symbols })
    world.peer.open()
    let answered = 0
    const askedAtMs: number[] = []
    for (let second = 0; second < 2 * 3_600; second++) {
      const frames = okxFrames()
      for (; answered < frames.length; answered++) {
        const frame = frames[answered] as OkxFrame
        askedAtMs.push(world.clock.monotonicMs())
        if (frame.args[0]?.instId === 'S0-USDT') okxAck(frame)
        else world.peer.message({ event: 'error', id: frame.id, code: '60014', msg: 'too frequent', connId: 'x' })
      }
      world.peer.message(okxTrade('S0-USDT', second))
      await world.clock.advance(1_000)
    }
    expect(world.peers).toHaveLength(1)
    for (const at of askedAtMs) {
      const inHour = askedAtMs.filter((other) => other > at - 3_600_000 && other <= at).length
      expect(inHour).toBeLessThanOrEqual(480)
    }
  })

  test('one that was confirmed meanwhile is not asked for again', async () => {
    await start('okx', { symbols: ['BTC-USDT'], channels: { book: 'books' } })
    world.peer.open()
    world.peer.message({ event: 'error', id: okxFrames()[0]?.id, code: '60014', msg: 'too frequent', connId: 'x' })
    world.peer.message(okxBook('BTC-USDT', 'snapshot', -1, 10))
    world.peer.message(okxBook('BTC-USDT', 'update', 12, 13))
    await world.clock.advance(10)
    okxAckAll()
    world.peer.message(okxBook('BTC-USDT', 'snapshot', -1, 20))
    await pass(8)
    expect(okxFrames().map(({ op }) => op)).toEqual(['subscribe', 'unsubscribe', 'subscribe'])
  })

  test('Deribit: what is switched off for a while is asked for again', async () => {
    const { stateOf } = await start('deribit', { symbols: ['BTC-PERPETUAL'] })
    world.peer.open()
    const asked = () => world.peer.frames.filter(({ method, id }) => method === 'public/subscribe' && Number(id) > 100)
    const error = { code: 11056, message: 'unauthenticated_public_requests_temporarily_disabled' }
    world.peer.message({ jsonrpc: '2.0', id: asked()[0]?.id, error })
    expect(stateOf('trade', 'BTC-PERPETUAL')?.reason).toContain('trying again')
    await pass(10)
    expect(asked()).toHaveLength(2)
  })

  test('a connection of which everything was refused for good is closed and stays closed', async () => {
    const { feed, stateOf } = await start('okx', { symbols: ['A-USDT', 'B-USDT'] })
    world.peer.open()
    for (const { id } of okxFrames())
      world.peer.message({ event: 'error', id, code: '60018', msg: "doesn't exist", connId: 'x' })
    expect(stateOf('trade', 'A-USDT')?.state).toBe('down')
    await world.clock.advance(600_000)
    expect(world.peers).toHaveLength(1)
    expect(world.peer.isClosedByUs).toBe(true)
    expect(feed.socketsWanted).toBe(0)
    expect(stateOf('trade', 'A-USDT')?.reason).toContain('60018')
  })
})

describe('books that break again and again', () => {
  test('Binance: snapshots are fetched ever more slowly, so that others get theirs', async () => {
    await start('binance', { symbols: ['BTCUSDT'], channels: { book: 'depth@100ms' } })
    world.peer.open()
    binanceAck()
    let sequence = 1_000
    world.answer = () => snapshotAt(sequence)
    for (let i = 0; i < 1_200; i++) {
      sequence += 10
      world.peer.message(binanceDelta('BTCUSDT', sequence, sequence))
      if (i % 10 === 0) world.peer.pong()
      await world.clock.advance(100)
    }
    expect(depthRequests()).toBeGreaterThan(5)
    expect(depthRequests()).toBeLessThan(30)
  })

  test('OKX: subscribed anew ever more slowly; the neighbours keep their socket for hours', async () => {
    const { stateOf } = await start('okx', { symbols: ['BAD-USDT', 'BTC-USDT'], channels: { book: 'books' } })
    world.peer.open()
    let answered = 0
    let sequence = 1
    world.peer.message(okxBook('BTC-USDT', 'snapshot', -1, sequence))
    for (let second = 0; second < 3 * 3_600; second++) {
      const frames = okxFrames()
      for (; answered < frames.length; answered++) {
        const frame = frames[answered] as OkxFrame
        okxAck(frame)
        if (frame.op !== 'subscribe' || frame.args[0]?.instId !== 'BAD-USDT') continue
        world.peer.message(okxBook('BAD-USDT', 'snapshot', -1, 10))
        world.peer.message(okxBook('BAD-USDT', 'update', 12, 13))
      }
      world.peer.message(okxBook('BTC-USDT', 'update', sequence, ++sequence))
      await world.clock.advance(1_000)
    }
    expect(world.peers).toHaveLength(1)
    expect(stateOf('book', 'BTC-USDT')?.resyncs).toBe(0)
  })

  test('a rebuild that was waiting when the connection went does not break the book that is proven since', async () => {
    const { stateOf } = await start('okx', { symbols: ['BTC-USDT'], channels: { book: 'books' } })
    world.peer.open()
    for (let i = 0; i < 40; i++) {
      okxAckAll()
      world.peer.message(okxBook('BTC-USDT', 'snapshot', -1, 10, 12_345))
      await world.clock.advance(1_000)
    }
    world.peer.message(okxBook('BTC-USDT', 'snapshot', -1, 10, 12_345))
    world.peer.close()
    while (world.peers.length === 1) await world.clock.advance(100)
    world.peer.open()
    okxAckAll()
    world.peer.message(okxBook('BTC-USDT', 'snapshot', -1, 20))
    expect(stateOf('book', 'BTC-USDT')?.state).toBe('live')
    await pass(60, (second) => world.peer.message(okxBook('BTC-USDT', 'update', 20 + second, 21 + second)))
    expect(okxFrames().map(({ op }) => op)).toEqual(['subscribe'])
    expect(stateOf('book', 'BTC-USDT')?.state).toBe('live')
  })

  test('OKX: a snapshot that could not be read is asked for again', async () => {
    const { stateOf } = await start('okx', { symbols: ['BTC-USDT'], channels: { book: 'books' } })
    world.peer.open()
    okxAckAll()
    const broken = okxBook('BTC-USDT', 'snapshot', -1, 10)
    world.peer.message({ ...broken, data: [{ ...broken.data[0], bids: [['x', '1']] }] })
    await pass(10, (second) => world.peer.message(okxBook('BTC-USDT', 'update', 10 + second, 11 + second)))
    expect(okxFrames().map(({ op }) => op)).toEqual(['subscribe', 'unsubscribe', 'subscribe'])
    okxAckAll()
    world.peer.message(okxBook('BTC-USDT', 'snapshot', -1, 30))
    expect(stateOf('book', 'BTC-USDT')?.state).toBe('live')
  })

  test('Binance: a first delta that does not join the waiting snapshot gets a new one at once', async () => {
    const { stateOf } = await start('binance', { symbols: ['BTCUSDT'], channels: { book: 'depth@100ms' } })
    world.answer = () => snapshotAt(100)
    world.peer.open()
    binanceAck()
    await world.clock.advance(2_100)
    expect(depthRequests()).toBe(1)
    world.answer = () => snapshotAt(115)
    world.peer.message(binanceDelta('BTCUSDT', 110, 112))
    await world.clock.advance(1_000)
    world.peer.message(binanceDelta('BTCUSDT', 113, 116))
    expect(stateOf('book', 'BTCUSDT')?.state).toBe('live')
  })
})

describe('frames that lie', () => {
  test.each([
    ['binance', 'depth@100ms', {}],
    ['binance-usdm', 'depth@100ms', { pu: 104 }],
  ])('%s: an absurd sequence does not freeze the book that calls itself live', async (id, channel, extra) => {
    const { stateOf } = await start(id, { symbols: ['BTCUSDT'], channels: { book: channel } })
    const delta = (first: number, last: number, timeMs: number, more: object = {}) => ({
      stream: 'btcusdt@depth@100ms',
      data: { e: 'depthUpdate', E: timeMs, s: 'BTCUSDT', U: first, u: last, b: [['1.0', '5']], a: [], ...more },
    })
    const at = (step: number) => 1795392000100 + 100 * step
    world.answer = () => snapshotAt(104)
    world.peer.open()
    binanceAck()
    world.peer.message(delta(100, 104, at(0), { pu: 99 }))
    await world.clock.advance(10)
    world.peer.message(delta(105, Number.MAX_SAFE_INTEGER, at(1), extra))
    expect(stateOf('book', 'BTCUSDT')?.state).toBe('live')
    world.peer.message(delta(106, 107, at(2), { pu: 105 }))
    expect(stateOf('book', 'BTCUSDT')?.state).toBe('resyncing')
    world.answer = () => snapshotAt(107)
    world.peer.message(delta(108, 109, at(3), { pu: 107 }))
    await world.clock.advance(1_000)
    expect(stateOf('book', 'BTCUSDT')?.state).toBe('live')
  })
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

describe('connections', () => {
  test('OKX: notices that come with every new socket do not make it reopen without end', async () => {
    await start('okx', { symbols: ['BTC-USDT'] })
    let opened = 0
    for (let ms = 0; ms < 120_000; ms += 100) {
      if (world.peers.length > opened) {
        opened = world.peers.length
        world.peer.open()
        world.peer.message({ event: 'notice', code: '64008', msg: 'will be closed', connId: 'x' })
      }
      await world.clock.advance(100)
    }
    expect(opened).toBeLessThan(25)
  })

  test('a host that opens and never sends data is left for the next one', async () => {
    await start('okx', { symbols: ['BTC-USDT'], urls: ['wss://a.example/ws', 'wss://b.example/ws'] })
    for (let i = 0; i < 4; i++) {
      world.peer.open()
      world.peer.close()
      const before = world.peers.length
      while (world.peers.length === before) await world.clock.advance(1_000)
    }
    expect(new Set(world.peers.map(({ url }) => new URL(url).host)).size).toBe(2)
  })

  test('what could not be reached stays down, with the reason, while the next try is under way', async () => {
    const { stateOf } = await start('binance', { symbols: ['BTCUSDT'] })
    world.peer.close(1006, 'connect ETIMEDOUT')
    while (world.peers.length === 1) await world.clock.advance(100)
    await world.clock.advance(5_000)
    expect(stateOf('trade', 'BTCUSDT')?.state).toBe('down')
    expect(stateOf('trade', 'BTCUSDT')?.reason).toContain('connect ETIMEDOUT')
    world.peer.open()
    expect(stateOf('trade', 'BTCUSDT')?.state).toBe('subscribing')
  })

  test('OKX: feeds whose market is halted are asked for ever more rarely; the others keep their socket', {
    timeout: 60_000,
  }, async () => {
    const halted = Array.from({ length: 30 }, (_, i) => `H${i}-USDT`)
    await start('okx', { symbols: ['BTC-USDT', ...halted] })
    world.peer.open()
    okxAckAll()
    let id = 0
    await pass(60, () => {
      for (const symbol of halted) for (let i = 0; i < 5; i++) world.peer.message(okxTrade(symbol, ++id))
      world.peer.message(okxTrade('BTC-USDT', ++id))
    })
    let answered = okxFrames().length
    await pass(4 * 3_600, () => {
      const frames = okxFrames()
      for (; answered < frames.length; answered++) okxAck(frames[answered] as OkxFrame)
      world.peer.message(okxTrade('BTC-USDT', ++id))
    })
    expect(world.peers).toHaveLength(1)
  })

  test('a connection that carries one quiet stream is not reopened for ever', async () => {
    await start('binance', { symbols: ['QUIETUSDT'] })
    let opened = 0
    const serve = () => {
      if (world.peers.length === opened) return
      opened = world.peers.length
      world.peer.open()
      binanceAck()
    }
    await pass(4 * 3_600, (second) => {
      serve()
      if (second % 180 === 170) world.peer.message(binanceTrade('QUIETUSDT', second))
    })
    expect(opened).toBeLessThan(8)
  })

  test('after stopping no timer is left', async () => {
    const { feed, rest, ledger } = await start('okx', {
      symbols: ['BTC-USDT', 'ETH-USDT'],
      channels: { trade: 'trades', book: 'books' },
    })
    world.peer.open()
    for (const frame of okxFrames().slice(0, 2)) okxAck(frame)
    world.peer.message({ event: 'error', id: okxFrames()[2]?.id, code: '60014', msg: 'too frequent', connId: 'x' })
    world.peer.message(okxBook('BTC-USDT', 'snapshot', -1, 10))
    world.peer.message(okxBook('BTC-USDT', 'update', 12, 13))
    feed.stop()
    rest.stop()
    ledger.stop()
    await world.clock.advance(0)
    expect(world.clock.pending).toBe(0)
  })

  test('after stopping while the list of instruments is awaited no timer is left', async () => {
    world.answer = () => new Promise(() => {})
    const { feed, rest, ledger } = await start('binance', { symbols: ['BTCUSDT'] })
    feed.stop()
    rest.stop()
    ledger.stop()
    await world.clock.advance(0)
    expect(world.clock.pending).toBe(0)
    expect(world.peers).toHaveLength(0)
  })
})

describe('bans', () => {
  const ban = (seconds: number) =>
    world.disk.set('bans.json', JSON.stringify({ 'binance rest.example': world.clock.nowUs() + seconds * 1e6 }))

  test('a ban remembered from before the start shows on the books that wait for it', async () => {
    ban(60)
    world.answer = () => snapshotAt(100)
    const { stateOf } = await start('binance', { symbols: ['BTCUSDT'], channels: { book: 'depth@100ms' } })
    await world.clock.advance(10_000)
    world.peer.open()
    binanceAck()
    expect(stateOf('book', 'BTCUSDT')?.state).toBe('banned')
    await pass(10, (second) => world.peer.message(binanceDelta('BTCUSDT', 80 + second, 80 + second)))
    expect(stateOf('book', 'BTCUSDT')?.state).toBe('banned')
    await pass(45, (second) => world.peer.message(binanceDelta('BTCUSDT', 90 + second, 90 + second)))
    expect(stateOf('book', 'BTCUSDT')?.state).toBe('live')
  })

  test('a ban remembered from before the start shows on polled feeds', async () => {
    ban(60)
    world.answer = () => snapshotAt(100)
    const { stateOf } = await start('binance', {
      symbols: ['BTCUSDT'],
      channels: { book: 'depth@100ms' },
      pollIntervalMs: 5_000,
    })
    await world.clock.advance(20_000)
    expect(stateOf('book', 'BTCUSDT')?.state).toBe('banned')
    await world.clock.advance(50_000)
    expect(stateOf('book', 'BTCUSDT')?.state).toBe('live')
  })

  test('a polled book is not served as live while a ban lets it grow old', async () => {
    world.answer = ({ url }) => (url.includes('depth') ? snapshotAt(100) : exchangeInfo('BTCUSDT'))
    const { stateOf, books } = await start('binance', {
      symbols: ['BTCUSDT'],
      channels: { book: 'depth@100ms' },
      pollIntervalMs: 5_000,
    })
    expect(books.find('binance', 'BTCUSDT')?.isLive).toBe(true)
    world.answer = () => jsonAnswer({ code: -1003, msg: 'banned' }, 418, { 'retry-after': '3600' })
    await world.clock.advance(60_000)
    expect(stateOf('book', 'BTCUSDT')?.state).toBe('banned')
    expect(books.find('binance', 'BTCUSDT')?.isLive).toBe(false)
  })
})

test('polled trades of one millisecond keep their order, also where the venue answers newest first', async () => {
  const row = (id: number, ts: number) => ({
    instId: 'BTC-USDT',
    tradeId: String(id),
    px: '1.5',
    sz: '2',
    side: 'buy',
    ts: String(1795392000000 + ts),
  })
  const answer = (...rows: unknown[]) => jsonAnswer({ code: '0', msg: '', data: rows })
  world.answer = ({ url }) => (url.includes('/trades') ? answer(row(2, 1), row(1, 0)) : jsonAnswer('', 503))
  await start('okx', { symbols: ['BTC-USDT'], pollIntervalMs: 5_000 })
  world.answer = () => answer(row(4, 7), row(3, 7), row(2, 1))
  await world.clock.advance(5_000)
  expect(events.flatMap((event) => (event.type === 'trade' ? [event.trade_id] : []))).toEqual(['1', '2', '3', '4'])
})
