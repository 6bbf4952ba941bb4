import { beforeEach, describe, expect, test } from 'vitest'
import type { Gap, MarketEvent } from '../../src/model/event.ts'
import { jsonAnswer, type World } from '../helpers/world.ts'
import { binanceDelta, binanceTrade, createRig, exchangeInfo, type Rig, snapshotAt } from './rig.ts'

let world: World
let events: MarketEvent[]
let log: string[]
let gaps: Gap[]
let start: Rig['start']

beforeEach(() => {
  ;({ world, events, gaps, log, start } = createRig())
})

const ack = () => world.peer.message({ result: null, id: world.peer.frames.at(-1)?.id })
const depthRequests = () => world.requests.filter(({ url }) => url.includes('/depth')).length

describe('connecting', () => {
  test('tries for ever, url after url, and says why it is down', async () => {
    const { stateOf } = await start('binance', {
      symbols: ['BTCUSDT'],
      urls: ['wss://a.example/ws', 'wss://b.example/ws'],
    })
    for (let i = 0; i < 40; i++) {
      world.peer.close(1006, 'connect ECONNREFUSED')
      expect(stateOf('trade', 'BTCUSDT')?.state).toBe('down')
      expect(stateOf('trade', 'BTCUSDT')?.reason).toMatch(/^connect ECONNREFUSED; next try in \d/)
      const before = world.peers.length
      for (let ms = 0; ms <= 30_000 && world.peers.length === before; ms += 100) await world.clock.advance(100)
      expect(world.peers.length).toBe(before + 1)
    }
    expect(new Set(world.peers.map(({ url }) => new URL(url).host))).toEqual(new Set(['a.example', 'b.example']))
  })

  test('waits grow until data have flowed for 30 s; a link that dies at once does not start them small', async () => {
    await start('binance', { symbols: ['BTCUSDT'] })
    const waits: number[] = []
    const dieAfterData = async () => {
      world.peer.open()
      world.peer.message(binanceTrade('BTCUSDT', 1))
      world.peer.close()
      const fromMs = world.clock.monotonicMs()
      const before = world.peers.length
      while (world.peers.length === before) await world.clock.advance(100)
      waits.push(world.clock.monotonicMs() - fromMs)
    }
    for (let i = 0; i < 12; i++) await dieAfterData()
    expect(Math.max(...waits)).toBeGreaterThan(4_000)
    world.peer.open()
    for (let i = 0; i < 32; i++) {
      world.peer.message(binanceTrade('BTCUSDT', i))
      await world.clock.advance(1_000)
    }
    world.peer.close()
    const before = world.peers.length
    await world.clock.advance(600)
    expect(world.peers.length).toBe(before + 1)
  })

  test('a notice of the venue reopens without the wait of an outage', async () => {
    await start('binance', { symbols: ['BTCUSDT'] })
    world.peer.open()
    ack()
    world.peer.message({ e: 'serverShutdown', E: 1795392000100 })
    expect(log).toContain('closing serverShutdown')
    await world.clock.advance(600)
    expect(world.peers).toHaveLength(2)
  })

  test('an endpoint that moves while a replacement is under way is moved to all the same', async () => {
    const { feed } = await start('binance', { symbols: ['BTCUSDT'] })
    let id = 0
    const pass = async (seconds: number) => {
      for (let i = 0; i < 10 * seconds; i++) {
        id++
        for (const peer of world.peers.slice(-2)) peer.message(binanceTrade('BTCUSDT', id))
        await world.clock.advance(100)
      }
    }
    world.peer.open()
    ack()
    await pass(1)
    world.peer.message({ e: 'serverShutdown', E: 1795392000100 })
    feed.move({ main: ['wss://b.example/ws'] })
    world.peer.open()
    ack()
    await pass(5)
    expect(log).toContain('rotated serverShutdown done')
    world.peer.open()
    ack()
    await pass(5)
    expect(world.peers.map(({ url }) => new URL(url).host)).toEqual(['a.example', 'a.example', 'b.example'])
    expect(world.peers.map(({ isClosedByUs }) => isClosedByUs)).toEqual([true, true, false])
  })

  test('new sockets are counted for the whole venue', async () => {
    const symbols = Array.from({ length: 450 }, (_, i) => `S${i}-USDT`)
    await start('okx', { symbols })
    await world.clock.advance(10)
    expect(world.peers).toHaveLength(2)
    await world.clock.advance(1_250)
    expect(world.peers).toHaveLength(4)
    await world.clock.advance(1_250)
    expect(world.peers).toHaveLength(5)
  })
})

describe('silence', () => {
  test('an open connection that goes silent is stale, subscribed anew and reopened, all within 15 s', async () => {
    const { stateOf } = await start('binance', { symbols: ['BTCUSDT'] })
    world.peer.open()
    ack()
    for (let i = 0; i < 200; i++) {
      world.peer.message(binanceTrade('BTCUSDT', i))
      await world.clock.advance(100)
    }
    const sent = world.peer.sent.length
    const tick = async (seconds: number) => {
      for (let i = 0; i < seconds; i++) {
        world.peer.pong()
        await world.clock.advance(1_000)
      }
    }
    await tick(9)
    expect(stateOf('trade', 'BTCUSDT')?.state).toBe('stale')
    expect(world.peer.frames.slice(sent).map(({ method }) => method)).toEqual(['UNSUBSCRIBE', 'SUBSCRIBE'])
    await tick(5)
    expect(log.at(-1)).toMatch(/^lost silent for 1\d s/)
    await world.clock.advance(500)
    expect(world.peers).toHaveLength(2)
  })

  test('one silent feed is subscribed anew; its neighbours keep their socket', async () => {
    const { stateOf } = await start('binance', { symbols: ['BTCUSDT', 'ETHUSDT'] })
    world.peer.open()
    ack()
    for (let i = 0; i < 900; i++) {
      world.peer.message(binanceTrade('BTCUSDT', i))
      if (i < 100) world.peer.message(binanceTrade('ETHUSDT', i))
      ack()
      await world.clock.advance(100)
    }
    expect(stateOf('trade', 'ETHUSDT')?.state).toBe('stale')
    expect(new Set(log.filter((line) => line.startsWith('stale')))).toEqual(new Set(['stale ETHUSDT']))
    expect(stateOf('trade', 'BTCUSDT')?.state).toBe('live')
    expect(world.peer.frames.filter(({ method }) => method === 'UNSUBSCRIBE').map(({ params }) => params)).toEqual([
      ['ethusdt@trade'],
    ])
    expect(world.peers).toHaveLength(1)
    world.peer.message(binanceTrade('ETHUSDT', 101))
    expect(stateOf('trade', 'ETHUSDT')?.state).toBe('live')
  })
})

describe('what a venue sends twice', () => {
  const quote = (seqId: number, ts: number) => ({
    arg: { channel: 'bbo-tbt', instId: 'BTC-USDT' },
    data: [{ asks: [[`1.${seqId}`, '3', '0', '1']], bids: [['1.0', '2', '0', '1']], ts: String(ts), seqId }],
  })

  test.each([
    ['the newest', quote(3, 1795392000300), true],
    ['one that came out of turn and is newer than the last', quote(2, 1795392000400), true],
    ['one that is older', quote(1, 1795392000100), false],
  ])(
    'the quote that comes again after a reconnect is %s: the gap ends only if nothing newer has left',
    async (_which, again, isEnd) => {
      await start('okx', { symbols: ['BTC-USDT'], channels: { quote: 'bbo-tbt' } })
      world.peer.open()
      for (const each of [quote(1, 1795392000100), quote(2, 1795392000400), quote(3, 1795392000300)])
        world.peer.message(each)
      world.peer.close()
      await world.clock.advance(1_000)
      world.peer.open()
      world.peer.message(again)
      const againUs = world.clock.nowUs()
      await world.clock.advance(500)
      world.peer.message(quote(4, 1795392000500))
      expect(gaps.at(-1)?.end_time_us).toBe(isEnd ? againUs : world.clock.nowUs())
      expect(events.filter(({ type }) => type === 'quote')).toHaveLength(4)
    },
  )

  test('a trade that comes again, also over the next socket, is delivered once', async () => {
    await start('binance', { symbols: ['BTCUSDT'] })
    world.peer.open()
    for (const id of [1, 2, 2]) world.peer.message(binanceTrade('BTCUSDT', id))
    world.peer.close()
    await world.clock.advance(1_000)
    world.peer.open()
    for (const id of [2, 3]) world.peer.message(binanceTrade('BTCUSDT', id))
    expect(events.flatMap((event) => (event.type === 'trade' ? [event.trade_id] : []))).toEqual(['1', '2', '3'])
    expect(log.filter((line) => line === 'duplicate')).toHaveLength(2)
  })
})

describe('books with fetched snapshots', () => {
  const channels = { book: 'depth@100ms' }

  test('the snapshot is fetched once the first delta is there, and joined', async () => {
    const { stateOf } = await start('binance', { symbols: ['BTCUSDT'], channels })
    world.answer = () => snapshotAt(105)
    world.peer.open()
    ack()
    expect(stateOf('book', 'BTCUSDT')?.state).toBe('syncing')
    world.peer.message(binanceDelta('BTCUSDT', 100, 104))
    world.peer.message(binanceDelta('BTCUSDT', 105, 110))
    await world.clock.advance(10)
    expect(stateOf('book', 'BTCUSDT')?.state).toBe('live')
    expect(depthRequests()).toBe(1)
    expect(events.map(({ type }) => type)).toEqual(['book_state', 'book_snapshot', 'book_delta', 'book_state'])
  })

  test('what waits for the snapshot is of no use behind a change that cannot be read', async () => {
    const { stateOf } = await start('binance', { symbols: ['BTCUSDT'], channels })
    world.answer = () => snapshotAt(104)
    world.peer.open()
    ack()
    world.peer.message(binanceDelta('BTCUSDT', 100, 104))
    const spoilt = binanceDelta('BTCUSDT', 105, 110)
    world.peer.message({ ...spoilt, data: { ...spoilt.data, b: {} } })
    await world.clock.advance(10)
    expect(stateOf('book', 'BTCUSDT')?.state).toBe('syncing')
    world.answer = () => snapshotAt(110)
    world.peer.message(binanceDelta('BTCUSDT', 111, 112))
    await world.clock.advance(11_000)
    expect(stateOf('book', 'BTCUSDT')?.state).toBe('live')
    expect(events.flatMap((event) => (event.type === 'book_snapshot' ? [event.sequence] : []))).toEqual([110])
  })

  test('nor is it when the snapshot has to wait for the end of a ban', async () => {
    const { stateOf } = await start('binance', { symbols: ['BTCUSDT'], channels })
    world.answer = () => jsonAnswer({ code: -1003, msg: 'banned' }, 418, { 'retry-after': '20' })
    world.peer.open()
    ack()
    world.peer.message(binanceDelta('BTCUSDT', 100, 104))
    await world.clock.advance(10)
    world.peer.message(binanceDelta('BTCUSDT', 105, 106))
    expect(stateOf('book', 'BTCUSDT')?.state).toBe('banned')
    const spoilt = binanceDelta('BTCUSDT', 107, 110)
    world.peer.message({ ...spoilt, data: { ...spoilt.data, b: {} } })
    world.answer = () => snapshotAt(105)
    for (let i = 0; i < 24; i++) {
      world.peer.pong()
      await world.clock.advance(1_000)
    }
    expect(events.map(({ type }) => type)).not.toContain('book_snapshot')
  })

  test('a gap rebuilds that symbol alone', async () => {
    const { stateOf } = await start('binance', { symbols: ['BTCUSDT', 'ETHUSDT'], channels })
    world.answer = () => snapshotAt(104)
    world.peer.open()
    ack()
    for (const symbol of ['BTCUSDT', 'ETHUSDT']) world.peer.message(binanceDelta(symbol, 100, 104))
    await world.clock.advance(10)
    const other = stateOf('book', 'ETHUSDT')
    expect([stateOf('book', 'BTCUSDT')?.state, other?.state]).toEqual(['live', 'live'])
    world.answer = () => snapshotAt(120)
    world.peer.message(binanceDelta('BTCUSDT', 110, 120))
    world.peer.message(binanceDelta('ETHUSDT', 105, 106))
    expect([stateOf('book', 'BTCUSDT')?.state, other?.state]).toEqual(['resyncing', 'live'])
    expect(log).toContain('resync BTCUSDT sequence_gap')
    await world.clock.advance(500)
    expect(stateOf('book', 'BTCUSDT')?.state).toBe('live')
    expect([stateOf('book', 'BTCUSDT')?.resyncs, other?.resyncs]).toEqual([1, 0])
    expect(log.filter((line) => line.startsWith('rebuilt'))).toEqual(['rebuilt BTCUSDT'])
    const states = events.flatMap((event) =>
      event.type === 'book_state' ? [`${event.symbol} ${event.state} ${event.reason}`] : [],
    )
    expect(states.filter((state) => state.startsWith('ETH'))).toEqual([
      'ETHUSDT syncing subscribed',
      'ETHUSDT live snapshot',
    ])
    expect(states.filter((state) => state.startsWith('BTC')).slice(2)).toEqual([
      'BTCUSDT stale sequence_gap',
      'BTCUSDT live snapshot',
    ])
  })

  test('a snapshot older than the stream is fetched again, for as long as it takes', async () => {
    const { stateOf } = await start('binance', { symbols: ['BTCUSDT'], channels })
    world.answer = () => snapshotAt(50)
    world.peer.open()
    ack()
    world.peer.message(binanceDelta('BTCUSDT', 100, 104))
    for (let i = 0; i < 90; i++) {
      world.peer.pong()
      world.peer.message(binanceDelta('BTCUSDT', 105 + i, 105 + i))
      await world.clock.advance(1_000)
    }
    expect(stateOf('book', 'BTCUSDT')?.state).toBe('syncing')
    expect(depthRequests()).toBeGreaterThan(5)
    expect(depthRequests()).toBeLessThan(40)
    world.answer = () => snapshotAt(194)
    for (let i = 0; i < 31; i++) {
      world.peer.pong()
      await world.clock.advance(1_000)
      world.peer.message(binanceDelta('BTCUSDT', 195 + i, 195 + i))
    }
    expect(stateOf('book', 'BTCUSDT')?.state).toBe('live')
  })

  test('a quiet book is proven by two snapshots at the same sequence', async () => {
    const { stateOf } = await start('binance', { symbols: ['QUIETUSDT'], channels })
    world.answer = () => snapshotAt(50)
    world.peer.open()
    ack()
    await world.clock.advance(3_000)
    expect(depthRequests()).toBe(1)
    expect(stateOf('book', 'QUIETUSDT')?.state).toBe('syncing')
    for (let i = 0; i < 6; i++) {
      world.peer.pong()
      await world.clock.advance(1_500)
    }
    world.peer.pong()
    await world.clock.advance(1_500)
    expect(depthRequests()).toBe(2)
    expect(stateOf('book', 'QUIETUSDT')?.state).toBe('live')
  })

  test('snapshots do not prove a book whose subscription the new connection has not confirmed', async () => {
    const { stateOf } = await start('binance', { symbols: ['QUIETUSDT'], channels })
    let answered = () => {}
    world.answer = () => new Promise((resolve) => (answered = () => resolve(snapshotAt(104))))
    world.peer.open()
    ack()
    world.peer.message(binanceDelta('QUIETUSDT', 100, 104))
    await world.clock.advance(10)
    world.peer.close()
    await world.clock.advance(1_000)
    world.peer.open()
    answered()
    world.answer = () => snapshotAt(104)
    for (let i = 0; i < 12; i++) {
      world.peer.pong()
      await world.clock.advance(1_000)
    }
    expect([world.peers.length, stateOf('book', 'QUIETUSDT')?.state]).toEqual([2, 'down'])
    for (let i = 0; i < 20; i++) {
      world.peer.pong()
      ack()
      await world.clock.advance(1_000)
    }
    expect(stateOf('book', 'QUIETUSDT')?.state).toBe('live')
  })

  test('a book of which snapshots move on while the stream brings nothing is subscribed anew', async () => {
    await start('binance', { symbols: ['DEADUSDT'], channels })
    let last = 50
    world.answer = () => snapshotAt(last++)
    world.peer.open()
    ack()
    const sent = world.peer.sent.length
    for (let i = 0; i < 11; i++) {
      world.peer.pong()
      await world.clock.advance(1_500)
    }
    expect(depthRequests()).toBe(2)
    expect(world.peer.frames.slice(sent).map(({ method }) => method)).toEqual(['UNSUBSCRIBE', 'SUBSCRIBE'])
  })

  test('but not one whose change was on its way when the snapshot showed it', async () => {
    const { stateOf } = await start('binance', { symbols: ['LATEUSDT'], channels })
    let last = 50
    world.answer = ({ url }) => (url.includes('/depth') ? snapshotAt(last++) : exchangeInfo('LATEUSDT'))
    world.peer.open()
    ack()
    const sent = world.peer.sent.length
    while (depthRequests() < 2) {
      world.peer.pong()
      await world.clock.advance(500)
    }
    await world.clock.advance(2_500)
    world.peer.message(binanceDelta('LATEUSDT', 51, 52))
    for (let i = 0; i < 10; i++) {
      world.peer.pong()
      await world.clock.advance(1_000)
    }
    expect(stateOf('book', 'LATEUSDT')?.state).toBe('live')
    expect(world.peer.frames.slice(sent)).toEqual([])
    expect(gaps).toEqual([])
  })

  test('during a ban the book says so, and comes back by itself', async () => {
    const { stateOf } = await start('binance', { symbols: ['BTCUSDT'], channels })
    world.answer = () => jsonAnswer({ code: -1003, msg: 'banned' }, 418, { 'retry-after': '20' })
    world.peer.open()
    ack()
    world.peer.message(binanceDelta('BTCUSDT', 100, 104))
    await world.clock.advance(10)
    expect(stateOf('book', 'BTCUSDT')?.state).toBe('banned')
    world.answer = () => snapshotAt(110)
    const asked = world.requests.length
    for (let i = 0; i < 19; i++) {
      world.peer.pong()
      world.peer.message(binanceDelta('BTCUSDT', 105 + i, 105 + i))
      await world.clock.advance(1_000)
    }
    expect(world.requests.length).toBe(asked)
    for (let i = 0; i < 60; i++) {
      world.peer.pong()
      world.peer.message(binanceDelta('BTCUSDT', 124 + i, 124 + i))
      await world.clock.advance(1_000)
    }
    expect(stateOf('book', 'BTCUSDT')?.state).toBe('live')
  })

  test('after a disconnect the book is stale until it is proven again', async () => {
    const { stateOf } = await start('binance', { symbols: ['BTCUSDT'], channels })
    world.answer = () => snapshotAt(104)
    world.peer.open()
    ack()
    world.peer.message(binanceDelta('BTCUSDT', 100, 104))
    await world.clock.advance(10)
    world.peer.close()
    expect(events.at(-1)).toMatchObject({ type: 'book_state', state: 'stale', reason: 'disconnect' })
    expect(stateOf('book', 'BTCUSDT')?.state).toBe('connecting')
  })
})

describe('books with snapshots on the stream', () => {
  const channels = { book: 'books' }
  const frame = (symbol: string, action: string, prevSeqId: number, seqId: number) => ({
    arg: { channel: 'books', instId: symbol },
    action,
    data: [{ asks: [['1.1', '3', '0', '1']], bids: [['1.0', '2', '0', '1']], ts: '1795392000100', prevSeqId, seqId }],
  })

  test('OKX: a gap unsubscribes and subscribes that topic alone, and a new snapshot heals it', async () => {
    const { stateOf } = await start('okx', { symbols: ['BTC-USDT', 'ETH-USDT'], channels })
    world.peer.open()
    for (const symbol of ['BTC-USDT', 'ETH-USDT']) world.peer.message(frame(symbol, 'snapshot', -1, 10))
    const sent = world.peer.sent.length
    world.peer.message(frame('BTC-USDT', 'update', 12, 15))
    await world.clock.advance(10)
    expect(world.peer.frames.slice(sent).map(({ op, args }) => [op, args])).toEqual([
      ['unsubscribe', [{ channel: 'books', instId: 'BTC-USDT' }]],
      ['subscribe', [{ channel: 'books', instId: 'BTC-USDT' }]],
    ])
    world.peer.message(frame('BTC-USDT', 'update', 15, 16))
    expect([stateOf('book', 'BTC-USDT')?.state, stateOf('book', 'ETH-USDT')?.state]).toEqual(['resyncing', 'live'])
    world.peer.message(frame('BTC-USDT', 'snapshot', -1, 20))
    expect(stateOf('book', 'BTC-USDT')?.state).toBe('live')
  })

  test('OKX: a snapshot of a live book that does not stand where the changes had come to is a gap', async () => {
    const { stateOf } = await start('okx', { symbols: ['BTC-USDT'], channels })
    world.peer.open()
    world.peer.message(frame('BTC-USDT', 'snapshot', -1, 10))
    world.peer.message(frame('BTC-USDT', 'update', 10, 12))
    world.peer.message(frame('BTC-USDT', 'snapshot', -1, 20))
    world.peer.message(frame('BTC-USDT', 'update', 20, 21))
    expect(
      gaps.map(({ cause, state, last_sequence: last, first_sequence: first }) => [cause, state, last, first]),
    ).toEqual([['sequence_gap', 'closed', 12, 20]])
    expect(stateOf('book', 'BTC-USDT')?.state).toBe('live')
  })

  test('a book that breaks again and again is rebuilt at growing intervals, and its neighbour keeps the socket', async () => {
    const { stateOf } = await start('okx', { symbols: ['BTC-USDT', 'ETH-USDT'], channels })
    world.peer.open()
    world.peer.message(frame('ETH-USDT', 'snapshot', -1, 10))
    const crossed = { asks: [['1.0', '1', '0', '1']], bids: [['1.1', '1', '0', '1']], ts: '1795392000100' }
    const subscribed = () =>
      world.peer.frames.filter(({ op, args }) => op === 'subscribe' && JSON.stringify(args).includes('BTC')).length
    let answered = 0
    for (let second = 0; second < 1_800; second++) {
      if (subscribed() > answered) {
        answered = subscribed()
        for (const { id, args } of world.peer.frames)
          world.peer.message({ event: 'subscribe', id, arg: (args as unknown[])[0] })
        for (const [action, previous, seqId] of [
          ['snapshot', -1, 1],
          ['update', 1, 2],
          ['update', 2, 3],
          ['update', 3, 4],
        ] as const) {
          world.peer.message({
            arg: { channel: 'books', instId: 'BTC-USDT' },
            action,
            data: [{ ...crossed, prevSeqId: previous, seqId }],
          })
        }
      }
      world.peer.message(frame('ETH-USDT', 'update', 10 + second, 11 + second))
      await world.clock.advance(1_000)
    }
    expect(subscribed()).toBeGreaterThan(8)
    expect(subscribed(), 'of 480 requests an hour').toBeLessThan(60)
    expect(stateOf('book', 'BTC-USDT')?.state).not.toBe('live')
    expect(stateOf('book', 'ETH-USDT')?.state).toBe('live')
    expect(world.peers).toHaveLength(1)
  })

  test('a delta that cannot be read breaks its own book', async () => {
    const { stateOf } = await start('okx', { symbols: ['BTC-USDT', 'ETH-USDT'], channels })
    world.peer.open()
    for (const symbol of ['BTC-USDT', 'ETH-USDT']) world.peer.message(frame(symbol, 'snapshot', -1, 10))
    world.peer.message({
      arg: { channel: 'books', instId: 'BTC-USDT' },
      action: 'update',
      data: [{ bids: [['x', '1']], asks: [], ts: '1795392000100', prevSeqId: 10, seqId: 11 }],
    })
    expect([stateOf('book', 'BTC-USDT')?.state, stateOf('book', 'ETH-USDT')?.state]).toEqual(['resyncing', 'live'])
    expect(log).toContain('resync BTC-USDT decode_error')
  })
})

describe('symbols', () => {
  test('unknown ones are told by name and do not disturb the others', async () => {
    world.answer = () => exchangeInfo('BTCUSDT')
    const { stateOf } = await start('binance', { symbols: ['BTCUSDT', 'NOPEUSDT'] })
    expect(log).toContain('unknown symbols NOPEUSDT')
    world.peer.open()
    expect(world.peer.frames.map(({ params }) => params)).toEqual([['btcusdt@trade']])
    expect(stateOf('trade', 'NOPEUSDT')?.state).toBe('down')
    expect(stateOf('trade', 'NOPEUSDT')?.reason).toContain('does not list NOPEUSDT')
    world.peer.message(binanceTrade('BTCUSDT', 1))
    expect(events.at(-1)).toMatchObject({ type: 'trade', instrument: 'BTC-USDT' })
  })

  test('one that disappears from the list is delisted and no longer asked for', async () => {
    world.answer = () => exchangeInfo('BTCUSDT', 'OLDUSDT')
    const { stateOf } = await start('binance', { symbols: ['BTCUSDT', 'OLDUSDT'] })
    world.peer.open()
    ack()
    world.answer = () => exchangeInfo('BTCUSDT')
    for (let i = 0; i < 605; i++) {
      world.peer.message(binanceTrade('BTCUSDT', i))
      await world.clock.advance(1_000)
    }
    expect(stateOf('trade', 'OLDUSDT')?.state).toBe('delisted')
    expect(world.peer.frames.at(-1)).toMatchObject({ method: 'UNSUBSCRIBE', params: ['oldusdt@trade'] })
    expect(stateOf('trade', 'BTCUSDT')?.state).toBe('live')
  })

  test('without metadata collecting starts all the same', async () => {
    await start('binance', { symbols: ['BTCUSDT'] })
    world.peer.open()
    world.peer.message(binanceTrade('BTCUSDT', 1))
    expect(events.at(-1)).toMatchObject({ type: 'trade', symbol: 'BTCUSDT', market: 'spot', instrument: undefined })
  })
})

describe('polling', () => {
  const rows = (...ids: number[]) =>
    jsonAnswer(ids.map((id) => ({ id, price: '1.5', qty: '2', time: 1795392000099 + id, isBuyerMaker: true })))

  test('trades that answers share are given once, oldest first; no socket is opened', async () => {
    world.answer = ({ url }) => (url.includes('/trades') ? rows(1, 2, 3) : jsonAnswer('', 503))
    const { stateOf } = await start('binance', { symbols: ['BTCUSDT'], pollIntervalMs: 5_000 })
    world.answer = ({ url }) => (url.includes('/trades') ? rows(2, 3, 4) : jsonAnswer('', 503))
    await world.clock.advance(5_000)
    expect(events.flatMap((event) => (event.type === 'trade' ? [event.trade_id] : []))).toEqual(['1', '2', '3', '4'])
    expect(stateOf('trade', 'BTCUSDT')?.state).toBe('live')
    expect(world.peers).toHaveLength(0)
  })

  test('states prove nothing between two answers, and one that has moved on is no gap', async () => {
    let last = 7
    world.answer = ({ url }) => (url.includes('/depth') ? snapshotAt(last++) : jsonAnswer('', 503))
    const channels = { book: 'depth@100ms' }
    const { stateOf } = await start('binance', { symbols: ['BTCUSDT'], channels, pollIntervalMs: 5_000 })
    await world.clock.advance(10_000)
    expect(events.filter(({ type }) => type === 'book_snapshot').length).toBeGreaterThan(1)
    expect(stateOf('book', 'BTCUSDT')?.ledger.stream.proof).toBe('cadence')
    expect(gaps).toEqual([])
  })

  test('numbers that the venue uses a second time are new trades; what is known of the old ones is not told of', async () => {
    const answer = (...trades: [id: number, afterMs: number][]) =>
      jsonAnswer(
        trades.map(([id, afterMs]) => ({
          id,
          price: '1',
          qty: '2',
          time: 1795392000000 + afterMs,
          isBuyerMaker: true,
        })),
      )
    let trades = answer([11, 1], [12, 2], [13, 3])
    world.answer = ({ url }) => (url.includes('/trades') ? trades : jsonAnswer('', 503))
    await start('binance', { symbols: ['BTCUSDT'], pollIntervalMs: 5_000 })
    trades = answer([11, 2_001], [12, 2_002])
    await world.clock.advance(5_000)
    await world.clock.advance(5_000)
    expect(events.flatMap((event) => (event.type === 'trade' ? [event.id.split(':').slice(3).join(':')] : []))).toEqual(
      [...['0:11', '0:12', '0:13'], ...['1795392002001000:11', '1795392002001000:12']],
    )
    expect(log).not.toContain('duplicate')
  })

  test('trades of one millisecond keep their order, also where the venue answers newest first', async () => {
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

  test('a book whose symbol the venue does not know any more is not served as live; listed again, it comes back', async () => {
    const listed = exchangeInfo('BTCUSDT')
    let depth = snapshotAt(7)
    world.answer = ({ url }) => (url.includes('/depth') ? depth : listed)
    const channels = { book: 'depth@100ms' }
    const { stateOf, books } = await start('binance', { symbols: ['BTCUSDT'], channels, pollIntervalMs: 5_000 })
    const states = () => [stateOf('book', 'BTCUSDT')?.state, books.find('binance', 'BTCUSDT')?.state]
    expect(states()).toEqual(['live', 'live'])
    depth = jsonAnswer({ code: -1121, msg: 'Invalid symbol.' }, 400)
    await world.clock.advance(5_000)
    expect(states()).toEqual(['down', 'stale'])
    depth = snapshotAt(8)
    await world.clock.advance(600_000)
    expect(states()).toEqual(['live', 'live'])
  })

  test('a book without answers is not served as live, also while our clock waits for one that was set back', async () => {
    world.answer = ({ url }) => (url.includes('/depth') ? snapshotAt(7) : jsonAnswer('', 503))
    const channels = { book: 'depth@100ms' }
    const { books } = await start('binance', { symbols: ['BTCUSDT'], channels, pollIntervalMs: 5_000 })
    const frozenUs = world.clock.nowUs()
    world.clock.nowUs = () => frozenUs
    await world.clock.advance(20_000)
    expect(books.find('binance', 'BTCUSDT')?.isLive).toBe(true)
    world.answer = () => Promise.reject(new Error('connect ECONNREFUSED'))
    await world.clock.advance(20_000)
    expect(books.find('binance', 'BTCUSDT')?.isLive).toBe(false)
  })

  test('a feed without answers is stale, then says why', async () => {
    world.answer = ({ url }) => (url.includes('/trades') ? rows(1) : jsonAnswer('', 503))
    const { stateOf } = await start('binance', { symbols: ['BTCUSDT'], pollIntervalMs: 5_000 })
    world.answer = () => Promise.reject(new Error('connect ECONNREFUSED'))
    await world.clock.advance(20_000)
    expect(stateOf('trade', 'BTCUSDT')?.state).toBe('stale')
  })
})

test('what an earlier process missed is fetched when the ledger has it on disk, not before', async () => {
  world.answer = ({ url }) => (url.includes('/exchangeInfo') ? exchangeInfo('BTCUSDT') : jsonAnswer([]))
  const first = await start('binance', { symbols: ['BTCUSDT'] })
  world.peer.open()
  ack()
  for (const id of [5, 8]) world.peer.message(binanceTrade('BTCUSDT', id))
  await world.clock.advance(2_000)
  expect(gaps.at(-1)).toMatchObject({ state: 'open', lost: 2 })
  first.feed.stop()
  const asked = () => world.requests.filter(({ url }) => url.includes('rades')).length
  let whenOpen = -1
  const before = asked()
  await start('binance', {
    symbols: ['BTCUSDT'],
    async whenOpen() {
      await world.clock.advance(1_000)
      whenOpen = asked()
    },
  })
  await world.clock.advance(1_000)
  expect(before).toBeGreaterThan(0)
  expect([whenOpen, asked()]).toEqual([before, before + 1])
})
